"""An exchange in the process: the simulator's core without a network, a thread or a clock of its own."""

import itertools
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, runtime_checkable
from urllib.parse import urlsplit

from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports.clock import Clock, SystemClock
from exconn_sync.ports.local_exchange import forget_local, register_local
from exconn_sync.ports.registry import register_driver
from exconn_sync.simulator.account_control import Accounts, random_text
from exconn_sync.simulator.binance.face import BinanceFace
from exconn_sync.simulator.binance.rest import RawRequest
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.controls import MarketControl
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.market import MarketGenerator
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, SymbolSpec
from exconn_sync.simulator.facade import DEMO_ACCOUNT, DEMO_FUNDS
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import ApiKey, ClientKey, KeyTable
from exconn_sync.simulator.mock.driver import DRIVER, NAME, addresses
from exconn_sync.simulator.mock.streams import MockOutlet, MockStream
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.sockets import ConnectionHub, Session
from exconn_sync.simulator.traffic import SeenRequest, Traffic

if TYPE_CHECKING:
    from exconn_sync.config import Config

P = ParamSpec("P")
R = TypeVar("R")
_TICK_S = 0.1
_LONGEST_LOOK_S = 1.0
"""Real seconds after which a client is not waited for any more."""
# While the clock stands still no window ends: a connector that had used one up would wait for ever.
_NO_LIMITS = RateLimits(
    weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9, raw_requests_per_5m=10**9
)  # fmt: skip
NS_PER_MS = 1_000_000
_numbers = itertools.count(1)


@runtime_checkable
class MovableClock(Protocol):
    """A clock that stands still until it is told to move."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""


class MockExchange:
    """An exchange without a network, for unit tests: ``Config.builder("mock")`` leads to it.

    It has the market, the accounts and the keys of a ``Simulator``, with the book laid out and nothing that moves by
    itself. What is done to it, by a connector or by a test, is done when the call returns, and connectors know of it:
    only callbacks, which have threads of their own, may come later. It has no limits on requests and orders. With a
    clock that is moved by hand, such as ``exconn_sync.testing.ManualClock``, time passes only by ``advance``; the
    connector needs the same clock: ``Connector(exchange.config(), clock=exchange.clock)``. May be used from any thread.
    """

    def __init__(
        self, *, clock: Clock | None = None, seed: int = 1, symbols: Iterable[SymbolSpec] = DEFAULT_SYMBOLS
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        # Guards everything below it: core, face, and what waits for clients. Who waits for a client to look lets it go.
        self._lock = threading.Condition(threading.Lock())
        self._host = f"{NAME}-{next(_numbers)}"
        self._touched: dict[MockOutlet, None] = {}
        self._sessions: dict[MockOutlet, Session] = {}
        self._ticks = 0
        self._face: BinanceFace | None = None
        venue_clock = VenueClock(self.clock.time_ns)
        core = Exchange(symbols)
        core.add_account(DEMO_ACCOUNT)
        generator = MarketGenerator(core, seed)
        random = Random(f"demo key {seed}")
        keys = KeyTable([ApiKey(random_text(random), random_text(random), DEMO_ACCOUNT)])
        self.market = MarketControl(self._call, core, generator, venue_clock)
        self.accounts = Accounts(self._call, core, keys, venue_clock, Random(f"further keys {seed}"))
        for asset, amount in DEMO_FUNDS.items():
            core.deposit(DEMO_ACCOUNT, asset, amount, venue_clock.now_ms())
        generator.open(venue_clock.now_ms())
        generator.pause()
        self._board, self._traffic = FaultBoard(), Traffic()
        limits, board = replace(_NO_LIMITS), self._board
        hub = ConnectionHub(limits, board.wire, venue_clock)
        # Built last, so that the first depth event does not repeat how the book was laid out.
        self._face = BinanceFace(Venue(core, venue_clock, keys, limits, seed, self._traffic), hub, board)
        register_driver(DRIVER)
        register_local(self._host, self)

    def __enter__(self) -> "MockExchange":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all streams; the address leads nowhere from now on."""
        forget_local(self._host)
        self.drop_connections()

    def config(self, *, account: str | ClientKey | None = None, **changes: object) -> "Config":
        """A ready configuration for this exchange; keywords are as those of ``Simulator.config``."""
        from exconn_sync.config import Config

        key = self.accounts.client_key(account)
        builder = Config.builder(NAME).endpoints(**addresses(self._host)).credentials(key.api_key, key.api_secret)
        for name, value in changes.items():
            method = getattr(builder, name)
            builder = method(**value) if isinstance(value, dict) else method(value)
        return builder.build()

    def advance(self, seconds: float) -> None:
        """Let time pass, a tenth of a second at a time, with all that comes by the clock.

        Raises:
            RuntimeError: the clock goes by itself.
        """
        clock = self.clock
        if not isinstance(clock, MovableClock):
            raise RuntimeError("time passes by itself here: only a clock such as ManualClock can be advanced")
        while seconds > 0:
            self._settle(list(self._sessions))
            step = min(seconds, _TICK_S)
            clock.advance(step)
            seconds = round(seconds - step, 9)
            self._call(self._tick)

    def drop_connections(self) -> None:
        """End all streams, as a lost connection does."""

        def drop() -> None:
            for outlet in list(self._sessions):
                outlet.abort()

        self._call(drop)

    def execute_then_drop(self, method: str, path: str, count: int = 1) -> None:
        """Execute the next requests and lose their answers; for orders they are ``"POST"`` and ``"/api/v3/order"``.

        So a test sees what a program does where it is not known whether an order was placed.
        """
        self._call(self._board.drop_after, (method, path), count)

    def request_log(self) -> list[SeenRequest]:
        """Return the newest 100,000 requests of REST, in the order in which they were answered."""
        return self._call(self._traffic.requests)

    def subscriptions(self) -> list[str]:
        """Return the streams that all connections have subscribed, sorted; one on two connections stands twice."""
        return self._call(
            lambda: sorted(name for session in self._sessions.values() for name in session.subscriptions())
        )

    # --- what a connector does --------------------------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request of REST. Raises ConnectionFailed where the answer is to be lost."""
        path, _, query = request.target.partition("?")
        names = {name.lower(): value for name, value in request.headers.items()}
        raw = RawRequest(
            method=request.method,
            path=path,
            query=query,
            body=(request.body or b"").decode(),
            address=MockOutlet.remote,
            api_key=names.get("x-mbx-apikey"),
            time_unit=names.get("x-mbx-time-unit", "MILLISECOND"),
        )
        return self._call(lambda: self._answer(raw))

    def _answer(self, raw: RawRequest) -> HttpResponse:
        arrived_at = self.clock.time_ns() // NS_PER_MS
        response = _done(self._known_face.answer(raw))
        status = 404 if response is None else response.status
        self._traffic.note(SeenRequest(arrived_at, *raw.target, raw.address, status))
        if self._board.take_drop(raw.target):
            raise ConnectionFailed(f"{raw.method} {raw.path}: the connection broke", outcome="unknown")
        if response is None:
            return HttpResponse(404, {}, b"", self.clock.time_ns())
        headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        body = response.body
        return HttpResponse(response.status, headers, body if isinstance(body, bytes) else b"", self.clock.time_ns())

    def open(self, url: str, on_arrival: Callable[[], None]) -> MockStream:
        """Open a stream. Raises ConnectionFailed for an address that leads nowhere."""
        outlet = MockOutlet(self._touch, on_arrival)
        parts = urlsplit(url)
        raw_path = parts.path + (f"?{parts.query}" if parts.query else "")

        def begin() -> None:
            session = self._known_face.session(raw_path, outlet)
            self._sessions[outlet] = session
            session.opened()

        try:
            self._call(begin)
        except ValueError as error:
            raise ConnectionFailed(f"there is no stream behind {raw_path}", outcome="not_sent") from error
        return MockStream(outlet, self)

    def said(self, outlet: MockOutlet, text: str) -> None:
        """Take what a client has sent."""

        def serve() -> None:
            session = self._sessions.get(outlet)
            if session is None or outlet.is_over:
                raise ConnectionFailed("the exchange ended the connection")
            _done(session.received(text))

        self._call(serve)

    def taken(self, outlet: MockOutlet) -> Sequence[bytes] | None:
        """Hand over what has come for a client; None where the stream has ended and nothing is left."""
        with self._lock:
            messages, outlet.inbox = outlet.inbox, []
            outlet.looks += 1
            outlet.reader = threading.get_ident()
            self._lock.notify_all()
            return None if outlet.is_over and not messages else messages

    def left(self, outlet: MockOutlet) -> None:
        """Forget a client."""
        with self._lock:
            session = self._sessions.pop(outlet, None)
            outlet.is_over = True
            self._lock.notify_all()
            if session is not None:
                session.ended()

    # --- inside -----------------------------------------------------------------------------------------------------

    @property
    def _known_face(self) -> BinanceFace:
        if self._face is None:
            raise LookupError("the mock is not complete yet")
        return self._face

    def _touch(self, outlet: MockOutlet) -> None:
        self._touched[outlet] = None

    def _tick(self) -> None:
        self._ticks += 1
        self._known_face.tick(self._ticks)

    def _call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do something to the exchange, and return when whoever was told something has understood it."""
        with self._lock:
            try:
                result = function(*args, **kwargs)
                if self._face is not None:
                    self._face.flush()
            finally:
                touched, self._touched = self._touched, {}
        self._settle(touched)
        return result

    def _settle(self, outlets: Iterable[MockOutlet]) -> None:
        """Wait until clients have read what was said: so the same steps have the same events, at the same times.

        Who has looked a second time is done with what the first look brought. Nobody waits for the thread that waits
        here, nor for a client that does not look, as one that is being stopped.
        """
        waiting = list(outlets)
        for looks in (1, 2):
            with self._lock:
                wanted = {each: each.looks + 1 for each in waiting if not each.is_over and each.reader is not None}
            for outlet in waiting:
                if looks == 1 or outlet in wanted:
                    outlet.on_arrival()
            with self._lock:
                for outlet, number in wanted.items():
                    if outlet.reader != threading.get_ident():
                        self._lock.wait_for(lambda o=outlet, n=number: o.is_over or o.looks >= n, _LONGEST_LOOK_S)  # type: ignore[misc]


def _done(work: Coroutine[Any, Any, R]) -> R:
    """The result of what waits for nothing here."""
    try:
        work.send(None)
    except StopIteration as end:
        result: R = end.value
        return result
    work.close()
    raise RuntimeError("a call of the mock would have to wait")
