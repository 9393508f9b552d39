"""WebSocket frames as a server sends them: never masked, never compressed."""

import struct

TEXT = 0x1
BINARY = 0x2
_FINAL = 0x80


def frame_bytes(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one whole frame."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", _FINAL | opcode, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", _FINAL | opcode, 126, length) + payload
    return struct.pack("!BBQ", _FINAL | opcode, 127, length) + payload
