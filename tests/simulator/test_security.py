"""Signatures and time windows, against the published known answers."""

import pytest

from exconn_sync.simulator.binance.errors import ApiError
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.security import (
    TimeWindow,
    check_http_signature,
    check_ws_signature,
    find_key,
)
from exconn_sync.simulator.keys import ApiKey

from .clients import Rest, sign

KEY = ApiKey(
    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
    "demo",
)
FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in range(1, 7))
ORDER = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
PLAIN = f"symbol=LTCBTC&{ORDER}"
ESCAPED = f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&{ORDER}"
SPLIT = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC",
    "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
)
PLAIN_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
ESCAPED_SIGNATURE = "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
SPLIT_SIGNATURE = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (PLAIN, "", PLAIN_SIGNATURE),
        ("", PLAIN, PLAIN_SIGNATURE),
        (PLAIN, "", PLAIN_SIGNATURE.upper()),
        (ESCAPED, "", ESCAPED_SIGNATURE),
        (*SPLIT, SPLIT_SIGNATURE),
    ],
)
def test_http_signature_covers_query_and_body_as_sent(query: str, body: str, signature: str) -> None:
    check_http_signature(KEY, query, body, signature)
    with_signature = f"{query}&signature={signature}" if query else ""
    body_with_signature = "" if query else f"{body}&signature={signature}"
    check_http_signature(KEY, with_signature or query, body_with_signature or body, signature)


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        (PLAIN, ESCAPED_SIGNATURE),
        (PLAIN.replace("quantity=1", "quantity=2"), PLAIN_SIGNATURE),
        (PLAIN, "é"),
        ("&".join(SPLIT), SPLIT_SIGNATURE),
    ],
)
def test_a_wrong_http_signature(query: str, signature: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_http_signature(KEY, query, "", signature)
    assert refused.value.code == -1022


def test_text_signed_before_it_was_encoded_is_refused() -> None:
    raw = 'symbols=["BTCUSDT"]&timestamp=1'
    with pytest.raises(ApiError):
        check_http_signature(KEY, raw, "", sign(KEY.secret, raw))


@pytest.mark.parametrize(
    ("params", "signature"),
    [
        (
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "0.01000000",
                "price": "52000.00",
                "recvWindow": "100",
                "timestamp": "1645423376532",
            },
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            {
                "symbol": FULL_WIDTH,
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": "1.00000000",
                "price": "0.10000000",
                "recvWindow": "5000",
                "timestamp": "1645423376532",
            },
            "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
        ),
        ({"timestamp": "1649729878532"}, "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed"),
    ],
)
def test_ws_signature_covers_sorted_raw_parameters(params: dict[str, str], signature: str) -> None:
    sent = Params({**params, "apiKey": KEY.key, "signature": signature})
    check_ws_signature(KEY, sent, signature)
    with pytest.raises(ApiError):
        check_ws_signature(KEY, Params(params), signature)


NOW_MS = 1_700_000_000_000
TOO_OLD = "Timestamp for this request is outside of the recvWindow."
AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."


def window(**params: str) -> TimeWindow:
    return TimeWindow.of(Params(params))


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"timestamp": str(NOW_MS)}, None),
        ({"timestamp": str(NOW_MS * 1000)}, None),
        ({"timestamp": str(NOW_MS + 999)}, None),
        ({"timestamp": str(NOW_MS + 1000)}, AHEAD),
        ({"timestamp": str(NOW_MS - 5000)}, None),
        ({"timestamp": str(NOW_MS - 5001)}, TOO_OLD),
        ({"timestamp": str(NOW_MS - 101), "recvWindow": "100"}, TOO_OLD),
        ({"timestamp": str(NOW_MS * 1000 - 500), "recvWindow": "0.5"}, None),
        ({"timestamp": str(NOW_MS * 1000 - 501), "recvWindow": "0.5"}, TOO_OLD),
        ({"timestamp": str(NOW_MS - 59_000), "recvWindow": "60000"}, None),
    ],
)
def test_time_window(params: dict[str, str], text: str | None) -> None:
    if text is None:
        window(**params).check_on_receipt(NOW_MS * 1000)
        return
    with pytest.raises(ApiError) as refused:
        window(**params).check_on_receipt(NOW_MS * 1000)
    assert (refused.value.code, refused.value.message) == (-1021, text)


def test_late_check_looks_only_at_age() -> None:
    opened = window(timestamp=str(NOW_MS))
    opened.check_before_matching((NOW_MS + 5000) * 1000)
    with pytest.raises(ApiError):
        opened.check_before_matching((NOW_MS + 5001) * 1000)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"timestamp": ""},
        {"timestamp": "soon"},
        {"timestamp": "1", "recvWindow": "60001"},
        {"timestamp": "1", "recvWindow": "1.2345"},
    ],
)
def test_malformed_times(params: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refused:
        window(**params)
    assert refused.value.code == -1102


def test_keys() -> None:
    assert find_key({KEY.key: KEY}, KEY.key) is KEY
    for text, code in ((None, -2014), ("short", -2014), ("x" * 64, -2015)):
        with pytest.raises(ApiError) as refused:
            find_key({KEY.key: KEY}, text)
        assert (refused.value.code, refused.value.status) == (code, 401)


def test_public_calls_take_no_signature(rest: Rest) -> None:
    """What secures a call is one parameter too many where nothing is secured (Binance: 7.1)."""
    status, body = rest.signed("GET", "/api/v3/depth", symbol="BTCUSDT")
    assert (status, body["code"]) == (400, -1104)
    assert "read '1' parameter(s) but was sent '3'" in body["msg"]
    assert rest.get("/api/v3/ping", timestamp=1)[1]["code"] == -1101
    assert rest.signed("GET", "/api/v3/account", apiKey="x")[1]["code"] == -1104
