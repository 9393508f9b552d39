"""Asks for the trades and candles that a cut made the stream miss, and delivers them before the live ones go on.

A gate on each topic holds the stream back as long as something before it is missing and may still be had. All on the
session's thread; only the questions are asked on the pool's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from exconn_sync._live.market_route import Floor, Gate, Route
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.gap_fill import CandleRule, FillRule, GapFill, Missing, TradeRule
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import DataGap
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import RestCall, Topic
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, Span

if TYPE_CHECKING:
    from exconn_sync.config.settings import MarketStreams

_NS = 1_000_000_000
MOST_ROWS = 1000
_QUIET_NS = 3 * _NS
"""So long nothing comes on a topic until it is asked for: what the cut hid would else wait for the next event."""

_PAUSE_NS = _NS // 2

Fetch = Callable[[Topic, Any], "Future[list[Any]]"]
"""Ask for what follows an event of a topic."""


def missed_call(
    driver: ExchangeDriver, topic: Topic, last: Any, instrument: Instrument, now_ns: int
) -> RestCall[list[Any]]:
    """Return the call for what followed an event: from there on, or the newest where the exchange has no such question.

    ``now_ns`` is a time that the exchange's clock has certainly passed.
    """
    if topic.channel is Channel.KLINE:
        start = last.open_time
        return driver.fetch_klines(instrument, last.interval, MOST_ROWS, start=start, now=now_ns)
    if not is_dense(driver, topic, instrument):
        return driver.fetch_trades(instrument, MOST_ROWS)
    following = TradeId(str(int(last.trade_id) + 1))
    if topic.channel is Channel.AGGREGATE_TRADE:
        return driver.fetch_aggregate_trades(instrument, MOST_ROWS, from_id=following)
    return driver.fetch_trades(instrument, MOST_ROWS, from_id=following)


def is_dense(driver: ExchangeDriver, topic: Topic, instrument: Instrument) -> bool:
    """Return whether trades can be asked for by their ids, which only holds where those have no holes."""
    if topic.channel is not Channel.TRADE:
        return True
    try:
        driver.fetch_trades(instrument, 1, from_id=TradeId("1"))
    except ValidationError:
        return False
    return True


class BackfillGate:
    """What one topic waits for. ``fill`` joins both sources; before it has begun, the floor watches for repetitions."""

    def __init__(self, owner: Backfiller, route: Route, floor: Floor, fill: GapFill[Any], quiet_ns: int) -> None:
        self.route = route
        self.floor = floor
        self.fill = fill
        self.is_filling = False
        # When the topic is asked for although nothing came, when again, when no longer; 0 for never.
        self.quiet_ns = quiet_ns
        self.retry_ns = 0
        self.limit_ns = 0
        self._owner = owner

    @property
    def is_in_use(self) -> bool:
        """True while its topic goes through it."""
        return self.route.gate is self

    def let_pass(self, source: object, events: list[Any]) -> list[Any]:
        """Return the events that are delivered now; those before them were handed on already."""
        return self._owner.on_live(self, source, events)


class Backfiller:
    """Fills the gaps of the topics of one market connection, for one life of its worker; on the session's thread only.

    ``fetch`` asks for what follows an event, ``post`` runs a function on the session's thread, ``instrument`` knows a
    topic's symbol.
    """

    def __init__(
        self,
        settings: MarketStreams,
        driver: ExchangeDriver,
        instrument: Callable[[str], Instrument],
        fetch: Fetch,
        post: Callable[[Callable[[], None]], None],
        pipeline: Pipeline,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._driver = driver
        self._instrument = instrument
        self._fetch = fetch
        self._post = post
        self._pipeline = pipeline
        self._clock = clock
        self._gates: list[BackfillGate] = []
        # Set by the feed whose topics these are.
        self.deliver: Callable[[Route, list[Any]], None] = lambda _route, _events: None

    def gate(self, route: Route, span: Span, *, is_cut: bool) -> Gate:
        """Return what a topic goes through that goes on after its newest event, after a cut or a replacement."""
        now_ns = self._clock.monotonic_ns()
        floor = Floor(route, span, now_ns)
        rule = self._rule(route, span) if self._settings.backfill else None
        if rule is None or not (is_cut or rule.is_dense):
            # Numbers with holes cannot show that a replacement left one.
            return floor
        asks_when_quiet = is_cut and route.topic.channel is not Channel.KLINE
        gate = BackfillGate(self, route, floor, GapFill(rule, route.last), now_ns + _QUIET_NS if asks_when_quiet else 0)
        self._gates.append(gate)
        return gate

    def _rule(self, route: Route, span: Span) -> FillRule[Any] | None:
        topic = route.topic
        if topic.channel is Channel.KLINE:
            # Days that begin elsewhere than in UTC cannot be asked for.
            return CandleRule() if topic.variant in ("", route.last.interval) else None
        if topic.channel not in (Channel.TRADE, Channel.AGGREGATE_TRADE):
            return None
        try:
            dense = is_dense(self._driver, topic, self._instrument(topic.symbol))
        except ExconnError:
            # The symbol has left the exchange.
            return None
        return TradeRule(lambda event: span(event)[1], is_dense=dense)

    def on_live(self, gate: BackfillGate, source: object, events: list[Any]) -> list[Any]:
        """Take what the stream brings on a topic."""
        if gate.is_filling:
            self._hand_on(gate, gate.fill.on_live(events), "too much came before REST answered")
            return []
        route, now_ns = gate.route, self._clock.monotonic_ns()
        if now_ns >= gate.floor.until_ns:
            # Whatever comes now is believed to go on; what it lacks is looked for all the same.
            route.gate, passed = None, events
        else:
            passed = gate.floor.let_pass(source, events)
        if len(passed) < len(events):
            labels = {"exchange": self._driver.name, "channel": route.topic.channel.value}
            self._pipeline.metrics.count("stream.repeated", len(events) - len(passed), **labels)
        if not passed or not gate.floor.is_newer(passed[0]):
            # Nothing new yet, or the exchange begins its numbers anew and nothing joins up any more.
            return passed
        found = gate.fill.on_live(passed)
        if gate.fill.is_done:
            return found
        route.gate = gate
        self._begin(gate, now_ns)
        return []

    def on_tick(self, now_ns: int) -> float | None:
        """Ask for what is due, and end waits that were long enough; return the seconds until something is due again."""
        due: list[int] = []
        for gate in [each for each in self._gates if each.is_in_use]:
            if gate.is_filling and now_ns >= gate.limit_ns:
                late = f"it could not be had within {self._settings.backfill_limit:g} s"
                self._hand_on(gate, gate.fill.give_up(), late)
            elif gate.is_filling and gate.retry_ns and now_ns >= gate.retry_ns:
                self._ask(gate)
            elif gate.quiet_ns and not gate.is_filling and now_ns >= gate.quiet_ns:
                self._begin(gate, now_ns)
            if gate.is_in_use:
                due += [gate.limit_ns, gate.retry_ns] if gate.is_filling else [gate.quiet_ns]
        self._gates = [each for each in self._gates if each.is_in_use]
        waits = [at_ns - now_ns for at_ns in due if at_ns]
        return max(0, min(waits)) / _NS if waits else None

    def give_up_all(self) -> None:
        """Go on with the stream on all topics: two connections are about to be joined."""
        for gate in self._gates:
            if gate.is_in_use and gate.is_filling:
                self._hand_on(gate, gate.fill.give_up(), "the connection was replaced before REST answered")
        self._gates = []

    def _begin(self, gate: BackfillGate, now_ns: int) -> None:
        gate.is_filling, gate.quiet_ns = True, 0
        gate.limit_ns = now_ns + int(self._settings.backfill_limit * _NS)
        self._ask(gate)

    def _ask(self, gate: BackfillGate) -> None:
        gate.retry_ns = 0
        try:
            future = self._fetch(gate.route.topic, gate.fill.last)
        except ExconnError as error:
            self._failed(gate, error)
            return
        future.add_done_callback(lambda done: self._post(lambda: self._answered(gate, done)))

    def _answered(self, gate: BackfillGate, done: Future[list[Any]]) -> None:
        if not gate.is_in_use or gate.fill.is_done:
            return
        error = done.exception()
        if error is not None:
            self._failed(gate, error)
            return
        rows = done.result()
        found, asks_on = gate.fill.on_rows(rows, is_full=len(rows) >= MOST_ROWS)
        self._hand_on(gate, found)
        if not gate.fill.is_done:
            if asks_on:
                self._ask(gate)
            else:
                gate.retry_ns = self._clock.monotonic_ns() + _PAUSE_NS

    def _failed(self, gate: BackfillGate, error: BaseException) -> None:
        # What the exchange has no question for will not be answered later either.
        found = gate.fill.give_up() if isinstance(error, ValidationError) else gate.fill.on_failure()
        self._hand_on(gate, found, f"REST did not tell: {error}")
        if not gate.fill.is_done:
            gate.retry_ns = self._clock.monotonic_ns() + _PAUSE_NS

    def _hand_on(self, gate: BackfillGate, found: list[Any], reason: str = "the exchange does not have them") -> None:
        run: list[Any] = []
        for item in found:
            if isinstance(item, Missing):
                self._deliver(gate.route, run)
                run = []
                self._tell_gap(gate.route.topic, item, reason)
            else:
                run.append(item)
        self._deliver(gate.route, run)
        if gate.fill.is_done and gate.is_in_use:
            route = gate.route
            # The stream may still repeat what REST told, or go on after a further hole.
            goes_on = not gate.fill.ends_live and route.span is not None
            route.gate = self.gate(route, route.span, is_cut=False) if goes_on and route.span is not None else None

    def _deliver(self, route: Route, events: list[Any]) -> None:
        if not events:
            return
        filled = sum(event.is_backfilled for event in events)
        if filled:
            self._count("stream.backfilled", route.topic, filled)
        self.deliver(route, events)

    def _tell_gap(self, topic: Topic, missing: Missing, reason: str) -> None:
        after, before = (None if event is None else _place(event) for event in missing)
        symbol, now = topic.symbol, self._clock.time_ns()
        gap = DataGap(self._driver.name, symbol, topic.channel.value, topic.variant, after, before, reason, now)
        self._count("stream.gaps", topic, 1)
        self._pipeline.bus.publish(self._pipeline.key(Channel.DATA_GAP, symbol), [gap])

    def _count(self, name: str, topic: Topic, amount: int) -> None:
        self._pipeline.metrics.count(name, amount, exchange=self._driver.name, channel=topic.channel.value)


def _place(event: Any) -> str:
    """Return what names an event to a user: its id, or the time at which a candle begins."""
    place = getattr(event, "trade_id", None)
    return str(event.open_time if place is None else place)
