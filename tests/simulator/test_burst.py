"""Many trades as fast as the reader takes them."""

import json
import re
import threading

import pytest

from exconn_sync.simulator import Simulator, connection
from exconn_sync.simulator.core.refusals import Refusal

from .clients import Rest, Socket, eventually

TRADE = "btcusdt@trade"
_ID = re.compile(rb'"t":([0-9]+),')


def trade_ids(client: Socket, count: int) -> list[int]:
    """The ids in the next frames, read from the bare socket: a client in pure Python is slow."""
    bare = client.socket.sock
    assert bare is not None
    found: list[int] = []
    rest = b""
    while len(found) < count:
        chunk = bare.recv(1 << 20)
        assert chunk, "the connection ended"
        rest += chunk
        whole = list(_ID.finditer(rest))
        found += [int(match[1]) for match in whole]
        rest = rest[whole[-1].end() :] if whole else rest
    return found


def test_ids_follow_those_of_the_stream(quiet: Simulator, rest: Rest) -> None:
    """Before, during and after the burst; on raw and combined connections; also over REST."""
    raw, combined = Socket(f"{quiet.stream}/ws/{TRADE}"), Socket(f"{quiet.stream}/stream?streams={TRADE}")
    quiet.market.trade("BTCUSDT", "buy", "0.001")
    assert quiet.market.burst(TRADE, 1500) == 2
    quiet.market.trade("BTCUSDT", "buy", "0.001")
    first, *burst, last = (raw.receive() for _ in range(1502))
    assert [first["t"], *(one["t"] for one in burst), last["t"]] == list(range(1, 1503))
    assert all(one.keys() == first.keys() for one in burst)
    shown = [combined.receive() for _ in range(1502)]
    assert {message["stream"] for message in shown} == {TRADE}
    assert [message["data"]["t"] for message in shown] == list(range(1, 1503))
    _, recent = rest.get("/api/v3/trades", symbol="BTCUSDT", limit=1000)
    assert [one["id"] for one in recent] == list(range(503, 1503))
    assert recent[0]["price"] == burst[0]["p"]
    raw.close()
    combined.close()


def test_a_slow_reader_is_not_cut_off(quiet: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its burst, and what is sent behind it, wait for it; others are served meanwhile."""
    monkeypatch.setattr(connection, "MAX_WAITING_FRAMES", 100)
    slow = Socket(f"{quiet.stream}/ws/{TRADE}", receive_buffer=4096)
    count = 100_000
    quiet.market.burst(TRADE, count)
    for _ in range(300):
        quiet.market.trade("BTCUSDT", "buy", "0.001")
    other = Socket(quiet.stream + "/ws")
    assert other.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}) == {"result": [], "id": 1}
    other.close()
    assert trade_ids(slow, count + 300) == list(range(1, count + 301))
    assert quiet.cuts() == {}
    slow.close()


def test_without_a_burst_it_is_cut_off(quiet: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Socket(f"{quiet.stream}/ws/{TRADE}")
    monkeypatch.setattr(connection, "MAX_WAITING_FRAMES", 0)
    quiet.market.trade("BTCUSDT", "buy", "0.001")
    eventually(lambda: quiet.cuts() == {"slow reader": 1})
    slow.close()


def test_who_leaves_in_the_middle_harms_nobody(quiet: Simulator) -> None:
    for _ in range(3):
        leaver = Socket(f"{quiet.stream}/ws/{TRADE}")
        quiet.market.burst(TRADE, 50_000)
        assert leaver.receive()["e"] == "trade"
        leaver.close()
    stayer = Socket(f"{quiet.stream}/ws/{TRADE}")
    assert quiet.market.burst(TRADE, 1) == 150_001
    assert stayer.receive()["t"] == 150_001
    stayer.close()


def test_what_a_burst_cannot_be(quiet: Simulator) -> None:
    with pytest.raises(ValueError, match="trade stream"):
        quiet.market.burst("btcusdt@depth", 1)
    with pytest.raises(ValueError, match="at least one"):
        quiet.market.burst(TRADE, 0)
    with pytest.raises(Refusal):
        quiet.market.burst("nopenope@trade", 1)


def test_bursts_from_several_threads_do_not_mix_ids(quiet: Simulator) -> None:
    reader = Socket(f"{quiet.stream}/ws/{TRADE}")
    threads = [threading.Thread(target=quiet.market.burst, args=(TRADE, 200)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert [json.loads(reader.socket.recv())["t"] for _ in range(800)] == list(range(1, 801))
    reader.close()
