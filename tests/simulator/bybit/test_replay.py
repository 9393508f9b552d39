"""Recorded books of Bybit over a socket equal what was worked out from them."""

import hashlib
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import Socket

from .clients import Json, Rest

REPOSITORY = Path(__file__).parents[3]
RECORDINGS = {
    "bybit_v5_spot/btcusdt_ob50_two_frames_20241108.jsonl": "bybit_v5_spot__btcusdt_ob50_two_frames_20241108.json",
    "bybit_v5_spot_converted/btcusdt_ob50.jsonl.gz": "bybit_v5_spot_converted__btcusdt_ob50.json",
}
TOPIC = "orderbook.50.BTCUSDT"


@pytest.fixture(scope="module")
def folder() -> Path:
    data = Path(os.environ.get("EXCONN_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "recordings"
    if not data.is_dir():
        pytest.skip(f"no recordings at {data}; set EXCONN_TEST_DATA to the folder that holds 'recordings'")
    return data


class Book:
    """A book kept with plain dictionaries."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {"b": {}, "a": {}}

    def take(self, message: Json) -> None:
        if message["type"] == "snapshot":
            self.sides = {"b": {}, "a": {}}
        for side, levels in self.sides.items():
            for price, size in message["data"][side]:
                levels[Decimal(price)] = Decimal(size)
                if not levels[Decimal(price)]:
                    del levels[Decimal(price)]

    def fingerprint(self) -> str:
        text = ""
        for side, word in (("b", "bids"), ("a", "asks")):
            text += f"{word}\n"
            for price, size in sorted(self.sides[side].items(), reverse=side == "b"):
                text += f"{plain(price)}:{plain(size)}\n"
        return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.mark.parametrize("name", RECORDINGS)
def test_books_equal_the_expected_ones(folder: Path, name: str) -> None:
    expected = json.loads((folder / "expected_books" / RECORDINGS[name]).read_text())["books"][TOPIC]
    checkpoints = {point["updates_applied"]: point for point in expected["checkpoints"]}
    book = Book()
    with Simulator.replay(folder / name, exchange="bybit") as simulator:
        client = Socket(simulator.public)
        assert client.ask({"op": "subscribe", "args": [TOPIC]})["success"] is True
        for applied in range(expected["frames"]):
            message = client.receive()
            book.take(message)
            if applied in checkpoints:
                point = checkpoints.pop(applied)
                assert message["data"]["u"] == point["update_id"]
                assert (len(book.sides["b"]), len(book.sides["a"])) == (point["bid_count"], point["ask_count"])
                assert book.fingerprint() == point["sha256_full"]
        assert simulator.finished.wait(5)
        client.close()
    assert checkpoints == {}


def test_each_subscription_begins_at_the_beginning(folder: Path) -> None:
    recording = folder / "bybit_v5_spot_converted/btcusdt_ob50.jsonl.gz"
    with Simulator.replay(recording, exchange="bybit") as simulator:
        client = Socket(simulator.public)
        client.ask({"op": "subscribe", "req_id": "1", "args": ["publicTrade.BTCUSDT"]})
        assert client.receive()["topic"] == "publicTrade.BTCUSDT"
        client.send({"op": "subscribe", "req_id": "2", "args": [TOPIC]})
        first = client.until(lambda message: message.get("topic") == TOPIC)
        assert first["type"] == "snapshot"
        client.close()


def test_what_else_a_recording_answers(folder: Path) -> None:
    recording = folder / "bybit_v5_spot/btcusdt_ob50_two_frames_20241108.jsonl"
    with Simulator.replay(recording, exchange="bybit") as simulator:
        rest = Rest(simulator)
        (row,) = rest.public("/v5/market/instruments-info")["result"]["list"]
        assert (row["symbol"], row["baseCoin"], row["quoteCoin"]) == ("BTCUSDT", "BTC", "USDT")
        assert (row["priceFilter"]["tickSize"], row["lotSizeFilter"]["basePrecision"]) == ("0.01", "0.000001")
        assert rest.public("/v5/market/time")["retCode"] == 0
        assert rest.raw("GET", "/v5/order/realtime").status == 404
        rest.close()
        client = Socket(simulator.public)
        assert client.ask({"op": "ping"})["ret_msg"] == "pong"
        assert client.ask({"op": "dance"})["success"] is False
        client.close()


def test_recorded_answers_are_served(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    line = {"n": 0, "via": "rest", "url": "https://x/v5/market/orderbook?symbol=BTCUSDT", "raw": '{"retCode":0}'}
    path.write_text(json.dumps(line) + "\n")
    with Simulator.replay(path, exchange="bybit") as simulator:
        rest = Rest(simulator)
        assert rest.public("/v5/market/orderbook") == {"retCode": 0}
        rest.close()
    path.write_text("nothing\n")
    with pytest.raises(ValueError, match="is not a recording"):
        Simulator.replay(path, exchange="bybit")
