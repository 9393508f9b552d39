"""The venue without a venue: books, balances, matching and a market, with no I/O, thread or clock."""
