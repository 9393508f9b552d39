"""The simulator as its users see it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING

from aiohttp import web

from exconn_sync.simulator.account_control import Accounts, random_text
from exconn_sync.simulator.admin import ADMIN_PATH
from exconn_sync.simulator.admin_commands import live_admin, replay_admin
from exconn_sync.simulator.binance.face import WS_API_PATH
from exconn_sync.simulator.bybit.face import PRIVATE_PATH, PUBLIC_PATH, TRADE_PATH
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.controls import MarketControl
from exconn_sync.simulator.core.market import MarketGenerator
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, SymbolSpec
from exconn_sync.simulator.faces import (
    BYBIT,
    Face,
    chosen_exchanges,
    core_of,
    face_of,
    kinds_of,
    limits_of,
    replay_of,
)
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.fault_targets import FaultTargets
from exconn_sync.simulator.faults import Faults
from exconn_sync.simulator.keys import ApiKey, ClientKey, KeyTable
from exconn_sync.simulator.ledger import ClientFrames
from exconn_sync.simulator.server import SimulatorServer
from exconn_sync.simulator.sockets import ConnectionHub
from exconn_sync.simulator.tls import Tls, server_context
from exconn_sync.simulator.traffic import Breaches, SeenRequest, Traffic

if TYPE_CHECKING:
    from exconn_sync.config import Config

DEMO_ACCOUNT = "demo"
DEMO_FUNDS = {"USDT": Decimal(1_000_000), "BTC": Decimal(100), "ETH": Decimal(1000), "BNB": Decimal(1000)}

_MARKET_STEP_S = 0.02


class Simulator:
    """An exchange on this machine, speaking the real wire.

    ``with Simulator() as exchange: connector = Connector(exchange.config())``. With ``running_market=False`` the book
    is laid out but nothing moves by itself. The same seed gives the same keys and the same generated prices.

    ``tls`` is a pair of PEM files (certificate chain, private key) or an ``ssl.SSLContext``; all addresses are then
    ``https`` and ``wss``. ``ca_file`` is what a client needs to trust that certificate; ``config()`` hands it on.

    ``exchange`` is ``"binance"``, ``"bybit"``, or both: ``Simulator(("binance", "bybit"))`` shows the same accounts and
    books through the wires of two exchanges, under the rules of Binance. With ``demo`` Bybit is what its demo
    environment is: without market data over sockets, commands over sockets, and batches.

    ``symbols`` are the traded pairs, for example ``(*DEFAULT_SYMBOLS, spec_of("DOGE", "USDT", ...))``.
    """

    def __init__(
        self,
        exchange: str | Sequence[str] = "binance",
        *,
        seed: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        running_market: bool = True,
        api_key: str | None = None,
        api_secret: str | None = None,
        tls: Tls | None = None,
        ca_file: str | Path | None = None,
        symbols: Iterable[SymbolSpec] = DEFAULT_SYMBOLS,
        demo: bool = False,
    ) -> None:
        self._prepare(exchange, host, port, tls, ca_file)
        random = Random(f"demo key {seed}")
        self.api_key = api_key or random_text(random)
        self.api_secret = api_secret or random_text(random)
        core = core_of(self.exchanges, symbols)
        core.add_account(DEMO_ACCOUNT)
        self._board.orders.on_read_lag.append(core.reads.lag)
        generator = MarketGenerator(core, seed)
        self._generator: MarketGenerator | None = generator
        self._market = MarketControl(self._server.call, core, generator, self._clock)
        keys = KeyTable([ApiKey(self.api_key, self.api_secret, DEMO_ACCOUNT)])
        self._accounts = Accounts(self._server.call, core, keys, self._clock, Random(f"further keys {seed}"))
        for asset, amount in DEMO_FUNDS.items():
            self._accounts.deposit(asset, amount)
        generator.open(self._clock.now_ms())
        if not running_market:
            generator.pause()
        # Built last, so that the first depth event does not repeat how the book was laid out.
        shared = (core, self._clock, keys, self._limits, self._traffic, self._hub, self._board)
        self._face: Face = face_of(self.exchanges, *shared, seed=seed, is_demo=demo)
        self._admin = live_admin(self.faults, self._hub, self._server, self._market, self._accounts, self._traffic)

    @classmethod
    def replay(
        cls,
        path: str | Path,
        *,
        exchange: str = "binance",
        pace: float | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls | None = None,
        ca_file: str | Path | None = None,
    ) -> "Simulator":
        """Serve a recording: at its own pace (1.0), faster (10.0), or as fast as each client reads (None)."""
        if pace is not None and pace <= 0:
            raise ValueError("pace must be above zero, or None for as fast as the client reads")
        simulator = cls.__new__(cls)
        simulator._prepare(exchange, host, port, tls, ca_file)
        simulator.api_key = simulator.api_secret = ""
        simulator._generator = None
        parts = (simulator._hub, simulator._board, simulator._clock, simulator.finished.set, pace)
        simulator._face = replay_of(exchange, path, *parts)
        simulator._admin = replay_admin(simulator.faults, simulator._hub, simulator._server)
        return simulator

    def start(self) -> "Simulator":
        """Return when the exchange listens; nothing happens if it already does. A restart keeps the port."""
        self._server.start()
        return self

    def stop(self, timeout: float = 5.0) -> None:
        """Close all connections and end the thread. Accounts, orders and books are kept for another start."""
        self._server.stop(timeout)

    def __enter__(self) -> "Simulator":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def rest(self) -> str:
        """Base address of REST."""
        return f"http{self._secure}://{self._address}"

    @property
    def stream(self) -> str:
        """Base address of the market streams, without ``/ws`` or ``/stream``."""
        return f"ws{self._secure}://{self._address}"

    @property
    def ws_api(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self._secure}://{self._address}{WS_API_PATH}"

    @property
    def public(self) -> str:
        """Address of Bybit's public socket."""
        return f"ws{self._secure}://{self._address}{PUBLIC_PATH}"

    @property
    def private(self) -> str:
        """Address of Bybit's private socket."""
        return f"ws{self._secure}://{self._address}{PRIVATE_PATH}"

    @property
    def trade(self) -> str:
        """Address of Bybit's trade socket."""
        return f"ws{self._secure}://{self._address}{TRADE_PATH}"

    @property
    def admin(self) -> str:
        """Base address of the admin routes."""
        return f"http{self._secure}://{self._address}{ADMIN_PATH}"

    @property
    def market(self) -> MarketControl:
        """The market's controls."""
        if self._generator is None:
            raise RuntimeError("a replay has no market to control")
        return self._market

    @property
    def accounts(self) -> Accounts:
        """The truth about balances, orders and fills."""
        if self._generator is None:
            raise RuntimeError("a replay has no accounts")
        return self._accounts

    def subscriptions(self) -> list[str]:
        """Return the streams that all connections have subscribed, sorted; one on two connections stands twice.

        The private events of an account are called ``userDataStream``.
        """
        return self._server.call(self._hub.subscriptions)

    def connection_log(self) -> list[tuple[float, str]]:
        """Return each attempt to open a WebSocket, refused ones too: ``time.monotonic()`` and kind, oldest first."""
        return self._server.call(self._hub.ledger.attempts)

    def client_frames(self) -> list[ClientFrames]:
        """Return how many frames came over each WebSocket so far, oldest connection first, ended ones too."""
        return self._server.call(self._hub.ledger.client_frames)

    def cuts(self) -> dict[str, int]:
        """Return how many WebSockets the exchange itself ended, by reason.

        Reasons: ``"age"``, ``"no pong"``, ``"too many messages"``, ``"too many streams"``, ``"slow reader"``,
        ``"banned"``, ``"idle"``. What a fault dropped or closed is not counted.
        """
        return self._server.call(self._hub.ledger.cuts)

    def request_log(self, *, with_faulty: bool = False) -> list[SeenRequest]:
        """Return the newest 100,000 requests over REST, and commands over Bybit's trade socket, as they were answered.

        ``with_faulty`` also those that were not executed, because a fault has answered or lost them.
        """
        seen = self._server.call(self._traffic.requests)
        return [request for request in seen if with_faulty or request.is_executed]

    def faults_done(self) -> dict[str, int]:
        """Return how many single requests and frames each fault has met so far, by the name of the fault.

        Faults that last, or that concern connections, are not counted.
        """
        return self._server.call(lambda: dict(self._board.done))

    def requests_held(self) -> int:
        """Return how many requests ``execute_late`` holds at the moment: what they ask for is still to happen."""
        return self._server.call(lambda: self._board.fates.held)

    def breaches(self) -> Breaches:
        """Return how many requests were too many so far: over a limit, or during a ban."""
        return self._server.call(self._traffic.count_breaches)

    def addresses(self, exchange: str | None = None) -> dict[str, str]:
        """The addresses of an exchange by their names on the builder of a ``Config``; of the first one by default."""
        if (exchange or self.exchange) == BYBIT:
            return {"rest": self.rest, "public": self.public, "private": self.private, "trade": self.trade}
        return {"rest": self.rest, "stream": self.stream, "ws_api": self.ws_api}

    def config(
        self, *, exchange: str | None = None, account: "str | ClientKey | None" = None, **changes: object
    ) -> "Config":
        """A ready configuration for this exchange; ``reconnect={"base": 0.1}`` calls that method of the builder.

        Of a simulator that shows several, ``exchange`` chooses one; without it the first is meant.

        It signs for the demo account, or for ``account``: a name, or a key that ``accounts.add_key`` returned.
        Over TLS it trusts ``ca_file``, also beside other settings in ``network={...}``.
        """
        from exconn_sync.config import Config

        if self._server.tls is not None and self.ca_file is not None:
            network = changes.get("network", {})
            if isinstance(network, dict):
                changes["network"] = {"ca_file": str(self.ca_file), **network}

        name = exchange or self.exchange
        builder = Config.builder(name).endpoints(**self.addresses(name))
        key = self._accounts.client_key(account) if self._generator is not None else None
        if key is not None and "credentials_provider" not in changes:
            builder = builder.credentials(key.api_key, key.api_secret)
        for name, value in changes.items():
            method = getattr(builder, name)
            builder = method(**value) if isinstance(value, dict) else method(value)
        return builder.build()

    def _prepare(
        self, exchange: str | Sequence[str], host: str, port: int, tls: Tls | None, ca_file: str | Path | None
    ) -> None:
        self.exchanges = chosen_exchanges(exchange)
        self.exchange = self.exchanges[0]
        self.ca_file = None if ca_file is None else Path(ca_file)
        self.finished = threading.Event()
        self._clock = VenueClock()
        self._limits = limits_of(self.exchanges)
        self._traffic = Traffic()
        self._board = FaultBoard()
        self._hub = ConnectionHub(self._limits, self._board.wire, self._clock)
        self._server = SimulatorServer(
            host, port, self._hub, self._handle, self._background, None if tls is None else server_context(tls)
        )
        if self.exchanges == (BYBIT,):
            self._board.wire.life_s = None
        kinds = kinds_of(self.exchanges)
        self.faults = Faults(FaultTargets(self._server, self._board, self._hub, self._clock, self._limits, kinds))

    @property
    def _address(self) -> str:
        if not self._server.port:
            raise RuntimeError("the simulator has no address before start()")
        return f"{self._server.host}:{self._server.port}"

    @property
    def _secure(self) -> str:
        return "" if self._server.tls is None else "s"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(f"{ADMIN_PATH}/"):
            return await self._admin.handle(request)
        return await self._face.handle(request)

    def _background(self) -> Sequence[Coroutine[None, None, None]]:
        return (self._face.run(), self._run_market())

    async def _run_market(self) -> None:
        while self._generator is not None:
            self._generator.step(self._clock.now_ms())
            await asyncio.sleep(_MARKET_STEP_S)
