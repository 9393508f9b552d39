"""Asks the exchange for one order, wherever it keeps it."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.questions import Asks
from exconn_sync.errors import ExconnError, OrderNotFound
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.ports.driver import ExchangeDriver


class OrderLook:
    """Looks among the present orders, then among those that have ended where an exchange keeps them apart.

    May be called from any thread; makes REST calls on the caller's.
    """

    def __init__(self, driver: ExchangeDriver, rest: Asks, catalogue: Catalogue) -> None:
        self._driver = driver
        self._rest = rest
        self._catalogue = catalogue

    def at(self, state: OrderState, seconds: Callable[[], float | None]) -> OrderFact:
        """Return what the exchange says of an order; ``seconds`` tells how long the next request may take.

        Raises:
            OrderNotFound: it is in none of these places.
            ExconnError: a question was not answered, so that nothing is known.
        """
        instrument, instruments = self._catalogue.of_order(state.symbol), self._catalogue.instruments
        try:
            return self._rest.call(self._driver.fetch_order(instrument, state, instruments), seconds())
        except OrderNotFound:
            past = self._driver.fetch_past_order(instrument, state, instruments)
            if past is None:
                raise
        return self._rest.call(past, seconds())

    def among_open(self, state: OrderState, seconds: Callable[[], float | None]) -> list[OrderFact]:
        """Return what the list of open orders says of an order: nothing where it is not there."""
        instrument, instruments = self._catalogue.of_order(state.symbol), self._catalogue.instruments
        listed = self._rest.call(self._driver.fetch_open_orders(instrument, instruments), seconds())
        return [fact for fact in listed if fact.client_order_id == state.client_order_id]

    def later_than(self, earlier: OrderFact, state: OrderState, seconds: Callable[[], float | None]) -> list[OrderFact]:
        """Return what the history says of orders of the same client id that came after an earlier one (fault F102).

        Raises:
            ExconnError: one answer does not hold all that came after it, so that nothing is known.
        """
        instrument, instruments = self._catalogue.of_order(state.symbol), self._catalogue.instruments
        rows = self._driver.history_limits.rows
        call = self._driver.fetch_order_history(instrument, instruments, span=None, limit=rows)
        listed = self._rest.call(call, seconds())
        if len(listed) >= rows and all(fact.exchange_order_id != earlier.exchange_order_id for fact in listed):
            raise ExconnError("there are too many orders to look for one among them", exchange=self._driver.name)
        return [
            fact
            for fact in listed
            if fact.client_order_id == state.client_order_id and fact.exchange_order_id != earlier.exchange_order_id
        ]
