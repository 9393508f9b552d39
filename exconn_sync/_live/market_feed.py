"""Which topics are wanted, and which market connection brings each of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from exconn_sync._machines.allocation import Allocation
from exconn_sync._runtime.readiness import Readiness
from exconn_sync.model.wire import Topic

if TYPE_CHECKING:
    from exconn_sync._live.connection_reporter import ConnectionReporter
    from exconn_sync._live.socket_session import SocketSession
    from exconn_sync._live.stream_feed import StreamFeed

STREAM = "stream"


class Look:
    """Has one life of a market worker look at its topics anew: once, however often they change until it does.

    Without a lock, because subscriptions come and go on any thread, also inside the garbage collector: each step is one
    operation of a dict or a deque. The order matters: who asks leaves its newcomer before it looks at the flag, and the
    look takes the flag away before it looks at newcomers, so none is left behind.
    """

    def __init__(self, session: SocketSession, feed: StreamFeed) -> None:
        self._session = session
        self._feed = feed
        self._newcomers: dict[Topic, None] = {}
        self._is_asked = False

    def ask(self, newcomer: Topic | None) -> None:
        """Ask for it; any thread. A connection that is down looks when it comes back."""
        if newcomer is not None:
            self._newcomers[newcomer] = None
        if not self._is_asked:
            self._is_asked = True
            self._session.post(self._look)

    def _look(self) -> None:
        self._is_asked = False
        newcomers = []
        while self._newcomers:
            newcomers.append(self._newcomers.popitem()[0])
        self._feed.look_again(newcomers)


class MarketLane:
    """One market connection over all lives of its worker; its fields are replaced whole, under its owner's lock."""

    def __init__(self, owner: MarketFeed, number: int, reporter: ConnectionReporter) -> None:
        self.number = number
        self.reporter = reporter
        self.topics: frozenset[Topic] = frozenset()
        self.is_settled = False
        # Whether its worker was asked for; changed under the owner's lock.
        self.is_begun = number == 1
        self.session: SocketSession | None = None
        self._owner = owner
        self._feed: StreamFeed | None = None
        self._look: Look | None = None

    @property
    def is_open(self) -> bool:
        """True while its connection stands. Exact, from any thread."""
        session = self.session
        return session is not None and session.is_open

    def wanted(self) -> frozenset[Topic]:
        """Return the topics that this connection is to bring; immutable, replaced whole."""
        return self.topics

    def settled(self, is_settled: bool, why: str = "", covered: frozenset[Topic] | None = None) -> None:
        """Hear whether all of them come: those of ``covered``, where others may have been wanted meanwhile."""
        self._owner.note(self, is_settled, why, covered)

    def delivered(self) -> dict[Topic, Any]:
        """Return the newest event of each topic that earlier lives of the worker have delivered."""
        return {} if self._feed is None else self._feed.delivered()

    def refused(self) -> dict[Topic, str]:
        """Return the topics that the exchange refuses at present, and why; any thread."""
        return {} if self._feed is None else self._feed.refusals.shown

    def live(self, session: SocketSession, feed: StreamFeed) -> None:
        """Work with a new life of the worker from now on."""
        self.session, self._feed, self._look = session, feed, Look(session, feed)

    def poke(self, newcomer: Topic | None = None) -> None:
        """Have the connection look at its topics anew; any thread."""
        look = self._look
        if look is not None and self.session is not None:
            look.ask(newcomer)


class MarketFeed:
    """Spreads topics over as few connections as the exchange's limit allows. Thread-safe.

    A connection is opened when the others are full, and stays until the stop: also an empty one may be needed again.
    ``open_lane`` starts the worker of a connection.
    """

    def __init__(
        self,
        topics_per_connection: int,
        readiness: Readiness,
        make_lane: Callable[[MarketFeed, int], MarketLane],
        open_lane: Callable[[MarketLane], None],
    ) -> None:
        self._readiness = readiness
        self._open_lane = open_lane
        self._make_lane = make_lane
        # Guards everything below. Readiness is told under it, so that a late word cannot hide a newer one. Reentrant:
        # the garbage collector may end a subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._counts: Counter[Topic] = Counter()
        self._places: Allocation[Topic] = Allocation(topics_per_connection)
        self._lanes: dict[int, MarketLane] = {1: make_lane(self, 1)}

    @property
    def lanes(self) -> list[MarketLane]:
        """All connections, in the order of their numbers."""
        return [lane for _, lane in sorted(self._lanes.copy().items())]

    def want(self, topic: Topic) -> None:
        """Subscribe a topic for one more; it is asked for on this and every later connection.

        Raises:
            ThreadsUnavailable, ConnectorStopped: it needs a further connection, whose worker cannot be started; nothing
                was changed.
        """
        with self._lock:
            # Wants and releases come from several threads, so a release may overtake its want.
            count = self._counts[topic] = self._counts[topic] + 1
            if count <= 0:
                self._drop_zero(topic)
                return
            number = self._places.add(topic)
            lane = self._lanes.get(number)
            if lane is None:
                lane = self._lanes[number] = self._make_lane(self, number)
            if count == 1:
                lane.topics |= {topic}
                lane.is_settled = False
                # Before this returns: whoever waits for ``stream_ready`` next must wait for this topic too.
                self._readiness.lost(STREAM)
            must_begin, lane.is_begun = not lane.is_begun, True
        if must_begin:
            self._begin(lane, topic)
        lane.poke(topic)

    def _begin(self, lane: MarketLane, topic: Topic) -> None:
        try:
            self._open_lane(lane)
        except BaseException:
            self.release(topic)
            with self._lock:
                # Whoever wants something of it next tries again; an empty one is not waited for.
                lane.is_begun = False
                if not lane.topics:
                    del self._lanes[lane.number]
                    self._tell("")
            raise

    def release(self, topic: Topic) -> None:
        """End a topic for one; it is unsubscribed when nobody wants it any more."""
        with self._lock:
            self._counts[topic] -= 1
            if self._counts[topic] != 0:
                return
            self._drop_zero(topic)
            number = self._places.number_of(topic)
            if number is None:
                return
            self._places.remove(topic)
            lane = self._lanes[number]
            lane.topics -= {topic}
        lane.poke()

    def wanted(self) -> set[Topic]:
        """Return all wanted topics."""
        with self._lock:
            return {topic for topic, count in self._counts.items() if count > 0}

    def refused(self) -> dict[Topic, str]:
        """Return the wanted topics that the exchange refuses at present, and why."""
        return {topic: why for lane in self.lanes for topic, why in lane.refused().items()}

    def _drop_zero(self, topic: Topic) -> None:
        if self._counts[topic] == 0:
            del self._counts[topic]

    def note(self, lane: MarketLane, is_settled: bool, why: str, covered: frozenset[Topic] | None) -> None:
        """Hear from a connection whether all of its topics come, which were ``covered`` when it looked."""
        with self._lock:
            # What was wanted since it looked is not acknowledged; it has been told to look again.
            lane.is_settled = is_settled and (covered is None or lane.topics <= covered)
            self._tell(why)

    def _tell(self, why: str) -> None:
        if all(each.is_settled for each in self._lanes.values()):
            self._readiness.met(STREAM)
        else:
            self._readiness.lost(STREAM, why)
