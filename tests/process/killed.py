"""A trading program that is killed, and what the next one with its journal must find (fault F149)."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from pathlib import Path

from exconn_sync import Config, Connector
from exconn_sync.config.settings import RateLimits
from exconn_sync.persistence import SqliteJournal
from exconn_sync.ports.journal import SQLITE
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import SimOrder
from tests.chaos.auditor import replayed
from tests.chaos.history import View
from tests.integration.conftest import LIMIT, quick
from tests.process.support import Ended, finish, popen
from tests.unit.support import until

WINDOW_MS = 1000
"""How long a request may be under way, so that absence is proven in seconds."""

PROGRAM = """
    from exconn_sync._runtime import faultpoints
    from exconn_sync.config.settings import RateLimits
    FOLDER, POINT, COUNT, AT_START = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "start"
    BinanceDriver.processing_limit_ms = 0
    told = os.open(FOLDER + "/told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    intents = os.open(FOLDER + "/intents", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reached = 0
    def arm():
        def kill():
            global reached
            reached += 1
            if reached == COUNT:
                os.kill(os.getpid(), signal.SIGKILL)
        if POINT != "any":
            faultpoints._hooks[POINT] = kill
        print("armed", flush=True)
    def place(name, request, command):
        os.write(intents, (name + "\\n").encode())
        return command(request.with_options(client_order_id=name))
    if AT_START:
        arm()
    config = make_config(
        journal="sqlite:" + FOLDER + "/j.db", archive_after=100_000.0, rate_limits=RateLimits(window_ms=1000)
    )
    connector = Connector(config)
    connector.on_fill(lambda fill: os.write(told, (fill.trade_id + "\\n").encode()))
    connector.on_order_book("BTC-USDT", lambda book: None)
    connector.start()
    connector.wait_ready(10)
    resting = place("resting", OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005"), connector.place_order)
    gone = place("gone", OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"), connector.place_order)
    if not AT_START:
        arm()
    taking = OrderRequest.limit("BTC-USDT", "buy", "0.001", "60010")
    for number in range(30):
        place(f"t{number}", taking, connector.place_order)
        futures = [place(f"s{number}-{each}", taking, connector.submit_order) for each in range(2)]
        if number == 3:
            gone.cancel()
        for future in futures:
            future.result(10)
        if POINT.startswith("stop.") and number == 5:
            break
    if POINT != "stop.after_signal":
        connector.stop()
    """


def kill(
    simulator: Simulator,
    folder: Path,
    point: str,
    count: int,
    *,
    delay: float | None = None,
    planted: str = "",
    at_start: bool = False,
) -> Ended:
    """Run the program until it is killed at the n-th time that it comes to a point, or after a time.

    ``planted`` is a defect that is put into it. The times are counted from before the start or, as a rule, from when
    it begins to trade.
    """
    facts = {name: getattr(simulator, name) for name in ("rest", "stream", "ws_api")}
    exchange = json.dumps({**facts, "key": simulator.api_key, "secret": simulator.api_secret})
    when = (
        "start"
        if at_start or point.startswith(("thread.", "worker.", "supervisor.", "journal.rewritten"))
        else "trading"
    )
    process = popen(planted + PROGRAM, exchange, arguments=[str(folder), point, str(count), when])
    if delay is not None:
        assert process.stdout is not None
        assert process.stdout.readline() == "armed\n", process.stderr and process.stderr.read()
        threading.Event().wait(delay)
        process.send_signal(signal.SIGKILL)
    return finish(process)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def live_on(simulator: Simulator, folder: Path) -> list[str]:
    """Start another connector with the same journal and hold it to the truth (invariants I1, I2, I6, I7, I27).

    Returns the trades that were told a second time: at most one, the last that the killed one was told of.
    """
    if any(order.client_order_id == "resting" for order in simulator.accounts.orders()):
        # It trades while nobody looks.
        simulator.market.trade("BTCUSDT", "sell", "0.004")
    before = lines(folder / "told")
    told: list[str] = []
    config = quick(
        simulator.config(),
        journal=f"sqlite:{folder / 'j.db'}",
        archive_after=100_000.0,
        rate_limits=RateLimits(window_ms=WINDOW_MS),
    )
    connector = Connector(config)
    connector.on_fill(lambda fill: told.append(fill.trade_id))
    with connector:
        connector.wait_ready(LIMIT)
        until(lambda: not wrong(connector, simulator))
        intents = lines(folder / "intents")
        truth = {str(fill.trade_id) for fill in simulator.accounts.fills(simulator.api_key)}
        until(lambda: truth <= {*before, *told})
        assert connector._core.store.desk.settle(LIMIT)
    assert {*before, *told} == truth
    repeated = [trade for trade, times in Counter([*before, *told]).items() if times > 1]
    # Killed between the end of the callback and its note.
    assert repeated in ([], before[-1:]), (repeated, before, told)
    posted = [seen for seen in simulator.request_log() if (seen.method, seen.path) == ("POST", "/api/v3/order")]
    assert len(posted) <= len(intents), "nothing was sent again"
    placed = Counter(order.original_client_order_id or order.client_order_id for order in orders(simulator))
    assert set(placed.values()) <= {1}
    assert set(placed) <= set(intents)
    third(config, simulator, told)
    return repeated


def third(config: Config, simulator: Simulator, told: list[str]) -> None:
    """Another start changes nothing and tells nothing, and so does the journal in another order (invariant I8)."""
    known = len(told)
    connector = Connector(config)
    connector.on_fill(lambda fill: told.append(fill.trade_id))
    with connector:
        connector.wait_ready(LIMIT)
        assert wrong(connector, simulator) == []
        states = connector._core.store.orders()
    assert told[known:] == []
    journal = SqliteJournal(str(config.journal).removeprefix(SQLITE))
    facts = list(journal.replay())
    journal.close()
    assert list(replayed(View(states, (), {}, {}, facts), 149, "binance")) == []


def orders(simulator: Simulator) -> list[SimOrder]:
    return simulator.accounts.orders(simulator.api_key)


def wrong(connector: Connector, simulator: Simulator) -> list[str]:
    """Return where the store differs from the truth."""
    there = {str(order.order_id): order for order in orders(simulator)}
    known = {state.exchange_order_id: state for state in connector._core.store.orders()}
    found = [f"{order.client_order_id} is not known" for number, order in there.items() if number not in known]
    for number, state in known.items():
        order = there.get(str(number))
        if order is None:
            if state.status != "rejected":
                found.append(f"{state.client_order_id} is {state.status} and not there")
        elif (state.status, state.filled_quantity) != (order.status.value.lower(), order.filled_quantity):
            found.append(f"{state.client_order_id} is {state.status}, not {order.status}")
        elif not state.is_own:
            found.append(f"{state.client_order_id} was forgotten and is taken for foreign")
        elif state.contradictions:
            found.append(f"{state.client_order_id}: {state.contradictions}")
    fills = {(fill.trade_id, fill.quantity) for fill in connector.fills()}
    truth = {(str(fill.trade_id), fill.quantity) for fill in simulator.accounts.fills(simulator.api_key)}
    if fills != truth:
        found.append(f"fills {fills ^ truth}")
    return found
