"""What other exchanges have and Bybit spot does not: refused by name, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.model.account import Fact
from exconn_sync.model.account_reports import Commission, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState
from exconn_sync.model.orders import Fill, OrderRequest, OrderState
from exconn_sync.model.wire import RestCall, TimeSpan
from exconn_sync.ports.trading import ReplaceAnswer


class NotOffered:
    """Methods of ``TradingDriver`` that raise ValidationError: there is nothing at the exchange that they could use."""

    def test_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, *, with_commission: bool
    ) -> RestCall[Commission | None]:
        """Refuse: what checks orders there is not for spot (Bybit: 12)."""
        raise _refusal("test_order", "an order cannot be checked without placing it")

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
        raise _refusal("replace_order", "cancel and place, or amend the order")

    def place_list(
        self,
        request: OrderListRequest,
        instrument: Instrument,
        list_client_id: ClientOrderId,
        legs: Sequence[ClientOrderId],
        instruments: Instruments,
    ) -> RestCall[Sequence[Fact]]:
        """Refuse: orders that depend on each other cannot be placed over the API."""
        raise _refusal("place_order_list", "place the orders one by one")

    def cancel_list(
        self, instrument: Instrument, state: OrderListState, legs: Sequence[OrderState], instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Refuse: there are no order lists."""
        raise _refusal("cancel_order_list", "cancel the orders one by one")

    def fetch_list(self, state: OrderListState, instruments: Instruments) -> RestCall[OrderListFact]:
        """Refuse: there are no order lists."""
        raise _refusal("fetch_order_list", "ask for the orders one by one")

    def fetch_open_lists(self, instruments: Instruments) -> RestCall[list[OrderListFact]]:
        """Refuse: there are no order lists."""
        raise _refusal("fetch_open_order_lists", "ask for the open orders")

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
        """Refuse: orders are routed nowhere."""
        raise _refusal("fetch_allocations", "every execution is a trade")

    def fetch_amendments(
        self, instrument: Instrument, order: OrderState, *, limit: int
    ) -> RestCall[list[OrderAmendment]]:
        """Refuse: past quantities are not told."""
        raise _refusal("fetch_amendments", "see the order's history for what was learnt here")

    def fetch_prevented_matches(
        self, instrument: Instrument, exchange_order_id: ExchangeOrderId, *, after: str | None, limit: int
    ) -> RestCall[list[PreventedMatch]]:
        """Refuse: prevented trades are told by the end of the order only."""
        raise _refusal("fetch_prevented_matches", "see the reason of the order's end")

    def fetch_order_counts(self) -> RestCall[list[OrderCount]]:
        """Refuse: the daily limit of orders is not published (Bybit: 3.1)."""
        raise _refusal("fetch_order_counts", "the limits of orders are not published")


def _refusal(name: str, instead: str) -> ValidationError:
    return ValidationError("exchange", EXCHANGE, f"does not offer {name} for spot: {instead}", exchange=EXCHANGE)
