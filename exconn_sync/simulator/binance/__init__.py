"""The Binance face: the spot exchange's REST, streams and WebSocket API over the core."""
