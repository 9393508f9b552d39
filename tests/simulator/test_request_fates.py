"""What becomes of single requests, on both faces: executed late, answered late or wrongly, or lost."""

import threading
from collections.abc import Callable, Iterator

import pytest
import urllib3

from exconn_sync.simulator import Simulator
from tests.quiet import quiet_exchange
from tests.simulator.bybit.clients import Rest as BybitRest
from tests.simulator.bybit.clients import Trade
from tests.simulator.clients import Rest, WsApi, eventually

PATHS = {"binance": "/api/v3/order", "bybit": "/v5/order/create"}
Place = Callable[[], int]
"""Places an order and returns the HTTP status of the answer."""


@pytest.fixture(params=PATHS)
def exchange(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with quiet_exchange(request.param) as simulator:
        yield simulator


@pytest.fixture
def place(exchange: Simulator) -> Iterator[Place]:
    if exchange.exchange == "bybit":
        bybit = BybitRest(exchange)
        order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
        yield lambda: bybit.post_raw("/v5/order/create", category="spot", **order).status
        bybit.close()
        return
    rest = Rest(exchange)
    wanted = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    yield lambda: rest.signed_raw("POST", "/api/v3/order", **wanted, quantity="0.01", price="50000").status
    rest.close()


def path_of(exchange: Simulator) -> str:
    return PATHS[exchange.exchange]


def placed(exchange: Simulator) -> int:
    return len(exchange.accounts.orders(exchange.api_key))


def test_executed_and_answered_with_something_else(exchange: Simulator, place: Place) -> None:
    exchange.faults.execute_then_answer("POST", path_of(exchange), 503, "")
    assert (place(), placed(exchange)) == (503, 1)
    assert (place(), placed(exchange)) == (200, 2)
    assert exchange.faults_done() == {"execute_then_answer": 1}


def test_lost_with_a_reset(exchange: Simulator, place: Place) -> None:
    exchange.faults.lose_requests("POST", path_of(exchange), reset=True)
    with pytest.raises(urllib3.exceptions.HTTPError):
        place()
    assert (place(), placed(exchange)) == (200, 1)
    assert [seen.status for seen in exchange.request_log(with_faulty=True)] == [0, 200]
    assert [seen.status for seen in exchange.request_log()] == [200]


def test_lost_without_a_word(exchange: Simulator, place: Place) -> None:
    exchange.faults.lose_requests("POST", path_of(exchange))
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(urllib3.exceptions.HTTPError):
            place()
        ended.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    eventually(lambda: exchange.faults_done() == {"lose_requests": 1})
    assert not ended.is_set()
    exchange.faults.drop_connections()
    waiter.join()
    assert (ended.is_set(), placed(exchange)) == (True, 0)


@pytest.mark.parametrize("fault", ["execute_late", "hold_answers"])
def test_late(fault: str, exchange: Simulator, place: Place) -> None:
    getattr(exchange.faults, fault)("POST", path_of(exchange), 0.3)
    statuses: list[int] = []
    waiter = threading.Thread(target=lambda: statuses.append(place()))
    waiter.start()
    eventually(lambda: exchange.faults_done() == {fault: 1})
    if fault == "hold_answers":
        eventually(lambda: placed(exchange) == 1)
    eventually(lambda: exchange.requests_held() == 0)
    assert placed(exchange) == 1, "what was held was executed in one step with its release"
    waiter.join()
    assert (statuses, placed(exchange)) == ([200], 1)


def test_what_was_called_off_does_not_happen(exchange: Simulator, place: Place) -> None:
    for arm in (exchange.faults.lose_requests, exchange.faults.execute_then_drop):
        arm("POST", path_of(exchange), 3)
    exchange.faults.answer("POST", path_of(exchange), 503, "", 3)
    exchange.faults.lose_frames("order", 3)
    exchange.faults.call_off()
    assert (place(), placed(exchange), exchange.faults_done()) == (200, 1, {})


def test_the_log_has_what_was_asked_for_and_no_signature(exchange: Simulator, place: Place) -> None:
    exchange.faults.answer("POST", path_of(exchange), 503, "")
    place()
    place()
    scripted, answered = exchange.request_log(with_faulty=True)
    assert [(seen.status, seen.code) for seen in (scripted, answered)] == [(503, 0), (200, 0)]
    for seen in (scripted, answered):
        assert "BTCUSDT" in seen.params
        assert "signature" not in seen.params


def test_codes_of_refusals_are_in_the_log() -> None:
    with quiet_exchange() as binance, quiet_exchange("bybit") as bybit:
        rest, other = Rest(binance), BybitRest(bybit)
        rest.limit("BUY", "0.01", "-1")
        other.create("Buy", "0.000001", "50000")
        assert [seen.code for seen in binance.request_log()] == [-1100]
        assert [seen.code < 0 or seen.code > 0 for seen in bybit.request_log()] == [True]
        rest.close()
        other.close()


def test_commands_over_the_trade_socket() -> None:
    with quiet_exchange("bybit") as bybit:
        trade = Trade(bybit)
        assert trade.sign_in()["retCode"] == 0
        order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
        bybit.faults.lose_requests("WS", "order.create")
        bybit.faults.execute_late("WS", "order.create", 0.01)
        trade.send_op("order.create", **order)
        assert trade.call("order.create", **order)["reqId"] == "r2"
        assert [seen.status for seen in bybit.request_log(with_faulty=True)] == [0, 200]
        bybit.faults.lose_requests("WS", "order.create", reset=True)
        trade.send_op("order.create", **order)
        with pytest.raises(ConnectionError):
            trade.receive()
        assert placed(bybit) == 1
        trade.close()


def test_requests_of_the_websocket_api(quiet: Simulator, ws_api: WsApi) -> None:
    quiet.faults.lose_requests("WS", "ping")
    quiet.faults.execute_then_answer("WS", "ping", 503, "{}")
    ws_api.send({"id": "lost", "method": "ping"})
    reply = ws_api.call("ping")
    assert (reply["id"], reply["status"]) == ("ping", 503)
    quiet.faults.lose_requests("WS", "ping", reset=True)
    ws_api.send({"id": "cut", "method": "ping"})
    with pytest.raises(ConnectionError):
        ws_api.receive()
