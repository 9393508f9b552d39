"""Decoding ends in a value or a ProtocolError, whatever comes."""

from decimal import Decimal

import msgspec
import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.decoding import Reader, clean_text, protocol_error, read_any

CRASHERS = [
    b"", b"{", b"null", b"[]", b"17", b'"text"', b"<html>", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"n": "\xff"}',
    b"[" * 100_000, b'{"n": ' + b"[" * 100_000, b'{"n": ' + b"1" * 6_000 + b"}", b'{"n": NaN}', b'{"n": 1.5}',
    b'{"n": "1"}', b'{"n": true}', b'{"n": null}', b'{"n": 1} {"n": 2}',
]  # fmt: skip


class Wire(msgspec.Struct):
    n: int


READER = Reader("venue", Wire, refuse_repeated_keys=True)
QUICK = Reader("venue", Wire)


@pytest.mark.parametrize("payload", CRASHERS)
@pytest.mark.parametrize("reader", [READER, QUICK])
def test_anything_malformed_is_a_protocol_error(reader: Reader[Wire], payload: bytes) -> None:
    """(fault F034)"""
    with pytest.raises(ProtocolError) as caught:
        reader.read(payload, lambda wire: wire.n)
    assert caught.value.exchange == "venue"
    assert caught.value.__cause__ is not None


def test_the_error_carries_the_beginning_of_the_payload() -> None:
    with pytest.raises(ProtocolError) as caught:
        READER.read(b'{"m": "' + b"x" * 1_000 + b'"}', lambda wire: wire.n)
    shown = caught.value.details["payload"]
    assert shown.startswith('{"m": "xxx')
    assert len(shown) <= 203


def test_the_beginning_is_printable() -> None:
    shown = protocol_error("venue", b"\x1b[31m\r\nred \xff", "why").details["payload"]
    assert shown.isprintable()


def test_unknown_fields_are_ignored() -> None:
    """(fault F036)"""
    assert READER.read(b'{"n": 1, "new": {"deep": [1, 2.5]}}', lambda wire: wire.n) == 1


def test_a_repeated_key_is_refused_where_it_matters() -> None:
    """(fault F034)"""
    with pytest.raises(ProtocolError, match="twice"):
        READER.read(b'{"n": 1, "n": 2}', lambda wire: wire.n)
    with pytest.raises(ProtocolError, match="twice"):
        READER.read(b'{"n": 1, "x": {"a": 1, "a": 1}}', lambda wire: wire.n)


def test_any_json_keeps_fractions_exact() -> None:
    wire = read_any("venue", b'{"a": 0.1, "b": 12345678901234567890, "c": [1e2], "d": "0.1", "e": null}')
    assert wire == {"a": Decimal("0.1"), "b": 12345678901234567890, "c": [Decimal(100)], "d": "0.1", "e": None}
    assert isinstance(wire["a"], Decimal)
    assert isinstance(wire["c"][0], Decimal)


@pytest.mark.parametrize("payload", [*CRASHERS[:1], b"1e400", b"1e-999999999", b"[1.0e99999999999999999999]", b"NaN"])
def test_any_json_refuses_monsters(payload: bytes) -> None:
    """(fault F041)"""
    with pytest.raises(ProtocolError):
        read_any("venue", payload)


def test_foreign_text_is_cleaned_and_shortened() -> None:
    """(fault F184)"""
    assert clean_text("one\nline\x1b[0m") == "one?line?[0m"
    assert clean_text("x" * 500) == "x" * 120 + "..."
