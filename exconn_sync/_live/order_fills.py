"""All executions of one order, page by page: its trades, and what the exchange itself gave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.questions import Asks
from exconn_sync.errors import ValidationError
from exconn_sync.model.ids import TradeId
from exconn_sync.model.orders import Fill, OrderState
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.driver import ExchangeDriver

_MOST_PAGES = 1000
"""Most requests for one order; with a thousand executions each, more than any order has."""

TimeLeft = Callable[[], "float | None"]


class OrderFills:
    """Asks for executions of orders that have an id of the exchange. May be called from any thread.

    Each page is asked for when it is wanted; ``left`` gives the seconds that its request may take.
    """

    def __init__(self, driver: ExchangeDriver, rest: Asks, catalogue: Catalogue) -> None:
        self._driver = driver
        self._rest = rest
        self._catalogue = catalogue

    def trades(self, state: OrderState, left: TimeLeft) -> Iterator[list[Fill]]:
        """Return the trades of an order, oldest first."""
        instrument, instruments = self._catalogue.of_order(state.symbol), self._catalogue.instruments

        def page(after: TradeId | None) -> RestCall[list[Fill]]:
            return self._driver.fetch_fills(instrument, state.exchange_order_id, instruments, after=after)

        return self._pages(page, left)

    def allocations(self, state: OrderState, left: TimeLeft) -> Iterator[list[Fill]]:
        """Return what the exchange itself gave a routed order, which is not among its trades (Binance: 5.10).

        Nothing where the exchange knows no such thing.
        """
        instrument, instruments = self._catalogue.of_order(state.symbol), self._catalogue.instruments

        def page(after: TradeId | None) -> RestCall[list[Fill]]:
            return self._driver.fetch_allocations(
                instrument, instruments, span=None, limit=1000, order_id=state.exchange_order_id, after=after
            )

        try:
            page(None)
        except ValidationError:
            # This exchange routes no orders.
            return iter(())
        return self._pages(page, left)

    def _pages(self, page: Callable[[TradeId | None], RestCall[list[Fill]]], left: TimeLeft) -> Iterator[list[Fill]]:
        after: TradeId | None = None
        for _ in range(_MOST_PAGES):
            call = page(after)
            fills = self._rest.call(call, left())
            if not fills or fills[-1].trade_id == after:
                return
            yield fills
            if call.pages is not None:
                # All of them have come, page by page.
                return
            after = fills[-1].trade_id
