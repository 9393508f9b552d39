"""Splitting a byte stream into WebSocket messages (RFC 6455), many at a time and without a socket.

One large read is split into all its messages at once; text stays bytes, because the JSON decoder checks UTF-8 anyway.
Server frames only: they are not masked, and no extension was offered.
"""

from __future__ import annotations

from typing import NamedTuple

from exconn_sync.errors import ProtocolError

_TEXT_WHOLE = 0x81
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_MAX_CONTROL = 125
_TOO_BIG = {"close_code": 1009}


class CloseFrame(NamedTuple):
    """The peer closes: code (1005 where it gave none) and its reason, cleaned."""

    code: int
    reason: str


class Frames(NamedTuple):
    """What a read contained: whole messages, payloads of pings and pongs, and the close if there was one."""

    messages: list[bytes]
    pings: list[bytes]
    pongs: list[bytes]
    close: CloseFrame | None


class FrameReader:
    """Collects bytes and returns the messages that are complete.

    Args:
        max_message_bytes: a message that declares or reaches more is refused before it is kept (fault F028).
    """

    def __init__(self, max_message_bytes: int) -> None:
        self._max = max_message_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._needed = 2
        self._fragments: list[bytes] | None = None
        self._fragments_size = 0
        self._closed = False

    @property
    def is_partial(self) -> bool:
        """True while a message has begun and is not complete."""
        return bool(self._parts) or self._fragments is not None

    def feed(self, data: bytes) -> Frames:
        """Take bytes as they came and return what became complete; what follows a close frame is ignored (F027).

        Raises:
            ProtocolError: a violation of the protocol or of the size limit; the connection is of no further use. The
                code to close it with is ``details["close_code"]`` where it is not 1002.
        """
        frames = Frames([], [], [], None)
        if self._closed:
            return frames
        if self._parts:
            self._parts.append(data)
            self._size += len(data)
            if self._size < self._needed:
                return frames
            data = b"".join(self._parts)
            self._parts = []
        return self._split(data, frames)

    def _split(self, data: bytes, frames: Frames) -> Frames:
        keep, most = frames.messages.append, self._max
        position, end = 0, len(data)
        self._needed = 2
        while end - position >= 2:
            first, length = data[position], data[position + 1]
            body = position + 2
            if length == 126 and end - position >= 4:
                # Most messages of a market stream: spelt out, because a call would cost as much as all the rest.
                body, length = position + 4, data[body] << 8 | data[position + 3]
            elif length > 125:
                body, length = self._long_length(data, position, end)
                if length < 0:
                    break
            stop = body + length
            if length > most:
                raise ProtocolError(f"a frame of {length} bytes exceeds the limit of {most}", details=_TOO_BIG)
            if stop > end:
                self._needed = stop - position
                break
            if first == _TEXT_WHOLE and self._fragments is None:
                keep(data[body:stop])
            else:
                close = self._unusual(first, data[body:stop], frames)
                if close is not None:
                    self._closed = True
                    return frames._replace(close=close)
            position = stop
        if position < end:
            self._parts = [data[position:]]
        self._size = end - position
        return frames

    def _long_length(self, data: bytes, position: int, end: int) -> tuple[int, int]:
        """Return where the payload begins and its length, -1 where the header is not complete."""
        length = data[position + 1]
        if length > 127:
            raise ProtocolError("a server frame is masked")
        width = 2 if length == 126 else 8
        if end - position < 2 + width:
            self._needed = 2 + width
            return 0, -1
        return position + 2 + width, int.from_bytes(data[position + 2 : position + 2 + width], "big")

    def _unusual(self, first: int, payload: bytes, frames: Frames) -> CloseFrame | None:
        """Handle everything but a whole text message: fragments, control frames, violations."""
        final, opcode = first & 0x80, first & 0x0F
        if first & 0x70:
            raise ProtocolError("a frame uses an extension that was not agreed on")
        if opcode >= _CLOSE:
            if not final or len(payload) > _MAX_CONTROL:
                raise ProtocolError("a control frame is fragmented or too long")
            return self._control(opcode, payload, frames)
        if opcode in (_TEXT, _BINARY):
            if self._fragments is not None:
                raise ProtocolError("a message begins inside another one")
            self._fragments = []
            self._fragments_size = 0
        elif opcode != _CONTINUATION or self._fragments is None:
            raise ProtocolError(f"unexpected frame with opcode {opcode}")
        if payload:
            # An endless row of empty fragments must not pile up either (fault F028).
            self._fragments.append(payload)
            self._fragments_size += len(payload)
        if self._fragments_size > self._max:
            raise ProtocolError(f"a message exceeds the limit of {self._max} bytes", details=_TOO_BIG)
        if final:
            frames.messages.append(b"".join(self._fragments))
            self._fragments = None
        return None

    @staticmethod
    def _control(opcode: int, payload: bytes, frames: Frames) -> CloseFrame | None:
        if opcode == _PING:
            frames.pings.append(payload)
        elif opcode == _PONG:
            frames.pongs.append(payload)
        elif opcode == _CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            reason = payload[2:].decode("utf-8", "replace")
            return CloseFrame(code, "".join(char if char.isprintable() else "?" for char in reason))
        else:
            raise ProtocolError(f"unexpected frame with opcode {opcode}")
        return None
