"""Numbers on their way from the user's text over a real exchange face and back, for every exchange."""

from __future__ import annotations

from decimal import Decimal

from exconn_sync import Connector, OrderRequest
from exconn_sync.model.numbers import plain_text
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT


def text_to_text(exchange: Simulator, connector: Connector, price: Decimal, quantity: Decimal) -> None:
    """An order rests, is told and asked for, is seen in the book, trades, and is seen in fills and trades."""
    wanted = plain_text(price), plain_text(quantity)
    fills = connector.stream_fills()
    order = connector.place_order(OrderRequest.limit("TST-USDT", "buy", wanted[1], wanted[0]))
    assert order.wait(lambda state: state.status == "new", LIMIT)
    truth = exchange.accounts.orders()[-1]
    assert (plain_text(truth.price), plain_text(truth.quantity)) == wanted
    (found,) = connector.fetch_open_orders("TST-USDT")
    for seen in (order, connector.fetch_order(order.client_order_id), found):
        assert seen.price is not None
        assert seen.quantity is not None
        assert (plain_text(seen.price), plain_text(seen.quantity)) == wanted
    (level,) = connector.fetch_order_book("TST-USDT").bids
    assert tuple(map(plain_text, level)) == wanted
    exchange.market.trade("TSTUSDT", "sell", quantity)
    fill = fills.get(timeout=LIMIT)
    assert order.wait("filled", LIMIT)
    fills.stop()
    assert (plain_text(fill.price), plain_text(fill.quantity)) == wanted
    assert plain_text(order.filled_quantity) == wanted[1]
    trade = connector.fetch_trades("TST-USDT", 1)[0]
    assert (plain_text(trade.price), plain_text(trade.quantity)) == wanted
    last = connector.fetch_fills("TST-USDT", order=order)[-1]
    assert (plain_text(last.price), plain_text(last.quantity)) == wanted
