"""Short ways to make what the limits judge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exconn_sync._machines.exposure import Exposure
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.orders import Fill, OrderState
from exconn_sync.model.profit import Top
from exconn_sync.risk.case import Case
from exconn_sync.risk.guard import Change, RiskGuard

BTC = "BTC-USDT"
_amounts = {"quantity", "notional", "adds", "amount"}


def case(
    quantity: str | None = "1", price: str | None = "100", side: str = "buy", symbol: str = BTC, **more: Any
) -> Case:
    """Return an order as the limits see it; it takes from the quote asset, or from the base asset where it sells."""
    size = None if quantity is None else Decimal(quantity)
    worth = None if size is None or price is None else size * Decimal(price)
    base, _, quote = symbol.partition("-")
    is_buy = side == "buy"
    given: dict[str, Any] = {
        "quantity": size, "notional": worth, "adds": size, "asset": quote if is_buy else base,
        "amount": worth if is_buy else size, "now_ns": 0, "time_ns": 0,
        **{name: Decimal(value) if name in _amounts and value is not None else value for name, value in more.items()},
    }  # fmt: skip
    return Case(symbol, Side(side), **given)


class Book:
    """A guard with an exposure, both fed by hand."""

    def __init__(self, **limits: Any) -> None:
        self.guard = RiskGuard("binance", RiskLimits(**limits))
        self.exposure = Exposure("binance")
        self.told: list[Any] = []
        self._trades = 0

    def judge(self, judged: Case, change: Change = Change.ORDER) -> None:
        self.guard.judge(judged, self.exposure, change, self.told)

    @property
    def levels(self) -> list[tuple[str, str, str]]:
        return [(alert.rule, alert.scope, alert.level) for alert in self.told]

    def open(self, name: str, quantity: str, side: str = "buy", symbol: str = BTC, price: str = "100") -> None:
        """An order of ours is open."""
        self._order(name, quantity, side, symbol, OrderStatus.NEW, price=Decimal(price))

    def trade(
        self, quantity: str, price: str, side: str = "buy", symbol: str = BTC, at: int = 1, fee: str = "0 USDT"
    ) -> None:
        """An order of ours was filled at once."""
        self._trades += 1
        amount, asset = fee.split()
        fill = Fill(
            "binance", symbol, TradeId(str(self._trades)), ExchangeOrderId(f"x{self._trades}"), Decimal(price),
            Decimal(quantity), Side(side), Decimal(amount), asset, False, at, at, FactSource.STREAM,
        )  # fmt: skip
        self._order(f"t{self._trades}", quantity, side, symbol, OrderStatus.FILLED, fill)

    def balance(self, asset: str, free: str) -> None:
        self.exposure.note_balance(Balance("binance", asset, Decimal(free), Decimal(0), 1, 1, FactSource.STREAM))

    def _order(
        self, name: str, quantity: str, side: str, symbol: str, status: OrderStatus, *fills: Fill, **more: Any
    ) -> None:
        filled = sum((fill.quantity for fill in fills), Decimal(0))
        state = OrderState(
            "binance", symbol, ClientOrderId(name), None, status, Side(side), quantity=Decimal(quantity),
            filled_quantity=filled, is_own=True, **more,
        )  # fmt: skip
        self.exposure.note_order(state, fills, None)


def top(bid: str | None, ask: str | None) -> Top:
    """Return best prices of one unit each."""
    levels = [None if price is None else (Decimal(price), Decimal(1)) for price in (bid, ask)]
    return levels[0], levels[1]
