"""exconn_sync, through its public interface alone."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter

from exconn_sync import BookView, Config, Connector, Trade


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    base, socket = f"http://127.0.0.1:{options.port}", f"ws://127.0.0.1:{options.port}"
    if options.exchange == "bybit":
        endpoints = {"rest": base, "public": socket + "/v5/public/spot", "private": socket, "trade": socket}
    else:
        endpoints = {"rest": base, "stream": socket, "ws_api": socket}
    builder = Config.builder(options.exchange).endpoints(**endpoints)
    if options.exchange == "bybit":
        builder = builder.market_streams(book_levels=50)
    if not options.paced:
        # Nothing may be lost at full speed: the socket is read no faster than the callback takes it.
        builder = builder.delivery(overflow="block")
    config = builder.build()
    connector = Connector(config)
    measured = meter.Meter(options)
    if options.kind == "book":
        connector.on_order_book("BTC-USDT", on_book(measured), depth=1)
    else:
        symbols = ["BTC-USDT"] if options.symbols == 1 else [f"S{number:04}-USDT" for number in range(options.symbols)]
        tick = on_trade(measured, options.paced)
        subscriptions = [connector.on_trade(symbol, tick) for symbol in symbols]
        subscriptions += [connector.on_trade("BTC-USDT", lambda trade: None) for _ in range(options.subscribers - 1)]
    connector.start()
    measured.finish()


def on_trade(measured: meter.Meter, is_paced: bool) -> Callable[[Trade], Any]:
    """Return the callback for trades, whose numbers are Decimals already."""
    if is_paced:
        note = measured.clock()
        return lambda trade: note(int(trade.trade_id))
    tick = measured.counter()
    return lambda trade: tick()


def on_book(measured: meter.Meter) -> Callable[[BookView], Any]:
    """Return the callback that reads the best bid and ask, exact, after each change."""
    tick = measured.counter()

    def read(view: BookView) -> None:
        bid, ask = view.best_bid, view.best_ask
        if bid is not None and ask is not None:
            tick()

    return read


if __name__ == "__main__":
    main()
