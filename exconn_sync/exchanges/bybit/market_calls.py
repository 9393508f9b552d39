"""The calls of Bybit for public data, joined from questions and answers (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from exconn_sync.exchanges.bybit import encode_market, limits, parse_market, symbols
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import HttpResponse, Pages, Params, RestCall

T = TypeVar("T")


class MarketCalls:
    """See ``ports.market_calls`` for what each method promises."""

    def ping(self) -> RestCall[None]:
        """Return the call for the clock, whose answer proves as much as any."""
        return _get(urls.TIME, parse_market.parse_ping)

    def server_time(self) -> RestCall[int]:
        """Return the call for the exchange's clock."""
        return _get(urls.TIME, parse_market.parse_time)

    def fetch_instruments(self) -> RestCall[Instruments]:
        """Return the call for instruments-info, with all its pages."""
        params = encode_market.INSTRUMENTS
        pages = Pages(parse_market.next_page(params), symbols.joined)
        return _get(urls.INSTRUMENTS, symbols.parse_instruments, params, pages)


def _get(
    path: str, parse: Callable[[HttpResponse], T], params: Params = (), pages: Pages[T] | None = None
) -> RestCall[T]:
    return RestCall(
        "GET", path, parse, params, costs=limits.costs_of(path), lane=limits.lane_of("GET", path), pages=pages
    )
