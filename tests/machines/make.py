"""Short ways to make the values these tests are about."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import settings

from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.market import BookDiff, BookSnapshot, Row
from exconn_sync.model.orders import Fill, OrderFact

SECOND = 1_000_000_000

fixed = settings(derandomize=True, deadline=None, max_examples=200)
"""The same examples in every run, so that a failure is never somebody else's."""


def order_fact(source: FactSource = FactSource.STREAM, received_at: int = 1, **more: Any) -> OrderFact:
    """Return a fact about the order ``c1``; amounts may be texts."""
    amounts = (
        "quantity", "price", "filled_quantity", "cumulative_quote", "quote_quantity", "stop_price",
        "prevented_quantity", "take_profit", "stop_loss",
    )  # fmt: skip
    exact: dict[str, Any] = {k: Decimal(v) if k in amounts and v is not None else v for k, v in more.items()}
    return OrderFact("binance", "BTC-USDT", ClientOrderId("c1"), source, received_at, **exact)


def make_fill(
    trade_id: str = "1",
    quantity: str = "1",
    price: str = "100",
    side: Side = Side.BUY,
    fee: str = "0",
    fee_asset: str | None = "USDT",
    **more: Any,
) -> Fill:
    """Return a fill of the order with the exchange id ``x1``."""
    fill = Fill(
        "binance",
        "BTC-USDT",
        TradeId(trade_id),
        ExchangeOrderId("x1"),
        Decimal(price),
        Decimal(quantity),
        side,
        Decimal(fee),
        fee_asset,
        False,
        None,
        1,
        FactSource.STREAM,
    )
    return replace(fill, **more)


def make_diff(first: int, last: int, bids: list[Row] | None = None, asks: list[Row] | None = None) -> BookDiff:
    """Return a diff that covers the ids from first to last."""
    return BookDiff("binance", "BTC-USDT", first, last, bids or [], asks or [], last * 10, last)


def make_snapshot(update_id: int, bids: list[Row] | None = None, asks: list[Row] | None = None) -> BookSnapshot:
    """Return a snapshot at an id."""
    return BookSnapshot("binance", "BTC-USDT", update_id, bids or [], asks or [], update_id)


def judge(update_id: int, diff: BookDiff) -> str:
    """Return what Binance's rule says of a diff (reference sheet, section 9)."""
    if diff.last_update_id <= update_id:
        return "ignore"
    return "gap" if diff.first_update_id > update_id + 1 else "apply"
