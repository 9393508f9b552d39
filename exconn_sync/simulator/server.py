"""The simulator's one thread: an asyncio loop that listens on one port and runs the face."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from aiohttp import WSCloseCode, web

from exconn_sync.simulator.connection import abort_transport
from exconn_sync.simulator.sockets import ConnectionHub

P = ParamSpec("P")
R = TypeVar("R")
_log = logging.getLogger(__name__)
THREAD_NAME = "exconn-simulator"
_BACKLOG = 128
_ACCEPT_STEPS = 4
_GOODBYE_S = 0.3
_TLS_HANDSHAKE_S = 10.0
_LONGEST_LINE = 65_536
"""Bytes: the address of a connection may name 1,024 streams."""


class SimulatorServer:
    """Starts and stops the thread, and runs calls from other threads on its loop."""

    def __init__(
        self,
        host: str,
        port: int,
        hub: ConnectionHub,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        background: Callable[[], Sequence[Coroutine[None, None, None]]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._hub = hub
        self._handler = handler
        self._background = background
        self.tls = tls
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: int | None = None
        self._stopping: asyncio.Event | None = None
        self._web: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._parked: socket.socket | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is up."""
        return self._thread is not None

    def start(self) -> None:
        """Return when the port is open; nothing happens if it already is."""
        with self._lock:
            if self._thread is not None:
                return
            listening: Future[None] = Future()
            thread = threading.Thread(target=self._run, args=(listening,), name=THREAD_NAME, daemon=True)
            thread.start()
            try:
                listening.result()
            except (OSError, RuntimeError):
                thread.join()
                raise
            self._thread = thread

    def stop(self, timeout: float) -> None:
        """Close everything and end the thread; nothing happens if there is none."""
        with self._lock:
            thread, loop, stopping = self._thread, self._loop, self._stopping
            if thread is None or loop is None or stopping is None:
                return
            loop.call_soon_threadsafe(stopping.set)
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the simulator did not stop within {timeout} s")
            self._thread = self._loop = self._loop_thread = self._stopping = None

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function on the loop and return its result. Without a running server it runs right here."""
        if self._loop_thread == threading.get_ident():
            return function(*args, **kwargs)
        # Held while waiting: the loop cannot go away under a call, because stop() needs the lock too.
        with self._lock:
            loop = self._loop
            if loop is None:
                return function(*args, **kwargs)

            async def run() -> R:
                return function(*args, **kwargs)

            return asyncio.run_coroutine_threadsafe(run(), loop).result()

    def drop_all(self, spare: asyncio.BaseTransport | None = None) -> None:
        """Reset every TCP connection except one."""
        if self._web is not None:
            for handler in list(self._web.connections):
                if handler.transport is not spare:
                    abort_transport(handler.transport)

    def refuse(self) -> None:
        """Close the listening socket but keep its port, so that new connections are refused."""
        with self._lock:
            if self._loop is not None:
                asyncio.run_coroutine_threadsafe(self._refuse(), self._loop).result()

    async def _refuse(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        loop = asyncio.get_running_loop()
        for listening in listener.sockets:
            loop.remove_reader(listening.fileno())
        # What was accepted a moment ago becomes a connection first: asyncio loses its socket when the listener is
        # closed before that.
        for _ in range(_ACCEPT_STEPS):
            await asyncio.sleep(0)
        listener.close()
        self._parked = self._bound_socket()

    async def _accept(self) -> None:
        if self._web is not None and self._listener is None:
            bound, self._parked = self._parked or self._bound_socket(), None
            self._listener = await asyncio.get_running_loop().create_server(
                self._web,
                sock=bound,
                backlog=_BACKLOG,
                ssl=self.tls,
                ssl_handshake_timeout=None if self.tls is None else _TLS_HANDSHAKE_S,
            )

    def accept(self) -> None:
        """Listen again."""
        with self._lock:
            if self._loop is not None:
                asyncio.run_coroutine_threadsafe(self._accept(), self._loop).result()

    def _bound_socket(self) -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self.host, self.port))
        except OSError:
            bound.close()
            raise
        # Kept for the next start too: an exchange that comes back has the same address.
        self.port = bound.getsockname()[1]
        return bound

    def _run(self, listening: "Future[None]") -> None:
        try:
            asyncio.run(self._main(listening))
        finally:
            if not listening.done():
                listening.set_exception(RuntimeError("the simulator ended before it listened"))

    async def _main(self, listening: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._stopping = asyncio.Event()
        self._web = web.Server(self._handler, access_log=None, max_line_size=_LONGEST_LINE)
        try:
            await self._accept()
        except OSError as error:
            self._loop = self._loop_thread = None
            listening.set_exception(error)
            return
        jobs = [asyncio.create_task(job) for job in (*self._background(), self._hub.keep_alive.run())]
        for job in jobs:
            job.add_done_callback(_report_failure)
        listening.set_result(None)
        await self._stopping.wait()
        await self._shut_down(jobs)

    async def _shut_down(self, jobs: list["asyncio.Task[None]"]) -> None:
        await self._refuse()
        if self._parked is not None:
            self._parked.close()
            self._parked = None
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        self._hub.close(None, WSCloseCode.GOING_AWAY)
        deadline = asyncio.get_running_loop().time() + _GOODBYE_S
        while self._hub.connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        self.drop_all()
        if self._web is not None:
            await self._web.shutdown(timeout=_GOODBYE_S)
            self._web = None


def _report_failure(job: "asyncio.Task[None]") -> None:
    if not job.cancelled() and job.exception() is not None:
        _log.error("a background job of the simulator ended", exc_info=job.exception())
