"""Frames of the account stream (Binance: 10, 11)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import AuthenticationError, ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.account import Balance, BalanceChange, FillDelivery
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import (
    FactSource,
    OrderListKind,
    OrderListStatus,
    OrderStatus,
    OrderType,
    PegPrice,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WorkingFloor,
)
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact, PreventedTrade
from exconn_sync.model.wire import LoginReply, ServerNotice, Unrecognized
from exconn_sync.ports.driver import AccountMessage, PartlyKnown
from tests.data import data_path, read_json
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, exact

NEW = {
    "e": "executionReport", "E": 1499405658658, "s": "ETHBTC", "c": "mUvoqJxFIILMdfAW5iGSOW", "S": "BUY",
    "o": "LIMIT", "f": "GTC", "q": "1.00000000", "p": "0.10264410", "P": "0.00000000", "F": "0.00000000", "g": -1,
    "C": "", "x": "NEW", "X": "NEW", "r": "NONE", "i": 4293153, "l": "0.00000000", "z": "0.00000000",
    "L": "0.00000000", "n": "0", "N": None, "T": 1499405658657, "t": -1, "v": 3, "I": 8641984, "w": True, "m": False,
    "M": False, "O": 1499405658657, "Z": "0.00000000", "Y": "0.00000000", "Q": "0.00000000", "V": "NONE",
}  # fmt: skip
TRADE = NEW | {
    "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.40000000", "z": "0.60000000", "L": "0.10000000", "n": "0.00001",
    "N": "BNB", "t": 17, "Z": "0.06000000", "m": True,
}  # fmt: skip
POSITION = {
    "e": "outboundAccountPosition", "E": 1564034571105, "u": 1564034571073,
    "B": [{"a": "ETH", "f": "10000.000000", "l": "0.000000"}, {"a": "BTC", "f": "0.00000000", "l": "1.5"}],
}  # fmt: skip


def parsed(wire: Any) -> AccountMessage:
    frame = wire if isinstance(wire, bytes) else json.dumps(wire).encode()
    return DRIVER.parse_account(frame, RECEIVED_AT, INSTRUMENTS)


def event(wire: Any) -> AccountMessage:
    return parsed({"subscriptionId": 0, "event": wire})


def order(wire: Any) -> OrderFact:
    message = event(wire)
    assert isinstance(message, Sequence)
    assert isinstance(message[0], OrderFact)
    return message[0]


def test_a_quantity_of_zero_is_not_known_yet() -> None:
    """Of what another order has yet to buy (Binance: 5.9, OPO)."""
    assert order(NEW | {"q": "0.00000000", "X": "PENDING_NEW"}).quantity is None


def test_an_execution_report_is_a_fact_about_the_order() -> None:
    assert event(NEW) == [
        OrderFact(
            exchange="binance", symbol="ETH-BTC", client_order_id=ClientOrderId("mUvoqJxFIILMdfAW5iGSOW"),
            source=FactSource.STREAM, received_at=RECEIVED_AT, status=OrderStatus.NEW,
            exchange_order_id=ExchangeOrderId("4293153"), side=Side.BUY, type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC, quantity=Decimal(1), price=exact("0.1026441"), filled_quantity=Decimal(0),
            cumulative_quote=Decimal(0), exchange_time=1_499_405_658_657_000_000, is_working=True,
            self_trade_prevention=SelfTradePrevention.NONE, post_only=False, prevented_matches=("3",),
            placed_at=1_499_405_658_657_000_000,
        )
    ]  # fmt: skip


def test_conditional_fields_reach_the_order() -> None:
    """(Binance: 10.3)"""
    more = {
        "o": "LIMIT_MAKER", "W": 1499405658658, "d": 100, "D": 1499405658659, "j": 7, "J": 1000001, "v": 12,
        "A": "0.2", "uS": True, "k": "SOR", "O": 1499405658650, "gP": "PRIMARY_PEG", "gOT": "PRICE_LEVEL", "gOV": 2,
        "gp": "1.1",
    }  # fmt: skip
    fact = order(NEW | more)
    assert (fact.type, fact.post_only) == (OrderType.LIMIT, True)
    assert (fact.working_at, fact.trailing_since) == (1_499_405_658_658_000_000, 1_499_405_658_659_000_000)
    assert (fact.strategy_id, fact.strategy_type, fact.smart_routing) == (7, 1000001, True)
    assert (fact.working_floor, fact.placed_at) == (WorkingFloor.SMART_ROUTING, 1_499_405_658_650_000_000)
    assert (fact.peg, fact.peg_offset) == (PegPrice.PRIMARY, 2)
    assert (fact.prevented_matches, fact.prevented_quantity) == (("12",), exact("0.2"))
    waiting = order(NEW | {"W": -1, "D": -1, "o": "STOP_LOSS_LIMIT"})
    assert (waiting.working_at, waiting.trailing_since, waiting.post_only) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"S": "NEUTRAL"}, "executionReport side NEUTRAL"),
        ({"o": "LIMIT_2"}, "executionReport type LIMIT_2"),
        ({"f": "GTD"}, "executionReport time_in_force GTD"),
        ({"V": "EXPIRE_ALL"}, "executionReport prevention EXPIRE_ALL"),
        ({"gP": "MID_PEG"}, "executionReport peg MID_PEG"),
        ({"k": "CELLAR"}, "executionReport floor CELLAR"),
    ],
)
def test_a_word_that_is_new_is_survived_and_counted(change: dict[str, str], kind: str) -> None:
    """(fault F040)"""
    message = event(NEW | change)
    assert isinstance(message, PartlyKnown)
    assert message.kind == kind
    assert isinstance(message.facts[0], OrderFact)
    assert (message.facts[0].status, message.facts[0].exchange_order_id) == (OrderStatus.NEW, "4293153")


def test_a_trade_adds_a_fill() -> None:
    message = event(TRADE)
    assert isinstance(message, Sequence)
    fact, fill = message
    assert isinstance(fact, OrderFact)
    assert (fact.status, fact.filled_quantity, fact.cumulative_quote) == (
        OrderStatus.PARTIALLY_FILLED, exact("0.6"), exact("0.06"),
    )  # fmt: skip
    assert fill == Fill(
        exchange="binance", symbol="ETH-BTC", trade_id=TradeId("17"), exchange_order_id=ExchangeOrderId("4293153"),
        price=exact("0.1"), quantity=exact("0.4"), side=Side.BUY, fee=exact("0.00001"), fee_asset="BNB", is_maker=True,
        exchange_time=1_499_405_658_657_000_000, received_at=RECEIVED_AT, source=FactSource.STREAM,
        client_order_id=ClientOrderId("mUvoqJxFIILMdfAW5iGSOW"),
    )  # fmt: skip


def test_a_cancel_is_known_under_the_orders_own_id() -> None:
    """(fault F103)"""
    fact = order(NEW | {"x": "CANCELED", "X": "CANCELED", "c": "the-cancel", "C": "the-order"})
    assert (fact.client_order_id, fact.status) == ("the-order", OrderStatus.CANCELED)


def test_an_expiry_without_an_original_id_is_known_under_its_only_one() -> None:
    fact = order(NEW | {"x": "EXPIRED", "X": "EXPIRED", "eR": "UNFILLED_IOC_QUANTITY_EXPIRED"})
    assert fact.client_order_id == "mUvoqJxFIILMdfAW5iGSOW"
    assert (fact.status, fact.reason) == (OrderStatus.EXPIRED, "UNFILLED_IOC_QUANTITY_EXPIRED")


def test_a_rejection_keeps_its_reason() -> None:
    """(fault F110)"""
    fact = order(NEW | {"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCES"})
    assert (fact.status, fact.reason) == (OrderStatus.REJECTED, "INSUFFICIENT_BALANCES")


def test_a_prevented_trade_is_no_fill() -> None:
    """(fault F111)"""
    wire = NEW | {"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH", "pl": "1.0", "A": "1.0", "t": -1}
    message = event(wire)
    assert isinstance(message, Sequence)
    assert len(message) == 1
    assert order(wire).filled_quantity == 0


def times(message: AccountMessage) -> set[int | None]:
    assert isinstance(message, Sequence)
    return {fact.exchange_time for fact in message if not isinstance(fact, (FillDelivery, Carried, Archived))}


LIST_STATUS = {
    "e": "listStatus", "E": 1564035303637, "s": "ETHBTC", "g": 2, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING",
    "r": "NONE", "C": "F4QN4G8DlFATFlIUQ0cjdD", "T": 1564035303625,
    "O": [{"s": "ETHBTC", "i": 17, "c": "AJYsMjErWJesZvqlJCTUgL"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind"), [({"L": "WAT"}, "listStatus list_status WAT"), ({"c": "NEW"}, "listStatus contingency NEW")]
)
def test_a_word_about_a_list_that_is_new_is_survived_and_counted(change: dict[str, str], kind: str) -> None:
    message = event(LIST_STATUS | change)
    assert isinstance(message, PartlyKnown)
    assert message.kind == kind
    assert isinstance(message.facts[0], OrderListFact)
    assert message.facts[0].list_id == "2"


@pytest.mark.parametrize(
    ("wire", "letter"),
    [
        (TRADE, "T"),
        (POSITION, "u"),
        ({"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "1", "T": 1564034571073}, "T"),
        (LIST_STATUS, "T"),
    ],
)
def test_times_are_in_the_unit_of_the_connection_and_their_size_tells_it(wire: dict[str, Any], letter: str) -> None:
    """``timeUnit=MICROSECOND`` in the address (Binance: 11)."""
    assert times(event(wire)) == {wire[letter] * 10**6}
    assert times(event(wire | {letter: wire[letter] * 1000 + 7})) == {wire[letter] * 10**6 + 7000}


def test_an_allocation_is_a_fill_with_an_id_of_its_own() -> None:
    """What the exchange itself gives a routed order has no trade, and its ids count for themselves (5.10, SOR)."""
    message = event(TRADE | {"t": -1, "a": 5, "b": "ONE_PARTY_TRADE_REPORT"})
    assert isinstance(message, Sequence)
    assert [fact.trade_id for fact in message if isinstance(fact, Fill)] == ["allocation-5"]


def test_an_execution_without_any_id_is_no_fill() -> None:
    message = event(TRADE | {"t": -1})
    assert isinstance(message, Sequence)
    assert len(message) == 1


@pytest.mark.parametrize(("fee", "asset", "expected"), [("-0.5", "BNB", "-0.5"), (None, None, "0"), ("0", None, "0")])
def test_a_surprising_fee_does_not_lose_the_fill(fee: str | None, asset: str | None, expected: str) -> None:
    """(fault F113)"""
    message = event(TRADE | {"n": fee, "N": asset})
    assert isinstance(message, Sequence)
    fill = message[1]
    assert isinstance(fill, Fill)
    assert (fill.fee, fill.fee_asset) == (exact(expected), asset)


def test_unknown_words_are_kept_and_say_nothing() -> None:
    """(fault F040)"""
    wire = {"X": "FROM_THE_FUTURE", "o": "MOON", "f": "GTD", "S": "HOLD", "V": "DUEL", "gP": "MOON", "new": [1]}
    message = event(NEW | wire)
    assert isinstance(message, PartlyKnown)
    assert message.kind == "executionReport status FROM_THE_FUTURE"
    (fact,) = message.facts
    assert isinstance(fact, OrderFact)
    assert (fact.self_trade_prevention, fact.peg) == (None, None)
    assert (fact.status, fact.reason) == (None, "FROM_THE_FUTURE")
    assert (fact.type, fact.time_in_force, fact.side) == (OrderType.OTHER, None, None)


def test_an_unknown_kind_of_execution_is_counted_and_its_order_believed() -> None:
    """(fault F035)"""
    message = event(NEW | {"x": "NEWS", "X": "CANCELED"})
    assert isinstance(message, PartlyKnown)
    assert message.kind == "executionReport NEWS"
    (fact,) = message.facts
    assert isinstance(fact, OrderFact)
    assert fact.status is OrderStatus.CANCELED


def test_a_symbol_that_is_not_listed_keeps_its_spelling() -> None:
    assert order(NEW | {"s": "NEWCOIN"}).symbol == "NEWCOIN"


@pytest.mark.parametrize("field", ["s", "c", "i", "x", "X", "z", "T", "S"])
def test_a_report_without_a_needed_field_is_refused(field: str) -> None:
    """(fault F038)"""
    with pytest.raises(ProtocolError):
        event({key: value for key, value in NEW.items() if key != field})


@pytest.mark.parametrize("change", [{"l": "NaN"}, {"L": ""}, {"S": "HOLD"}, {"l": 1.5}, {"n": "1e5"}, {"i": "7"}])
def test_a_malformed_trade_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        event(TRADE | change)


def test_a_field_that_stands_twice_is_refused() -> None:
    """(fault F034)"""
    frame = json.dumps({"subscriptionId": 0, "event": TRADE}).encode().replace(b'"l":', b'"l": "9", "l":')
    with pytest.raises(ProtocolError, match="twice"):
        parsed(frame)


def test_a_position_is_absolute_balances() -> None:
    at, now = 1_564_034_571_073_000_000, RECEIVED_AT
    assert event(POSITION) == [
        Balance("binance", "ETH", Decimal(10_000), Decimal(0), at, now, FactSource.STREAM),
        Balance("binance", "BTC", Decimal(0), exact("1.5"), at, now, FactSource.STREAM),
    ]


def test_a_login_is_acknowledged_by_its_id() -> None:
    assert parsed({"id": 3, "status": 200, "result": {"subscriptionId": 0}, "rateLimits": []}) == LoginReply(3)


ROW = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 70}


@pytest.mark.parametrize(
    ("rows", "figures"),
    [
        ([ROW], (UsedFigure("REQUEST_WEIGHT", 60_000, 70),)),
        (
            [ROW | {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10}, ROW],
            (UsedFigure("ORDERS", 10_000, 70), UsedFigure("REQUEST_WEIGHT", 60_000, 70)),
        ),
        ([ROW | {"rateLimitType": "CONNECTIONS"}, ROW | {"interval": "FORTNIGHT"}], ()),
        ([ROW | {"count": -1}, ROW | {"count": "7"}, ROW | {"count": 10**9}, ROW | {"intervalNum": 0}, {}, 7], ()),
        (None, ()),
        ("many", ()),
    ],
)
def test_a_reply_says_what_is_used(rows: object, figures: tuple[UsedFigure, ...]) -> None:
    """(Binance: 11)"""
    for frame in (
        {"status": 200, "result": {"subscriptionId": 0}},
        {"status": 400, "error": {"code": -1021, "msg": ""}},
    ):
        reply = parsed({"id": 3, **frame, "rateLimits": rows})
        assert isinstance(reply, LoginReply)
        assert reply.figures == figures


@pytest.mark.parametrize("request_id", [3, None])
def test_a_refused_login_says_why(request_id: int | None) -> None:
    """(fault F062)"""
    wire = {"id": request_id, "status": 401, "error": {"code": -2015, "msg": "Invalid API-key\n"}}
    reply = parsed(wire)
    assert isinstance(reply, LoginReply)
    assert reply.request_id == (request_id or 0)
    assert isinstance(reply.error, AuthenticationError)
    assert "Invalid API-key?" in reply.error.message
    assert reply.error.details["exchange_code"] == -2015
    assert "another environment" in reply.error.details["hint"]


def test_a_refusal_without_a_text_is_still_a_refusal() -> None:
    reply = parsed({"id": 3, "status": 400, "error": {"code": -1022, "msg": ""}})
    assert isinstance(reply, LoginReply)
    assert reply.error


@pytest.mark.parametrize(
    ("frame", "notice"),
    [
        ({"event": {"e": "serverShutdown", "E": 1}}, "shutdown"),
        ({"e": "serverShutdown", "E": 1}, "shutdown"),
        ({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}, "terminated"),
    ],
)
def test_the_end_of_the_stream_is_announced(frame: Any, notice: str) -> None:
    """(fault F061)"""
    assert parsed(frame) == ServerNotice(notice)


def test_other_events_are_passed_by() -> None:
    """(fault F035)"""
    assert event({"e": "fromTheFuture", "E": 1, "c": {}, "l": 5}) == Unrecognized("fromTheFuture")


@pytest.mark.parametrize("name", ["balanceUpdate", "externalLockUpdate"])
def test_an_amount_that_came_without_a_trade_is_news_of_its_own(name: str) -> None:
    """It is never added to a balance (fault F116)."""
    wire = {"e": name, "E": 2, "a": "BTC", "d": "-100.00000000", "T": 1573200697068}
    is_lock = name == "externalLockUpdate"
    change = BalanceChange("binance", "BTC", Decimal(-100), 1_573_200_697_068_000_000, RECEIVED_AT, is_lock=is_lock)
    assert event(wire) == [change]
    for field in ("a", "d", "T"):
        with pytest.raises(ProtocolError):
            event({key: value for key, value in wire.items() if key != field})


def test_the_state_of_an_order_list_is_a_fact_of_its_own() -> None:
    """Several letters mean something else than in an order's event (Binance: 13, trap 32)."""
    wire = {
        "e": "listStatus", "E": 1564035303637, "s": "ETHBTC", "g": 2, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING",
        "r": "NONE", "C": "list-1", "T": 1564035303625,
        "O": [{"s": "ETHBTC", "i": 17, "c": "leg-1"}, {"s": "ETHBTC", "i": 18, "c": "leg-2"}],
    }  # fmt: skip
    assert event(wire) == [
        OrderListFact(
            "binance", "ETH-BTC", ClientOrderId("list-1"), FactSource.STREAM, RECEIVED_AT, "2",
            OrderListStatus.EXECUTING, OrderListKind.OCO, (ClientOrderId("leg-1"), ClientOrderId("leg-2")),
            (ExchangeOrderId("17"), ExchangeOrderId("18")), 1_564_035_303_625_000_000,
        )
    ]  # fmt: skip
    message = event(wire | {"c": "OTO", "L": "REJECT", "r": "OCO_BAD_PRICES"})
    assert isinstance(message, Sequence)
    (refused,) = message
    assert isinstance(refused, OrderListFact)
    assert (refused.kind, refused.status, refused.reason) == (None, OrderListStatus.REJECTED, "OCO_BAD_PRICES")


def test_the_conditional_fields_of_an_order_are_read() -> None:
    """(Binance: 10.3)"""
    wire = {
        "o": "STOP_LOSS_LIMIT", "P": "0.2", "F": "0.5", "g": 7, "w": False, "d": 100, "D": -1, "V": "DECREMENT",
        "A": "0.3", "v": 3, "B": "0.3", "u": 1, "U": 37, "gP": "PRIMARY_PEG", "gOT": "PRICE_LEVEL", "gOV": 2,
        "gp": "0.1", "j": 1, "J": 1_000_000, "W": 5,
    }  # fmt: skip
    fact = order(NEW | wire)
    assert (fact.stop_price, fact.iceberg_quantity, fact.list_id) == (exact("0.2"), exact("0.5"), "7")
    assert (fact.is_working, fact.trailing_delta) == (False, 100)
    assert (fact.self_trade_prevention, fact.prevented_quantity) == (SelfTradePrevention.DECREMENT, exact("0.3"))
    assert (fact.peg, fact.pegged_price) == (PegPrice.PRIMARY, exact("0.1"))
    assert fact.renamed_to is None


def test_what_was_prevented_is_no_fill() -> None:
    """(fault F111)"""
    wire = {
        "x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH", "A": "1", "B": "1", "v": 3, "u": -1, "U": 37, "Cs": "BNBBTC",
        "pl": "1.5", "pL": "2", "pY": "3", "t": 4,
    }  # fmt: skip
    fact = order(NEW | wire)
    symbol = INSTRUMENTS.canonical("BNBBTC")
    prevented = PreventedTrade("3", exact("1.5"), Decimal(2), Decimal(1), ExchangeOrderId("37"), symbol)
    assert (fact.prevented_matches, fact.prevented_trades) == (("3",), (prevented,))
    assert order(NEW | wire | {"u": 12}).prevented_trades == (replace(prevented, group_id="12"),)
    for letter in ("v", "B", "U", "Cs", "pl", "pL"):
        assert order({key: value for key, value in (NEW | wire).items() if key != letter}).prevented_trades == ()
    assert (fact.status, fact.reason) == (OrderStatus.EXPIRED, "EXPIRED_IN_MATCH")
    assert (fact.filled_quantity, fact.prevented_quantity) == (Decimal(0), Decimal(1))


def test_an_amended_order_stays_known_by_its_first_id() -> None:
    """(fault F103)"""
    fact = order(NEW | {"x": "REPLACED", "X": "NEW", "c": "later", "C": "first", "q": "0.5"})
    assert (fact.client_order_id, fact.renamed_to, fact.quantity) == ("first", "later", exact("0.5"))


def test_an_order_that_waits_for_another_is_at_the_exchange() -> None:
    """PENDING_NEW of Binance is proof that it has the order, unlike ``pending_new`` of ours (Binance: 5.11)."""
    fact = order(NEW | {"X": "PENDING_NEW", "w": False})
    assert (fact.status, fact.is_working) == (OrderStatus.NEW, False)


def test_other_answers_are_passed_by() -> None:
    assert parsed({"id": 3, "status": 200, "result": {"serverTime": 1}}) == Unrecognized("response")
    assert parsed({"id": 3, "status": 200, "result": []}) == Unrecognized("response")
    assert parsed({"new": 1}) == Unrecognized("object")


@pytest.mark.parametrize("frame", [b"", b"[]", b"17", b"null", b"{", b"\xff", b"[" * 100_000, b'{"event":{}}'])
def test_anything_malformed_is_a_protocol_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        parsed(frame)


def test_documented_events_are_understood() -> None:
    found = []
    for path in sorted(data_path("docs_examples", "binance_spot", "user_data").glob("*.json")):
        message = parsed(path.read_bytes())
        found.append(type(message[0]).__name__ if isinstance(message, Sequence) else message.__class__.__name__)
    changes = ["BalanceChange", "BalanceChange"]
    assert sorted(found) == ["Balance", *changes, "OrderFact", "OrderListFact", "ServerNotice"]


def test_documented_answers_are_understood() -> None:
    folder = ("docs_examples", "binance_spot", "ws_api")
    login = read_json(*folder, "userDataStream_subscribe_signature__response.json")
    assert parsed(login | {"id": 9}) == LoginReply(9)
    dead = read_json(*folder, "Authenticate_after_connection__if_during_an_active_session_the_api_key.json")
    reply = parsed(dead)
    assert isinstance(reply, LoginReply)
    assert reply.request_id == 0
    assert isinstance(reply.error, AuthenticationError)


def test_other_peoples_events_are_understood() -> None:
    items = read_json("third_party", "binance_spot_ws_gct.json")["items"]
    events = [item["payload"].get("data") for item in items]
    for item in read_json("third_party", "binance_spot_ws_jkorf.json")["items"]:
        events += [frame["payload"].get("event") for frame in item["frames"] if isinstance(frame["payload"], dict)]
    kinds: Counter[str] = Counter()
    for wire in events:
        if isinstance(wire, dict) and wire.get("e") in ("executionReport", "outboundAccountPosition"):
            message = event(wire)
            assert isinstance(message, Sequence)
            kinds.update(type(fact).__name__ for fact in message)
    assert kinds["OrderFact"] >= 3
    assert kinds["Balance"] >= 2


def test_a_trade_without_an_id_is_refused() -> None:
    """Its fill would be lost without a word (fault F038)"""
    with pytest.raises(ProtocolError):
        event(TRADE | {"t": None})
    with pytest.raises(ProtocolError):
        event({name: value for name, value in TRADE.items() if name != "t"})
