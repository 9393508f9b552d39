"""Requests are signed over exactly the bytes that are sent, as the known answers are (Bybit: 2.3, 2.4, 2.6)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.encode import json_body
from exconn_sync.exchanges.bybit.signing import encoded_query, rest_payload, signer_of, socket_payload
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import Params, RestCall
from tests.data import read_json
from tests.exchanges.bybit.support import KEY, SECRET
from tests.keys import ed25519_key, private_pem, rsa_key

SIGNER = HmacSha256Signer(KEY, SECRET.encode())
TIME, WINDOW = 1_700_000_000_000, 5000
ORDER = {
    "category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "28000.5",
    "timeInForce": "GTC", "orderLinkId": "kat-0001",
}  # fmt: skip
QUERY: Params = (("category", "spot"), ("symbol", "BTCUSDT"), ("limit", "1"))

VECTORS = [
    (b"category=spot&symbol=BTCUSDT&limit=1", "08cda1530fb83aa4aaf2aaddb0787c800b918580038e58b61bf8ae2d630da194"),
    (b"", "8d53538cac2f3a896d1afb6f2fbc0be64d015ece028841e35ea5085bb32a3e45"),
    (json_body(ORDER), "171bc2d497909f0c96ae99a1d5ffbe9fa2ff2efee95a9cc2c4916f8b86996b20"),
]


def get(params: Params = QUERY, *, is_signed: bool = True) -> RestCall[Any]:
    return RestCall("GET", "/v5/order/realtime", lambda _: None, params, is_signed=is_signed)


@pytest.mark.parametrize(("sent", "signature"), VECTORS)
def test_rest_signatures_are_the_known_ones(sent: bytes, signature: str) -> None:
    assert SIGNER.sign(rest_payload(TIME, KEY, WINDOW, sent)) == signature


def test_the_signature_of_a_socket_is_the_known_one() -> None:
    signature = "706c020829821e2edc4d44fb20439464f2bbae424e0643baf28d87dbdf56bf61"
    assert SIGNER.sign(socket_payload(1_700_000_010_000)) == signature


def test_shared_vectors_match() -> None:
    shared = read_json("signing", "vectors.json")
    assert len(shared["bybit"]) >= 3
    signer = HmacSha256Signer(shared["test_key"], shared["test_secret"].encode())
    for vector in shared["bybit"]:
        assert signer.sign(vector["plain"].encode()) == vector["signature"]
        if "query_or_body" in vector:
            sent = vector["query_or_body"].encode()
            signed = rest_payload(vector["timestamp"], shared["test_key"], vector["recv_window"], sent)
            assert signed == vector["plain"].encode()


def test_a_signed_question_carries_its_signature_in_headers_and_never_a_body() -> None:
    """(Bybit: 2.2: a GET with a body is answered with 403)"""
    request = DRIVER.to_http(get(), SIGNER, TIME, WINDOW)
    assert request.method == "GET"
    assert request.target == "/v5/order/realtime?category=spot&symbol=BTCUSDT&limit=1"
    assert request.body is None
    assert request.headers == {
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": VECTORS[0][1],
    }


def test_a_question_without_parameters_is_signed_without_a_query() -> None:
    request = DRIVER.to_http(get(()), SIGNER, TIME, WINDOW)
    assert request.target == "/v5/order/realtime"
    assert request.headers["X-BAPI-SIGN"] == VECTORS[1][1]


def test_a_command_is_signed_over_the_very_body_that_is_sent() -> None:
    body = json_body(ORDER)
    call: RestCall[Any] = RestCall(
        "POST", "/v5/order/create", lambda _: None, is_signed=True, is_command=True, body=body
    )
    request = DRIVER.to_http(call, SIGNER, TIME, WINDOW)
    assert request.target == "/v5/order/create"
    assert request.body is body
    assert b" " not in body
    assert request.headers["X-BAPI-SIGN"] == VECTORS[2][1]
    assert request.headers["Content-Type"] == "application/json"


def test_public_data_are_asked_for_without_any_key() -> None:
    request = DRIVER.to_http(get(is_signed=False), SIGNER, TIME, WINDOW)
    assert request.headers == {}
    assert KEY not in repr(request)


def test_without_a_key_nothing_is_sent() -> None:
    with pytest.raises(AuthenticationError) as caught:
        DRIVER.to_http(get(), None, TIME, WINDOW)
    assert caught.value.outcome == "not_sent"


def test_values_are_percent_encoded_and_a_cursor_is_left_as_it_came() -> None:
    """(Bybit: 2.7)"""
    assert encoded_query((("a", "x y&z=1/ü"),)) == "a=x%20y%26z%3D1%2F%C3%BC"
    cursor = "132766%3A2%2C132766%3A2"
    assert encoded_query((("limit", "5"), ("cursor", cursor))) == f"limit=5&cursor={cursor}"
    assert encoded_query((("other", cursor),)) == "other=132766%253A2%252C132766%253A2"


@pytest.mark.parametrize("cursor", ["a b", "a&symbol=ETHUSDT", "100%", "x#y", "ü"])
def test_a_cursor_that_would_break_the_query_is_encoded(cursor: str) -> None:
    query = encoded_query((("cursor", cursor),))
    assert query.isascii()
    assert not set("& #").intersection(query)
    assert query.count("=") == 1


def test_an_rsa_key_signs_the_same_bytes_as_base64() -> None:
    """(Bybit: 2.4)"""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = private_pem(rsa_key())
    signer = DRIVER.signer(Secret(KEY), Secret(pem))
    assert signer.key_type == "rsa"
    request = DRIVER.to_http(get(), signer, TIME, WINDOW)
    private: Any = load_pem_private_key(pem.encode(), None)
    signature = base64.b64decode(request.headers["X-BAPI-SIGN"], validate=True)
    signed = rest_payload(TIME, KEY, WINDOW, b"category=spot&symbol=BTCUSDT&limit=1")
    private.public_key().verify(signature, signed, PKCS1v15(), SHA256())


def test_a_key_of_a_type_that_bybit_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match="RSA"):
        signer_of(Secret(KEY), Secret(private_pem(ed25519_key())))


@pytest.mark.parametrize(("key", "secret"), [("a b", SECRET), (KEY, "a\nb"), ("", SECRET), (KEY, "")])
def test_a_malformed_key_is_refused_and_not_shown(key: str, secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        signer_of(Secret(key), Secret(secret))
    assert caught.value.value == "<hidden>"


def test_a_passphrase_is_for_private_keys_only() -> None:
    with pytest.raises(ValidationError) as caught:
        signer_of(Secret(KEY), Secret(SECRET), Secret("open"))
    assert caught.value.field == "passphrase"
