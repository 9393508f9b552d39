"""Several connectors as one: they come, go, fail and stop without disturbing each other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Config, Connector, ConnectorStopped, Hub, Kline, NotReady, OrderRequest, ValidationError
from exconn_sync._runtime.subscription import Subscription
from exconn_sync._runtime.threads import spawn
from exconn_sync.model.enums import Channel
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, UNICODE_SYMBOL
from tests.integration.conftest import LIMIT, quick
from tests.simulator.clients import eventually

PATTERN = "bookticker.*.BTC-USDT"
Told = queue.SimpleQueue[object]
Callback = Callable[[Any], object]


@pytest.fixture
def second() -> Iterator[Simulator]:
    """Another account, on an exchange of its own with a moving market."""
    with Simulator(seed=2) as simulator:
        yield simulator


@pytest.fixture
def hub(lively: Simulator, second: Simulator) -> Iterator[Hub]:
    """``binance`` and ``second``, not started; stopped at the end of the test."""
    hub = Hub(quick(lively.config()))
    hub.add(quick(second.config()), name="second")
    yield hub
    assert hub.stop(LIMIT) == []


class Parts:
    """Notes every subscription that connectors make; calls ``before`` and ``after`` around each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.all: list[Subscription] = []
        self.before: Callable[[], object] = list
        self.after: Callable[[], object] = list
        original = Connector.subscribe

        def subscribe(connector: Connector, pattern: str, callback: Callback | None) -> Subscription:
            self.before()
            part = original(connector, pattern, callback)
            self.all.append(part)
            self.after()
            return part

        monkeypatch.setattr(Connector, "subscribe", subscribe)

    @property
    def active(self) -> list[Subscription]:
        return [part for part in self.all if part.is_active]


def quote(simulator: Simulator, bid: int, ask: int) -> Config:
    """Let nothing but one bid and one ask stand in BTCUSDT; return the configuration."""
    simulator.market.clear("BTCUSDT")
    simulator.market.quote("BTCUSDT", "buy", bid, 1)
    simulator.market.quote("BTCUSDT", "sell", ask, 1)
    return quick(simulator.config())


def keep_books(hub: Hub) -> None:
    """Return when every connector has a whole book."""
    hub.wait_ready(LIMIT)
    for name in hub:
        hub[name].stream_order_book("BTC-USDT").get(LIMIT)


def test_exchanges_come_and_go(lively: Simulator, second: Simulator) -> None:
    hub = Hub(quick(lively.config()))
    told = Told()
    end = hub.subscribe(PATTERN, told.put)
    with hub:
        hub.wait_ready(LIMIT)
        hub.add(quick(second.config()), name="second").wait_ready(LIMIT)
        assert list(hub) == ["binance", "second"]
        told.get(timeout=LIMIT)
        keep_books(hub)
        with pytest.raises(ValidationError, match="is taken"):
            hub.add(quick(second.config()), name="second")
        hub["second"].stop(LIMIT)
        assert "stopped" in hub.best_price("BTC-USDT").left_out["second"]
        hub.remove("second")
        with pytest.raises(ValidationError, match="not in this hub"):
            hub.remove("second")
        assert set(hub.health()) == {"binance"}
        assert hub.health()["binance"].status == "healthy"
        end()


def test_a_connector_is_removed_while_the_hub_is_stopped(hub: Hub, second: Simulator) -> None:
    told = Told()
    hub.subscribe(PATTERN, told.put)
    hub.remove("second")
    assert list(hub) == ["binance"]
    hub.add(quick(second.config()), name="second")
    hub.remove("binance")
    hub.start()
    told.get(timeout=LIMIT)  # from the new one of the name


@pytest.fixture
def legs() -> Iterator[tuple[Hub, Simulator]]:
    """Two connectors of one exchange with whole books, ``low`` and ``high``; and the exchange of ``low``."""
    with Simulator(running_market=False) as one, Simulator(running_market=False, seed=2) as two:
        hub = Hub()
        hub.add(quote(one, 60000, 60010), name="low")
        hub.add(quote(two, 60005, 60020), name="high")
        with hub:
            keep_books(hub)
            yield hub, one


def test_two_connectors_of_one_exchange_are_two_legs(legs: tuple[Hub, Simulator]) -> None:
    best = legs[0].best_price("BTC-USDT", max_age=LIMIT)
    assert (best.bid_exchange, best.ask_exchange) == ("high", "low")
    assert (best.bid_price, best.ask_price) == (Decimal(60005), Decimal(60010))
    assert (set(best.ages), best.left_out) == ({"low", "high"}, {})


def test_a_stale_or_stopped_leg_leaves_the_other_of_its_exchange(legs: tuple[Hub, Simulator]) -> None:
    hub, exchange = legs
    with exchange.faults.refuse_connections():
        exchange.faults.drop_connections()
        while hub["low"].order_book("BTC-USDT").is_valid:
            continue
        stale = hub.best_price("BTC-USDT", max_age=LIMIT)
    hub["low"].stop(LIMIT)
    stopped = hub.best_price("BTC-USDT", max_age=LIMIT)
    for best in (stale, stopped):
        assert (best.bid_exchange, best.bid_price, best.ask_exchange) == ("high", Decimal(60005), "high")
        assert (set(best.ages), set(best.left_out)) == ({"high"}, {"low"})


@pytest.mark.parametrize(
    ("pattern", "callback"),
    [("bogus.*.BTC-USDT", print), ("trade", print), ("trade..BTC-USDT", print), (None, print), (PATTERN, 5)],
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_a_refused_subscription_does_not_stay(quiet: Simulator, pattern: Any, callback: Any, is_empty: bool) -> None:
    hub = Hub() if is_empty else Hub(quick(quiet.config()))
    with pytest.raises(ValidationError):
        hub.subscribe(pattern, callback)
    hub.add(quick(quiet.config()), name="later")
    assert "later" in list(hub)


LACKS = [
    ("kline.*.BTC-USDT.7h", "interval"),
    ("ticker.*.BTC-USDT.9h", "window"),
    ("averageprice.*.BTC-USDT", "channel"),
]


class Poorer:
    """Stands for an exchange that lacks one kind of stream; everything else goes to the real driver."""

    def __init__(self, driver: Any, refuses: Callable[[Channel, str], Exception | None]) -> None:
        self._driver, self._refuses = driver, refuses

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def variant(self, channel: Channel, wanted: str = "") -> str:
        error = self._refuses(channel, wanted)
        if error is not None:
            raise error
        return str(self._driver.variant(channel, wanted))


def lacking(connector: Connector, channel: Channel) -> None:
    """Let the exchange of a connector lack a channel."""

    def refuses(wanted: Channel, _: str) -> Exception | None:
        return ValidationError("channel", wanted, "is not offered here") if wanted is channel else None

    connector._core.driver = Poorer(connector._core.driver, refuses)


def test_an_exchange_that_lacks_something_is_left_out_and_named(hub: Hub) -> None:
    lacking(hub["second"], Channel.KLINE)
    told = Told()
    end = hub.subscribe("kline.*.BTC-USDT.1s", told.put)
    assert list(end.left_out) == ["second"]
    assert "is not offered here" in end.left_out["second"]
    hub.start()
    hub.wait_ready(LIMIT)
    assert isinstance(told.get(timeout=LIMIT), Kline)
    hub.remove("second")
    assert end.left_out == {}
    end()
    end()
    assert end.left_out == {}


def test_one_that_is_added_later_and_lacks_something_is_left_out_too(
    hub: Hub, second: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = hub.subscribe("kline.*.BTC-USDT.1s", print)
    assert end.left_out == {}
    original = Connector.subscribe

    def subscribe(connector: Connector, pattern: str, callback: Callback | None) -> Subscription:
        lacking(connector, Channel.KLINE)
        return original(connector, pattern, callback)

    monkeypatch.setattr(Connector, "subscribe", subscribe)
    hub.add(quick(second.config()), name="third")
    assert list(end.left_out) == ["third"]


def test_a_symbol_that_one_exchange_lacks_is_absent_there_also_where_that_shows_later(
    hub: Hub, second: Simulator
) -> None:
    with Simulator(seed=3, symbols=(*DEFAULT_SYMBOLS, UNICODE_SYMBOL)) as third:
        hub.add(quick(third.config()), name="third")
        told = Told()
        end = hub.subscribe("bookticker.*.测试币-USDT", told.put)
        assert end.left_out == {}, "nobody knows yet"
        hub.start()
        hub.wait_ready(LIMIT)
        told.get(timeout=LIMIT)
        eventually(lambda: set(end.left_out) == {"binance", "second"})
        again = hub.subscribe("bookticker.*.测试币-USDT", told.put)
        assert set(again.left_out) == {"binance", "second"}
        hub.remove("third")


@pytest.mark.parametrize(("pattern", "field"), LACKS)
def test_what_no_exchange_has_is_an_error_that_names_all(hub: Hub, pattern: str, field: str) -> None:
    for name in hub:
        lacking(hub[name], Channel.AVERAGE_PRICE)
    with pytest.raises(ValidationError) as caught:
        hub.subscribe(pattern, print)
    assert caught.value.field == field
    assert set(caught.value.details["left_out"]) == {"binance", "second"}
    assert hub._subscriptions == []


def test_what_one_connector_refuses_is_ended_on_the_others(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch)
    parts.before = lambda: fail(NotReady("not now")) if parts.all else None
    with pytest.raises(NotReady):
        hub.subscribe(PATTERN, print)
    hub.start()
    assert parts.active == []
    assert len(parts.all) == 1, "nobody covers anything for it later"


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("method", ["subscribe", "start"])
@pytest.mark.parametrize("error", [NotReady("not now"), OSError("no more of it")])
def test_an_add_that_fails_leaves_nothing(
    hub: Hub, second: Simulator, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    for pattern in ("trade.*.BTC-USDT", PATTERN):
        hub.subscribe(pattern, str)
    hub.start()
    original = Connector.start

    def begin_and_fail(connector: Connector) -> None:
        original(connector)
        raise error

    with monkeypatch.context() as patch:
        parts = Parts(patch)
        parts.before = lambda: fail(error) if parts.all and method == "subscribe" else None
        patch.setattr(Connector, "start", begin_and_fail)
        with pytest.raises(type(error)):
            hub.add(quick(second.config()), name="third")
    assert (len(parts.all) > 0, parts.active) == (True, [])
    hub.add(quick(second.config()), name="third").wait_ready(LIMIT)


def test_subscriptions_outlast_stop_and_start(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch)
    told = Told()
    end = hub.subscribe(PATTERN, told.put)
    hub.subscribe(PATTERN, str)()
    hub.start()
    told.get(timeout=LIMIT)
    assert hub.stop(LIMIT) == []
    assert parts.active == []
    while not told.empty():
        told.get()
    hub.start()
    hub.start()
    assert len(parts.active) == 2, "each connector is covered once, by what was not ended"
    told.get(timeout=LIMIT)
    end()
    assert hub.stop(LIMIT) == []
    hub.start()
    assert parts.active == []


def test_an_ended_subscription_covers_nothing_again(
    hub: Hub, second: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(monkeypatch)
    end = hub.subscribe(PATTERN, print)
    parts.after = end
    hub.add(quick(second.config()), name="late")
    assert len(parts.all) == 3, "it was being covered when the subscription ended"
    assert parts.active == []
    hub.stop(LIMIT)
    hub.start()
    assert len(parts.all) == 3


def test_a_connector_removed_while_it_is_covered_keeps_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch)
    parts.after = lambda: hub.remove("second") if "second" in list(hub) else None
    hub.subscribe(PATTERN, print)
    parts.after = list
    assert len(parts.active) == 1


@pytest.mark.parametrize("end", [Hub.stop, lambda hub: hub.remove("late")])
def test_a_connector_is_not_started_behind_a_stop(
    hub: Hub, second: Simulator, monkeypatch: pytest.MonkeyPatch, end: Callable[[Hub], object]
) -> None:
    hub.start()
    original = Connector.start

    def start_late(connector: Connector) -> None:
        end(hub)
        original(connector)

    monkeypatch.setattr(Connector, "start", start_late)
    assert hub.add(quick(second.config()), name="late").state == "stopped"


def test_one_that_cannot_start_does_not_hold_up_the_others(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_first(connector: Connector) -> None:
        monkeypatch.undo()
        raise ConnectorStopped("not this one")

    monkeypatch.setattr(Connector, "start", fail_first)
    with pytest.raises(ConnectorStopped, match="not this one"):
        hub.start()
    hub["second"].wait_ready(LIMIT)


class Stuck:
    """A callback that does not return until it is let go."""

    def __init__(self) -> None:
        self.inside, self.go_on = threading.Event(), threading.Event()

    def __call__(self, event: object) -> None:
        self.inside.set()
        self.go_on.wait(3 * LIMIT)


def wait_for(connector: Connector, *states: str) -> None:
    while connector.state not in states:
        continue


def start(target: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def join_all(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


@pytest.mark.parametrize("is_ours", [False, True], ids=["at once", "in turn"])
def test_a_slow_connector_takes_no_time_from_the_others(hub: Hub, is_ours: bool) -> None:
    slow, other = Stuck(), Stuck()
    for name, stuck in (("binance", slow), ("second", other)):
        hub[name].on_book_ticker("BTC-USDT", stuck)
    hub.start()
    assert slow.inside.wait(LIMIT)
    assert other.inside.wait(LIMIT)
    results: list[list[str]] = []
    stop = lambda: results.append(hub.stop(1.0))  # noqa: E731
    stopper = spawn("test", stop) if is_ours else start(stop)
    wait_for(hub["second"], "stopping", "stopped")
    assert (hub["binance"].state == "stopped") is is_ours
    other.go_on.set()
    join_all(stopper)
    slow.go_on.set()
    assert results == [["binance: exconn-dispatch-bookticker.binance.BTC-USDT"]]
    assert hub["second"].state == "stopped"


@pytest.mark.parametrize("where", ["hub", "connector", "future"])
def test_stop_from_a_callback(hub: Hub, where: str) -> None:
    """(fault F137)"""
    done = threading.Event()
    results: list[list[str]] = []

    def stop(event: object) -> None:
        if not done.is_set():
            results.append(hub.stop(None))
            done.set()

    if where == "hub":
        hub.subscribe(PATTERN, stop)
    elif where == "connector":
        hub["second"].on_book_ticker("BTC-USDT", stop)
    hub.start()
    if where == "future":
        hub["second"].wait_ready(LIMIT)
        request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")
        hub["second"].submit_order(request).add_done_callback(stop)
    assert done.wait(LIMIT)
    assert results[0] == []
    assert hub.stop(LIMIT) == []
    assert {hub[name].state for name in hub} == {"stopped"}


def test_stop_from_callbacks_of_both_at_once(hub: Hub) -> None:
    both, ended = threading.Barrier(2), threading.Semaphore(0)
    results: list[list[str]] = []

    def stop(event: object) -> None:
        if not results:
            both.wait(LIMIT)
            results.append(hub.stop(None))
            ended.release()

    hub.subscribe(PATTERN, stop)
    hub.start()
    assert all(ended.acquire(timeout=LIMIT) for _ in range(2))
    assert hub.stop(LIMIT) == []
    assert results == [[], []]
    assert {hub[name].state for name in hub} == {"stopped"}


def test_stop_inside_a_stop_and_a_start_meanwhile(hub: Hub) -> None:
    stuck = Stuck()
    inner: list[list[str]] = []

    def stop_too(event: object) -> None:
        stuck(event)
        inner.append(hub.stop(None))

    hub["binance"].on_book_ticker("BTC-USDT", stop_too)
    hub.start()
    assert stuck.inside.wait(LIMIT)
    stoppers = [start(lambda: hub.stop(None)) for _ in range(2)]
    wait_for(hub["binance"], "stopping")
    with pytest.raises(ConnectorStopped, match="hub is stopping"):
        hub.start()
    assert all(stopper.is_alive() for stopper in stoppers), "the second waits for the first"
    stuck.go_on.set()
    join_all(*stoppers)
    assert inner[0] == []
    hub.start()
    hub.wait_ready(LIMIT)


def test_stop_waits_for_the_stop_of_a_connector_that_is_going_on(hub: Hub) -> None:
    stuck = Stuck()
    hub["second"].on_book_ticker("BTC-USDT", stuck)
    hub.start()
    assert stuck.inside.wait(LIMIT)
    stopper = start(lambda: hub["second"].stop(None))
    wait_for(hub["second"], "stopping")
    hub_stopper = start(lambda: hub.stop(None))
    wait_for(hub["binance"], "stopped")
    assert hub_stopper.is_alive()
    stuck.go_on.set()
    join_all(stopper, hub_stopper)
    assert hub["second"].state == "stopped"


def test_stop_where_no_thread_can_be_started(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F143)"""
    hub.start()
    hub.wait_ready(LIMIT)
    refusal = RuntimeError("can't create new thread at interpreter shutdown")
    monkeypatch.setattr("exconn_sync.hub.stopping.spawn", lambda name, target: fail(refusal))
    assert hub.stop(LIMIT) == []
    assert {hub[name].state for name in hub} == {"stopped"}


def test_a_connector_that_was_stopped_by_hand_is_not_started_again(hub: Hub) -> None:
    """Its restart may have been due already (fault F145)."""
    hub.start()
    hub["second"].stop(LIMIT)
    hub._revive("second")
    assert str(hub["second"].state) == "stopped"
