"""The private socket: sign-in, topics, the order of messages, disconnect-cancel-all (Bybit: 7, 9.1)."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import SimOrder
from tests.simulator.clients import eventually, now_ms, sign

from .clients import Private, Public, Rest

SPOT = {"category": "spot", "symbol": "BTCUSDT"}


# --- dialect --------------------------------------------------------------------------------------------------------


def test_the_pong_differs_from_the_public_one(private: Private) -> None:
    reply = private.ask({"op": "ping", "req_id": "7"})
    assert (reply["op"], reply["req_id"], "success" in reply) == ("pong", "7", False)
    assert abs(int(reply["args"][0]) - now_ms()) < 5000


def test_signing_in(quiet: Simulator) -> None:
    client = Private(quiet)
    assert client.ask({"op": "subscribe", "args": ["order"]})["ret_msg"] == "Request not authorized"
    reply = client.sign_in()
    assert (reply["success"], reply["ret_msg"], reply["op"]) == (True, "", "auth")
    assert client.sign_in()["success"] is False
    client.close()


def stale(client: Private) -> list[object]:
    expires = now_ms() - 1
    return [client.key.api_key, expires, sign(client.key.api_secret, f"GET/realtime{expires}")]


def badly_signed(client: Private) -> list[object]:
    return [client.key.api_key, now_ms() + 10_000, "0" * 64]


def unknown(_: Private) -> list[object]:
    return ["nobody", now_ms() + 10_000, "0" * 64]


def as_text(client: Private) -> list[object]:
    expires = str(now_ms() + 10_000)
    return [client.key.api_key, expires, sign(client.key.api_secret, f"GET/realtime{expires}")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (stale, "Params Error"),
        (as_text, "Params Error"),
        (badly_signed, "error sign!"),
        (unknown, "API key is invalid."),
        (lambda _: [], "Params Error"),
    ],
)
def test_bad_sign_ins(quiet: Simulator, arguments: Callable[[Private], list[object]], message: str) -> None:
    client = Private(quiet)
    reply = client.ask({"op": "auth", "args": arguments(client)})
    assert reply["success"] is False
    assert message in reply["ret_msg"]
    client.close()


def test_rsa_keys_sign_in(quiet: Simulator) -> None:
    client = Private(quiet, quiet.accounts.add_key(kind="rsa")).subscribed("order.spot")
    client.close()


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        (["orders"], "error:handler not found,topic:orders"),
        (["order"], "error:already subscribed,topic:order"),
        (["execution.fast", "execution.fast.spot"], "error:mixed topics,topic:execution.fast.spot"),
        ([], "error:request format"),
    ],
)
def test_bad_topics(quiet: Simulator, private: Private, topics: list[str], message: str) -> None:
    reply = private.ask({"op": "subscribe", "req_id": "x", "args": topics})
    assert (reply["success"], reply["ret_msg"], reply["req_id"]) == (False, message, "x")
    assert quiet.subscriptions() == ["execution", "order", "wallet"]


def test_topics_of_other_products_are_silent(private: Private, rest: Rest) -> None:
    assert private.ask({"op": "subscribe", "args": ["position", "order.linear", "greeks"]})["success"] is True
    rest.placed("Buy", "0.01", "50000")
    assert private.receive()["topic"] == "order"
    assert private.receive()["topic"] == "wallet"


def test_unsubscribing(private: Private, rest: Rest) -> None:
    assert private.ask({"op": "unsubscribe", "args": ["order", "execution"]})["success"] is True
    rest.placed("Buy", "0.01", "60010")
    assert private.receive()["topic"] == "wallet"


# --- events ---------------------------------------------------------------------------------------------------------


def test_an_order_and_its_wallet(private: Private, rest: Rest) -> None:
    order_id = rest.placed("Buy", "0.01", "50000", orderLinkId="e-1")
    message = private.receive()
    assert list(message) == ["id", "topic", "creationTime", "data"]
    (row,) = message["data"]
    assert (row["category"], row["orderId"], row["orderLinkId"], row["orderStatus"]) == (
        "spot",
        order_id,
        "e-1",
        "New",
    )
    assert {"closedPnl", "feeCurrency", "cumFeeDetail", "lastPriceOnCreated"} <= set(row)
    (account,) = private.rows("wallet")
    (coin,) = account["coin"]
    assert (account["accountType"], coin["coin"], coin["locked"]) == ("UNIFIED", "USDT", "500")


def test_what_one_command_did_comes_in_order(quiet: Simulator, private: Private, rest: Rest) -> None:
    quiet.market.quote("BTCUSDT", "sell", "60011", "1")
    rest.placed("Buy", "1.5", "60011")
    messages = [private.receive() for _ in range(4)]
    assert [message["topic"] for message in messages] == ["order", "order", "execution", "wallet"]
    first, second = (message["data"][0] for message in messages[:2])
    # A taker is not told as new, unless a switch says so.
    assert [first["orderStatus"], second["orderStatus"]] == ["PartiallyFilled", "Filled"]
    fills = messages[2]["data"]
    assert [(fill["execPrice"], fill["execQty"], fill["leavesQty"]) for fill in fills] == [
        ("60010", "1", "0.5"),
        ("60011", "0.5", "0"),
    ]
    assert (fills[0]["category"], fills[0]["feeCurrency"], fills[0]["isMaker"]) == ("spot", "BTC", False)
    assert {coin["coin"] for coin in messages[3]["data"][0]["coin"]} == {"USDT", "BTC"}


def test_new_is_told_and_messages_are_shuffled_at_will(quiet: Simulator, private: Private, rest: Rest) -> None:
    with quiet.faults.tell_new():
        rest.placed("Buy", "0.1", "60010")
    messages = [private.receive() for _ in range(4)]
    assert [message["data"][0]["orderStatus"] for message in messages[:2]] == ["New", "Filled"]
    with quiet.faults.shuffle_events():
        rest.placed("Buy", "0.1", "60010")
    assert [private.receive()["topic"] for _ in range(3)] == ["wallet", "execution", "order"]


def test_a_maker_hears_of_its_fills(quiet: Simulator, private: Private, rest: Rest) -> None:
    rest.placed("Buy", "0.5", "60005")
    private.rows("wallet")
    quiet.market.trade("BTCUSDT", "sell", "0.2")
    (order,), (fill,) = private.rows("order"), private.rows("execution")
    assert (order["orderStatus"], order["avgPrice"]) == ("PartiallyFilled", "60005")
    assert (fill["isMaker"], fill["leavesQty"], fill["side"]) == (True, "0.3", "Buy")


def test_the_fast_executions(quiet: Simulator, rest: Rest) -> None:
    client = Private(quiet).subscribed("execution.fast.spot")
    rest.placed("Buy", "0.1", "60005", orderLinkId="maker")
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    rest.placed("Buy", "0.1", "60010", orderLinkId="taker")
    messages = [client.receive() for _ in range(2)]
    assert [list(message) for message in messages] == [["topic", "creationTime", "data"]] * 2
    maker, taker = (message["data"][0] for message in messages)
    assert messages[0]["topic"] == "execution.fast.spot"
    assert (maker["isMaker"], maker["orderLinkId"], taker["orderLinkId"]) == (True, "", "taker")
    assert not {"execFee", "leavesQty"} & set(taker)
    client.close()


def test_a_deposit_changes_the_wallet_alone(quiet: Simulator, private: Private) -> None:
    quiet.accounts.deposit("DOGE", "7")
    message = private.receive()
    assert (message["topic"], message["data"][0]["coin"][0]["walletBalance"]) == ("wallet", "7")


def test_accounts_hear_only_their_own(quiet: Simulator, private: Private) -> None:
    other = Rest(quiet, quiet.accounts.add("other", {"USDT": 1000}))
    other.placed("Buy", "0.01", "50000")
    quiet.accounts.deposit("DOGE", "7")
    assert private.receive()["topic"] == "wallet"
    other.close()


def test_private_messages_are_lost_and_doubled(quiet: Simulator, private: Private, rest: Rest) -> None:
    quiet.faults.lose_frames("order")
    quiet.faults.duplicate_frames("wallet")
    rest.placed("Buy", "0.01", "50000")
    assert [private.receive()["topic"] for _ in range(2)] == ["wallet", "wallet"]


def test_sign_in_can_be_withheld(quiet: Simulator) -> None:
    client = Private(quiet)
    with quiet.faults.withhold_login():
        expires = now_ms() + 10_000
        signature = sign(client.key.api_secret, f"GET/realtime{expires}")
        client.send({"op": "auth", "args": [client.key.api_key, expires, signature]})
        assert client.ask({"op": "ping"})["op"] == "pong"
    assert client.sign_in()["success"] is True
    client.close()


def test_a_revoked_key_ends_its_connections(quiet: Simulator, private: Private) -> None:
    quiet.accounts.revoke(quiet.api_key)
    with pytest.raises(ConnectionError):
        private.receive()


def test_a_client_chooses_how_long_it_may_be_silent(quiet: Simulator) -> None:
    Private(quiet, options="?max_active_time=2m").close()
    for text in ("29s", "11m", "x"):
        with pytest.raises(Exception, match="400"):
            Private(quiet, options=f"?max_active_time={text}")


# --- disconnect-cancel-all ------------------------------------------------------------------------------------------


def armed(rest: Rest, seconds: int = 10) -> None:
    answer = rest.post("/v5/order/disconnected-cancel-all", product="SPOT", timeWindow=seconds)
    assert answer["retCode"] == 0


def only(simulator: Simulator) -> SimOrder:
    (order,) = simulator.accounts.orders()
    return order


def told(simulator: Simulator) -> None:
    """Return when what comes by the clock has come twice; guards are looked at right after it."""
    client = Public(simulator)
    client.subscribe("orderbook.1.ETHUSDT")
    client.receive()
    for _ in range(2):
        simulator.market.trade("ETHUSDT", "sell", "0.001")
        client.receive()
    client.close()


def test_orders_go_when_nobody_watches(quiet: Simulator, rest: Rest) -> None:
    armed(rest)
    info = rest.get("/v5/account/query-dcp-info")["result"]["dcpInfos"]
    assert info == [{"product": "SPOT", "dcpStatus": "ON", "timeWindow": "10"}]
    first, second = Private(quiet).subscribed("dcp.spot"), Private(quiet).subscribed("dcp.spot")
    order_id = rest.placed("Buy", "0.01", "50000")
    # As long as one connection watches, nothing happens, however long the others are gone.
    first.close()
    eventually(lambda: quiet.subscriptions() == ["dcp.spot"])
    quiet.faults.offset_clock(60_000)
    told(quiet)
    assert only(quiet).is_open
    second.close()
    eventually(lambda: quiet.subscriptions() == [])
    quiet.faults.offset_clock(60_000 + 5_000)
    told(quiet)
    assert only(quiet).is_open
    quiet.faults.offset_clock(60_000 + 10_000)
    eventually(lambda: not only(quiet).is_open)
    quiet.faults.offset_clock(0)
    order = rest.order(order_id)
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelByDCP")
    assert quiet.accounts.balances()["USDT"] == (Decimal(1_000_000), Decimal(0))


def test_who_comes_back_in_time_keeps_his_orders(quiet: Simulator, rest: Rest) -> None:
    armed(rest)
    rest.placed("Buy", "0.01", "50000")
    Private(quiet).subscribed("dcp.spot").close()
    eventually(lambda: quiet.subscriptions() == [])
    back = Private(quiet).subscribed("dcp.spot")
    quiet.faults.offset_clock(60_000)
    told(quiet)
    assert only(quiet).is_open
    # Who gives the guard up keeps his orders too.
    back.ask({"op": "unsubscribe", "args": ["dcp.spot"]})
    quiet.faults.offset_clock(120_000)
    told(quiet)
    assert only(quiet).is_open
    back.close()


def test_the_guard_has_bounds_and_is_about_options_unless_told(rest: Rest) -> None:
    path = "/v5/order/disconnected-cancel-all"
    for wrong in ({"timeWindow": 2}, {"timeWindow": 301}, {}, {"timeWindow": 10, "product": "COFFEE"}):
        assert rest.post(path, **wrong)["retCode"] == 10001
    assert rest.post(path, timeWindow=10)["retCode"] == 0
    assert [row["product"] for row in rest.get("/v5/account/query-dcp-info")["result"]["dcpInfos"]] == ["OPTIONS"]
