"""``kill -9`` around a command on Bybit's trade socket: the next process loses nothing and doubles nothing (F149)."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from exconn_sync import Config, Connector, OrderState
from exconn_sync._transport import limiter
from exconn_sync.config.settings import Intervals, RateLimits
from exconn_sync.exchanges.bybit.driver import BybitDriver
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import SimOrder
from tests.integration.conftest import LIMIT, quick
from tests.process.killed import lines
from tests.process.support import Ended, finish, popen
from tests.unit.support import until

IS_SOAK = os.environ.get("EXCONN_SOAK") == "1"
POINTS = {"socket.before_send": (2, 5, 9), "socket.after_send": (3, 4, 8)}
"""At which time that a point is reached the program is killed."""

CASES = [(point, count) for point, counts in POINTS.items() for count in (counts if IS_SOAK else counts[:1])]

PROGRAM = """
    from exconn_sync._runtime import faultpoints
    FOLDER, POINT, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
    told = os.open(FOLDER + "/told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    intents = os.open(FOLDER + "/intents", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reached = 0
    def kill():
        global reached
        reached += 1
        if reached == COUNT:
            os.kill(os.getpid(), signal.SIGKILL)
    def place(name, request, command):
        os.write(intents, (name + "\\n").encode())
        return command(request.with_options(client_order_id=name))
    addresses = {name: EXCHANGE[name] for name in ("rest", "public", "private", "trade")}
    builder = Config.builder("bybit").endpoints(**addresses).credentials(EXCHANGE["key"], EXCHANGE["secret"])
    config = builder.commands(via="socket").journal("sqlite:" + FOLDER + "/j.db").build()
    connector = Connector(config)
    connector.on_fill(lambda fill: os.write(told, (fill.trade_id + "\\n").encode()))
    connector.start()
    connector.wait_ready(10)
    route = connector._core.assembly.commands.route
    while route.feed is None or not route.feed.is_ready:
        time.sleep(0.01)
    resting = place("resting", OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005"), connector.place_order)
    gone = place("gone", OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"), connector.place_order)
    assert gone.wait(lambda state: state.status == "new", 10)
    faultpoints._hooks[POINT] = kill
    taking = OrderRequest.limit("BTC-USDT", "buy", "0.001", "60010")
    for number in range(4):
        place(f"t{number}", taking, connector.place_order)
        future = place(f"s{number}", taking, connector.submit_order)
        if number == 1:
            gone.cancel()
        future.result(10)
    connector.stop()
    """


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody need wait long to prove that the exchange has no order."""
    monkeypatch.setattr(BybitDriver, "processing_limit_ms", 0)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    limiter._connect_budgets.clear()
    with Simulator("bybit", running_market=False) as simulator:
        simulator.market.clear("BTCUSDT")
        simulator.market.quote("BTCUSDT", "buy", 60000, 10)
        simulator.market.quote("BTCUSDT", "sell", 60010, 10)
        yield simulator


def kill(simulator: Simulator, folder: Path, point: str, count: int) -> Ended:
    facts = {name: getattr(simulator, name) for name in ("rest", "public", "private", "trade")}
    exchange = json.dumps({**facts, "key": simulator.api_key, "secret": simulator.api_secret})
    return finish(popen(PROGRAM, exchange, arguments=[str(folder), point, str(count)]))


def config_of(simulator: Simulator, folder: Path) -> Config:
    return quick(
        simulator.config(), journal=f"sqlite:{folder / 'j.db'}", rate_limits=RateLimits(window_ms=1000),
        intervals=Intervals(reconcile=1.0),
    )  # fmt: skip


def is_right(name: str, state: OrderState | None, there: SimOrder | None) -> bool:
    if there is None:
        # Killed before its intent was kept, or proven to have never arrived.
        return state is None or (state.status == "rejected" and state.is_own)
    if state is None or not state.is_own or state.contradictions:
        return False
    return (state.status, state.filled_quantity) == (there.status.value, there.filled_quantity)


def wrong(connector: Connector, simulator: Simulator, intents: list[str]) -> list[str]:
    """Return the orders of which the store and the exchange differ."""
    there = {order.client_order_id: order for order in simulator.accounts.orders(simulator.api_key)}
    found = [name for name in intents if not is_right(name, connector.orders.get(name), there.get(name))]
    known = Counter(fill.client_order_id for fill in connector.fills())
    traded = Counter(order.client_order_id for order in there.values() for _ in range(bool(order.filled_quantity)))
    return found + sorted(str(name) for name in known.keys() ^ traded.keys())


@pytest.mark.parametrize(("point", "count"), CASES)
def test_killed_around_a_command(point: str, count: int, simulator: Simulator, tmp_path: Path) -> None:
    """(faults F149, F151)"""
    ended = kill(simulator, tmp_path, point, count)
    assert ended.code == -signal.SIGKILL, ended.err
    # It trades while nobody looks.
    simulator.market.trade("BTCUSDT", "sell", "0.004")
    before, intents = lines(tmp_path / "told"), lines(tmp_path / "intents")
    told: list[str] = []
    connector = Connector(config_of(simulator, tmp_path))
    connector.on_fill(lambda fill: told.append(fill.trade_id))
    with connector:
        connector.wait_ready(LIMIT)
        until(lambda: wrong(connector, simulator, intents) == [])
        truth = {fill.trade_id for fill in connector.fetch_fills("BTC-USDT", timeout=LIMIT)}
        until(lambda: truth <= {*before, *told})
        assert connector._core.store.desk.settle(LIMIT)
    assert {*before, *told} == truth
    repeated = [trade for trade, times in Counter([*before, *told]).items() if times > 1]
    # Killed between the end of the callback and its note.
    assert repeated in ([], before[-1:]), (repeated, before, told)
    placed = Counter(order.client_order_id for order in simulator.accounts.orders(simulator.api_key))
    assert set(placed) <= set(intents)
    assert set(placed.values()) == {1}
    posted = [seen for seen in simulator.request_log() if seen.path == "/v5/order/create"]
    assert posted == [], "what may have left over the socket goes no second way"
    assert_that_another_start_changes_nothing(simulator, tmp_path, intents)


def assert_that_another_start_changes_nothing(simulator: Simulator, folder: Path, intents: list[str]) -> None:
    told: list[str] = []
    connector = Connector(config_of(simulator, folder))
    connector.on_fill(lambda fill: told.append(fill.trade_id))
    with connector:
        connector.wait_ready(LIMIT)
        assert wrong(connector, simulator, intents) == []
    assert told == []
