"""Market streams over real sockets."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import quote

import pytest
import websocket

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, Socket, eventually, now_ms

DIFFS = "btcusdt@depth@100ms"
Sides = dict[str, dict[Decimal, Decimal]]


@pytest.fixture
def stream(quiet: Simulator) -> Iterator[Socket]:
    """A combined connection without streams."""
    socket = Socket(quiet.stream + "/stream")
    yield socket
    socket.close()


def subscribe(socket: Socket, *streams: str) -> None:
    assert socket.ask({"method": "SUBSCRIBE", "params": list(streams), "id": 1}) == {"result": None, "id": 1}


def apply(sides: Sides, diff: Json) -> None:
    for side, levels in (("bids", diff["b"]), ("asks", diff["a"])):
        for price, quantity in levels:
            if Decimal(quantity):
                sides[side][Decimal(price)] = Decimal(quantity)
            else:
                sides[side].pop(Decimal(price), None)


def test_snapshot_and_diffs_give_the_true_book(lively: Simulator) -> None:
    rest = Rest(lively)
    socket = Socket(f"{lively.stream}/ws/{DIFFS}")
    first = socket.receive()
    _, snapshot = rest.get("/api/v3/depth", symbol="BTCUSDT", limit=1000)
    book: Sides = {side: {Decimal(p): Decimal(q) for p, q in snapshot[side]} for side in ("bids", "asks")}
    last, diff = snapshot["lastUpdateId"], first
    assert last >= first["U"]
    for _ in range(10):
        if diff["u"] > last:
            assert diff["U"] <= last + 1
            apply(book, diff)
            last = diff["u"]
        following = socket.receive()
        assert following["U"] == diff["u"] + 1
        diff = following
    lively.market.pause()
    update_id, bids, asks = lively.market.order_book("BTCUSDT")
    while True:
        if diff["u"] > last:
            apply(book, diff)
            last = diff["u"]
        if last == update_id:
            break
        diff = socket.receive()
    assert book == {"bids": dict(bids), "asks": dict(asks)}
    socket.close()
    rest.close()


def test_payloads(quiet: Simulator, stream: Socket) -> None:
    subscribe(stream, "btcusdt@trade", "btcusdt@aggTrade", "btcusdt@bookTicker", DIFFS, "btcusdt@depth5@100ms")
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    frames: dict[str, Json] = {}
    # The first changes of the book may be those from before the trade.
    while len(frames) < 5 or frames[DIFFS]["u"] != frames["btcusdt@bookTicker"]["u"]:
        frame = stream.receive()
        frames[frame["stream"]] = frame["data"]
    trade, diff = frames["btcusdt@trade"], frames[DIFFS]
    assert list(trade) == ["e", "E", "s", "t", "p", "q", "T", "m", "M"]
    assert (trade["p"], trade["q"], trade["m"]) == ("60010.00000000", "0.25000000", False)
    assert frames["btcusdt@aggTrade"]["f"] == frames["btcusdt@aggTrade"]["l"] == trade["t"]
    assert frames["btcusdt@bookTicker"] == {
        "u": diff["u"],
        "s": "BTCUSDT",
        "b": "60000.00000000",
        "B": "1.00000000",
        "a": "60010.00000000",
        "A": "0.75000000",
    }
    assert diff["a"][-1] == ["60010.00000000", "0.75000000"]
    partial = frames["btcusdt@depth5@100ms"]
    while partial["lastUpdateId"] < diff["u"]:
        partial = stream.until(lambda frame: frame["stream"] == "btcusdt@depth5@100ms")["data"]
    assert list(partial) == ["lastUpdateId", "bids", "asks"]
    assert partial["asks"] == [["60010.00000000", "0.75000000"]]


def test_control_messages(stream: Socket) -> None:
    subscribe(stream, "btcusdt@trade", "unknown@thing")
    assert stream.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2}) == {
        "result": ["btcusdt@trade", "unknown@thing"],
        "id": 2,
    }
    assert stream.ask({"method": "UNSUBSCRIBE", "params": ["unknown@thing"], "id": "text-id"}) == {
        "result": None,
        "id": "text-id",
    }
    assert stream.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": None}) == {"result": True, "id": None}
    assert stream.ask({"method": "LIST_SUBSCRIPTIONS", "id": 3})["result"] == ["btcusdt@trade"]


def test_a_connection_can_stop_being_combined(quiet: Simulator, stream: Socket) -> None:
    subscribe(stream, "btcusdt@trade")
    assert stream.ask({"method": "SET_PROPERTY", "params": ["combined", False], "id": 5}) == {"result": None, "id": 5}
    quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert stream.receive()["e"] == "trade"


@pytest.mark.parametrize(
    ("text", "code", "msg"),
    [
        ("nonsense", 3, "Invalid JSON: expected value at line 1 column 1"),
        ('{"id":1}', 2, "Invalid request: missing field `method`"),
        ('{"method":"SUBSCRIBE","id":1}', 2, "Invalid request: missing field `params`"),
        ('{"method":"SHOUT","params":[],"id":1}', 2, "Invalid request: unknown variant `SHOUT`"),
        ('{"method":"SET_PROPERTY","params":["colour",true],"id":1}', 0, "Unknown property"),
        ('{"method":"SET_PROPERTY","params":["combined","x"],"id":1}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}', 2, "Invalid request: too many parameters"),
        ('{"method":"GET_PROPERTY","params":[7],"id":1}', 2, "Invalid request: property name must be a string"),
        ('{"method":"GET_PROPERTY","params":["combined",true]}', 2, "Invalid request: too many parameters"),
        ('{"method":"GET_PROPERTY","params":["colour"]}', 0, "Unknown property"),
        ('{"method":"SET_PROPERTY","params":[]}', 2, "Invalid request: property name must be a string"),
        ('{"method":"SUBSCRIBE","params":[7],"id":1}', 2, "Invalid request: "),
        ('{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2, "Invalid request: request ID must be an unsigned integer"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":9223372036854775808}', 2, "Invalid request: request ID must be"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":"with blank"}', 2, "Invalid request: request ID must be"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":"' + 37 * "x" + '"}', 2, "Invalid request: request ID must be"),
        ('{"method":"LIST_SUBSCRIPTIONS","id":[1]}', 2, "Invalid request: request ID must be an unsigned integer"),
    ],
)
def test_control_errors(stream: Socket, text: str, code: int, msg: str) -> None:
    stream.socket.send(text)
    reply = stream.receive()
    assert reply["code"] == code
    assert reply["msg"].startswith(msg)


@pytest.mark.parametrize(
    "request_id", [0, -9223372036854775808, 9223372036854775807, "9d32157c-a556-4d27-9866-66760a174b57", None]
)
def test_ids_come_back(stream: Socket, request_id: object) -> None:
    assert stream.ask({"method": "LIST_SUBSCRIPTIONS", "id": request_id}) == {"result": [], "id": request_id}


def test_an_answer_is_never_wrapped(quiet: Simulator) -> None:
    """Not even behind a change of the property, on either kind of address (Binance: 8.2)."""
    for path in ("/ws", "/stream"):
        socket = Socket(quiet.stream + path)
        wanted = path == "/ws"
        assert socket.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 1})["result"] is not wanted
        assert socket.ask({"method": "SET_PROPERTY", "params": ["combined", wanted], "id": 2}) == {
            "result": None,
            "id": 2,
        }
        assert socket.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 3}) == {"result": wanted, "id": 3}
        socket.close()


@pytest.mark.parametrize("path", ["/ws/", "/stream?streams="])
@pytest.mark.parametrize("escape", [str, quote])
def test_addresses_name_streams_plain_or_escaped(path: str, escape: Callable[[str], str], quiet: Simulator) -> None:
    names = ["btcusdt@depth5@100ms", "btcusdt@kline_1d@+08:00"]
    socket = Socket(quiet.stream + path + "/".join(map(escape, names)))
    assert socket.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1})["result"] == names
    socket.close()


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond", "MILLISECOND", "Microsecond", "second"])
def test_only_two_units_of_time_exist(quiet: Simulator, unit: str) -> None:
    """In upper or in lower case (Binance: 8.1)."""
    url = f"{quiet.stream}/ws/btcusdt@trade?timeUnit={unit}"
    if unit in ("Microsecond", "second"):
        with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
            Socket(url)
        return
    socket = Socket(url)
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert (socket.receive()["T"] > 10**14) is (unit.upper() == "MICROSECOND")
    socket.close()


@pytest.mark.parametrize("is_by_address", [True, False])
def test_a_connection_has_at_most_1024_streams(quiet: Simulator, is_by_address: bool) -> None:
    names = [f"s{number}@trade" for number in range(1025)]
    socket = Socket(f"{quiet.stream}/stream" + ("?streams=" + "/".join(names[:1024]) if is_by_address else ""))
    if not is_by_address:
        subscribe(socket, *names[:1024])
    assert len(socket.ask({"method": "LIST_SUBSCRIPTIONS", "id": 2})["result"]) == 1024
    assert quiet.cuts() == {}
    socket.send({"method": "SUBSCRIBE", "params": names[1024:], "id": 3})
    eventually(lambda: quiet.cuts() == {"too many streams": 1})
    socket.close()


def test_unsubscribed_streams_end(quiet: Simulator, stream: Socket) -> None:
    subscribe(stream, "btcusdt@trade", "btcusdt@bookTicker")
    stream.ask({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 2})
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    assert stream.receive()["stream"] == "btcusdt@bookTicker"


def test_microseconds_by_address(quiet: Simulator) -> None:
    socket = Socket(quiet.stream + "/stream?streams=btcusdt%40trade&timeUnit=MICROSECOND")
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    trade = socket.receive()["data"]
    assert abs(trade["E"] // 1000 - now_ms()) < 5000
    assert trade["T"] % 1000 == 0
    socket.close()


def test_six_messages_a_second_are_too_many(stream: Socket) -> None:
    def chatter() -> None:
        for number in range(12):
            stream.ask({"method": "LIST_SUBSCRIPTIONS", "id": number})

    with pytest.raises(ConnectionError):
        chatter()


def test_pings_of_the_client_are_answered(stream: Socket) -> None:
    stream.socket.ping("hello")
    opcode, data = stream.socket.recv_data(control_frame=True)
    assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"hello")


def test_ids_of_an_idle_book_do_not_move(quiet: Simulator, stream: Socket) -> None:
    subscribe(stream, DIFFS)
    quiet.market.quote("BTCUSDT", "buy", "59990", "1")
    first = stream.receive()["data"]
    quiet.market.quote("BTCUSDT", "buy", "59980", "1")
    second = stream.receive()["data"]
    while second["U"] <= first["U"]:
        second = stream.receive()["data"]
    assert (second["U"], second["u"]) == (first["u"] + 1, first["u"] + 1)
    assert json.dumps(second["b"]) == '[["59980.00000000", "1.00000000"]]'


def test_a_connection_that_left_is_forgotten(quiet: Simulator) -> None:
    socket = Socket(f"{quiet.stream}/ws/btcusdt@trade")
    rest = Rest(quiet)
    assert rest.raw("GET", "/admin/status").json()["connections"] == {"stream": 1}
    socket.close()
    eventually(lambda: rest.raw("GET", "/admin/status").json()["connections"] == {})
    rest.close()
