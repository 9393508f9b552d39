"""Where the time of a message goes: each step of the way from the socket's bytes to the callback, CPU alone.

``python -m benchmarks.market.stages [--exchange bybit] [--kind book]`` runs the library's own parts one after the other
on one thread, with the recording's messages, and prints nanoseconds a message. No socket and no other thread is
involved: what those cost is the difference to the CPU that ``benchmarks.market.run`` measures.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from benchmarks.market import recorded
from exconn_sync import Config
from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.market_link import MarketLink
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.stream_feed import StreamFeed
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._transport.frames import FrameReader
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import BookSnapshot
from exconn_sync.model.wire import Topic
from exconn_sync.ports.clock import SystemClock
from exconn_sync.ports.registry import find_driver

_READ = 1 << 16
_SYMBOL = "BTC-USDT"


class _Lane:
    def __init__(self, topic: Topic) -> None:
        self._topics = frozenset([topic])

    def wanted(self) -> frozenset[Topic]:
        return self._topics

    def settled(self, is_settled: bool, why: str = "", covered: frozenset[Topic] | None = None) -> None:
        """Nobody waits for it here."""


class _Pace:
    def may_request(self, now_ns: int) -> bool:
        return True


class _Link:
    pace = _Pace()

    def send(self, message: bytes) -> None:
        """There is no exchange."""


class Way:
    """The library from decoded frames to a subscription that is drained by hand."""

    def __init__(self, exchange: str, kind: str) -> None:
        self.driver = driver = find_driver(exchange)
        is_book = kind == "book"
        variant = "50" if is_book and exchange == "bybit" else ""
        self.topic = Topic(Channel.ORDER_BOOK if is_book else Channel.TRADE, _SYMBOL, variant)
        self.clock = clock = SystemClock()
        catalogue = Catalogue(exchange)
        instrument = Instrument(exchange, _SYMBOL, "BTCUSDT", "BTC", "USDT")
        catalogue.replace(Instruments(exchange, [instrument]))
        self.bus = Bus()
        pipeline = Pipeline(exchange, self.bus, clock, MemoryMetrics())
        self.tasks: list[Callable[[], None]] = []
        books = BookKeeper(
            BookShelf(exchange, clock), 1, driver, pipeline, clock, random.Random(1), self._fetch, self.tasks.append
        )
        silence = SilenceWatch(60.0, lambda topic, quiet_for: Future(), clock, lambda: None)
        self.feed = StreamFeed(
            _Lane(self.topic), Config(exchange), driver, catalogue, books, pipeline, clock, silence, lambda why: None
        )
        self.link: MarketLink = self.feed.handler(_Link())  # type: ignore[arg-type]
        self.link.on_open()
        self.feed.acknowledged(self.link, [self.topic])
        while self.tasks:
            self.tasks.pop(0)()

    def _fetch(self, symbol: str) -> Future[BookSnapshot]:
        wire = json.loads(recorded.depth_snapshot())
        future: Future[BookSnapshot] = Future()
        rows = [list(map(tuple, wire[side])) for side in ("bids", "asks")]
        future.set_result(BookSnapshot(self.driver.name, symbol, wire["lastUpdateId"], rows[0], rows[1], 0))
        return future

    def subscribe(self, callback: Callable[[Any], object]) -> PushSubscription:
        """Subscribe without a thread: ``_take_and_hand_out`` is called by hand."""
        key = (self.topic.channel.value, self.driver.name, _SYMBOL)
        made = PushSubscription(key, Mailbox(0, "drop_oldest"), lambda _: None, callback, None, None)  # type: ignore[arg-type]
        made.depth = 1
        made._ensure_thread = lambda: None  # type: ignore[method-assign]
        self.bus.add(made)
        return made


def cost(step: Callable[[], object], messages: int) -> float:
    """Return the CPU of one run in ns a message."""
    begin = time.thread_time_ns()
    step()
    return (time.thread_time_ns() - begin) / messages


def stages(exchange: str, kind: str, count: int) -> dict[str, float]:
    """Return the cost of each step, ns a message; later ones are differences to the steps before."""
    texts = recorded.trades(exchange) if kind == "trade" else recorded.book_changes(exchange)
    wire = b"".join(recorded.framed(texts, count))
    reads = [wire[begin : begin + _READ] for begin in range(0, len(wire), _READ)]
    reader = FrameReader(1 << 24)
    batches: list[list[bytes]] = []

    def split() -> None:
        batches.extend(reader.feed(read).messages for read in reads)

    found = {"split the frames of a read": cost(split, count)}
    quiet, way = Way(exchange, kind), Way(exchange, kind)
    name_of = quiet.driver.topic_of_frame

    def look() -> None:
        for batch in batches:
            for frame in batch:
                name_of(frame)

    found["look for the topic (driver)"] = cost(look, count)
    decode = quiet.driver.decoder(quiet.topic, microseconds=False)

    def decode_all() -> None:
        for batch in batches:
            events: list[Any] = []
            for frame in batch:
                decode(frame, 1, events.append)

    found["decode (driver)"] = decode_cost = cost(decode_all, count)

    def read_all(link: MarketLink) -> None:
        for batch in batches:
            link.on_messages(batch, 1)

    unwanted = cost(lambda: read_all(quiet.link), count)
    found["route, collect, hand over" + (" and apply to the book" if kind == "book" else "")] = unwanted - decode_cost
    subscription = way.subscribe(lambda event: None)
    found["view and mailbox"] = cost(lambda: read_all(way.link), count) - unwanted
    found["dispatch to an empty callback"] = cost(subscription._take_and_hand_out, count)
    assert subscription.delivered >= count * 0.99, subscription.delivered
    return found


def main() -> None:
    """Print the medians of some runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exchange", default="binance")
    parser.add_argument("--kind", default="trade")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    runs = [stages(options.exchange, options.kind, options.count) for _ in range(options.runs)]
    for name in runs[0]:
        sys.stdout.write(f"{statistics.median(run[name] for run in runs):9,.0f} ns  {name}\n")
    total = statistics.median(sum(run.values()) - run["look for the topic (driver)"] for run in runs)
    sys.stdout.write(f"{total:9,.0f} ns  all of it, the look at the topic counted once\n")


if __name__ == "__main__":
    main()
