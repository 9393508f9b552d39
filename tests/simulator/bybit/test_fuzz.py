"""Whatever a client sends, the exchange answers it as an exchange does, and lives on."""

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.bybit.endpoints import REST, TRADE_OPS
from tests.simulator.clients import now_ms

from .clients import Private, Public, Rest, Trade

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = (
    *("category", "symbol", "side", "orderType", "qty", "price", "timeInForce", "orderLinkId", "orderId", "marketUnit"),
    *("orderFilter", "triggerPrice", "smpType", "isLeverage", "request", "limit", "cursor", "openOnly", "orderStatus"),
    *("startTime", "endTime", "execType", "accountType", "coin", "product", "timeWindow", "interval", "start", "end"),
    *("baseCoin", "status"),
)
WORDS = ("spot", "BTCUSDT", "Buy", "Sell", "Limit", "Market", "0.01", "50000", "1e5", "-1", "0", "", "NaN", "Infinity")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=6,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
ORDERS = st.fixed_dictionaries(
    {"category": st.just("spot"), "symbol": st.just("BTCUSDT")},
    optional={name: st.sampled_from(WORDS) | VALUES for name in NAMES[2:]},
)
COMMANDS = BODIES | ORDERS


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Any:
    """A handler that crashes is answered with 500 by the server beneath, which logs it."""
    caplog.set_level(logging.ERROR)
    yield
    assert not caplog.records, caplog.text


@pytest.fixture
def patient(quiet: Simulator) -> Simulator:
    """An exchange that does not count what it is asked."""
    everything = dict.fromkeys((path for _, path in REST), 1_000_000)
    quiet.faults.rate_limits(requests_per_5s=1_000_000, endpoint_per_s=everything)
    return quiet


def check(answer: Any) -> None:
    assert set(answer) == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    assert isinstance(answer["retCode"], int)


@FEW
@given(path=st.sampled_from([path for method, path in REST if method == "POST"]), body=COMMANDS)
def test_any_body_is_answered(patient: Simulator, rest: Rest, path: str, body: dict[str, Any]) -> None:
    response = rest.post_raw(path, **body)
    assert response.status == 200
    check(json.loads(response.data))


@FEW
@given(
    path=st.sampled_from([path for method, path in REST if method == "GET"]),
    params=st.dictionaries(
        st.sampled_from(NAMES), st.sampled_from(WORDS) | st.text("az09%=:,", max_size=6), max_size=6
    ),
)
def test_any_query_is_answered(patient: Simulator, rest: Rest, path: str, params: dict[str, str]) -> None:
    query = "&".join(f"{name}={value}" for name, value in params.items() if "&" not in value)
    response = rest.get_raw(path, query)
    assert response.status == 200
    check(json.loads(response.data))


def test_any_command_of_the_trade_socket_is_answered(patient: Simulator, trade: Trade) -> None:
    trade.sign_in()

    @FEW
    @given(op=st.sampled_from([*TRADE_OPS, "order.dance", "auth"]), args=VALUES | st.lists(COMMANDS, max_size=2))
    def ask(op: str, args: Any) -> None:
        header = {"X-BAPI-TIMESTAMP": str(now_ms())}
        answer = trade.ask({"op": op, "header": header, "args": args})
        assert isinstance(answer["retCode"], int)
        assert answer["op"] == op

    ask()


@pytest.mark.parametrize("kind", [Public, Private])
def test_any_frame_is_answered(patient: Simulator, kind: type[Public] | type[Private]) -> None:
    client = kind(patient)

    @FEW
    @given(frame=st.dictionaries(st.sampled_from(["op", "args", "req_id", "x"]), VALUES, max_size=4) | VALUES)
    def ask(frame: Any) -> None:
        assert isinstance(client.ask(frame), dict)

    ask()
    assert client.ask({"op": "ping"})["op"] in ("ping", "pong")
    client.close()
