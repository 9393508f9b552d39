"""HTTP on urllib3: one pool of connections to one host.

urllib3 is used below its convenience layers: no redirects (they would carry ``X-MBX-APIKEY`` to another host), no
retries, no cookies, no proxies or netrc from the environment (faults F087, F176). Pools are safe to share between
threads, which is not documented for ``requests`` sessions.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.redaction import protect_log
from exconn_sync.errors import ConnectionFailed, ExconnError, ProtocolError, RequestTimeout
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.clock import Clock

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, Timeout

_POOL_SIZE = 16
_CHUNK = 1 << 16
_LEAST_TIMEOUT = 0.001


class HttpClient:
    """Sends requests to one base URL; any number of threads may use it at the same time.

    Args:
        base_url: scheme, host and port, perhaps a path that goes before every target.
        connect_timeout: seconds to establish a connection, at most.
        read_timeout: seconds without a byte of the answer, at most.
        max_body_bytes: a larger answer is refused.
    """

    def __init__(
        self, base_url: str, clock: Clock, *, connect_timeout: float, read_timeout: float, max_body_bytes: int
    ) -> None:
        import urllib3

        from exconn_sync._transport import bounded

        protect_log()
        self._urllib3 = urllib3
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_body_bytes = max_body_bytes
        self._prefix = urllib3.util.parse_url(base_url).path or ""
        is_tls = urllib3.util.parse_url(base_url).scheme == "https"
        options = {"ssl_context": bounded.tls_context()} if is_tls else {}
        self._bound = bounded.set_deadline
        self._pool = urllib3.connection_from_url(base_url, maxsize=_POOL_SIZE, block=False, **options)
        if not is_tls:
            self._pool.ConnectionCls = bounded.BoundedConnection

    def send(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Send one request and read its whole answer, whatever its status.

        Raises:
            ConnectionFailed: with outcome ``not_sent`` where no byte of the request left, else ``unknown``.
            RequestTimeout: no whole answer in time; outcome ``unknown`` (fault F011: a drip does not extend it), or
                ``not_sent`` where the deadline was over before.
            ProtocolError: the answer is too large; outcome ``unknown``.
        """
        if deadline.is_over(self._clock.monotonic_ns()):
            raise RequestTimeout(f"{_name(request)}: no time was left to send it", outcome="not_sent")
        self._bound(deadline, self._clock, self._read_timeout)
        try:
            return self._exchange(request, deadline)
        except self._urllib3.exceptions.HTTPError as error:
            raise self._translate(error, request) from None
        finally:
            self._bound(None, self._clock, self._read_timeout)

    def _exchange(self, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        response = self._pool.urlopen(
            request.method,
            self._prefix + request.target,
            body=request.body,
            headers=dict(request.headers),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=self._timeout(deadline),
        )
        return self._read(response, request, deadline)

    def close(self) -> None:
        """Close idle connections; one in use is closed when its request ends."""
        self._pool.close()

    def _timeout(self, deadline: Deadline) -> Timeout:
        remaining = deadline.remaining(self._clock.monotonic_ns())
        limits = [value for value in (remaining,) if value is not None]
        connect = max(min([self._connect_timeout, *limits]), _LEAST_TIMEOUT)
        read = max(min([self._read_timeout, *limits]), _LEAST_TIMEOUT)
        return self._urllib3.Timeout(connect=connect, read=read)

    def _read(self, response: BaseHTTPResponse, request: HttpRequest, deadline: Deadline) -> HttpResponse:
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
                if deadline.is_over(self._clock.monotonic_ns()):
                    raise RequestTimeout(f"{_name(request)}: the answer did not end in time", outcome="unknown")
            whole = True
        finally:
            if whole:
                response.release_conn()
            else:
                response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, headers, b"".join(chunks), self._clock.time_ns())

    def _translate(self, error: Exception, request: HttpRequest) -> ExconnError:
        """Return our error for one of urllib3's; its text is left out, because it may hold the signed URL (F171)."""
        kinds = self._urllib3.exceptions
        name = _name(request)
        if isinstance(error, (kinds.ConnectTimeoutError, kinds.NewConnectionError)):
            reason = "timed out" if type(error) is kinds.ConnectTimeoutError else _reason(error)
            return ConnectionFailed(f"{name}: could not connect: {reason}", outcome="not_sent")
        if isinstance(error, kinds.SSLError):
            is_certificate = bool(error.args) and isinstance(error.args[0], ssl.SSLCertVerificationError)
            return ConnectionFailed(
                f"{name}: TLS failed ({'certificate refused' if is_certificate else 'protocol'})",
                temporary=not is_certificate,
                outcome="not_sent" if is_certificate else "unknown",
            )
        if isinstance(error, kinds.TimeoutError):
            return RequestTimeout(f"{name}: no answer in time", outcome="unknown")
        return ConnectionFailed(f"{name}: the connection broke ({type(error).__name__})", outcome="unknown")


def _name(request: HttpRequest) -> str:
    return f"{request.method} {request.target.partition('?')[0]}"


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    return str(cause) if isinstance(cause, OSError) else type(error).__name__
