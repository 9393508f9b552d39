"""What the checks work with: the driver's calls, made of the author's examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Channel, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.order_lists import OrderListRequest, OrderListState
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpResponse, RestCall, TimeSpan, Topic
from exconn_sync.ports.driver import ExchangeDriver, Signer
from exconn_sync.testing.contract.examples import Examples

RECEIVED_AT = 1_800_000_000_123_456_789
TIMESTAMP_MS = 1_800_000_000_000
WINDOW_MS = 5_000
QUANTITY, PRICE = Decimal("0.00000001"), Decimal("12345.67890123")
"""Of orders that are only written: as they stand here they must stand on the wire."""

COMMANDS = frozenset(
    {"place_order", "cancel_order", "cancel_all", "replace_order", "amend_order", "place_list", "cancel_list",
     "set_cancel_on_disconnect"}
)  # fmt: skip
OF_MARKET = frozenset(
    {"ping", "server_time", "fetch_instruments", "fetch_order_book", "fetch_trades", "fetch_aggregate_trades",
     "fetch_klines", "fetch_tickers", "fetch_book_tickers", "fetch_average_price"}
)  # fmt: skip

Calls = Sequence[RestCall[Any]]


def answer(body: bytes, status: int = 200) -> HttpResponse:
    """Return an answer of REST without headers."""
    return HttpResponse(status, {}, body, RECEIVED_AT)


class Material:
    """A driver, and values of its exchange to call it with."""

    def __init__(self, driver: ExchangeDriver, examples: Examples) -> None:
        self.driver = driver
        self.examples = examples

    @cached_property
    def instruments(self) -> Instruments:
        """The symbols of the documented answer."""
        return self.driver.fetch_instruments().parse(answer(self.examples.answers["fetch_instruments"]))

    @cached_property
    def instrument(self) -> Instrument:
        """The symbol that the examples are about."""
        return self.instruments.get(self.examples.symbol)

    @property
    def signer(self) -> Signer:
        """What signs with the key of the examples."""
        return self.driver.signer(Secret(self.examples.api_key), Secret(self.examples.api_secret))

    @property
    def client_order_id(self) -> ClientOrderId:
        """The client's id of the order of the examples."""
        return ClientOrderId(self.examples.client_order_id)

    def order(self, *, is_named: bool = True) -> OrderState:
        """Return the order of the examples; without the exchange's id where ``is_named`` is False."""
        return OrderState(
            exchange=self.driver.name,
            symbol=self.instrument.symbol,
            client_order_id=self.client_order_id,
            exchange_order_id=ExchangeOrderId(self.examples.exchange_order_id) if is_named else None,
            status=OrderStatus.NEW,
            side=Side.BUY,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal(1),
            price=PRICE,
        )

    def request(self) -> OrderRequest:
        """Return an order with numbers that are easily damaged."""
        return OrderRequest.limit(self.instrument.symbol, "buy", QUANTITY, PRICE)

    def calls(self, name: str) -> Calls | None:
        """Return the calls that a method of the driver makes, None where it refuses because there is no such thing."""
        try:
            made = self._makers[name]()
        except ValidationError:
            return None
        if made is None:
            return None
        return [made] if isinstance(made, RestCall) else made

    @property
    def names(self) -> Sequence[str]:
        """The methods of the driver that make calls."""
        return list(self._makers)

    def offered(self) -> dict[str, Calls]:
        """Return all calls that the exchange offers, by the driver's method."""
        made = {name: self.calls(name) for name in self.names}
        return {name: calls for name, calls in made.items() if calls is not None}

    def topic(self, key: str) -> Topic:
        """Return the topic for a key of ``Examples.frames``."""
        channel, _, variant = key.partition(".")
        found = Channel(channel)
        return Topic(found, self.instrument.symbol, self.driver.variant(found, variant))

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Any]]:
        return {**self._market_makers(), **self._account_makers(), **self._command_makers(), **self._list_makers()}

    def _market_makers(self) -> dict[str, Callable[[], Any]]:
        driver, table, one = self.driver, self.instruments, self.instrument
        return {
            "ping": driver.ping,
            "server_time": driver.server_time,
            "fetch_instruments": driver.fetch_instruments,
            "fetch_order_book": lambda: driver.fetch_order_book(one, 5),
            "fetch_trades": lambda: driver.fetch_trades(one, 5),
            "fetch_aggregate_trades": lambda: driver.fetch_aggregate_trades(one, 5),
            "fetch_klines": lambda: driver.fetch_klines(one, "1m", 5, now=RECEIVED_AT),
            "fetch_tickers": lambda: driver.fetch_tickers([one], "24h", table),
            "fetch_book_tickers": lambda: driver.fetch_book_tickers([one], table),
            "fetch_average_price": lambda: driver.fetch_average_price(one),
        }

    def _account_makers(self) -> dict[str, Callable[[], Any]]:
        driver, table, one, order = self.driver, self.instruments, self.instrument, self.order()
        span, order_id = TimeSpan(TIMESTAMP_MS - 1000, TIMESTAMP_MS), ExchangeOrderId(self.examples.exchange_order_id)
        return {
            "fetch_balances": driver.fetch_balances,
            "fetch_order": lambda: driver.fetch_order(one, order, table),
            "fetch_past_order": lambda: driver.fetch_past_order(one, order, table),
            "fetch_open_orders": lambda: driver.fetch_open_orders(one, table),
            "fetch_fills": lambda: driver.fetch_fills(one, None, table),
            "fetch_order_history": lambda: driver.fetch_order_history(one, table, span=span, limit=5),
            "fetch_fill_history": lambda: driver.fetch_fill_history(one, table, span=span, limit=5),
            "fetch_allocations": lambda: driver.fetch_allocations(one, table, span=span, limit=5),
            "fetch_amendments": lambda: driver.fetch_amendments(one, order, limit=5),
            "fetch_prevented_matches": lambda: driver.fetch_prevented_matches(one, order_id, after=None, limit=5),
            "fetch_commission": lambda: driver.fetch_commission(one),
            "fetch_order_counts": driver.fetch_order_counts,
            "fetch_account": driver.fetch_account,
            "fetch_key": driver.fetch_key,
            "fetch_cancel_on_disconnect": driver.fetch_cancel_on_disconnect,
        }

    def _command_makers(self) -> dict[str, Callable[[], Any]]:
        driver, table, one, order = self.driver, self.instruments, self.instrument, self.order()
        request, name = self.request(), self.client_order_id
        return {
            "place_order": lambda: driver.place_order(request, one, name, table),
            "cancel_order": lambda: driver.cancel_order(one, order, table),
            "cancel_all": lambda: driver.cancel_all(one, table),
            "replace_order": lambda: driver.replace_order(
                order, request, one, name, table, place_anyway=False, cancel_anyway=False
            ),
            "amend_order": lambda: driver.amend_order(one, order, Decimal("0.5"), table),
            "test_order": lambda: driver.test_order(request, one, name, with_commission=True),
            "set_cancel_on_disconnect": lambda: driver.set_cancel_on_disconnect(30),
        }

    def _list_makers(self) -> dict[str, Callable[[], Any]]:
        driver, table, one = self.driver, self.instruments, self.instrument
        name, legs = self.client_order_id, [ClientOrderId("leg-one"), ClientOrderId("leg-two")]
        second = OrderRequest.limit(one.symbol, "sell", QUANTITY, PRICE)
        request = OrderListRequest.oto(self.request(), second)
        state = OrderListState(driver.name, one.symbol, name, "7")
        return {
            "place_list": lambda: driver.place_list(request, one, name, legs, table),
            "cancel_list": lambda: driver.cancel_list(one, state, [self.order()], table),
            "fetch_list": lambda: driver.fetch_list(state, table),
            "fetch_open_lists": lambda: driver.fetch_open_lists(table),
        }
