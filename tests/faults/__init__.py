"""Faults of the network and of the exchange, provoked on purpose."""
