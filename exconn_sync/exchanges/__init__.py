"""One folder an exchange: pure translation between its wire and the library's values."""
