"""Sockets: HTTP, WebSocket, rate and failure guards. Exceptions of the libraries become ours here."""
