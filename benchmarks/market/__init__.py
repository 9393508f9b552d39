"""Market data from a socket to a callback, beside other clients and beside the limit of what Python can do."""
