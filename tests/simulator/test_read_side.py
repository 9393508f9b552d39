"""Copies of the registry that are behind."""

from decimal import Decimal

from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import NewOrder, OrderStatus, OrderType, Side
from exconn_sync.simulator.core.read_side import ReadSide

ACCOUNT = "demo"


def test_each_change_is_seen_late_and_in_its_order() -> None:
    exchange, now = Exchange(), [0.0]
    exchange.add_account(ACCOUNT)
    exchange.deposit(ACCOUNT, "USDT", Decimal(1_000_000), 0)
    reads = ReadSide(exchange.registry, lambda: now[0])

    def place(client_order_id: str) -> int:
        request = NewOrder(
            "BTCUSDT", Side.BUY, OrderType.LIMIT, client_order_id, quantity=Decimal(1), price=Decimal(50_000)
        )
        return exchange.place(ACCOUNT, request, 0).order_id

    before = place("before")
    reads.lag(10)
    later = place("later")
    order = exchange.registry.get("BTCUSDT", later)
    assert order is not None
    now[0] = 5.0
    exchange.cancel(order, 0, "another-id")
    assert [seen.order_id for seen in reads.registry.orders(ACCOUNT)] == [before]
    now[0] = 10.0
    assert [seen.order_id for seen in reads.registry.open_orders(ACCOUNT)] == [before, later]
    now[0] = 15.0
    seen = reads.registry.find(ACCOUNT, "BTCUSDT", "later")
    assert seen is not None
    assert (seen.status, seen.client_order_id) == (OrderStatus.CANCELED, "another-id")
    last = place("last")
    reads.lag(None)
    assert reads.registry.get("BTCUSDT", last) is not None
    assert exchange.registry.followers == []
