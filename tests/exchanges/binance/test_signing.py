"""Requests are signed over exactly the bytes that are sent, as the documentation's examples are (Binance: 3)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.exchanges.api_keys import signer_of
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.exchanges.binance.signing import encoded_query, rest_payload, ws_payload
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import Params, RestCall
from tests.data import read_json
from tests.exchanges.binance.support import DOCS_KEY, DOCS_SECRET
from tests.keys import pem_of

SIGNER = HmacSha256Signer(DOCS_KEY, DOCS_SECRET.encode())
FULL_WIDTH = "\uff11\uff12\uff13\uff14\uff15\uff16"
NEW_ORDER = "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"

REST_VECTORS = [
    ("symbol=LTCBTC" + NEW_ORDER, "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
    (
        "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96" + NEW_ORDER,
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
    ),
]
LIMIT_SELL: dict[str, str | int] = {
    "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000000",
    "price": "52000.00", "recvWindow": 100, "timestamp": 1645423376532, "apiKey": DOCS_KEY,
}  # fmt: skip
LIMIT_BUY: dict[str, str | int] = {
    "symbol": FULL_WIDTH, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1.00000000",
    "price": "0.10000000", "recvWindow": 5000, "timestamp": 1645423376532, "apiKey": DOCS_KEY,
}  # fmt: skip
WS_VECTORS = [
    (LIMIT_SELL, "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"),
    (LIMIT_BUY, "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"),
    (
        {"apiKey": DOCS_KEY, "timestamp": 1649729878532},
        "1cf54395b336b0a9727ef27d5d98987962bc47aca6e13fe978612d0adee066ed",
    ),
    (
        {"apiKey": DOCS_KEY, "symbol": "BTCUSDT", "orderId": 12569099453, "timestamp": 1660801720951},
        "2c3aab5a078ee4ea465ecd95523b77289f61476c2f238ec10c55ea6cb11a6f35",
    ),
]


def call(params: Params, *, is_signed: bool = True) -> RestCall[Any]:
    return RestCall("POST", "/api/v3/order", lambda _: None, params, is_signed=is_signed)


@pytest.mark.parametrize(("query", "signature"), REST_VECTORS)
def test_rest_signatures_match_the_documented_ones(query: str, signature: str) -> None:
    assert SIGNER.sign(rest_payload(query)) == signature


def test_query_and_body_are_signed_without_anything_in_between() -> None:
    query, _, rest = ("symbol=LTCBTC" + NEW_ORDER).partition("&quantity")
    assert SIGNER.sign(rest_payload(query, "quantity" + rest)) == (
        "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    )


@pytest.mark.parametrize(("params", "signature"), WS_VECTORS)
def test_websocket_signatures_match_the_documented_ones(params: dict[str, str | int], signature: str) -> None:
    assert SIGNER.sign(ws_payload(params)) == signature


def test_shared_vectors_match() -> None:
    vectors = read_json("signing", "vectors.json")["binance"]
    assert len(vectors) >= 4
    for vector in vectors:
        signer = HmacSha256Signer(vector["api_key"], vector["secret"].encode())
        assert signer.sign(vector["payload"].encode()) == vector["signature"]


@pytest.mark.parametrize("symbol", ["LTCBTC", FULL_WIDTH])
def test_a_signed_request_is_the_documented_one(symbol: str) -> None:
    params = (
        ("symbol", symbol), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "1"),
        ("price", "0.1"),
    )  # fmt: skip
    request = DRIVER.to_http(call(params), SIGNER, 1499827319559, 5000)
    query, signature = REST_VECTORS[symbol == FULL_WIDTH]
    assert request.method == "POST"
    assert request.target == f"/api/v3/order?{query}&signature={signature}"
    assert request.headers == {"X-MBX-APIKEY": DOCS_KEY}
    assert request.body is None


def test_the_repr_of_a_request_shows_neither_key_nor_signature() -> None:
    """(fault F169)"""
    shown = repr(DRIVER.to_http(call((("symbol", "LTCBTC"),)), SIGNER, 1, 5000))
    assert "signature" not in shown
    assert DOCS_KEY not in shown


def test_a_public_request_carries_no_key() -> None:
    request = DRIVER.to_http(call((("symbol", "BTCUSDT"), ("limit", "5")), is_signed=False), SIGNER, 1, 5000)
    assert request.target == "/api/v3/order?symbol=BTCUSDT&limit=5"
    assert request.headers == {}
    assert DRIVER.to_http(call((), is_signed=False), None, 1, 1).target == "/api/v3/order"


def test_a_signed_call_without_a_signer_is_not_sent() -> None:
    with pytest.raises(AuthenticationError) as caught:
        DRIVER.to_http(call(()), None, 1, 5000)
    assert caught.value.outcome == "not_sent"


@pytest.mark.parametrize("value", ["BTCUSDT&side=SELL", "../order", "?a=b", "%2e", "a\r\nb", 'x=["A"]', "\uff11 +/="])
def test_no_value_can_break_out_of_its_parameter(value: str) -> None:
    """(fault F178)"""
    query = encoded_query((("symbol", value), (value, "x")))
    assert query.isascii()
    assert parse_qsl(query, strict_parsing=True) == [("symbol", value), (value, "x")]


def test_the_login_is_signed_over_its_sorted_raw_parameters() -> None:
    frame = json.loads(DRIVER.encode_login(SIGNER, 1645423376532, 5000, 7))
    assert frame["id"] == 7
    assert frame["method"] == "userDataStream.subscribe.signature"
    params = frame["params"]
    signature = params.pop("signature")
    assert params == {"apiKey": DOCS_KEY, "recvWindow": 5000, "timestamp": 1645423376532}
    payload = f"apiKey={DOCS_KEY}&recvWindow=5000&timestamp=1645423376532"
    assert signature == SIGNER.sign(payload.encode())


def test_the_drivers_signer_signs_as_documented() -> None:
    signer = DRIVER.signer(Secret(DOCS_KEY), Secret(DOCS_SECRET))
    assert signer.api_key == DOCS_KEY
    assert signer.sign(rest_payload(REST_VECTORS[0][0])) == REST_VECTORS[0][1]


@pytest.mark.parametrize("canary", ["canary\n", " canary", "can ary", "canary\u00e9", "-----BEGIN KEY-----\ncanary"])
def test_malformed_keys_are_refused_without_showing_them(canary: str) -> None:
    """(fault F165)"""
    for key, secret in ((canary, "secret"), ("key", canary), ("", "secret"), ("key", "")):
        with pytest.raises(ValidationError) as caught:
            signer_of("binance", Secret(key), Secret(secret))
        assert "can" not in str(caught.value)
        assert "can" not in repr(vars(caught.value))


# --- private keys ---------------------------------------------------------------------------------------------------

ED25519_PRIVATE = pem_of("MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u")
"""Published in the documentation (Binance: 3.3)."""

ED25519_VECTORS = [
    (
        "\x01".join(("A", "EXAMPLE", "SPOT", "1", "20240627-11:17:25.223")),
        "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA==",
    ),
    (
        "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=0.2&timestamp=1668481559918"
        "&recvWindow=5000",
        "inDT086KVIP8vgUfw5sV3VTkescWztiAGlf4x8FLKHM4NInsn0c1kYVLoGMO8cyjfR6vmTku2YQE0gtfVVlfCw==",
    ),
]


@pytest.mark.parametrize(("payload", "signature"), ED25519_VECTORS)
def test_ed25519_signatures_match_the_known_answers(payload: str, signature: str) -> None:
    signer = DRIVER.signer(Secret(DOCS_KEY), Secret(ED25519_PRIVATE))
    assert signer.key_type == "ed25519"
    assert signer.sign(payload.encode()) == signature


def test_the_base64_of_a_signature_is_percent_encoded_in_a_query_and_plain_in_a_frame() -> None:
    """(Binance: 3.1)"""
    signer = DRIVER.signer(Secret(DOCS_KEY), Secret(ED25519_PRIVATE))
    params = (
        ("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "1"),
        ("price", "0.2"),
    )  # fmt: skip
    request = DRIVER.to_http(call(params), signer, 1668481559918, 5000)
    query, _, sent = request.target.partition("?")[2].partition("&signature=")
    assert not set("+/=") & set(sent)
    plain = signer.sign(query.encode())
    assert {"+", "/", "="} & set(plain)
    assert unquote(sent) == plain

    frame = json.loads(DRIVER.encode_login(signer, 1645423376532, 5000, 7))["params"]
    payload = f"apiKey={DOCS_KEY}&recvWindow=5000&timestamp=1645423376532"
    assert frame["signature"] == signer.sign(payload.encode())
    assert frame["signature"].endswith("==")


def test_a_session_is_signed_in_by_an_ed25519_key_and_then_subscribes() -> None:
    """(Binance: 10.2)"""
    signer = DRIVER.signer(Secret(DOCS_KEY), Secret(ED25519_PRIVATE))
    logon = json.loads(DRIVER.encode_login(signer, 1649729878532, 5000, 7, sign_in="session"))
    assert (logon["id"], logon["method"]) == (7, "session.logon")
    signed = f"apiKey={DOCS_KEY}&recvWindow=5000&timestamp=1649729878532"
    assert logon["params"]["signature"] == signer.sign(signed.encode())
    assert json.loads(DRIVER.encode_account_subscribe(8)) == {"id": 8, "method": "userDataStream.subscribe"}


def test_no_other_key_signs_a_session_in() -> None:
    with pytest.raises(ValidationError, match="Ed25519") as caught:
        DRIVER.encode_login(SIGNER, 1, 5000, 7, sign_in="session")
    assert caught.value.field == "account_sign_in"
