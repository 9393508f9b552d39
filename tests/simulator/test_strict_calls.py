"""Calls about orders take the parameters they know, and no other."""

import pytest

from .clients import Rest

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1", "price": "59000"}
ONE = {"symbol": "BTCUSDT", "orderId": "1"}
CALLS: list[tuple[str, str, dict[str, str]]] = [
    ("POST", "order", LIMIT),
    ("POST", "order/test", LIMIT),
    ("POST", "order/cancelReplace", LIMIT | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": "1"}),
    ("PUT", "order/amend/keepPriority", ONE | {"newQty": "1"}),
    ("GET", "order/amendments", ONE),
    ("DELETE", "order", ONE),
    ("DELETE", "openOrders", {"symbol": "BTCUSDT"}),
    ("GET", "order", ONE),
    ("GET", "openOrders", {"symbol": "BTCUSDT"}),
    ("GET", "allOrders", {"symbol": "BTCUSDT"}),
    ("GET", "myTrades", {"symbol": "BTCUSDT"}),
    ("GET", "myPreventedMatches", ONE),
    ("GET", "myAllocations", {"symbol": "BTCUSDT"}),
    ("GET", "myFilters", {"symbol": "BTCUSDT"}),
    ("GET", "account/commission", {"symbol": "BTCUSDT"}),
    ("GET", "account", {"omitZeroBalances": "true"}),
]


@pytest.mark.parametrize(("method", "path", "params"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_parameter_that_nobody_reads_is_refused(rest: Rest, method: str, path: str, params: dict[str, str]) -> None:
    status, body = rest.signed(method, f"/api/v3/{path}", **params, unheard="of")
    assert (status, body["code"]) == (400, -1104)
    # Timestamp and signature are parameters as well.
    read = len(params) + 2
    assert f"read '{read}' parameter(s) but was sent '{read + 1}'" in body["msg"]
    assert rest.simulator.accounts.orders() == []


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [call for call in CALLS if "symbol" in call[2] and call[:2] != ("GET", "openOrders")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_symbol_must_be_named_and_known(rest: Rest, method: str, path: str, params: dict[str, str]) -> None:
    others = {name: value for name, value in params.items() if name != "symbol"}
    assert rest.signed(method, f"/api/v3/{path}", **others)[1]["code"] == -1102
    assert rest.signed(method, f"/api/v3/{path}", **others, symbol="NOPE")[1] == {
        "code": -1121,
        "msg": "Invalid symbol.",
    }
    if len(others) and "orderId" in others:
        assert rest.signed(method, f"/api/v3/{path}", **params | {"orderId": "x"})[1]["code"] == -1100
