"""Several accounts with keys of every kind: permissions, revocation, and sessions of the WebSocket API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from exconn_sync.simulator import ClientKey, Simulator
from exconn_sync.simulator.binance import ws_session
from exconn_sync.simulator.core.accounts import InsufficientFunds
from tests.keys import ec_key, ed25519_key, private_pem, public_pem, rsa_key

from .clients import Json, Rest, WsApi, now_ms, sign

ACCOUNT = "/api/v3/account"
MakeRest = Callable[[ClientKey], Rest]
UNKNOWN_KEY = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
BUY: dict[str, Json] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.1",
    "price": "59000",
}


@pytest.fixture
def other(quiet: Simulator) -> ClientKey:
    """A second account."""
    return quiet.accounts.add("other", {"USDT": "20000", "BTC": 1})


@pytest.fixture
def rest_of(quiet: Simulator) -> Iterator[MakeRest]:
    clients: list[Rest] = []

    def make(key: ClientKey) -> Rest:
        clients.append(Rest(quiet, key))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def session(quiet: Simulator) -> Iterator[WsApi]:
    """A connection that is signed in with an Ed25519 key of the demo account."""
    client = WsApi(quiet, key=quiet.accounts.add_key(kind="ed25519"))
    yield client
    client.close()


@pytest.mark.parametrize("kind", ["hmac", "rsa", "ed25519"])
def test_a_key_of_each_kind_signs_over_rest_and_socket(quiet: Simulator, rest_of: MakeRest, kind: str) -> None:
    """(Binance: 3.1)"""
    key = quiet.accounts.add_key(kind=kind)
    assert key.kind == kind
    rest = rest_of(key)
    assert rest.signed("GET", ACCOUNT)[0] == 200
    assert rest.signed("POST", "/api/v3/order/test", **{**BUY, "newClientOrderId": "a"}) == (200, {})
    socket = WsApi(quiet, key=key)
    assert socket.call("order.test", signed=True, **BUY)["status"] == 200
    assert socket.subscribe() == 0
    socket.close()


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_base64_signature_is_exact_and_percent_encoded(quiet: Simulator, kind: str) -> None:
    """(Binance: 3.1, 13.4)"""
    key = quiet.accounts.add_key(kind=kind)
    rest = Rest(quiet, key)
    codes = set()
    for attempt in range(50):
        query = f"timestamp={now_ms()}&recvWindow={5000 + attempt}"
        signature = sign(key.api_secret, query)
        if "+" in signature and signature.lower() != signature:
            break
    else:
        pytest.fail("no signature with a plus sign")
    for sent in (signature, urlencode({"s": signature.lower()})[2:], urlencode({"s": signature.rstrip("=")})[2:], "00"):
        response = rest.raw("GET", ACCOUNT, f"{query}&signature={sent}", X_MBX_APIKEY=key.api_key)
        codes.add(response.json()["code"])
    assert codes == {-1022}
    good = rest.raw("GET", ACCOUNT, f"{query}&signature={urlencode({'s': signature})[2:]}", X_MBX_APIKEY=key.api_key)
    assert good.status == 200
    rest.close()


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_public_key_of_ones_own_tells_its_kind(quiet: Simulator, rest_of: MakeRest, kind: str) -> None:
    pair = rsa_key() if kind == "rsa" else ed25519_key()
    known = quiet.accounts.add_key(public_key=public_pem(pair))
    assert (known.kind, known.api_secret) == (kind, "")
    rest = rest_of(ClientKey(known.api_key, private_pem(pair), kind, "demo"))
    assert rest.signed("GET", ACCOUNT)[0] == 200


def test_keys_that_make_no_sense_are_refused(quiet: Simulator, other: ClientKey) -> None:
    for wrong in (
        lambda: quiet.accounts.add_key(kind="dsa"), lambda: quiet.accounts.add_key("nobody"),
        lambda: quiet.accounts.add_key(public_key=public_pem(ec_key())), lambda: quiet.accounts.add("other"),
        lambda: quiet.accounts.add("house"), lambda: quiet.accounts.revoke("nobody's"),
        lambda: quiet.accounts.client_key("nobody"), lambda: quiet.config(account="nobody"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"key|account"):
            wrong()
    assert "other" not in repr(other.api_secret)
    assert other.api_secret not in repr(other)


def test_accounts_have_balances_orders_and_fills_of_their_own(
    quiet: Simulator, rest: Rest, rest_of: MakeRest, other: ClientKey
) -> None:
    theirs = rest_of(other)
    assert quiet.accounts.names() == ["demo", "other"]
    placed = theirs.limit("BUY", "0.1", "59000", newClientOrderId="same")[1]
    mine = rest.limit("SELL", "0.2", "58000", newClientOrderId="same")[1]
    assert mine["status"] == "FILLED"
    assert [order["orderId"] for order in theirs.signed("GET", "/api/v3/openOrders")[1]] == [placed["orderId"]]
    assert rest.signed("GET", "/api/v3/openOrders") == (200, [])
    not_mine = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert not_mine == (400, {"code": -2013, "msg": "Order does not exist."})
    for how in ({"orderId": placed["orderId"]}, {"origClientOrderId": "same"}):
        assert rest.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", **how)[1]["code"] == -2011
    assert quiet.accounts.balances(other.api_key)["USDT"] == (Decimal(14100), Decimal(5900))
    assert [order.client_order_id for order in quiet.accounts.orders(other.api_key)] == ["same"]
    assert len(quiet.accounts.orders()) == 2
    assert quiet.accounts.fills(other.api_key) == []
    assert len(quiet.accounts.fills(quiet.api_key)) == 1


def test_accounts_have_events_of_their_own(quiet: Simulator, rest: Rest, other: ClientKey) -> None:
    """One connection may carry the events of several accounts, told apart by the subscription (Binance: 10.2)."""
    both = WsApi(quiet)
    assert both.subscribe() == 0
    both.key = other
    assert both.subscribe() == 1
    quiet.accounts.deposit("BTC", "0.5", other.api_key)
    rest.limit("BUY", "0.1", "59000")
    told = [both.receive() for _ in range(4)]
    assert [(frame["subscriptionId"], frame["event"]["e"]) for frame in told] == [
        (1, "balanceUpdate"), (1, "outboundAccountPosition"), (0, "executionReport"), (0, "outboundAccountPosition"),
    ]  # fmt: skip
    both.close()


def test_orders_of_two_accounts_meet(quiet: Simulator, rest: Rest, rest_of: MakeRest, other: ClientKey) -> None:
    rest_of(other).limit("BUY", "0.1", "60005")
    rest.limit("SELL", "0.1", "60005")
    (theirs,), (mine,) = quiet.accounts.fills(other.api_key), quiet.accounts.fills(quiet.api_key)
    assert (theirs.is_maker, mine.is_maker, theirs.trade_id) == (True, False, mine.trade_id)


# --- permissions ----------------------------------------------------------------------------------------------------


def test_a_key_that_may_not_trade_may_look(quiet: Simulator, rest_of: MakeRest) -> None:
    """(Binance: 3)"""
    key = quiet.accounts.add_key(can_trade=False)
    rest, socket = rest_of(key), WsApi(quiet, key=key)
    assert rest.signed("GET", ACCOUNT)[0] == 200
    for method, path in (("POST", "/api/v3/order"), ("POST", "/api/v3/order/test")):
        assert rest.signed(method, path, **BUY) == (401, UNKNOWN_KEY)
    assert rest.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT") == (401, UNKNOWN_KEY)
    assert socket.call("order.place", signed=True, **BUY)["error"] == UNKNOWN_KEY
    assert socket.subscribe() == 0
    quiet.accounts.permit(key.api_key, trade=True)
    assert rest.signed("POST", "/api/v3/order", **BUY)[0] == 200
    socket.close()


def test_a_wrong_signature_is_told_before_a_missing_permission(quiet: Simulator, rest_of: MakeRest) -> None:
    """(Binance: 15)"""
    key = quiet.accounts.add_key(can_trade=False)
    wrong = ClientKey(key.api_key, "x" * 64, "hmac", "demo")
    assert rest_of(wrong).signed("POST", "/api/v3/order", **BUY)[1]["code"] == -1022


# --- revocation -----------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_and_others_go_on(quiet: Simulator, rest: Rest, rest_of: MakeRest) -> None:
    """(fault F167)"""
    second = rest_of(quiet.accounts.add_key())
    quiet.accounts.revoke(quiet.api_key)
    assert rest.signed("GET", ACCOUNT) == (401, UNKNOWN_KEY)
    assert second.signed("GET", ACCOUNT)[0] == 200
    assert quiet.accounts.client_key().api_key == second.key.api_key


def test_private_events_end_with_their_key_and_the_connection_is_told(quiet: Simulator, ws_api: WsApi) -> None:
    """(Binance: 11; fault F062)"""
    ws_api.subscribe()
    quiet.accounts.revoke(quiet.api_key)
    assert ws_api.receive() == {"id": None, "status": 401, "error": UNKNOWN_KEY}
    quiet.accounts.deposit("BTC", 1, quiet.api_key)
    reply = ws_api.call("userDataStream.subscribe.signature", signed=True)
    assert (reply["status"], reply["error"]) == (401, UNKNOWN_KEY)
    assert ws_api.call("session.subscriptions")["result"] == []


def test_a_silent_revocation_is_told_after_the_next_request(quiet: Simulator, ws_api: WsApi) -> None:
    """(Binance: 11)"""
    ws_api.subscribe()
    quiet.accounts.revoke(quiet.api_key, silently=True)
    quiet.accounts.deposit("BTC", 1, quiet.api_key)
    assert ws_api.call("ping")["status"] == 200
    assert ws_api.receive() == {"id": None, "status": 401, "error": UNKNOWN_KEY}
    assert ws_api.call("ping")["status"] == 200


def test_a_session_ends_with_its_key(quiet: Simulator, session: WsApi) -> None:
    """(Binance: 11)"""
    session.call("session.logon", signed=True)
    quiet.accounts.revoke(session.key.api_key)
    assert session.call("ping")["status"] == 200
    assert session.receive() == {"id": None, "status": 401, "error": UNKNOWN_KEY}
    assert session.call("session.status")["result"]["apiKey"] is None
    assert session.call("userDataStream.subscribe")["status"] == 401


# --- sessions -------------------------------------------------------------------------------------------------------


def test_a_session_is_signed_in_looked_at_and_signed_out(quiet: Simulator, session: WsApi) -> None:
    """(Binance: 11)"""
    before = session.call("session.status")["result"]
    assert {name: before[name] for name in ("apiKey", "authorizedSince", "userDataStream")} == {
        "apiKey": None, "authorizedSince": None, "userDataStream": False,
    }  # fmt: skip
    inside = session.call("session.logon", signed=True)["result"]
    assert inside["apiKey"] == session.key.api_key
    assert inside["connectedSince"] == before["connectedSince"] <= inside["authorizedSince"] <= inside["serverTime"]
    assert inside["returnRateLimits"] is True

    assert session.call("userDataStream.subscribe")["result"] == {"subscriptionId": 0}
    assert session.call("session.status")["result"]["userDataStream"] is True
    assert session.call("account.status", timestamp=now_ms())["status"] == 200
    assert session.call("order.place", timestamp=now_ms(), **BUY)["result"]["status"] == "NEW"
    quiet.accounts.deposit("BTC", 1)
    assert session.event("balanceUpdate")["d"] == "1.00000000"
    assert session.call("account.status")["error"]["code"] == -1102, "its time is needed all the same"
    assert session.call("account.status", timestamp=now_ms(), signature="AA==")["error"]["code"] == -1022

    session.send({"id": 1, "method": "session.logout"})
    farewell = session.until(lambda frame: frame.get("event", {}).get("e") == "eventStreamTerminated")
    assert farewell["subscriptionId"] == 0
    outside = session.until(lambda frame: frame.get("id") == 1)["result"]
    assert (outside["apiKey"], outside["authorizedSince"], outside["userDataStream"]) == (None, None, False)
    assert session.call("account.status", timestamp=now_ms())["error"]["code"] == -2014


def test_a_logout_leaves_what_was_subscribed_by_signature(quiet: Simulator, session: WsApi, other: ClientKey) -> None:
    """(Binance: 10.2)"""
    session.call("session.logon", signed=True)
    assert session.call("userDataStream.subscribe")["result"] == {"subscriptionId": 0}
    session.key = other
    assert session.subscribe() == 1
    session.call("session.logout")
    assert session.call("session.subscriptions")["result"] == [{"subscriptionId": 1}]


def test_another_logon_takes_the_place_of_the_first(quiet: Simulator, session: WsApi, other: ClientKey) -> None:
    """(Binance: 11)"""
    session.call("session.logon", signed=True)
    session.key = quiet.accounts.add_key("other", kind="ed25519")
    session.call("session.logon", signed=True)
    balances = session.call("account.status", timestamp=now_ms(), omitZeroBalances="true")["result"]["balances"]
    assert {row["asset"]: row["free"] for row in balances} == {"USDT": "20000.00000000", "BTC": "1.00000000"}


def test_a_key_that_is_named_overrides_the_session(session: WsApi, other: ClientKey) -> None:
    """(Binance: 11)"""
    session.call("session.logon", signed=True)
    session.key = other
    balances = session.call("account.status", signed=True, omitZeroBalances="true")["result"]["balances"]
    assert [row["asset"] for row in balances] == ["USDT", "BTC"]


@pytest.mark.parametrize("kind", ["hmac", "rsa"])
def test_only_ed25519_keys_sign_a_session_in(quiet: Simulator, kind: str) -> None:
    """(Binance: 13.42)"""
    socket = WsApi(quiet, key=quiet.accounts.add_key(kind=kind))
    refused = socket.call("session.logon", signed=True)
    assert (refused["status"], refused["error"]["code"]) == (401, -2015)
    assert socket.call("userDataStream.subscribe")["status"] == 401
    socket.close()


def test_the_limits_of_subscriptions(
    quiet: Simulator, ws_api: WsApi, other: ClientKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(Binance: 4)"""
    monkeypatch.setattr(ws_session, "_MOST_EVER", 2)
    ws_api.subscribe()
    ws_api.call("userDataStream.unsubscribe")
    ws_api.subscribe()
    ws_api.call("userDataStream.unsubscribe")
    assert ws_api.call("userDataStream.subscribe.signature", signed=True)["error"]["code"] == -2042
    monkeypatch.setattr(ws_session, "_MOST_EVER", 9)
    monkeypatch.setattr(ws_session, "_MOST_ACTIVE", 1)
    ws_api.subscribe()
    ws_api.key = other
    assert ws_api.call("userDataStream.subscribe.signature", signed=True)["error"]["code"] == -2042


# --- locks from outside, the ready configuration, the admin port ----------------------------------------------------


def test_a_lock_from_outside_is_told(quiet: Simulator, ws_api: WsApi) -> None:
    """(Binance: 10.3)"""
    ws_api.subscribe()
    quiet.accounts.lock("BTC", "0.5")
    event = ws_api.event("externalLockUpdate")
    assert set(event) == {"e", "E", "a", "d", "T"}
    assert (event["a"], event["d"]) == ("BTC", "0.50000000")
    assert ws_api.event("outboundAccountPosition")["B"] == [{"a": "BTC", "f": "99.50000000", "l": "0.50000000"}]
    quiet.accounts.lock("BTC", "-0.5")
    assert ws_api.event("externalLockUpdate")["d"] == "-0.50000000"
    assert quiet.accounts.balances()["BTC"] == (Decimal(100), Decimal(0))


def test_only_what_is_there_is_locked_and_only_what_was_locked_is_released(quiet: Simulator, rest: Rest) -> None:
    rest.limit("SELL", "10", "61000")
    for amount in (91, -1):
        with pytest.raises(InsufficientFunds):
            quiet.accounts.lock("BTC", amount)
    assert quiet.accounts.balances()["BTC"] == (Decimal(90), Decimal(10))


def test_a_configuration_is_ready_for_each_account_and_key(quiet: Simulator, other: ClientKey) -> None:
    second = quiet.accounts.add_key("other", kind="ed25519")
    for config, key in (
        (quiet.config(), quiet.api_key), (quiet.config(account="other"), other.api_key),
        (quiet.config(account=second), second.api_key),
    ):  # fmt: skip
        assert config.credentials is not None
        assert config.credentials.api_key.reveal() == key
    assert quiet.config(account=second, account_sign_in="session").account_sign_in == "session"


def test_accounts_over_the_admin_port(quiet: Simulator, rest: Rest) -> None:
    def admin(command: str, /, **arguments: object) -> tuple[int, Json]:
        response = rest.pool.request("POST", f"{quiet.admin}/accounts/{command}", body=json.dumps(arguments))
        return response.status, response.json()

    status, made = admin("add", name="third", funds={"USDT": "5"})
    assert status == 200
    key = ClientKey(**made)
    assert quiet.accounts.balances(key.api_key) == {"USDT": (Decimal(5), Decimal(0))}
    pair = admin("add_key", account="third", kind="ed25519", can_trade=False)[1]
    assert pair["api_secret"].startswith("-----BEGIN PRIVATE KEY-----")
    assert admin("permit", api_key=pair["api_key"], trade=True) == (200, {"ok": True})
    assert admin("deposit", asset="USDT", amount="2", api_key=key.api_key) == (200, {"ok": True})
    assert admin("lock", asset="USDT", amount="3", api_key=key.api_key) == (200, {"ok": True})
    assert quiet.accounts.balances(key.api_key) == {"USDT": (Decimal(4), Decimal(3))}
    assert admin("expire", client_order_id="nobody's", api_key=key.api_key)[0] == 400
    assert admin("revoke", api_key=key.api_key) == (200, {"ok": True})
    for wrong in (
        ("revoke", {"api_key": key.api_key}), ("add", {"name": "third"}), ("add_key", {"kind": "dsa"}),
        ("lock", {"asset": "USDT", "amount": "9e9"}), ("permit", {"api_key": "x", "trade": 1}), ("revoke", {}),
        ("add", {"name": "fourth", "funds": {"USDT": 5}}), ("deposit", {"asset": "BTC", "amount": "1", "api_key": "x"}),
    ):  # fmt: skip
        assert admin(wrong[0], **wrong[1])[0] == 400
