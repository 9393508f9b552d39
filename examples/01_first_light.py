"""The main job in one piece: live data, a local book, and one order from its intent to its last fill.

Needs no account, key or server: it starts a simulated exchange on this machine and talks to it over real sockets.
"""

from __future__ import annotations

import threading
from decimal import Decimal

from exconn_sync import Connector, OrderRequest, OrderState, Trade
from exconn_sync.simulator import Simulator

SYMBOL = "BTC-USDT"
MORE = Decimal("0.05")


def show_trade(trade: Trade) -> None:
    print(f"  trade    {trade.side:<4} {trade.quantity} at {trade.price}", flush=True)


def show_order(order: OrderState) -> None:
    print(f"  order    {order.status}, {order.filled_quantity} of {order.quantity} filled", flush=True)


def main() -> None:
    print("starting a simulated exchange and connecting ...", flush=True)
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.on_order(show_order)
        connector.on_fill(lambda fill: print(f"  fill     {fill.quantity} at {fill.price}", flush=True))
        stop_trades = connector.on_trade(SYMBOL, show_trade)
        books = connector.stream_order_book(SYMBOL)
        connector.wait_ready(timeout=10)

        for _ in range(5):
            book = books.get(timeout=5)
            (bid, bid_size), (ask, ask_size) = book.bids[0], book.asks[0]
            print(f"  book     {bid_size} at {bid} | {ask_size} at {ask}", flush=True)
        stop_trades()

        # More than is offered at the best price: it trades at once in part, the rest waits for sellers.
        quantity = connector.instruments.get(SYMBOL).round_quantity(ask_size + MORE)
        btc = connector.balances["BTC"].total
        print(f"buying {quantity} BTC at {ask} ...", flush=True)
        order = connector.place_order(OrderRequest.limit(SYMBOL, "buy", quantity, ask))
        print(f"  accepted as {order.exchange_order_id}, {order.status}", flush=True)
        if not order.wait("filled", timeout=20):
            order.cancel()

        after = connector.fetch_balances()["BTC"].total
        position = connector.positions[SYMBOL]
        print(f"{order.status}: {order.filled_quantity} at {order.average_price}, fees {order.fees['BTC']} BTC")
        print(f"balance {btc} -> {after} BTC, position {position.quantity} at {position.average_price}")
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    print(f"stopped; threads left behind: {len(left)}")


if __name__ == "__main__":
    main()
