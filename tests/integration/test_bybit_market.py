"""Public data of Bybit through a connector, over real sockets: streams, books, questions, faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    BookState,
    Connector,
    ErrorEvent,
    ExchangeError,
    PullSubscription,
    RateLimitError,
    ValidationError,
)
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.data import data_path, read_json
from tests.integration.conftest import LIMIT, Connect, quick
from tests.integration.test_replay_books import Collector, check
from tests.quiet import quiet_exchange
from tests.unit.support import in_threads, until

RECORDINGS = [
    ("bybit_v5_spot", "btcusdt_ob50_two_frames_20241108.jsonl"),
    ("bybit_v5_spot_converted", "btcusdt_ob50.jsonl.gz"),
]
BOOK = "orderbook.200.BTCUSDT"


@pytest.fixture
def moving() -> Iterator[Simulator]:
    """Bybit with a moving market."""
    with Simulator(exchange="bybit") as simulator:
        yield simulator


@pytest.fixture
def still() -> Iterator[Simulator]:
    """Bybit where BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


def counted(connector: Connector, *parts: str) -> list[str]:
    """Return the counters whose names hold one of these words."""
    assert isinstance(connector.metrics, MemoryMetrics)
    return [name for name in connector.metrics.counts() if any(part in name for part in parts)]


def test_every_stream_comes_and_nothing_is_unknown(moving: Simulator, connect: Connect) -> None:
    connector = connect(moving, start=False)
    errors: list[ErrorEvent] = []
    connector.on_error(errors.append)
    streams: list[PullSubscription[Any]] = [
        connector.stream_trades("BTC-USDT"), connector.stream_book_ticker("BTC-USDT"),
        connector.stream_klines("BTC-USDT", "1m"), connector.stream_klines("BTC-USDT", "1d"),
        connector.stream_ticker("BTC-USDT"),
    ]  # fmt: skip
    books = connector.stream_order_book("BTC-USDT")
    connector.start()
    for stream in streams:
        event = stream.get(LIMIT)
        assert (event.exchange, event.symbol) == ("bybit", "BTC-USDT")
    view = books.get(LIMIT)
    assert view.is_valid
    assert view.exchange_time is not None
    until(lambda: connector.order_book("BTC-USDT").update_id > view.update_id + 3)
    assert errors == []
    assert counted(connector, "unrecognized", "lost") == []


def test_questions_have_the_same_answers_as_everywhere(moving: Simulator, connect: Connect) -> None:
    connector = connect(moving)
    assert connector.ping() < LIMIT
    assert abs(connector.fetch_server_time() - time.time_ns()) < 10**10
    assert connector.fetch_instruments().get("BTCUSDT").symbol == "BTC-USDT"
    book = connector.fetch_order_book("BTC-USDT", 5)
    assert (len(book.bids), len(book.asks)) == (5, 5)
    trades = connector.fetch_trades("BTC-USDT")
    assert [trade.exchange_time for trade in trades] == sorted(trade.exchange_time or 0 for trade in trades)
    assert connector.fetch_klines("BTC-USDT", "1m")[-1].interval == "1m"
    assert connector.fetch_ticker("BTC-USDT").last > 0
    assert set(connector.fetch_book_tickers()) == {item.symbol for item in connector.instruments}
    assert connector.request("GET", "/v5/market/time")["retCode"] == 0
    for ask in (
        lambda: connector.fetch_average_price("BTC-USDT"), lambda: connector.fetch_trades("BTC-USDT", from_id=1),
        lambda: connector.fetch_ticker("BTC-USDT", window="1h"), lambda: connector.fetch_klines("BTC-USDT", "1s"),
    ):  # fmt: skip
        seen = len(moving.request_log())
        with pytest.raises(ValidationError):
            ask()
        assert len(moving.request_log()) == seen, "nothing was sent"


@pytest.mark.parametrize(("levels", "topic"), [(50, "orderbook.50.BTCUSDT"), (1000, "orderbook.1000.BTCUSDT")])
def test_books_have_the_depth_that_is_asked_for(moving: Simulator, levels: int, topic: str) -> None:
    config = quick(moving.config(market_streams={"book_levels": levels}))
    with Connector(config) as connector:
        connector.on_order_book("BTC-USDT", None)
        connector.wait_ready(LIMIT)
        until(lambda: connector.order_book("BTC-USDT").is_valid)
        assert len(connector.order_book("BTC-USDT").bids) <= levels
        assert topic in moving.subscriptions()


@pytest.mark.parametrize(("folder", "file"), RECORDINGS)
def test_a_recorded_book_equals_every_expected_state(folder: str, file: str) -> None:
    path = data_path("recordings", folder, file)
    expected = read_json("recordings", "expected_books", f"{folder}__{file.partition('.')[0]}.json")["books"]
    (book,) = expected.values()
    collector = Collector({point["update_id"] for point in book["checkpoints"]})
    with Simulator.replay(path, exchange="bybit") as simulator:
        connector = Connector(quick(simulator.config(market_streams={"book_levels": 50})))
        connector.on_order_book("BTC-USDT", collector, depth=None, buffer=100_000, overflow="block")
        with connector:
            assert collector.finished.wait(6 * LIMIT), f"stopped at {collector.ids[-1:]}"
    check({**book, "updates_applied": book["frames"] - 1}, collector)


def test_a_restart_of_the_service_replaces_the_book(still: Simulator, connect: Connect) -> None:
    """(Bybit: 6.3, rule 3; fault F057)"""
    connector = connect(still, start=False)
    views = connector.stream_order_book("BTC-USDT")
    connector.start()
    assert views.get(LIMIT).bids[0] == (Decimal(60000), Decimal(1))
    still.market.quote("BTCUSDT", "buy", 60001, 2)
    assert views.get(LIMIT).bids[0][0] == Decimal(60001)
    still.faults.restart_books("BTCUSDT")
    until(lambda: connector.order_book("BTC-USDT").update_id == 1)
    still.market.quote("BTCUSDT", "buy", 60002, 3)
    until(lambda: connector.order_book("BTC-USDT").best_bid == (Decimal(60002), Decimal(3)))
    assert len(connector.order_book("BTC-USDT").bids) == 3
    assert counted(connector, "book.lost") == []


def test_a_book_of_one_level_comes_whole_each_time(still: Simulator, connect: Connect) -> None:
    """Told again when nothing changes, with the same number, and from one on after a restart (Bybit: 6.3, rule 4)."""
    connector = connect(still, start=False)
    best = connector.stream_book_ticker("BTC-USDT")
    connector.start()
    first, again = best.get(LIMIT), best.get(LIMIT)
    assert (again.update_id, again.bid_price, again.ask_price) == (first.update_id, Decimal(60000), Decimal(60010))
    still.market.quote("BTCUSDT", "buy", 60001, 2)
    moved = best.get(LIMIT)
    while moved.update_id == first.update_id:
        moved = best.get(LIMIT)
    assert (moved.update_id, moved.bid_price, moved.bid_quantity) == (first.update_id + 1, Decimal(60001), Decimal(2))
    still.faults.restart_books("BTCUSDT")
    anew = best.get(LIMIT)
    while anew.update_id == moved.update_id:
        anew = best.get(LIMIT)
    assert (anew.update_id, anew.bid_price) == (1, Decimal(60001))
    assert counted(connector, "unknown", "malformed") == []


def test_a_lost_change_is_noticed_and_the_topic_subscribed_anew(still: Simulator, connect: Connect) -> None:
    """(Bybit: 6.3, rule 6; faults F050, F051)"""
    connector = connect(still, start=False)
    views = connector.stream_order_book("BTC-USDT")
    connector.start()
    assert views.get(LIMIT).is_valid
    still.faults.lose_frames(BOOK)

    def has_noticed() -> bool:
        """Quote once more: changes that are close together travel in one frame, and the next one shows the gap."""
        still.market.quote("BTCUSDT", "buy", 60001, 1)
        return bool(counted(connector, "book.lost"))

    until(has_noticed)
    until(lambda: connector.order_book("BTC-USDT").state is BookState.LIVE)
    _, bids, _ = still.market.order_book("BTCUSDT")
    until(lambda: list(connector.order_book("BTC-USDT").bids) == [tuple(level) for level in bids])


def test_a_connection_that_breaks_comes_back_with_its_topics(moving: Simulator, connect: Connect) -> None:
    connector = connect(moving, start=False)
    trades = connector.stream_trades("BTC-USDT")
    connector.on_order_book("BTC-USDT", None)
    connector.start()
    connector.wait_ready(LIMIT)
    trades.get(LIMIT)
    until(lambda: connector.order_book("BTC-USDT").is_valid)
    moving.faults.drop_connections("public")
    until(lambda: bool(counted(connector, "connection.down")))
    until(lambda: connector.order_book("BTC-USDT").is_valid and connector.is_connected)
    assert trades.get(LIMIT).symbol == "BTC-USDT"


def test_a_banned_address_is_silent_for_ten_minutes(still: Simulator, connect: Connect) -> None:
    """(Bybit: 2.2: 403)"""
    connector = connect(still)
    still.faults.answer("GET", "/v5/market/tickers", status=403, body="")
    with pytest.raises(RateLimitError) as caught:
        connector.fetch_ticker("BTC-USDT")
    assert caught.value.retry_after == pytest.approx(600, abs=5)
    seen = len(still.request_log())
    with pytest.raises(RateLimitError) as refused:
        connector.fetch_server_time()
    assert refused.value.outcome == "not_sent"
    assert len(still.request_log()) == seen


def test_errors_of_the_exchange_are_told_by_their_codes(still: Simulator, connect: Connect) -> None:
    connector = connect(still)
    with pytest.raises(ExchangeError) as caught:
        connector.request("GET", "/v5/market/tickers", {"category": "spot", "symbol": "NOPEUSDT"})
    assert caught.value.details["exchange_code"]
    assert caught.value.exchange == "bybit"


def test_limits_of_an_endpoint_are_kept_to_whoever_asks(still: Simulator, connect: Connect) -> None:
    """Five a second of an account, in any second; two connectors with one key share them (Bybit: 3.2)."""
    first, second = connect(still), connect(still)
    asked = [first, second] * 6
    in_threads(len(asked), lambda number: asked[number].fetch_commission("BTC-USDT", timeout=LIMIT))
    assert still.breaches().total == 0


def test_a_clock_that_is_wrong_is_set_right_and_the_question_asked_again(still: Simulator, connect: Connect) -> None:
    """(Bybit: 2.5: 10002; faults F081, F118)"""
    connector = connect(still)
    still.faults.offset_clock(-20_000)
    assert connector.fetch_balances()


def test_a_silent_book_is_found_and_comes_back(still: Simulator) -> None:
    """Its numbers are not those of REST: its best levels are compared (fault F060)."""
    config = still.config(reconnect={"base": 0.05, "cap": 0.2, "settle": 0.05, "topic_timeout": 0.5})
    with Connector(config) as connector:
        views = connector.stream_order_book("BTC-USDT")
        connector.wait_ready(LIMIT)
        views.get(LIMIT)
        with still.faults.silence(BOOK):
            still.market.quote("BTCUSDT", "buy", 60001, 1)
            until(lambda: bool(counted(connector, "topic.silent")))
            assert not connector.order_book("BTC-USDT").is_valid
        still.market.quote("BTCUSDT", "buy", 60002, 1)

        def prices() -> list[str]:
            book = connector.order_book("BTC-USDT")
            return [str(price) for price, _ in book.bids] if book.is_valid else []

        until(lambda: prices() == ["60002", "60001", "60000"])
