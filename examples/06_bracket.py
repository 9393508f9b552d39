"""One command, three orders: a purchase, and once it is filled a goal and a stop of which one ends the other."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from exconn_sync import Connector, OrderListRequest, OrderListState, OrderRequest
from exconn_sync.simulator import Simulator

SYMBOL, AWAY = "BTC-USDT", Decimal(30)


def show(what: str, orders: Iterable[str]) -> None:
    # Callbacks print from a thread of their own, so each line is written in one piece.
    print(f"{what:9}" + " ".join(orders) + "\n", end="", flush=True)


def note(state: OrderListState) -> None:
    show("  list", [state.list_id or "(no id yet)", state.status])


def main() -> None:
    # A market that moves only when we say so: one buyer at 60,000 and one seller at 60,010.
    with Simulator(running_market=False) as exchange, Connector(exchange.config()) as connector:
        exchange.market.clear("BTCUSDT")
        exchange.market.quote("BTCUSDT", "buy", 60000, 1)
        exchange.market.quote("BTCUSDT", "sell", 60010, 1)
        connector.on_order_list(note)
        connector.wait_ready(timeout=10)

        price = Decimal(60005)
        # Whatever the purchase brings, less its commission, is sold.
        purchase = OrderRequest.limit(SYMBOL, "buy", "0.01", price)
        goal = OrderRequest.limit(SYMBOL, "sell", "received", price + AWAY, post_only=True)
        stop = OrderRequest.stop_market(SYMBOL, "sell", "received", price - AWAY)
        bracket = connector.place_order_list(OrderListRequest.opoco(purchase, goal, stop))
        show("placed:", (f"{order.status} (at work: {order.state.is_working})" for order in bracket.orders))

        exchange.market.trade("BTCUSDT", "sell", "0.01")  # somebody sells to us
        for order in bracket.orders[1:]:
            order.wait(lambda state: state.quantity is not None, timeout=10)
        show("bought:", (f"{order.status} for {order.quantity}" for order in bracket.orders))

        exchange.market.clear("BTCUSDT")  # the buyers move down, and somebody sells to them
        exchange.market.quote("BTCUSDT", "buy", 59900, 1)
        exchange.market.trade("BTCUSDT", "sell", "0.1")
        bracket.wait(timeout=10)
        show("the end:", (f"{order.status} {order.state.reason}".strip() for order in bracket.orders))


if __name__ == "__main__":
    main()
