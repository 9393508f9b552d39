"""Faults that part what the exchange did from what it says: late reads, false and swapped answers, old events."""

import threading

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi, eventually

ORDER = "/api/v3/order"
NEW = {"side": "BUY", "quantity": "0.1", "price": "50000"}


def test_reads_that_lag(quiet: Simulator, rest: Rest) -> None:
    with quiet.faults.lag_reads(60):
        order_id = rest.limit(**NEW)[1]["orderId"]
        assert rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order_id)[1]["code"] == -2013
        assert rest.signed("GET", "/api/v3/openOrders") == (200, [])
        assert rest.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT") == (200, [])
        rest.market("BUY", quantity="0.1")
        assert rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT") == (200, [])
        assert rest.signed("DELETE", ORDER, symbol="BTCUSDT", orderId=order_id)[1]["status"] == "CANCELED"
    assert rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order_id)[1]["status"] == "CANCELED"
    assert len(rest.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")[1]) == 1


def test_a_false_answer_to_what_was_executed(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.execute_then_answer("POST", ORDER, 503, '{"code":-1008}', headers={"Retry-After": "1"})
    assert rest.limit(**NEW) == (503, {"code": -1008})
    assert rest.limit(**NEW)[0] == 200
    assert len(quiet.accounts.orders()) == 2


def test_a_request_in_time_is_executed_late(quiet: Simulator, rest: Rest) -> None:
    """Unlike with a delay, its time is not looked at again."""
    with quiet.faults.delay("POST", ORDER, 0.3):
        assert rest.limit(**NEW, recvWindow=200)[1]["code"] == -1021
    with quiet.faults.queue_in_engine("POST", ORDER, 0.3):
        late = threading.Thread(target=lambda: rest.limit(**NEW, recvWindow=200))
        late.start()
        late.join()
    assert len(quiet.accounts.orders()) == 1


def test_answers_that_are_swapped(quiet: Simulator, rest: Rest) -> None:
    quiet.faults.swap_answers("POST", ORDER, 3)
    done: list[str] = []
    lock = threading.Lock()

    def place(name: str) -> None:
        client = Rest(quiet)
        answer = client.limit(**NEW, newClientOrderId=name)[1]
        with lock:
            done.append(answer["clientOrderId"])
        client.close()

    threads = [threading.Thread(target=place, args=(f"o{number}",)) for number in range(3)]
    for number, thread in enumerate(threads[:2]):
        thread.start()
        eventually(lambda count=number + 1: len(quiet.accounts.orders()) == count)  # type: ignore[misc]
    assert done == [], "executed, and not answered"
    threads[2].start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["o0", "o1", "o2"]
    quiet.faults.swap_answers("POST", ORDER, 5)
    waiting = threading.Thread(target=place, args=("o3",))
    waiting.start()
    eventually(lambda: len(quiet.accounts.orders()) == 4)
    quiet.faults.swap_answers("POST", ORDER, 0)
    waiting.join()


def kinds(*events: Json) -> list[str]:
    return [event["event"]["e"] for event in events]


def test_private_events_that_are_held_back(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    with quiet.faults.hold_events("executionReport"):
        rest.limit(**NEW)
        rest.limit(**NEW)
        assert kinds(ws_api.receive(), ws_api.receive()) == ["outboundAccountPosition"] * 2
    assert kinds(ws_api.receive(), ws_api.receive()) == ["executionReport"] * 2
    with quiet.faults.hold_events("userDataStream"):
        rest.limit(**NEW)
        assert ws_api.call("ping")["status"] == 200
    assert kinds(ws_api.receive(), ws_api.receive()) == ["executionReport", "outboundAccountPosition"]
    with quiet.faults.silence("outboundAccountPosition"):
        rest.limit(**NEW)
        rest.limit(**NEW)
    assert kinds(ws_api.receive(), ws_api.receive()) == ["executionReport"] * 2


def test_old_events_that_come_again(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    rest.limit(**NEW)
    told = [ws_api.receive(), ws_api.receive()]
    other = WsApi(quiet, "?timeUnit=MICROSECOND")
    with quiet.faults.repeat_events(1):
        assert other.subscribe() == 0
        again = other.receive()
    assert again == told[-1]
    other.close()
