"""The feed of a market session on doubles of sockets, with clock, answers and connections in the test's hands."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from exconn_sync import Config
from exconn_sync._live.backfill import Backfiller
from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.link import Link
from exconn_sync._live.market_link import MarketLink
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.stream_feed import StreamFeed
from exconn_sync._runtime.bus import Bus
from exconn_sync.config.settings import MarketStreams, Reconnect
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import BookSnapshot
from exconn_sync.model.wire import Topic
from exconn_sync.ports.registry import find_driver
from exconn_sync.testing import ManualClock
from tests.live.fakes import FakeSocket, link_over
from tests.live.support import listen

BTC, ETH = "BTC-USDT", "ETH-USDT"
TRADES, TICKER, BOOK = Topic(Channel.TRADE, BTC), Topic(Channel.BOOK_TICKER, BTC), Topic(Channel.ORDER_BOOK, BTC)
ETH_TRADES = Topic(Channel.TRADE, ETH)
DRIVER = find_driver("binance")


def instruments(*symbols: str, exchange: str = "binance") -> Instruments:
    """Return a table of symbols such as ``BTC-USDT``."""
    made = []
    for symbol in symbols:
        base, quote = symbol.split("-")
        made.append(Instrument(exchange, symbol, base + quote, base, quote))
    return Instruments(exchange, made)


def data(stream: str, **fields: Any) -> bytes:
    return json.dumps({"stream": stream, "data": fields}, separators=(",", ":")).encode()


def trade(number: int, symbol: str = BTC, at_ms: int = 1) -> bytes:
    """Return the frame of a trade."""
    name = symbol.replace("-", "").lower()
    return data(f"{name}@trade", e="trade", E=1, s=name.upper(), t=number, p="1.5", q="2", T=at_ms, m=True)


def ticker(update_id: int) -> bytes:
    """Return the frame of a best price."""
    return data("btcusdt@bookTicker", u=update_id, s="BTCUSDT", b="1", B="2", a="3", A="4")


def depth(first: int, last: int) -> bytes:
    """Return the frame of a change of a book."""
    return data(
        "btcusdt@depth@100ms", e="depthUpdate", E=1, s="BTCUSDT", U=first, u=last, b=[["1", "1"]], a=[["2", "1"]]
    )


def snapshot(update_id: int) -> BookSnapshot:
    return BookSnapshot("binance", BTC, update_id, [("1", "1")], [("2", "1")], 0)


class Lane:
    def __init__(self, topics: Iterable[Topic]) -> None:
        self.topics = frozenset(topics)
        self.states: list[tuple[bool, str]] = []
        self.covered: frozenset[Topic] | None = None

    def wanted(self) -> frozenset[Topic]:
        return self.topics

    def settled(self, is_settled: bool, why: str = "", covered: frozenset[Topic] | None = None) -> None:
        self.states.append((is_settled, why))
        self.covered = covered


class Wire:
    """One connection of the feed; the test plays the exchange."""

    def __init__(self, desk: MarketDesk) -> None:
        self._desk = desk
        self.socket = FakeSocket()
        self.link: Link = link_over(self.socket, desk.clock, desk.config, ping_frame=desk.feed.driver.ping_frame)
        self.handler: MarketLink = desk.feed.handler(self.link)
        self.link.handler = self.handler
        self._read = 0
        self.handler.on_open()

    def requests(self) -> list[tuple[str, list[str], int]]:
        """Return the requests since the last call: method, names, id."""
        new, self._read = self.socket.texts[self._read :], len(self.socket.texts)
        decoded = map(json.loads, new)
        return [(each["method"], each.get("params", []), each["id"]) for each in decoded]

    def brings(self, *frames: bytes) -> bool:
        self.socket.brings(*frames)
        return self.link.take()

    def answer(self, request_id: int, error: str = "") -> None:
        if error:
            self.brings(json.dumps({"error": {"code": 2, "msg": error}, "id": request_id}).encode())
        else:
            self.brings(json.dumps({"result": None, "id": request_id}).encode())

    def accept(self, refuses: Callable[[list[str]], bool] = lambda names: False) -> list[tuple[str, list[str]]]:
        """Answer all requests, also those that follow from an answer, at the pace of the link; return them."""
        seen: list[tuple[str, list[str]]] = []
        while True:
            requests = self.requests()
            for method, names, request_id in requests:
                seen.append((method, names))
                self.answer(request_id, "no such stream" if refuses(names) else "")
            if not requests:
                if not self.handler._is_held_back:
                    return seen
                self._desk.pass_time(0.1, self)

    def tick(self) -> float:
        return self.link.look_after(self._desk.clock.monotonic_ns())


class MarketDesk:
    def __init__(
        self,
        *topics: Topic,
        topic_timeout: float = 60.0,
        symbols: tuple[str, ...] = (BTC, ETH),
        exchange: str = "binance",
        backfill_limit: float | None = None,
    ) -> None:
        self.clock = ManualClock()
        driver = find_driver(exchange)
        self.config = Config(exchange, reconnect=Reconnect(idle_timeout=1e6, topic_timeout=topic_timeout))
        self.bus, self.metrics = Bus(), MemoryMetrics()
        self.errors = listen(self.bus, "error", exchange)
        self.trades = listen(self.bus, "trade", exchange)
        self.tickers = listen(self.bus, "bookticker", exchange)
        self.views = listen(self.bus, "orderbook", exchange)
        self.catalogue = Catalogue(exchange)
        self.catalogue.replace(instruments(*symbols, exchange=exchange))
        pipeline = self._pipeline = Pipeline(exchange, self.bus, self.clock, self.metrics)
        # What was asked for because the stream missed it: the topic, the event before it, and the answer.
        self.missed: list[tuple[Topic, Any, Future[list[Any]]]] = []
        self.lane = Lane(topics)
        self.snapshots: list[Future[BookSnapshot]] = []
        self.tasks: list[Callable[[], None]] = []
        self.shelf = BookShelf(exchange, self.clock)
        self.books = BookKeeper(
            self.shelf, 1, driver, pipeline, self.clock, random.Random(1), self._fetch, self.tasks.append,
            lambda symbol: self.feed.renew_book(symbol),
        )  # fmt: skip
        self.questions: list[tuple[Topic, float, Future[Any]]] = []
        self.silence = SilenceWatch(topic_timeout, self._ask, self.clock, lambda: None)
        self.demands: list[str] = []
        self.feed = StreamFeed(
            self.lane, self.config, driver, self.catalogue, self.books, pipeline, self.clock, self.silence,
            self.demands.append, backfill=None if backfill_limit is None else self._backfiller(backfill_limit),
        )  # fmt: skip

    def _backfiller(self, limit: float) -> Backfiller:
        return Backfiller(
            MarketStreams(backfill_limit=limit), find_driver(self.config.exchange), self.catalogue.get,
            self._fetch_missed, self.tasks.append, self._pipeline, self.clock,
        )  # fmt: skip

    def _fetch_missed(self, topic: Topic, last: Any) -> Future[list[Any]]:
        future: Future[list[Any]] = Future()
        self.missed.append((topic, last, future))
        return future

    def _fetch(self, symbol: str) -> Future[BookSnapshot]:
        self.snapshots.append(Future())
        return self.snapshots[-1]

    def _ask(self, topic: Topic, quiet_for: float) -> Future[Any]:
        future: Future[Any] = Future()
        self.questions.append((topic, quiet_for, future))
        return future

    def connect(self) -> Wire:
        """Open a connection: the primary one, or its successor where there is one."""
        return Wire(self)

    def pass_time(self, seconds: float, *wires: Wire) -> None:
        """Let time pass, and the connections look at what is due, as they did just before."""
        for wire in wires:
            wire.tick()
        self.clock.advance(seconds)
        for wire in wires:
            wire.tick()

    def run(self) -> None:
        """Run what was posted to the session."""
        while self.tasks:
            self.tasks.pop(0)()

    def trade_numbers(self) -> list[int]:
        """Return the trades delivered since the last call."""
        return [int(self.trades.get(0).trade_id) for _ in range(self.trades.pending)]

    def problems(self) -> list[tuple[str, str]]:
        """Return where errors were told since the last call, and what."""
        events = [self.errors.get(0) for _ in range(self.errors.pending)]
        return [(event.where, str(event.error)) for event in events]
