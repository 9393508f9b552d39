"""The workers of one account, put together."""
