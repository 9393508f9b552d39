"""What a signed order and a plain question cost a program, beside other people's clients."""
