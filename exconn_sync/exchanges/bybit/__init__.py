"""Bybit v5 spot on a unified trading account, as its documentation stood in July 2026."""
