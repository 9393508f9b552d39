"""The public socket: dialect, books, trades, tickers, candles (Bybit: 6)."""

import json

import pytest

from exconn_sync.simulator import Simulator
from tests.simulator.clients import eventually

from .clients import Public, Rest

BOOK = "orderbook.50.BTCUSDT"


def changed(book: dict[str, str], rows: list[list[str]]) -> None:
    """Apply the rows of a delta."""
    for price, size in rows:
        if size == "0":
            book.pop(price, None)
        else:
            book[price] = size


# --- dialect --------------------------------------------------------------------------------------------------------


def test_the_pong_is_called_ping(public: Public) -> None:
    reply = public.ask({"op": "ping"})
    assert (reply["op"], reply["ret_msg"], reply["success"]) == ("ping", "pong", True)
    assert "req_id" not in reply
    assert public.ask({"op": "ping", "req_id": "7"})["req_id"] == "7"


def test_subscriptions_are_answered_before_the_first_message(quiet: Simulator, public: Public) -> None:
    reply = public.ask({"op": "subscribe", "req_id": "a", "args": [BOOK, "publicTrade.BTCUSDT"]})
    assert {**reply, "conn_id": ""} == {
        "success": True,
        "ret_msg": "subscribe",
        "conn_id": "",
        "req_id": "a",
        "op": "subscribe",
    }
    assert public.receive()["type"] == "snapshot"
    assert quiet.subscriptions() == [BOOK, "publicTrade.BTCUSDT"]
    reply = public.ask({"op": "unsubscribe", "req_id": "b", "args": [BOOK]})
    assert (reply["op"], reply["ret_msg"], reply["success"]) == ("unsubscribe", "unsubscribe", True)
    assert quiet.subscriptions() == ["publicTrade.BTCUSDT"]


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        ([f"kline.{interval}.BTCUSDT" for interval in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, "D")], "args size >10"),
        ([BOOK, "orderbook.25.BTCUSDT"], "error:handler not found,topic:orderbook.25.BTCUSDT"),
        (["publicTrade.NOSUCH"], "error:handler not found,topic:publicTrade.NOSUCH"),
        ([BOOK, BOOK], f"error:already subscribed,topic:{BOOK}"),
        ([], "error:request format"),
    ],
)
def test_one_bad_topic_fails_the_request(quiet: Simulator, public: Public, topics: list[str], message: str) -> None:
    reply = public.ask({"op": "subscribe", "req_id": "a", "args": topics})
    assert (reply["success"], reply["ret_msg"], reply["req_id"]) == (False, message, "a")
    assert quiet.subscriptions() == []


def test_arguments_of_a_connection_have_a_length(public: Public) -> None:
    public.send({"op": "subscribe", "args": ["kline.1." + "X" * 21_000]})
    assert public.receive()["ret_msg"] == "args length >21000"


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"op":1}', '{"op":"dance"}', '{"op":"subscribe","args":"x"}'])
def test_what_is_no_command_is_refused(public: Public, text: str) -> None:
    public.socket.send(text)
    assert public.receive()["success"] is False
    assert public.ask({"op": "ping"})["success"] is True


# --- books ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [50, 200, 1000])
def test_a_snapshot_and_then_deltas(quiet: Simulator, public: Public, depth: int) -> None:
    topic = f"orderbook.{depth}.BTCUSDT"
    public.subscribe(topic)
    snapshot = public.receive()
    assert list(snapshot) == ["topic", "ts", "type", "data", "cts"]
    assert (snapshot["type"], snapshot["data"]["b"], snapshot["data"]["a"]) == (
        "snapshot",
        [["60000", "1"]],
        [["60010", "1"]],
    )
    quiet.market.quote("BTCUSDT", "buy", "59999.5", "0.5")
    added = public.receive()
    assert (added["type"], added["data"]["b"], added["data"]["a"]) == ("delta", [["59999.5", "0.5"]], [])
    quiet.market.trade("BTCUSDT", "buy", "1")
    taken = public.receive()
    assert taken["data"]["a"] == [["60010", "0"]]
    ids = [message["data"]["u"] for message in (snapshot, added, taken)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    sequences = [message["data"]["seq"] for message in (snapshot, added, taken)]
    assert sequences == sorted(set(sequences))
    assert abs(taken["cts"] - taken["ts"]) < 5000


def test_deltas_follow_a_lively_market(lively: Simulator) -> None:
    client = Public(lively)
    client.subscribe(BOOK)
    snapshot = client.receive()["data"]
    sides = {side: dict(snapshot[side]) for side in ("b", "a")}
    update_id = snapshot["u"]
    for _ in range(100):
        data = client.receive()["data"]
        assert data["u"] == update_id + 1
        update_id = data["u"]
        for side in ("b", "a"):
            changed(sides[side], data[side])
    lively.market.pause()
    rest = Rest(lively)
    _, bids, asks = lively.market.order_book("BTCUSDT", 50)
    # What was under way when the market paused comes within a tick.
    client.socket.settimeout(0.5)
    while set(map(float, sides["b"])) != {float(price) for price, _ in bids} or {
        float(size) for size in sides["a"].values()
    } != {float(size) for _, size in asks}:
        data = client.receive()["data"]
        for side in ("b", "a"):
            changed(sides[side], data[side])
    rest.close()
    client.close()


def test_a_second_reader_gets_what_the_first_was_told(quiet: Simulator, public: Public) -> None:
    public.subscribe(BOOK)
    first = public.receive()["data"]
    second = Public(quiet)
    second.subscribe(BOOK)
    assert second.receive()["data"] == first
    quiet.market.quote("BTCUSDT", "sell", "60020", "2")
    assert public.receive()["data"] == second.receive()["data"]
    second.close()


def test_the_deepest_stream_is_numbered_like_rest(quiet: Simulator, public: Public, rest: Rest) -> None:
    public.subscribe("orderbook.1000.BTCUSDT")
    assert rest.public("/v5/market/orderbook", symbol="BTCUSDT")["result"]["u"] == public.receive()["data"]["u"]
    quiet.market.quote("BTCUSDT", "sell", "60020", "2")
    # Whoever asks over REST is told as much as the stream, whose message comes right then.
    book = rest.public("/v5/market/orderbook", symbol="BTCUSDT", limit=10)["result"]
    assert (public.receive()["data"]["u"], book["a"][-1]) == (book["u"], ["60020", "2"])


def test_the_best_level_comes_in_snapshots_and_again_without_a_change(quiet: Simulator, public: Public) -> None:
    topic = "orderbook.1.BTCUSDT"
    public.subscribe(topic)
    first = public.receive()
    quiet.market.quote("BTCUSDT", "buy", "60001", "1")
    second = public.receive()
    assert (second["type"], second["data"]["b"], second["data"]["a"]) == (
        "snapshot",
        [["60001", "1"]],
        [["60010", "1"]],
    )
    assert second["data"]["u"] == first["data"]["u"] + 1
    # Levels behind the best one are none of its business.
    quiet.market.quote("BTCUSDT", "buy", "59000", "1")
    third = public.receive()
    assert (third["type"], third["data"]["u"]) == ("snapshot", second["data"]["u"])
    assert third["ts"] - second["ts"] >= 3000


def test_a_restart_begins_with_one(quiet: Simulator, public: Public, rest: Rest) -> None:
    public.subscribe(BOOK)
    public.receive()
    quiet.faults.restart_books("BTCUSDT")
    restarted = public.receive()
    assert (restarted["type"], restarted["data"]["u"], restarted["data"]["b"]) == ("snapshot", 1, [["60000", "1"]])
    assert rest.public("/v5/market/orderbook", symbol="BTCUSDT")["result"]["u"] == 1
    quiet.market.quote("BTCUSDT", "buy", "59000", "1")
    assert (public.receive()["data"]["u"], quiet.subscriptions()) == (2, [BOOK])


# --- the rest -------------------------------------------------------------------------------------------------------


def test_trades_of_one_order_come_together(quiet: Simulator, public: Public) -> None:
    quiet.market.quote("BTCUSDT", "sell", "60011", "1")
    public.subscribe("publicTrade.BTCUSDT")
    quiet.market.trade("BTCUSDT", "buy", "1.5")
    message = public.receive()
    assert (message["topic"], message["type"]) == ("publicTrade.BTCUSDT", "snapshot")
    first, second = message["data"]
    assert (first["p"], first["v"], first["S"], first["s"], first["BT"], first["RPI"]) == (
        "60010",
        "1",
        "Buy",
        "BTCUSDT",
        False,
        False,
    )
    assert (second["p"], second["v"]) == ("60011", "0.5")
    assert int(second["i"]) == int(first["i"]) + 1 > 2**53
    assert isinstance(first["T"], int)
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert public.receive()["data"][0]["S"] == "Sell"


def test_a_burst(quiet: Simulator, public: Public) -> None:
    public.subscribe("publicTrade.BTCUSDT")
    first = quiet.market.burst("publicTrade.BTCUSDT", 500)
    ids = [int(public.receive()["data"][0]["i"]) for _ in range(500)]
    assert ids == list(range(ids[0], ids[0] + 500))
    assert ids[0] % 10**6 == first


def test_a_ticker_has_no_best_prices(quiet: Simulator, public: Public) -> None:
    public.subscribe("tickers.BTCUSDT")
    greeting = public.receive()
    assert (greeting["type"], isinstance(greeting["cs"], int)) == ("snapshot", True)
    quiet.market.trade("BTCUSDT", "buy", "0.5")
    data = public.receive()["data"]
    assert (data["symbol"], data["lastPrice"], data["volume24h"], data["turnover24h"]) == (
        "BTCUSDT",
        "60010",
        "0.5",
        "30005",
    )
    assert not any(name.startswith(("bid", "ask")) for name in data)


def test_candles(quiet: Simulator, public: Public) -> None:
    public.subscribe("kline.1.BTCUSDT")
    quiet.market.trade("BTCUSDT", "buy", "0.5")
    row = public.until(lambda message: message["data"][0]["volume"] == "0.5")["data"][0]
    assert (row["interval"], row["confirm"], row["open"], row["end"] - row["start"]) == ("1", False, "60010", 59_999)
    # The next minute: the candle that ended is told a last time.
    quiet.faults.offset_clock(60_000)
    closed = public.until(lambda message: message["data"][0]["confirm"])["data"][0]
    assert (closed["start"], closed["volume"]) == (row["start"], "0.5")
    assert (
        public.until(lambda message: message["data"][0]["start"] == row["start"] + 60_000)["data"][0]["volume"] == "0"
    )


def test_the_price_band_is_told(quiet: Simulator, public: Public) -> None:
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    public.subscribe("priceLimit.BTCUSDT")
    message = public.receive()
    assert message["data"] == {"symbol": "BTCUSDT", "buyLmt": "63000", "sellLmt": "57000"}
    assert "type" not in message


# --- faults that every face has -------------------------------------------------------------------------------------


def test_frames_are_lost_doubled_and_swapped(quiet: Simulator, public: Public) -> None:
    topic = "publicTrade.BTCUSDT"
    public.subscribe(topic)
    quiet.faults.lose_frames(topic)
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    quiet.faults.duplicate_frames(topic)
    quiet.market.trade("BTCUSDT", "buy", "0.2")
    assert [public.receive()["data"][0]["v"] for _ in range(2)] == ["0.2", "0.2"]
    quiet.faults.swap_frames(topic)
    quiet.market.trade("BTCUSDT", "buy", "0.3")
    quiet.market.trade("BTCUSDT", "buy", "0.05")
    assert [public.receive()["data"][0]["v"] for _ in range(2)] == ["0.05", "0.3"]
    with quiet.faults.silence(topic):
        quiet.market.trade("BTCUSDT", "buy", "0.01")
    quiet.market.trade("BTCUSDT", "buy", "0.02")
    assert public.receive()["data"][0]["v"] == "0.02"


def test_subscriptions_are_refused_forgotten_and_unanswered(quiet: Simulator, public: Public) -> None:
    topic = "publicTrade.BTCUSDT"
    with quiet.faults.refuse_subscription(topic, msg="no"):
        assert public.ask({"op": "subscribe", "args": [topic]})["ret_msg"] == "no"
    quiet.faults.lose_subscriptions()
    assert public.ask({"op": "subscribe", "args": [topic]})["success"] is True
    assert quiet.subscriptions() == []
    quiet.faults.lose_replies("public")
    public.send({"op": "subscribe", "args": [topic]})
    eventually(lambda: quiet.subscriptions() == [topic])
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert public.receive()["topic"] == topic


def test_messages_are_under_way_for_a_while(quiet: Simulator) -> None:
    topic = "publicTrade.BTCUSDT"
    with quiet.faults.latency(0.15, "public"):
        far = Public(quiet)
    near = Public(quiet)
    far.send({"op": "subscribe", "args": [topic]})
    eventually(lambda: quiet.subscriptions() == [topic])
    near.subscribe(topic)
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    quiet.market.trade("BTCUSDT", "buy", "0.2")
    assert [near.receive()["data"][0]["v"] for _ in range(2)] == ["0.1", "0.2"]
    # The answer comes first, then the messages, in their order.
    assert far.receive()["op"] == "subscribe"
    assert [far.receive()["data"][0]["v"] for _ in range(2)] == ["0.1", "0.2"]
    far.close()
    near.close()


def test_connections_are_dropped_by_kind(quiet: Simulator, public: Public) -> None:
    quiet.faults.drop_connections("private")
    assert public.ask({"op": "ping"})["success"] is True
    with pytest.raises(ValueError, match="'public' or 'private' or 'trade', not 'ws_api'"):
        quiet.faults.drop_connections("ws_api")
    quiet.faults.drop_connections("public")
    with pytest.raises(ConnectionError):
        public.receive()


def test_nobody_is_pinged_and_the_silent_are_closed(quiet: Simulator, public: Public) -> None:
    quiet.faults.keep_alive(ping_every=0.02, pong_within=0.02)
    public.ask({"op": "ping"})
    assert [frames.pong for frames in quiet.client_frames()] == [0]
    quiet.faults.idle_limit(0.2)
    with pytest.raises(ConnectionError):
        public.receive()
    assert quiet.cuts() == {"idle": 1}


def test_what_is_sent_is_what_was_subscribed(quiet: Simulator, public: Public) -> None:
    quiet.faults.send_raw(json.dumps({"topic": "new"}))
    assert public.receive() == {"topic": "new"}
