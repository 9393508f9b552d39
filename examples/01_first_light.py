"""The main job in one piece: live data, a local book, and one order from its intent to its last fill.

Needs no account, key or server: it starts a simulated exchange on this machine and talks to it over real sockets.
"""

from __future__ import annotations

import threading
from decimal import Decimal

from exconn_sync import Connector, OrderRequest, OrderState
from exconn_sync.simulator import Simulator

SYMBOL, MORE = "BTC-USDT", Decimal("0.05")


def say(line: str) -> None:
    # One write a line, because callbacks print from threads of their own.
    print(line + "\n", end="", flush=True)


def show_order(order: OrderState) -> None:
    say(f"  order    {order.status}, {order.filled_quantity} of {order.quantity} filled")


def main() -> None:
    say("starting a simulated exchange and connecting ...")
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.on_order(show_order)
        connector.on_fill(lambda fill: say(f"  fill     {fill.quantity} at {fill.price}"))
        stop_trades = connector.on_trade(SYMBOL, lambda t: say(f"  trade    {t.side} {t.quantity} at {t.price}"))
        books = connector.stream_order_book(SYMBOL)
        connector.wait_ready(timeout=10)

        for _ in range(5):
            book = books.get(timeout=5)
            (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
            say(f"  book     {bid_size} at {bid} | {ask_size} at {ask}")
        stop_trades()

        # More than is offered at the best price: it trades at once in part, the rest waits for sellers.
        quantity = connector.instruments.get(SYMBOL).round_quantity(ask_size + MORE)
        btc = connector.balances["BTC"].total
        say(f"buying {quantity} BTC at {ask} ...")
        order = connector.place_order(OrderRequest.limit(SYMBOL, "buy", quantity, ask))
        say(f"  accepted as {order.exchange_order_id}, {order.status}")
        if not order.wait("filled", timeout=20):
            order.cancel()

        after = connector.fetch_balances()["BTC"].total
        position = connector.positions[SYMBOL]
        say(f"{order.status}: {order.filled_quantity} at {order.average_price}, fees {order.fees['BTC']} BTC")
        say(f"balance {btc} -> {after} BTC, position {position.quantity} at {position.average_price}")
    say(f"stopped; threads left behind: {threading.active_count() - 1}")


if __name__ == "__main__":
    main()
