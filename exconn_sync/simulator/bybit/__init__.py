"""The wire of Bybit v5 spot on the simulator's exchange."""
