"""Binance spot, as its documentation stood in July 2026."""
