"""Servers that speak just as much of a protocol as a test wants them to."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

from websocket import ABNF

from tests.unit.support import LIMIT

Script = Callable[[socket.socket], None]


class Peer:
    """Accepts connections on loopback and runs a script for each, on a thread of its own."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.errors: list[BaseException] = []
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Peer:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
            assert not thread.is_alive()
        if kind is None and self.errors:
            raise self.errors[0]

    def refuse(self) -> None:
        """Take no further connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(LIMIT)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                if self._context is None:
                    self._script(sock)
                else:
                    with self._context.wrap_socket(sock, server_side=True) as tls:
                        self._script(tls)
            except OSError:
                # The other side left, or the test is over.
                return
            except BaseException as error:  # noqa: BLE001 - raised again on the test's own thread
                self.errors.append(error)


def read_head(sock: socket.socket, *, peek: bool = False) -> str:
    """Return the head of a request; with ``peek`` it stays there to be read again (not over TLS)."""
    head = b""
    while peek and b"\r\n\r\n" not in head:
        head = sock.recv(65536, socket.MSG_PEEK)
        if not head:
            raise ConnectionResetError("the other side left")
    while not peek and not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            raise ConnectionResetError("the other side left")
        head += byte
    return head.decode()


def upgrade(sock: socket.socket, first: bytes = b"", headers: str = "") -> str:
    """Do the server's half of the WebSocket handshake; return the request.

    ``first`` are bytes that come in one piece with the answer, ``headers`` are further lines of it.
    """
    head = read_head(sock)
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    accept = base64.b64encode(digest).decode()
    sock.sendall(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n".encode()
        + first
    )
    return head


def frame(payload: bytes, opcode: int = 0x1, final: int = 1) -> bytes:
    """Return an unmasked frame, as servers send them."""
    made = ABNF(final, 0, 0, 0, opcode, 0, payload)
    return bytes(made.format())


def read_frame(sock: socket.socket) -> tuple[int, bytes]:
    """Return opcode and payload of one masked frame of a client."""
    first, second = _exactly(sock, 2)
    assert second & 0x80, "a client must mask its frames"
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(_exactly(sock, 2), "big")
    elif length == 127:
        length = int.from_bytes(_exactly(sock, 8), "big")
    mask = _exactly(sock, 4)
    payload = _exactly(sock, length)
    return first & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionResetError("the other side left")
        data += more
    return data


def wait_for_end(sock: socket.socket) -> None:
    """Read and forget until the other side leaves."""
    while sock.recv(65536):
        continue


def reset(sock: socket.socket) -> None:
    """End a connection with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """Give a port whose queue of connections is full: further ones are neither taken nor refused."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            assert filler.connect_ex(address) in (0, errno.EINPROGRESS)
        yield address[1]
