"""Orders, fills, balances and positions: one writer path, immutable values for readers, replay from a journal."""
