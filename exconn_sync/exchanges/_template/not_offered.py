"""What other exchanges have and this one does not: refused by name, before anything is sent.

Whatever your exchange does have moves from here into the file that it belongs to, and its methods out of ``MISSING`` in
``capabilities``. The contract suite compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.model.account import Fact
from exconn_sync.model.account_info import AccountInfo, KeyInfo
from exconn_sync.model.account_reports import Commission, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.wire import RestCall, TimeSpan
from exconn_sync.ports.trading import ReplaceAnswer


def refusal(field: str, value: object, rule: str) -> ValidationError:
    """Return the error for what the exchange does not have."""
    return ValidationError(field, value, rule, exchange=EXCHANGE)


def _lacking(name: str) -> ValidationError:
    return refusal("exchange", EXCHANGE, f"does not offer {name}")


class NoMarketData:
    """Methods of ``MarketDataCalls`` that raise ValidationError."""

    def fetch_aggregate_trades(
        self,
        instrument: Instrument,
        limit: int,
        *,
        from_id: TradeId | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> RestCall[list[AggregateTrade]]:
        """Refuse."""
        raise _lacking("fetch_aggregate_trades")

    def fetch_klines(
        self,
        instrument: Instrument,
        interval: str,
        limit: int,
        *,
        start: int | None = None,
        end: int | None = None,
        now: int,
    ) -> RestCall[list[Kline]]:
        """Refuse."""
        raise _lacking("fetch_klines")

    def fetch_tickers(
        self, chosen: Sequence[Instrument] | None, window: str, instruments: Instruments
    ) -> RestCall[list[Ticker]]:
        """Refuse."""
        raise _lacking("fetch_tickers")

    def fetch_average_price(self, instrument: Instrument) -> RestCall[AveragePrice]:
        """Refuse."""
        raise _lacking("fetch_average_price")


class NoOrderLists:
    """Methods of ``TradingDriver`` about order lists that raise ValidationError."""

    def place_list(
        self,
        request: OrderListRequest,
        instrument: Instrument,
        list_client_id: ClientOrderId,
        legs: Sequence[ClientOrderId],
        instruments: Instruments,
    ) -> RestCall[Sequence[Fact]]:
        """Refuse."""
        raise _lacking("place_order_list")

    def cancel_list(
        self, instrument: Instrument, state: OrderListState, legs: Sequence[OrderState], instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Refuse."""
        raise _lacking("cancel_order_list")

    def fetch_list(self, state: OrderListState, instruments: Instruments) -> RestCall[OrderListFact]:
        """Refuse."""
        raise _lacking("fetch_order_list")

    def fetch_open_lists(self, instruments: Instruments) -> RestCall[list[OrderListFact]]:
        """Refuse."""
        raise _lacking("fetch_open_order_lists")


class NotOffered(NoOrderLists):
    """The other methods of ``TradingDriver`` that raise ValidationError."""

    enlarges_orders = False

    def guards_disconnects(self, environment: str) -> bool:
        """Return False: orders of a program that is gone are left alone."""
        return False

    def set_cancel_on_disconnect(self, seconds: int) -> RestCall[None]:
        """Refuse."""
        raise _lacking("set_cancel_on_disconnect")

    def fetch_cancel_on_disconnect(self) -> RestCall[int | None]:
        """Refuse."""
        raise _lacking("fetch_cancel_on_disconnect")

    def test_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, *, with_commission: bool
    ) -> RestCall[Commission | None]:
        """Refuse."""
        raise _lacking("test_order")

    def fetch_past_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[OrderFact] | None:
        """Return None: ``fetch_order`` knows all orders, also those that ended long ago."""
        return None

    def replace_order(
        self,
        old: OrderState,
        order: OrderRequest,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        instruments: Instruments,
        *,
        place_anyway: bool,
        cancel_anyway: bool,
    ) -> RestCall[ReplaceAnswer]:
        """Refuse: two commands are not one, and which of them to send when is for the caller to say."""
        raise _lacking("replace_order")

    def amend_order(
        self,
        instrument: Instrument,
        order: OrderState,
        quantity: Decimal | None,
        instruments: Instruments,
        *,
        price: Decimal | None = None,
        exits: Mapping[str, Decimal] | None = None,
    ) -> RestCall[Sequence[Fact]]:
        """Refuse."""
        raise _lacking("amend_order")

    def fetch_allocations(
        self,
        instrument: Instrument,
        instruments: Instruments,
        *,
        span: TimeSpan | None,
        limit: int,
        order_id: ExchangeOrderId | None = None,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Refuse."""
        raise _lacking("fetch_allocations")

    def fetch_amendments(
        self, instrument: Instrument, order: OrderState, *, limit: int
    ) -> RestCall[list[OrderAmendment]]:
        """Refuse."""
        raise _lacking("fetch_amendments")

    def fetch_prevented_matches(
        self, instrument: Instrument, exchange_order_id: ExchangeOrderId, *, after: str | None, limit: int
    ) -> RestCall[list[PreventedMatch]]:
        """Refuse."""
        raise _lacking("fetch_prevented_matches")

    def fetch_account(self) -> RestCall[AccountInfo]:
        """Refuse."""
        raise _lacking("fetch_account")

    def fetch_key(self) -> RestCall[KeyInfo]:
        """Refuse."""
        raise _lacking("fetch_key")

    def fetch_commission(self, instrument: Instrument) -> RestCall[Commission]:
        """Refuse."""
        raise _lacking("fetch_commission")

    def fetch_order_counts(self) -> RestCall[list[OrderCount]]:
        """Refuse."""
        raise _lacking("fetch_order_counts")
