"""Market data as a plain ``for`` loop: trades and the changes of best bid and ask."""

from __future__ import annotations

from exconn_sync import Connector
from exconn_sync.simulator import Simulator


def main() -> None:
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        tickers = connector.stream_book_ticker("BTC/USDT")
        trades = connector.stream_trades("BTCUSDT")
        connector.wait_ready(timeout=10)

        for number, trade in enumerate(trades, start=1):
            print(f"trade {trade.trade_id}: {trade.side} {trade.quantity} at {trade.price}")
            if number == 5:
                break
        trades.stop()

        ticker = tickers.get(timeout=5)
        # A side of the book may be empty.
        if ticker.bid_price is not None and ticker.ask_price is not None:
            print(f"spread {ticker.ask_price - ticker.bid_price} between {ticker.bid_price} and {ticker.ask_price}")
        print(f"waiting: {tickers.pending}, dropped: {tickers.dropped}")


if __name__ == "__main__":
    main()
