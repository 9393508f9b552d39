"""Questions to the exchange: blocking REST calls on the caller's own thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exconn_sync._live.order_handle import Order
from exconn_sync._machines.reconcile import unlisted
from exconn_sync.connector.market_questions import MarketQuestions
from exconn_sync.connector.raw_params import checked_params
from exconn_sync.errors import ValidationError
from exconn_sync.model.account import Balance
from exconn_sync.model.ids import ClientOrderId, is_client_order_id
from exconn_sync.model.orders import OrderState

_METHODS = ("GET", "POST", "PUT", "DELETE")
_DEEPEST = 5


class RemoteFace(MarketQuestions):
    """The ``fetch_...`` calls. Each is limited, guarded and, where needed, signed; ``timeout`` seconds bound it whole.

    What a call learns about the account also enters the local state.

    Raises (all): ConnectorStopped, NotReady (instruments or clock not known yet), RateLimitError, ConnectionFailed,
    RequestTimeout, CircuitOpen, AuthenticationError for private calls without a key, ExchangeError.
    """

    def fetch_balances(self, *, timeout: float | None = None) -> Mapping[str, Balance]:
        """Return the balances by asset (Binance: 5.10, ``account``; Bybit: 4.18).

        Exchanges need not list an asset of which there is nothing: one that was known here before comes with zeros.
        """
        listed, store = self._fetch(self._core.driver.fetch_balances(), timeout), self._core.store
        balances = [*listed, *unlisted(store.balances().values(), listed)]
        store.apply(balances)
        return {balance.asset: balance for balance in balances}

    def fetch_order(self, order: Order | str, *, symbol: str | None = None, timeout: float | None = None) -> OrderState:
        """Return an order after asking the exchange for it.

        An order that is not known here, because it is of an earlier run or was placed elsewhere, is found by its client
        order id and its ``symbol``, and is known from then on. Of several that had the id, exchanges tell of one.

        Raises:
            OrderNotFound: the exchange does not know it (any more).
            ValidationError: no order with this id is known here, and ``symbol`` was not given or is another one.
        """
        state, assembly = self._order_to_fetch(order, symbol), self._core.assembly
        deadline, clock = assembly.gateway.deadline(timeout), self._core.clock
        fact = assembly.order_look.at(state, lambda: deadline.remaining(clock.monotonic_ns()))
        store = self._core.store
        store.apply([fact])
        return store.order(state.client_order_id) or store.order_of(fact) or state

    def _order_to_fetch(self, order: Order | str, symbol: str | None) -> OrderState:
        state = order.state if isinstance(order, Order) else self._core.store.order(order)
        canonical = None if symbol is None else self._core.assembly.catalogue.get(symbol).symbol
        if state is None:
            if canonical is None or not is_client_order_id(order):
                text = "is not a known order; pass an Order or its id, or its client order id and symbol="
                raise ValidationError("order", order, text)
            return OrderState(self._core.config.exchange, canonical, ClientOrderId(str(order)))
        if canonical not in (None, state.symbol):
            raise ValidationError("symbol", symbol, f"the order is of {state.symbol}")
        return state

    def fetch_open_orders(self, symbol: str | None = None, *, timeout: float | None = None) -> list[OrderState]:
        """Return the open orders of one symbol or of the account, those placed elsewhere included."""
        assembly = self._core.assembly
        instrument = None if symbol is None else assembly.catalogue.get(symbol)
        call = self._core.driver.fetch_open_orders(instrument, assembly.catalogue.instruments)
        facts = self._fetch(call, timeout)
        self._core.store.apply(facts)
        found = [self._core.store.order_of(fact) for fact in facts]
        return [state for state in found if state is not None]

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        signed: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Make any other REST call of the exchange; return its decoded JSON with numbers as Decimal.

        The call is limited and guarded like every other, and signed where ``signed`` is True. Anything but GET counts
        as a command: it is sent once, and an error tells its ``outcome``.

        ``body`` is for exchanges that take JSON: texts, ints, True, False, None, lists and mappings of those; numbers
        with a fraction are texts. Where an exchange takes a body, ``params`` of a POST go into it as texts.

        Raises:
            ValidationError: unknown method, a path that does not begin with one slash, a parameter or a part of the
                body of another type, or a body where the exchange takes none.
        """
        if method not in _METHODS:
            raise ValidationError("method", method, "must be one of " + ", ".join(_METHODS))
        if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or not path.isascii():
            raise ValidationError("path", path, "must begin with one slash")
        if any(char in path for char in "?#% \r\n"):
            raise ValidationError("path", path, "must not hold a query; use params")
        pairs = checked_params(params)
        if body is not None:
            _check_body("body", body)
            if not isinstance(body, Mapping):
                raise ValidationError("body", type(body).__name__, "must be a mapping")
        call = self._core.driver.raw_call(method, path, pairs, is_signed=signed, body=body)
        return self._fetch(call, timeout)


def _check_body(name: str, value: object, depth: int = 0) -> None:
    """Raise ValidationError for what must not stand in a body: a float above all, which is no exact number."""
    if depth > _DEEPEST:
        raise ValidationError(name, type(value).__name__, f"must not be nested deeper than {_DEEPEST}")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValidationError(name, key, "must have texts as names")
            _check_body(f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check_body(name, inner, depth + 1)
    elif value is not None and not isinstance(value, (str, int)):
        raise ValidationError(name, value, "must be a text, an int, a bool or None; pass numbers as text")
