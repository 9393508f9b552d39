"""A replay sends exactly what was recorded."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.recorded import split_symbol

from .clients import PATIENCE_S, Rest, Socket

Line = dict[str, object]
STREAMS = ("btcusdt@trade", "btcusdt@depth@100ms", "btcusdt@bookTicker")


def frame(stream: str, number: int) -> str:
    return f'{{"stream":"{stream}","data":{{"e":"x", "n":{number}}}}}'


def small_lines() -> list[Line]:
    def received(n: int) -> int:
        return 1_000_000_000 + n * 50_000_000

    def depth(n: int, update_id: int) -> Line:
        raw = f'{{"lastUpdateId":{update_id},"bids":[["1.50","2"]],"asks":[]}}'
        url = "https://example.invalid/api/v3/depth?symbol=ABCUSDT&limit=1000"
        return {"n": n, "recv_ns": received(n), "via": "rest", "dir": "in", "url": url, "raw": raw}

    lines: list[Line] = [
        {"n": n, "recv_ns": received(n), "via": "ws", "dir": "in", "raw": frame(stream, n)}
        for n, stream in enumerate(["abcusdt@trade", "abcusdt@depth", "abcusdt@trade", "-", "abcusdt@depth", "-"])
    ]
    lines[3], lines[5] = depth(3, 100), depth(5, 200)
    return lines


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in small_lines()))
    return path


@pytest.fixture
def replay(small: Path) -> Iterator[Simulator]:
    with Simulator.replay(small) as simulator:
        yield simulator


def test_frames_are_unchanged_and_filtered(replay: Simulator) -> None:
    combined = Socket(f"{replay.stream}/stream?streams=abcusdt@trade/abcusdt@depth")
    raw = [combined.socket.recv() for _ in range(4)]
    assert raw == [line["raw"] for line in small_lines() if line["via"] == "ws"]
    single = Socket(f"{replay.stream}/ws/abcusdt@depth")
    assert [single.socket.recv() for _ in range(2)] == ['{"e":"x", "n":1}', '{"e":"x", "n":4}']
    assert replay.finished.wait(PATIENCE_S)
    for socket in (combined, single):
        socket.close()


def test_it_begins_behind_the_reply_to_the_first_subscription(replay: Simulator) -> None:
    socket = Socket(f"{replay.stream}/ws")
    assert socket.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}) == {"result": [], "id": 1}
    assert socket.ask({"method": "SUBSCRIBE", "params": ["abcusdt@trade"], "id": 2}) == {"result": None, "id": 2}
    assert [socket.receive()["n"] for _ in range(2)] == [0, 2]
    # The connection stays open and quiet, but still listens.
    assert socket.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 3}) == {"result": False, "id": 3}
    socket.close()


def test_rest_answers_are_recorded_ones(replay: Simulator) -> None:
    rest = Rest(replay)
    path = "/api/v3/depth"
    first = rest.raw("GET", path, "symbol=ABCUSDT&limit=1000")
    assert first.data.decode() == small_lines()[3]["raw"]
    assert rest.get(path, symbol="NOPE")[1]["code"] == -1121
    _, info = rest.get("/api/v3/exchangeInfo")
    (symbol,) = info["symbols"]
    assert (symbol["symbol"], symbol["baseAsset"], symbol["quoteAsset"]) == ("ABCUSDT", "ABC", "USDT")
    assert symbol["filters"][0]["tickSize"] == "0.10000000"
    assert rest.get("/api/v3/ping") == (200, {})
    assert rest.raw("GET", "/api/v3/account").status == 404
    rest.close()


def test_pace_follows_the_recorded_times(small: Path) -> None:
    # Frames 0 to 4 lie 200 ms apart in the recording.
    with Simulator.replay(small, pace=2.0) as replay:
        began = time.monotonic()
        socket = Socket(f"{replay.stream}/stream?streams=abcusdt@trade/abcusdt@depth")
        for _ in range(4):
            socket.receive()
        assert time.monotonic() - began >= 0.09
        socket.close()


def test_a_replay_has_neither_market_nor_accounts(replay: Simulator) -> None:
    assert (replay.api_key, replay.api_secret) == ("", "")
    with pytest.raises(RuntimeError):
        _ = replay.market
    with pytest.raises(RuntimeError):
        _ = replay.accounts


def test_lost_frames(replay: Simulator) -> None:
    replay.faults.lose_frames("abcusdt@trade", 1)
    socket = Socket(f"{replay.stream}/ws/abcusdt@trade")
    assert socket.receive()["n"] == 2
    socket.close()


@pytest.mark.parametrize("content", [b"not json\n", b'{"n":1}\n'])
def test_what_is_not_a_recording(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a recording"):
        Simulator.replay(path)
    with pytest.raises(ValueError, match="pace"):
        Simulator.replay(path, pace=0)


def test_split_symbol() -> None:
    assert split_symbol("BTCUSDT") == ("BTC", "USDT")
    assert split_symbol("1INCHBTC") == ("1INCH", "BTC")
    assert split_symbol("ABCXYZ") == ("ABCXYZ", "")


def test_a_real_recording_arrives_byte_for_byte(recordings: Path) -> None:
    path = recordings / "btcusdt_20240808.jsonl.gz"
    with Simulator.replay(path) as replay:
        socket = Socket(f"{replay.stream}/stream?streams={'/'.join(STREAMS)}")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                recorded = json.loads(line)
                if recorded["via"] == "ws":
                    assert socket.socket.recv() == recorded["raw"]
        assert replay.finished.wait(PATIENCE_S)
        socket.close()


def test_recorded_exchange_info_is_served(recordings: Path) -> None:
    with Simulator.replay(recordings / "nkn_blz_lrc_rune_20211012.jsonl.gz") as replay:
        rest = Rest(replay)
        assert len(rest.get("/api/v3/exchangeInfo")[1]["symbols"]) == 1695
        assert rest.get("/api/v3/depth", symbol="RUNEEUR")[1]["lastUpdateId"] == 15602511
        rest.close()
