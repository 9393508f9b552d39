"""An order stays one and findable, whatever id the exchange gives it, and two orders never become one."""

from __future__ import annotations

from decimal import Decimal

from exconn_sync._store.entry import Entry
from exconn_sync.model.account import BalanceChange
from exconn_sync.model.enums import Channel, FactSource, OrderListStatus, OrderStatus
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.order_lists import OrderListFact
from tests.unit.store.make import SYMBOL, Kept, fill, intent, order

AMENDED = order(exchange_id="x1", quantity=Decimal(5), exchange_time=20, renamed_to=ClientOrderId("later"))


def test_an_amended_order_is_found_by_every_id_it_ever_had() -> None:
    """(fault F103)"""
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1", quantity=Decimal(10), exchange_time=10), AMENDED])
    again = order("later", exchange_id="x1", quantity=Decimal(4), exchange_time=30, renamed_to=ClientOrderId("latest"))
    kept.store.apply([again, fill("1", "1", client_id="latest")])
    kept.store.apply([order("latest", OrderStatus.CANCELED, exchange_id="x1", filled_quantity=Decimal(1))])
    assert [state.client_order_id for state in kept.store.orders()] == ["c1"]
    for order_id in ("c1", "later", "latest", "x1"):
        state = kept.store.order(order_id)
        assert state is not None
        assert (state.client_order_id, state.status, state.is_own) == ("c1", OrderStatus.CANCELED, True)
        assert (state.quantity, state.filled_quantity, state.contradictions) == (Decimal(4), Decimal(1), ())


def test_a_listed_order_is_known_by_the_exchanges_id_where_its_renaming_was_missed() -> None:
    """(fault F103)"""
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1")])
    listed = order("unheard", source=FactSource.RECONCILIATION, exchange_id="x1", quantity=Decimal(3), exchange_time=9)
    kept.store.apply([listed])
    (state,) = kept.store.orders()
    assert (state.client_order_id, state.quantity) == ("c1", Decimal(3))


def test_a_renamed_order_is_known_after_a_restart() -> None:
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1"), AMENDED])
    other = Kept()
    other.store.restore(kept.journal.replay())
    other.store.apply([fill("1", "1", exchange_id="x1", client_id="later")])
    state = other.store.order("later")
    assert state is not None
    assert (state.client_order_id, state.filled_quantity) == ("c1", Decimal(1))


def test_two_orders_of_one_client_id_are_never_made_one() -> None:
    """After its end an id is free again, and a cancel of several orders gives all of them one id (fault F102)."""
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1", status=OrderStatus.FILLED, quantity=Decimal(10))])
    kept.store.apply([order(exchange_id="x2", quantity=Decimal(7)), fill("9", "7", exchange_id="x2", client_id="c1")])
    mine, other = kept.store.orders()
    assert (mine.exchange_order_id, mine.quantity, mine.is_own, mine.contradictions) == ("x1", Decimal(10), True, ())
    assert (other.exchange_order_id, other.filled_quantity, other.is_own) == ("x2", Decimal(7), False)


def test_fills_are_of_the_order_that_they_were_told_of() -> None:
    """Also where another one has the same client id; else they are asked for again and again (faults F102, F106)."""
    kept = Kept()
    kept.store.begin(Entry(intent()))
    kept.store.apply([order(exchange_id="x1"), fill("1", "10", "x1", "c1")])
    kept.store.apply([order(exchange_id="x2"), fill("2", "3", "x2", "c1")])
    assert [(each.trade_id, each.client_order_id) for each in kept.store.fills()] == [("1", "c1"), ("2", "c1~x2")]
    assert [each.client_order_id for each in kept.of(Channel.FILL)] == ["c1", "c1~x2"]


def order_list(*legs: str, status: OrderListStatus, ids: tuple[str, ...] = (), name: str = "list") -> OrderListFact:
    return OrderListFact(
        "binance", SYMBOL, ClientOrderId(name), FactSource.STREAM, 1, "7", status,
        legs=tuple(map(ClientOrderId, legs)), leg_ids=tuple(map(ExchangeOrderId, ids)),
    )  # fmt: skip


def test_a_list_names_its_orders_by_the_ids_known_here_and_is_told_once_a_change() -> None:
    kept = Kept()
    kept.store.apply([order("c1", exchange_id="x1"), order("c2", exchange_id="x2"), AMENDED])
    first = order_list("later", "c2", status=OrderListStatus.EXECUTING, ids=("x1", "x2"))
    kept.store.apply([first, first])
    kept.store.apply([order_list("later", "c2", status=OrderListStatus.ALL_DONE, ids=("x1", "x2"), name="of-cancel")])
    assert [state.status for state in kept.of(Channel.ORDER_LIST)] == ["executing", "all_done"]
    (state,) = kept.store.order_lists()
    assert (state.list_client_id, state.list_id, state.legs) == ("list", "7", ("c1", "c2"))
    assert kept.store.order_list("list") == kept.store.order_list("7") == state


def test_a_change_of_a_balance_is_told_and_changes_no_balance() -> None:
    """(fault F116)"""
    kept = Kept()
    change = BalanceChange("binance", "BTC", Decimal(5), 1, 2)
    kept.store.apply([change])
    assert kept.of(Channel.BALANCE_CHANGE) == [change]
    assert dict(kept.store.balances()) == {}
