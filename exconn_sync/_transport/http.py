"""HTTP on urllib3: one pool of connections to one host.

urllib3 is used below its convenience layers: no redirects (they would carry ``X-MBX-APIKEY`` to another host), no
retries, no cookies, no proxies or netrc from the environment (faults F087, F176). Pools are safe to share between
threads, which is not documented for ``requests`` sessions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.calls import Call, RunningCalls
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.redaction import protect_log
from exconn_sync.errors import ConnectionFailed, ExconnError, Outcome, ProtocolError, RequestTimeout
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.forking import renew_in_child, renew_queue

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_POOL_SIZE = 16
_CHUNK = 1 << 16


class HttpClient:
    """Sends requests to one base URL; any number of threads may use it at the same time.

    Args:
        base_url: scheme, host and port, perhaps a path that goes before every target.
        connect_timeout: seconds to establish a connection, at most.
        read_timeout: seconds without a byte of the answer, at most.
        max_body_bytes: a larger answer is refused.
        network: how connections are made.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_body_bytes: int,
        network: NetworkParts | None = None,
    ) -> None:
        import urllib3

        from exconn_sync._transport import bounded

        protect_log()
        self._urllib3 = urllib3
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_body_bytes = max_body_bytes
        self._running = RunningCalls(network or NetworkParts())
        self._prefix = urllib3.util.parse_url(base_url).path or ""
        self._set_call = bounded.set_call
        self._pool = urllib3.connection_from_url(base_url, maxsize=_POOL_SIZE, block=False)
        is_tls = self._pool.scheme == "https"
        self._pool.ConnectionCls = bounded.BoundedTlsConnection if is_tls else bounded.BoundedConnection
        # From the beginning, because these locks are free after an interrupt (fault F129).
        self.renew_in_child()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the locks of the pool in a forked child: urllib3 takes them once more when the pool goes away."""
        if self._pool.pool is not None:
            renew_queue(self._pool.pool)

    def send(self, request: HttpRequest, deadline: Deadline, *, is_background: bool = False) -> HttpResponse:
        """Send one request and read its whole answer, whatever its status.

        ``is_background`` marks a call that nobody misses when the connector stops, see ``cut``.

        Raises:
            ConnectionFailed: with outcome ``not_sent`` where no byte of the request left, else ``unknown``.
            RequestTimeout: no whole answer in time; outcome ``unknown`` (fault F011: a drip does not extend it), or
                ``not_sent`` where the deadline was over before.
            ProtocolError: the answer is too large; outcome ``unknown``.
        """
        name = _name(request)
        if deadline.is_over(self._clock.monotonic_ns()):
            raise RequestTimeout(f"{name}: no time was left to send it", outcome="not_sent")
        call = Call(
            self._running, deadline, self._clock, self._connect_timeout, self._read_timeout, is_background=is_background
        )
        try:
            self._running.begin(call)
            self._set_call(call)
            return self._exchange(request, call)
        except ConnectionFailed as error:
            text, details = f"{name}: {error.message}", error.details
            raise ConnectionFailed(text, temporary=error.temporary, outcome=error.outcome, details=details) from None
        except (self._urllib3.exceptions.HTTPError, OSError) as error:
            raise self._translate(error, name, call) from None
        finally:
            self._set_call(None)
            self._running.end(call)

    def cut(self, *, only_background: bool) -> None:
        """Break the calls in flight, whatever they wait for, and refuse those that would follow. Any thread; at once.

        Broken calls raise ConnectionFailed, ``not_sent`` where no byte of the request left, else ``unknown``. It is for
        a stop: what was cut stays cut. Idempotent.
        """
        self._running.cut(only_background=only_background)

    def wait_idle(self, seconds: float | None) -> bool:
        """Wait until no other thread has a call in flight, ``seconds`` at most; return whether that is so."""
        return self._running.wait_idle(seconds)

    def close(self) -> None:
        """Close idle connections; one in use is closed when its request ends."""
        self._pool.close()

    def _exchange(self, request: HttpRequest, call: Call) -> HttpResponse:
        response = self._pool.urlopen(
            request.method,
            self._prefix + request.target,
            body=request.body,
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            # What is left of the call's time is looked at before each step on the socket.
            timeout=self._read_timeout,
        )
        return self._read(response, request, call)

    def _read(self, response: BaseHTTPResponse, request: HttpRequest, call: Call) -> HttpResponse:
        chunks: list[bytes] = []
        size = 0
        whole = False
        try:
            while chunk := response.read1(_CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if size > self._max_body_bytes:
                    raise ProtocolError(
                        f"the answer to {_name(request)} is larger than {self._max_body_bytes} bytes", outcome="unknown"
                    )
                if call.is_late:
                    raise RequestTimeout(f"{_name(request)}: the answer did not end in time", outcome="unknown")
            whole = True
        finally:
            if whole:
                response.release_conn()
            else:
                response.close()
        return HttpResponse(response.status, call.headers, b"".join(chunks), self._clock.time_ns())

    def _translate(self, error: Exception, name: str, call: Call) -> ExconnError:
        """Return our error for one of urllib3's; its text is left out, because it may hold the signed URL (F171)."""
        kinds = self._urllib3.exceptions
        outcome: Outcome = "unknown" if call.has_written else "not_sent"
        if call.is_cut:
            return ConnectionFailed(f"{name}: broken off by the stop", outcome=outcome)
        if call.is_late or isinstance(error, (kinds.TimeoutError, TimeoutError)):
            return RequestTimeout(f"{name}: no answer in time", outcome=outcome)
        if isinstance(error, kinds.SSLError):
            # A body that ends without TLS's goodbye was cut short (fault F015).
            return ConnectionFailed(f"{name}: TLS failed", outcome=outcome)
        return ConnectionFailed(f"{name}: the connection broke ({type(error).__name__})", outcome=outcome)


def _name(request: HttpRequest) -> str:
    return f"{request.method} {request.target.partition('?')[0]}"
