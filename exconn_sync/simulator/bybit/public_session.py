"""Live connections to the public socket: who gets which message (Bybit: 6)."""

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from exconn_sync.simulator.bybit.books import DEPTHS
from exconn_sync.simulator.bybit.dialect import REQUEST_FORM, Command, new_connection_id, reply
from exconn_sync.simulator.bybit.market_data import INTERVALS
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.framing import frame_bytes

KIND = "public"
MOST_ARGS = 10
MOST_CHARACTERS = 21_000
_BURST_CHUNK = 256
_DEPTH_WORDS = "|".join(str(depth) for depth in DEPTHS)
_INTERVAL_WORDS = "|".join((*INTERVALS, "W", "M"))
_TOPIC = re.compile(
    rf"(?:orderbook\.(?:{_DEPTH_WORDS})|publicTrade|tickers|priceLimit|kline\.(?:{_INTERVAL_WORDS}))\.(?P<symbol>.+)"
)


class TopicRegistry:
    """The sessions of each topic. A message is built only when somebody wants it."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults
        self._sessions: defaultdict[str, dict[PublicSession, None]] = defaultdict(dict)
        self.greet: Callable[[str], dict[str, object] | None] = lambda _: None
        """Makes the first message of a topic for somebody who has just come."""

    def join(self, topic: str, session: "PublicSession") -> None:
        """Send a topic to a session from now on, beginning with what it must know."""
        greeting = self.greet(topic)
        if greeting is not None:
            for text in self._faults.arrange(topic, to_json(greeting), session):
                session.connection.send_event(text)
        self._sessions[topic][session] = None

    def leave(self, topic: str, session: "PublicSession") -> None:
        """Stop that."""
        sessions = self._sessions.get(topic)
        if sessions is not None:
            sessions.pop(session, None)
            if not sessions:
                del self._sessions[topic]

    def is_wanted(self, topic: str) -> bool:
        """Whether anybody is on the topic."""
        return topic in self._sessions

    def publish(self, topic: str, message: dict[str, object]) -> None:
        """Send a message to everybody on the topic, unless a fault swallows it."""
        sessions = list(self._sessions.get(topic, ()))
        if not sessions:
            return
        for text, receivers in self._faults.arrange(topic, (to_json(message), sessions)):
            for session in receivers:
                session.connection.send_event(text)

    def publish_burst(self, topic: str, build: Callable[[], Iterator[str]]) -> None:
        """Send many messages to everybody on the topic, as fast as each one reads and past all faults."""
        for session in self._sessions.get(topic, ()):
            session.connection.send_bulk(_chunks(build()))


class PublicSession:
    """One connection to the public socket."""

    max_inbound_per_second: int | None = None

    def __init__(
        self, connection: Connection, registry: TopicRegistry, symbols: Callable[[str], bool], faults: FaultBoard
    ) -> None:
        self.connection = connection
        self._registry = registry
        self._is_symbol = symbols
        self._faults = faults.subscriptions
        self._id = new_connection_id()
        self._topics: dict[str, None] = {}

    def opened(self) -> None:
        """Nothing is said first."""

    async def received(self, text: str) -> None:
        """Answer a command, then obey it: the answer comes before the first message."""
        command = Command.read(text)
        if command is None:
            self._answer("", REQUEST_FORM, None, success=False)
        elif command.op == "ping":
            self._answer("ping", "pong", command.req_id)
        elif command.op == "subscribe":
            self._subscribe(command)
        elif command.op == "unsubscribe":
            self._answer("unsubscribe", "unsubscribe", command.req_id)
            for topic in command.topics:
                if topic in self._topics:
                    del self._topics[topic]
                    self._registry.leave(topic, self)
        else:
            self._answer(command.op, f"error:handler not found,op:{command.op}", command.req_id, success=False)

    def subscriptions(self) -> list[str]:
        """Return the names of the topics that the connection has subscribed."""
        return list(self._topics)

    def ended(self) -> None:
        """Leave all topics."""
        for topic in self._topics:
            self._registry.leave(topic, self)

    def shutdown_notice(self, _: VenueClock) -> str | None:
        """Nothing is announced here."""
        return None

    def end_user_streams(self) -> int:
        """Nothing private comes over this connection."""
        return 0

    def _subscribe(self, command: Command) -> None:
        problem = self._problem(command.topics)
        if problem is None and self._faults.take_lost_subscription():
            self._answer("subscribe", "subscribe", command.req_id)
            return
        self._answer("subscribe", problem or "subscribe", command.req_id, success=problem is None)
        if problem is None:
            for topic in command.topics:
                self._topics[topic] = None
                self._registry.join(topic, self)

    def _problem(self, topics: list[str]) -> str | None:
        """What is wrong with a request; one bad topic fails it as a whole (Bybit: 6.1)."""
        if len(topics) > MOST_ARGS:
            return f"args size >{MOST_ARGS}"
        if sum(len(topic) for topic in (*self._topics, *topics)) > MOST_CHARACTERS:
            return f"args length >{MOST_CHARACTERS}"
        refused = self._faults.refusal(topics)
        if refused is not None:
            return refused.message
        seen = set(self._topics)
        for topic in topics:
            match = _TOPIC.fullmatch(topic)
            if match is None or not self._is_symbol(match["symbol"]):
                return f"error:handler not found,topic:{topic}"
            if topic in seen:
                return f"error:already subscribed,topic:{topic}"
            seen.add(topic)
        return None if topics else REQUEST_FORM

    def _answer(self, op: str, message: str, req_id: str | None, *, success: bool = True) -> None:
        if not self._faults.take_lost_reply(KIND):
            self.connection.send(to_json(reply(self._id, op, message, req_id, success=success)))


def _chunks(texts: Iterator[str]) -> Iterator[bytes]:
    """Yield whole frames, many at a time."""
    while True:
        chunk = b"".join(frame_bytes(text.encode()) for text in itertools.islice(texts, _BURST_CHUNK))
        if not chunk:
            return
        yield chunk
