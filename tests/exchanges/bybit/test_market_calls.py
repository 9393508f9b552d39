"""Questions about public data in Bybit's words, and what it does not offer (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.candles import end_ms, last_open_ms
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.words import INTERVALS
from exconn_sync.model.ids import TradeId
from exconn_sync.model.wire import RestCall
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, instrument

NOW = 1_700_000_000_000_000_000
MS = 1_000_000
HOUR_MS = 3_600_000


def target(call: RestCall[Any]) -> str:
    request = DRIVER.to_http(call, None, 0, 0)
    assert (request.method, request.body, dict(request.headers)) == ("GET", None, {})
    return request.target


def test_each_question_names_the_category() -> None:
    """(Bybit: 10.16: without it some endpoints answer about other markets)"""
    assert target(DRIVER.server_time()) == "/v5/market/time"
    assert target(DRIVER.ping()) == "/v5/market/time"
    assert target(DRIVER.fetch_instruments()) == "/v5/market/instruments-info?category=spot&limit=1000"
    assert target(DRIVER.fetch_order_book(BTCUSDT, 50)) == (
        "/v5/market/orderbook?category=spot&symbol=BTCUSDT&limit=50"
    )
    assert target(DRIVER.fetch_trades(BTCUSDT, 5)) == "/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=5"
    assert target(DRIVER.fetch_klines(BTCUSDT, "1h", 3, now=NOW)) == (
        "/v5/market/kline?category=spot&symbol=BTCUSDT&interval=60&limit=3"
    )
    assert target(DRIVER.fetch_tickers([BTCUSDT], "24h", INSTRUMENTS)) == (
        "/v5/market/tickers?category=spot&symbol=BTCUSDT"
    )
    assert target(DRIVER.fetch_book_tickers(None, INSTRUMENTS)) == "/v5/market/tickers?category=spot"


def test_several_tickers_are_asked_for_with_all() -> None:
    chosen = [BTCUSDT, instrument("ETH")]
    assert target(DRIVER.fetch_tickers(chosen, "24h", INSTRUMENTS)) == "/v5/market/tickers?category=spot"


def test_of_trades_there_are_sixty_at_most() -> None:
    """(Bybit: 4.5)"""
    assert target(DRIVER.fetch_trades(BTCUSDT, 500)).endswith("limit=60")


NOT_OFFERED: list[tuple[Callable[[], object], str]] = [
    (lambda: DRIVER.fetch_order_book(BTCUSDT, 1001), "depth"),
    (lambda: DRIVER.fetch_trades(BTCUSDT, 5, from_id=TradeId("7")), "from_id"),
    (lambda: DRIVER.fetch_aggregate_trades(BTCUSDT, 5), "symbol"),
    (lambda: DRIVER.fetch_average_price(BTCUSDT), "symbol"),
    (lambda: DRIVER.fetch_klines(BTCUSDT, "1s", 5, now=NOW), "interval"),
    (lambda: DRIVER.fetch_klines(BTCUSDT, "8h", 5, now=NOW), "interval"),
    (lambda: DRIVER.fetch_tickers(None, "1h", INSTRUMENTS), "window"),
    (lambda: DRIVER.fetch_tickers([], "24h", INSTRUMENTS), "symbols"),
    (lambda: DRIVER.fetch_book_tickers([BTCUSDT, BTCUSDT], INSTRUMENTS), "symbols"),
]


@pytest.mark.parametrize(("ask", "field"), NOT_OFFERED)
def test_what_bybit_does_not_offer_is_refused_before_anything_is_sent(ask: Callable[[], object], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ask()
    assert (caught.value.field, caught.value.exchange, caught.value.outcome) == (field, "bybit", "not_sent")


def bounds(start: int | None, end: int | None, *, interval: str = "1h", limit: int = 2) -> dict[str, str]:
    call = DRIVER.fetch_klines(BTCUSDT, interval, limit, start=start, end=end, now=NOW)
    return {name: value for name, value in call.params if name in ("start", "end")}


def test_candles_between_two_times_are_the_oldest_ones() -> None:
    """The exchange would give the newest ones of a span: it is made no longer than what was asked for."""
    start_ms = 1_700_000_000_000 // HOUR_MS * HOUR_MS
    assert bounds(start_ms * MS, None) == {"start": str(start_ms), "end": str(start_ms + 2 * HOUR_MS - 1)}
    assert bounds(start_ms * MS, (start_ms + 10) * MS)["end"] == str(start_ms + 10)
    assert bounds(None, start_ms * MS + 1) == {"end": str(start_ms)}
    assert bounds(None, None) == {}


def test_nothing_from_before_the_start_comes() -> None:
    start_ms = 1_700_000_000_000
    assert bounds(start_ms * MS + 1, None)["start"] == str(start_ms + 1)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_a_span_holds_as_many_candles_as_were_asked_for(interval: str, count: int) -> None:
    """Counted candle by candle, from the one that opens at or after the start."""
    for first_ms in (1_704_067_200_000, 1_704_067_200_001, 1_709_208_000_123):
        opened: list[int] = []
        length = end_ms(interval, 0) + 1
        at = 0 if interval == "1M" else first_ms // length * length
        while len(opened) < count:
            if at >= first_ms:
                opened.append(at)
            at = end_ms(interval, at) + 1
        reach = last_open_ms(interval, first_ms, count)
        assert opened[-1] <= reach
        assert at > reach or interval != "1M" or at == reach + 1


def test_months_are_those_of_the_calendar() -> None:
    """February 2024 has 29 days."""
    assert end_ms("1M", 1_706_745_600_000) == 1_709_251_200_000 - 1
    assert end_ms("1M", 1_701_388_800_000) == 1_704_067_200_000 - 1
