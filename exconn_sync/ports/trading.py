"""The part of a driver that is about orders beyond placing, cancelling and asking for single ones.

What an exchange does not have, its driver refuses with a ValidationError before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from exconn_sync.errors import ExconnError
from exconn_sync.model.account import Fact
from exconn_sync.model.account_reports import Commission, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.enums import CommandOutcome
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.wire import HistoryLimits, RestCall, TimeSpan


@dataclass(frozen=True)
class HalfAnswer:
    """What an answer says of one of several commands that were sent as one: ``error`` where it was not done."""

    outcome: CommandOutcome
    facts: Sequence[Fact] = ()
    error: ExconnError | None = None


@dataclass(frozen=True)
class ReplaceAnswer:
    """What an answer says of both halves of a replacement (fault F109)."""

    cancel: HalfAnswer
    placement: HalfAnswer


class TradingDriver(Protocol):
    """One exchange's orders. All methods are pure and may be called from any thread."""

    @property
    def history_limits(self) -> HistoryLimits:
        """Limits of questions about past orders and fills."""
        ...

    @property
    def enlarges_orders(self) -> bool:
        """Whether ``amend_order`` can make an order larger."""
        ...

    def guards_disconnects(self, environment: str) -> bool:
        """Return whether the exchange can cancel all orders by itself when this program is gone."""
        ...

    def set_cancel_on_disconnect(self, seconds: int) -> RestCall[None]:
        """Return the command that sets after how many seconds without the account stream all orders are cancelled."""
        ...

    def fetch_cancel_on_disconnect(self) -> RestCall[int | None]:
        """Return the call for these seconds; None where nothing would be cancelled."""
        ...

    def test_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, *, with_commission: bool
    ) -> RestCall[Commission | None]:
        """Return the call that has an order checked and not placed; its answer is what it would cost, if asked for."""
        ...

    def fetch_past_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[OrderFact] | None:
        """Return the call for an order that ``fetch_order`` does not find (any more); it may raise OrderNotFound.

        None where ``fetch_order`` knows all orders.
        """
        ...

    def cancel_all(self, instrument: Instrument, instruments: Instruments) -> Sequence[RestCall[Sequence[Fact]]]:
        """Return the commands that together cancel all open orders of a symbol, each of them some kinds of orders.

        Each raises OrderNotFound, or has an empty answer, where there is none.
        """
        ...

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
        """Return the command that cancels one order and places another.

        ``place_anyway`` places also where the cancel failed, ``cancel_anyway`` cancels also where a limit of orders
        does not let the new one through.
        """
        ...

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
        """Return the command that changes the quantity or the price of an order, or both; None stays as it is.

        ``exits`` are new prices by the names in ``order_terms.EXITS``; a zero takes one away.
        """
        ...

    def place_list(
        self,
        request: OrderListRequest,
        instrument: Instrument,
        list_client_id: ClientOrderId,
        legs: Sequence[ClientOrderId],
        instruments: Instruments,
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places an order list; ``legs`` are the ids of its orders, in their order."""
        ...

    def cancel_list(
        self, instrument: Instrument, state: OrderListState, legs: Sequence[OrderState], instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels an order list."""
        ...

    def fetch_list(self, state: OrderListState, instruments: Instruments) -> RestCall[OrderListFact]:
        """Return the call for one order list; it raises OrderNotFound where there is none."""
        ...

    def fetch_open_lists(self, instruments: Instruments) -> RestCall[list[OrderListFact]]:
        """Return the call for all open order lists of the account."""
        ...

    def fetch_order_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan | None, limit: int
    ) -> RestCall[list[OrderFact]]:
        """Return the call for the newest orders of a symbol, or for those of a time span, finished ones included."""
        ...

    def fetch_fill_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan, limit: int
    ) -> RestCall[list[Fill]]:
        """Return the call for the fills of a symbol in a time span."""
        ...

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
        """Return the call for executions that the exchange itself gave to orders that it routed.

        Those of a time span, the newest, or with ``order_id`` those of one order, oldest first, which come ``after`` a
        known one.
        """
        ...

    def fetch_amendments(
        self, instrument: Instrument, order: OrderState, *, limit: int
    ) -> RestCall[list[OrderAmendment]]:
        """Return the call for the changes of an order's quantity, oldest first."""
        ...

    def fetch_prevented_matches(
        self, instrument: Instrument, exchange_order_id: ExchangeOrderId, *, after: str | None, limit: int
    ) -> RestCall[list[PreventedMatch]]:
        """Return the call for the prevented trades of one order, those after a match where one is named."""
        ...

    def fetch_commission(self, instrument: Instrument) -> RestCall[Commission]:
        """Return the call for what trading a symbol costs this account."""
        ...

    def fetch_order_counts(self) -> RestCall[list[OrderCount]]:
        """Return the call for how many orders the account may still place."""
        ...
