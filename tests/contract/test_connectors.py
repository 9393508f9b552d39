"""What a connector promises on whatever exchange: one suite for Binance, Bybit and the mock."""

from __future__ import annotations

import queue
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    CommandOutcome,
    Connector,
    DuplicateOrder,
    Fill,
    InsufficientBalance,
    Order,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    ValidationError,
)
from exconn_sync._runtime.threads import library_threads
from exconn_sync.model.enums import Channel
from exconn_sync.testing.contract.methods import OF_CHANNELS
from tests.contract.conftest import Connect
from tests.contract.venues import PATIENCE, Venue, sent_orders, settle
from tests.unit.support import Background

limit, market = OrderRequest.limit, OrderRequest.market
BUY = limit("BTC-USDT", "buy", "0.5", "60005")


class Heard:
    """A callback that remembers."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.all: list[Any] = []

    def __call__(self, event: Any) -> None:
        self.all.append(event)
        self._events.put(event)

    def has_come(self) -> bool:
        return bool(self.all)

    def next(self) -> Any:
        return self._events.get(timeout=PATIENCE)


def known(order: Order) -> Order:
    """Wait until it is clear what became of a new order."""
    assert order.wait(lambda state: state.status not in ("pending_new", "unknown"), PATIENCE)
    return order


def resting(connector: Connector, **options: Any) -> Order:
    order = known(connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000", **options)))
    assert order.status == "new"
    return order


# --- life -----------------------------------------------------------------------------------------------------------


def test_it_starts_gets_ready_and_stops_as_often_as_wanted(venue: Venue) -> None:
    before = set(library_threads())
    connector = Connector(venue.config(), clock=venue.clock)
    assert connector.state == "new"
    for _ in range(2):
        connector.start()
        connector.start()
        connector.wait_ready(PATIENCE)
        assert connector.state == "ready"
        assert connector.is_connected
        assert connector.stop(PATIENCE) == []
        assert connector.stop(PATIENCE) == []
        assert connector.state == "stopped"
        assert set(library_threads()) == before


def test_every_spelling_of_a_symbol_leads_to_its_rules(venue: Venue, connector: Connector) -> None:
    table = connector.instruments
    one = table.get("BTC-USDT")
    assert {table.get(name) for name in ("BTC/USDT", "btc-usdt", one.exchange_symbol, "BTC-USDT-SPOT")} == {one}
    assert (one.exchange, one.base, one.quote, one.is_trading) == (venue.name, "BTC", "USDT", True)
    assert one.tick_size > 0
    assert one.lot_step > 0
    with pytest.raises(ValidationError, match="is not a spot symbol"):
        table.get("NO-SUCH")


# --- public streams -------------------------------------------------------------------------------------------------


def subscribed(connector: Connector, channel: Channel, callback: Callable[[Any], object]) -> None:
    arguments = ("1m",) if channel is Channel.KLINE else ()
    getattr(connector, OF_CHANNELS[channel][0])("BTC-USDT", *arguments, callback)


def test_each_stream_that_is_offered_comes(venue: Venue, connector: Connector) -> None:
    heard = {Channel(word): Heard() for word in connector.capabilities.streams}
    for channel, callback in heard.items():
        subscribed(connector, channel, callback)
    connector.wait_ready(PATIENCE)
    venue.market.trade("BTCUSDT", "buy", "0.25")
    venue.market.quote("BTCUSDT", "buy", "60001", "0.5")
    for channel, callback in heard.items():
        settle(venue, callback.has_come)
        event = callback.all[0]
        assert (event.exchange, event.symbol) == (venue.name, "BTC-USDT"), channel
    trade = heard[Channel.TRADE].all[0]
    assert (trade.price, trade.quantity, trade.side) == (Decimal(60010), Decimal("0.25"), "buy")


def test_a_book_equals_the_exchange(venue: Venue, connector: Connector) -> None:
    books = Heard()
    connector.on_order_book("BTC-USDT", books)
    connector.wait_ready(PATIENCE)
    for step in range(5):
        venue.market.quote("BTCUSDT", "buy", 60001 + step, "0.5")
        venue.market.quote("BTCUSDT", "sell", 60020 + step, "0.25")
    venue.market.trade("BTCUSDT", "sell", "0.7")

    def is_same() -> bool:
        _, bids, asks = venue.market.order_book("BTCUSDT", 50)
        book = connector.order_book("BTC-USDT")
        return (list(book.bids), list(book.asks)) == (bids, asks)

    assert books.next().exchange == venue.name
    settle(venue, is_same)
    snapshot = connector.fetch_order_book("BTC-USDT", 50)
    assert (snapshot.best_bid, snapshot.best_ask) == (
        connector.order_book("BTC-USDT").best_bid,
        connector.order_book("BTC-USDT").best_ask,
    )


def test_questions_about_the_market(venue: Venue, connector: Connector) -> None:
    venue.market.trade("BTCUSDT", "buy", "0.25")
    assert [trade.quantity for trade in connector.fetch_trades("BTC-USDT", 1)] == [Decimal("0.25")]
    best = connector.fetch_book_ticker("BTC-USDT")
    assert (best.exchange, best.bid_price, best.ask_price) == (venue.name, Decimal(60000), Decimal(60010))
    if connector.capabilities.offers("fetch_klines"):
        assert connector.fetch_klines("BTC-USDT", "1m")[-1].volume == Decimal("0.25")
    if connector.capabilities.offers("fetch_ticker"):
        assert connector.fetch_ticker("BTC-USDT").last == Decimal(60010)
    assert connector.fetch_server_time() > 10**18
    assert connector.ping() >= 0


# --- orders ---------------------------------------------------------------------------------------------------------


def test_an_order_rests_and_is_cancelled(venue: Venue, connector: Connector) -> None:
    order = resting(connector)
    assert [state.client_order_id for state in connector.fetch_open_orders("BTC-USDT")] == [order.client_order_id]
    assert venue.accounts.balances()["USDT"][1] == Decimal(1000)
    settle(venue, lambda: connector.balances["USDT"].locked == Decimal(1000))
    order.cancel()
    assert order.wait(timeout=PATIENCE)
    assert (order.status, order.state.contradictions) == ("canceled", ())
    assert connector.fetch_open_orders() == []
    assert connector.fetch_order(order).status == "canceled"
    settle(venue, lambda: connector.balances["USDT"].locked == 0)


def test_a_fill_is_told_once_and_counts_once(venue: Venue, connector: Connector) -> None:
    fills = Heard()
    connector.on_fill(fills)
    order = known(connector.place_order(BUY))
    venue.market.trade("BTCUSDT", "sell", "0.2")
    assert order.wait("partially_filled", PATIENCE)
    venue.market.trade("BTCUSDT", "sell", "0.3")
    assert order.wait("filled", PATIENCE)
    settle(venue, lambda: len(fills.all) == 2)
    assert [fill.quantity for fill in fills.all] == [Decimal("0.2"), Decimal("0.3")]
    assert connector.fetch_order(order).filled_quantity == Decimal("0.5")
    assert {fill.trade_id for fill in connector.fetch_fills("BTC-USDT", order=order)} == {
        fill.trade_id for fill in fills.all
    }
    wanted = Fill, venue.name, "BTC-USDT", order.exchange_order_id
    assert {(type(fill), fill.exchange, fill.symbol, fill.exchange_order_id) for fill in fills.all} == {wanted}
    settle(venue, lambda: connector.balances["BTC"].total == sum(venue.accounts.balances()["BTC"]))
    settle(venue, lambda: connector.balances["USDT"].total == sum(venue.accounts.balances()["USDT"]))
    paid = sum((fill.fee for fill in fills.all), Decimal(0))
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.5") - paid
    assert len(fills.all) == 2, "also after questions that told the fills again"


def test_a_market_order_is_for_the_base_asset(venue: Venue, connector: Connector) -> None:
    order = connector.place_order(market("BTC-USDT", "buy", "0.01"))
    assert order.wait("filled", PATIENCE)
    (fill,) = venue.accounts.fills()
    assert (order.filled_quantity, fill.quantity, fill.price) == (Decimal("0.01"), Decimal("0.01"), Decimal(60010))


def test_an_order_becomes_smaller_where_that_is_offered(connector: Connector) -> None:
    order = resting(connector)
    if not connector.capabilities.offers("amend_order"):
        with pytest.raises(ValidationError):
            connector.amend_order(order, "0.01")
        assert connector.fetch_order(order).quantity == Decimal("0.02")
        return
    assert connector.amend_order(order, "0.01").quantity == Decimal("0.01")
    assert connector.fetch_order(order).quantity == Decimal("0.01")


def test_an_order_is_replaced_where_that_is_offered(venue: Venue, connector: Connector) -> None:
    order, other = resting(connector), limit("BTC-USDT", "buy", "0.02", "50001")
    if not connector.capabilities.offers("replace_order"):
        with pytest.raises(ValidationError):
            connector.replace_order(order, other)
        assert connector.fetch_order(order).status == "new"
        return
    replacement = connector.replace_order(order, other)
    assert (order.status, known(replacement.new).status) == ("canceled", "new")
    assert [each.is_open for each in venue.accounts.orders()] == [False, True]


def test_several_orders_at_once_each_with_its_own_outcome(venue: Venue, connector: Connector) -> None:
    requests = [limit("BTC-USDT", "buy", "0.02", str(50000 + step)) for step in range(3)]
    requests.insert(1, limit("BTC-USDT", "buy", "30", "50000"))
    results = connector.place_orders(requests)
    assert [result.outcome for result in results] == [
        CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.DONE, CommandOutcome.DONE,
    ]  # fmt: skip
    assert isinstance(results[1].error, InsufficientBalance)
    placed = [known(result.order) for result in results if result.is_done and result.order is not None]
    assert {result.outcome for result in connector.cancel_orders(placed)} == {CommandOutcome.DONE}
    assert not any(each.is_open for each in venue.accounts.orders())


def test_the_past_is_told(venue: Venue, connector: Connector) -> None:
    order = resting(connector)
    order.cancel()
    done = connector.place_order(market("BTC-USDT", "buy", "0.01"))
    assert done.wait("filled", PATIENCE)
    wanted = [order.client_order_id, done.client_order_id]
    assert [state.client_order_id for state in connector.fetch_order_history("BTC-USDT")] == wanted
    hour_ago = connector.fetch_server_time() - 3_600_000_000_000
    assert [state.client_order_id for state in connector.fetch_order_history("BTC-USDT", start=hour_ago)] == wanted
    fills = connector.fetch_fills("BTC-USDT", start=hour_ago)
    assert [fill.quantity for fill in fills] == [Decimal("0.01")]
    assert [fill.quantity for fill in connector.fetch_fills("BTC-USDT")] == [Decimal("0.01")]
    assert len(sent_orders(venue)) == 2


def test_cancel_all_leaves_nothing(venue: Venue, connector: Connector) -> None:
    placed = [resting(connector) for _ in range(3)]
    ended = connector.cancel_all("BTC-USDT")
    assert {order.client_order_id for order in ended} == {order.client_order_id for order in placed}
    assert {order.status for order in ended} == {"canceled"}
    assert not any(each.is_open for each in venue.accounts.orders())
    assert connector.cancel_all("BTC-USDT") == []


# --- refusals -------------------------------------------------------------------------------------------------------


def test_too_little_money_is_told_as_such(venue: Venue, connector: Connector) -> None:
    with pytest.raises(InsufficientBalance) as caught:
        connector.place_order(limit("BTC-USDT", "buy", "30", "50000", client_order_id="too-much"))
    assert (caught.value.outcome, caught.value.exchange) == ("refused", venue.name)
    assert "exchange_code" in caught.value.details
    assert [(state.client_order_id, state.status) for state in connector.orders.history()] == [
        ("too-much", "rejected")
    ]  # fmt: skip


def test_an_unknown_order_is_told_as_such(connector: Connector) -> None:
    with pytest.raises(OrderNotFound):
        connector.fetch_order("nobody-knows-it", symbol="BTC-USDT")
    order = resting(connector)
    order.cancel()
    with pytest.raises(OrderRejected):
        order.cancel()


@pytest.mark.parametrize(
    ("quantity", "price", "field"), [("0.02", "50000.001", "price"), ("0.0000001", "50000", "quantity")]
)
def test_a_number_off_its_step_is_never_sent(
    venue: Venue, connector: Connector, quantity: str, price: str, field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        connector.place_order(limit("BTC-USDT", "buy", quantity, price))
    assert (caught.value.field, caught.value.outcome) == (field, "not_sent")
    assert sent_orders(venue) == []


def test_an_id_that_an_open_order_has_is_refused(venue: Venue, connect: Connect) -> None:
    first = resting(connect(), client_order_id="the-one")
    with pytest.raises((DuplicateOrder, ValidationError)) as caught:
        connect().place_order(limit("BTC-USDT", "buy", "0.03", "50000", client_order_id="the-one"))
    assert caught.value.outcome in ("refused", "not_sent")
    assert [(each.is_open, each.quantity) for each in venue.accounts.orders()] == [(True, Decimal("0.02"))]
    assert first.status == "new"


# --- the unknown ----------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(venue: Venue, connector: Connector) -> None:
    venue.lose_answer()

    def place() -> Order | None:
        try:
            return connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
        except OutcomeUnknown as error:
            order: Order | None = error.order
            return order

    placing = Background(place)
    settle(venue, lambda: any(state.status == "new" for state in connector.orders.history()))
    order = placing.result()
    assert order is not None, "the handle is there whatever is known"
    assert order.status == "new"
    (there,) = venue.accounts.orders()
    assert there.is_open
    assert len(sent_orders(venue)) == 1


def test_a_lost_connection_comes_back_with_everything(venue: Venue, connector: Connector) -> None:
    books, trades, fills = Heard(), Heard(), Heard()
    connector.on_order_book("BTC-USDT", books)
    connector.on_trade("BTC-USDT", trades)
    connector.on_fill(fills)
    connector.wait_ready(PATIENCE)
    order = known(connector.place_order(BUY))
    venue.drop_connections()
    venue.market.trade("BTCUSDT", "sell", "0.5")
    settle(venue, lambda: order.status == "filled")
    settle(venue, lambda: connector.state == "ready")
    venue.market.quote("BTCUSDT", "buy", "60002", "0.75")
    settle(venue, lambda: books.all[-1].best_bid == (Decimal(60002), Decimal("0.75")))
    venue.market.trade("BTCUSDT", "buy", "0.125")
    settle(venue, lambda: trades.all and trades.all[-1].quantity == Decimal("0.125"))
    settle(venue, lambda: fills.all)
    assert [fill.quantity for fill in fills.all] == [Decimal("0.5")]
