"""Splitting bytes into messages: in whatever pieces they come, and within limits."""

from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._transport.frames import CloseFrame, FrameReader
from exconn_sync.errors import ProtocolError
from tests.unit.support import fixed
from tests.unit.transport.peers import frame

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
MAX = 100_000

payloads = st.one_of(
    st.binary(max_size=200), st.sampled_from([125, 126, 127, 65535, 65536, 70000]).map(lambda size: b"x" * size)
)
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes], list[bytes], list[bytes]]:
    """Return bytes, and the messages, pings and pongs that are in them."""
    data = b""
    messages: list[bytes] = []
    told: dict[int, list[bytes]] = {PING: [], PONG: []}
    for _ in range(draw(st.integers(0, 5))):
        parts = draw(st.lists(payloads, min_size=1, max_size=3)) if draw(st.booleans()) else [draw(payloads)]
        kind = draw(st.sampled_from([TEXT, BINARY]))
        for index, part in enumerate(parts):
            data += frame(part, CONTINUATION if index else kind, final=int(index == len(parts) - 1))
            if draw(st.booleans()):
                opcode, payload = draw(controls)
                data += frame(payload, opcode)
                told[opcode].append(payload)
        messages.append(b"".join(parts))
    return data, messages, told[PING], told[PONG]


@fixed
@given(streams(), st.data())
def test_any_pieces_give_the_same_messages(
    stream: tuple[bytes, list[bytes], list[bytes], list[bytes]], choose: st.DataObject
) -> None:
    """(fault F013)"""
    data, messages, pings, pongs = stream
    cuts = sorted(choose.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    reader = FrameReader(max(125, *map(len, messages), 0))
    got: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])
    for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        frames = reader.feed(data[start:stop])
        for all_, some in zip(got, frames[:3], strict=True):
            all_.extend(some)
        assert frames.close is None
    assert got == (messages, pings, pongs)


def test_every_single_cut_gives_the_same_messages() -> None:
    """(fault F013)"""
    data = frame(b"one") + frame(b"tw", final=0) + frame(b"p", PING) + frame(b"o", CONTINUATION) + frame(b"z" * 126)
    for cut in range(len(data) + 1):
        reader = FrameReader(1000)
        first, second = reader.feed(data[:cut]), reader.feed(data[cut:])
        assert first.messages + second.messages == [b"one", b"two", b"z" * 126]
        assert first.pings + second.pings == [b"p"]
    reader = FrameReader(1000)
    messages: list[bytes] = []
    for index in range(len(data)):
        messages += reader.feed(data[index : index + 1]).messages
    assert messages == [b"one", b"two", b"z" * 126]


@pytest.mark.parametrize("size", [MAX + 1, 2**32, 2**63 - 1, 2**64 - 1])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CONTINUATION, PING])
def test_a_declared_length_beyond_the_limit_is_refused_before_any_byte_of_it_comes(size: int, opcode: int) -> None:
    """(fault F028)"""
    header = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
    with pytest.raises(ProtocolError, match=str(MAX)):
        FrameReader(MAX).feed(header)


def test_the_limit_itself_is_allowed_in_one_and_in_many_pieces() -> None:
    assert FrameReader(MAX).feed(frame(b"x" * MAX)).messages == [b"x" * MAX]
    half = b"x" * (MAX // 2)
    assert FrameReader(MAX).feed(frame(half, final=0) + frame(half, CONTINUATION)).messages == [b"x" * MAX]


def test_the_sum_of_fragments_is_limited() -> None:
    """(fault F028)"""
    reader = FrameReader(MAX)
    half = b"x" * (MAX // 2)
    reader.feed(frame(half, final=0) + frame(half, CONTINUATION, final=0))
    with pytest.raises(ProtocolError, match="exceeds"):
        reader.feed(frame(b"x", CONTINUATION, final=0))


def test_an_endless_row_of_empty_fragments_takes_no_memory() -> None:
    """(fault F028)"""
    reader = FrameReader(MAX)
    reader.feed(frame(b"a", final=0))
    row = frame(b"", CONTINUATION, final=0) * 20_000
    tracemalloc.start()
    try:
        for _ in range(10):
            reader.feed(row)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000
    assert reader.feed(frame(b"b", CONTINUATION)).messages == [b"ab"]


@pytest.mark.timeout(20)
def test_a_message_in_very_many_fragments_ends() -> None:
    # Adding all sizes up for each fragment would take 45 thousand million steps.
    count = 300_000
    reader = FrameReader(count)
    reader.feed(frame(b"x", final=0))
    reader.feed(frame(b"x", CONTINUATION, final=0) * (count - 2))
    assert reader.feed(frame(b"x", CONTINUATION)).messages == [b"x" * count]


@pytest.mark.timeout(20)
def test_a_big_message_in_small_pieces_ends() -> None:
    # Joining what is there for each piece would copy half a million times eight million bytes.
    size = 16_000_000
    data = frame(b"x" * size)
    reader = FrameReader(size)
    messages: list[bytes] = []
    for start in range(0, len(data), 16):
        messages += reader.feed(data[start : start + 16]).messages
    assert list(map(len, messages)) == [size]


VIOLATIONS = {
    "masked": bytes([0x81, 0x80]) + b"abcd",
    "masked, long": bytes([0x81, 0xFE, 0, 200]),
    "first reserved bit": bytes([0xC1, 0]),
    "second reserved bit": bytes([0xA1, 0]),
    "third reserved bit": bytes([0x91, 0]),
    "opcode 3": bytes([0x83, 0]),
    "opcode 7": bytes([0x87, 0]),
    "opcode 11": bytes([0x8B, 0]),
    "opcode 15": bytes([0x8F, 0]),
    "fragmented ping": bytes([0x09, 0]),
    "fragmented close": bytes([0x08, 0]),
    "long ping": frame(b"x" * 126, PING),
    "continuation of nothing": frame(b"x", CONTINUATION),
    "text inside a message": frame(b"x", final=0) + frame(b"y"),
    "binary inside a message": frame(b"x", final=0) + frame(b"y", BINARY),
    "continuation after the end": frame(b"x", final=0) + frame(b"y", CONTINUATION) + frame(b"z", CONTINUATION),
}


@pytest.mark.parametrize("data", VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_of_the_protocol_is_an_error(data: bytes) -> None:
    """(fault F031)"""
    with pytest.raises(ProtocolError):
        FrameReader(MAX).feed(data)


@pytest.mark.parametrize(
    ("payload", "close"),
    [
        (b"", CloseFrame(1005, "")), (b"\x03", CloseFrame(1005, "")), (b"\x03\xe8", CloseFrame(1000, "")),
        (b"\x03\xf0bye", CloseFrame(1008, "bye")), (b"\x13\x88\xff\x1b[0m\n", CloseFrame(5000, "\ufffd?[0m?")),
        (b"\x00\x00", CloseFrame(0, "")),
    ],
)  # fmt: skip
def test_a_close_is_told_with_code_and_printable_reason(payload: bytes, close: CloseFrame) -> None:
    """(fault F026)"""
    assert FrameReader(MAX).feed(frame(payload, CLOSE)).close == close


def test_what_follows_a_close_is_ignored() -> None:
    """(fault F027)"""
    reader = FrameReader(MAX)
    frames = reader.feed(frame(b"before") + frame(b"", CLOSE) + frame(b"after") + VIOLATIONS["masked"])
    assert frames.messages == [b"before"]
    assert frames.close is not None
    later = reader.feed(frame(b"later"))
    assert later.messages == []
    assert later.close is None


@fixed
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_rubbish_ends_in_a_protocol_error_or_in_nothing(pieces: list[bytes]) -> None:
    """(fault F031)"""
    reader = FrameReader(1000)
    # Whatever else escapes would end the thread that reads the socket.
    with contextlib.suppress(ProtocolError):
        for piece in pieces:
            frames = reader.feed(piece)
            assert all(len(message) <= 1000 for message in frames.messages)
