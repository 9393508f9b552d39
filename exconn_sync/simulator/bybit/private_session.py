"""Live connections to the private socket (Bybit: 7)."""

from exconn_sync.simulator.bybit.dcp import TOPIC as DCP
from exconn_sync.simulator.bybit.dialect import REQUEST_FORM, Command, new_connection_id, private_pong, reply
from exconn_sync.simulator.bybit.errors import ApiError
from exconn_sync.simulator.bybit.front import Front
from exconn_sync.simulator.bybit.private_feed import EXECUTION, FAST, ORDER, WALLET, PrivateFeed, Subscriber
from exconn_sync.simulator.bybit.security import check_signature, find_key
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import ApiKey

KIND = "private"
_OF_SPOT = {"order.spot": ORDER, "execution.spot": EXECUTION, "execution.fast.spot": FAST}
_TOPICS = {ORDER: ORDER, EXECUTION: EXECUTION, FAST: FAST, WALLET: WALLET, **_OF_SPOT}
_KINDS_ELSEWHERE = ("order", "execution", "position")
_SILENT = (
    *(f"{kind}.{category}" for kind in _KINDS_ELSEWHERE for category in ("linear", "inverse", "option")),
    *("position", "greeks", "dcp.future", "dcp.option"),
)
"""What can be subscribed and never says anything about spot."""
_MS_DIGITS = 13


def signed_in(front: Front, args: list[object]) -> ApiKey:
    """The key of an ``auth`` command: key, expiry in ms, signature of ``GET/realtime`` and the expiry."""
    if len(args) != 3 or not isinstance(args[1], int) or isinstance(args[1], bool) or not isinstance(args[2], str):
        raise ApiError(10001, "Params Error")
    key = find_key(front.venue.keys, args[0])
    if len(str(args[1])) != _MS_DIGITS or args[1] <= front.venue.clock.now_ms():
        raise ApiError(10001, "Params Error")
    check_signature(key, f"GET/realtime{args[1]}", args[2])
    return key


class PrivateSession:
    """One connection: signed in once, then subscribed."""

    max_inbound_per_second: int | None = None

    def __init__(self, connection: Connection, front: Front, feed: PrivateFeed, faults: FaultBoard) -> None:
        self._connection = connection
        self._front = front
        self._feed = feed
        self._faults = faults
        self._id = new_connection_id()
        self._key: ApiKey | None = None
        self._topics: dict[str, Subscriber] = {}

    def opened(self) -> None:
        """Nothing is said first."""
        self._front.venue.keys.on_revoked.append(self._revoked)

    async def received(self, text: str) -> None:
        """Answer a command, then obey it."""
        command = Command.read(text)
        if command is None:
            self._answer("", REQUEST_FORM, None, success=False)
        elif command.op == "ping":
            pong = private_pong(self._id, self._front.venue.clock.now_ms(), command.req_id)
            self._send(to_json(pong))
        elif command.op == "auth":
            self._sign_in(command)
        elif command.op in ("subscribe", "unsubscribe"):
            self._change(command)
        else:
            self._answer(command.op, f"error:handler not found,op:{command.op}", command.req_id, success=False)

    def subscriptions(self) -> list[str]:
        """Return the names of the topics that the connection has subscribed."""
        return list(self._topics)

    def ended(self) -> None:
        """Leave all topics; who watched is gone."""
        self._front.venue.keys.on_revoked.remove(self._revoked)
        for topic in list(self._topics):
            self._leave(topic, on_purpose=False)

    def shutdown_notice(self, _: VenueClock) -> str | None:
        """Nothing is announced here."""
        return None

    def end_user_streams(self) -> int:
        """The exchange never ends a subscription by itself."""
        return 0

    def _sign_in(self, command: Command) -> None:
        if self._faults.wire.withholds_login:
            return
        try:
            key = signed_in(self._front, command.args)
        except ApiError as error:
            self._answer("auth", error.message, command.req_id, success=False)
            return
        if self._key is not None:
            self._answer("auth", "Repeat auth", command.req_id, success=False)
            return
        self._key = key
        self._answer("auth", "", command.req_id)

    def _change(self, command: Command) -> None:
        problem = self._problem(command)
        if problem is not None:
            self._answer(command.op, problem, command.req_id, success=False)
            return
        is_lost = command.op == "subscribe" and self._faults.subscriptions.take_lost_subscription()
        self._answer(command.op, "", command.req_id)
        if not is_lost:
            for topic in command.topics:
                if command.op == "subscribe":
                    self._join(topic)
                elif topic in self._topics:
                    self._leave(topic, on_purpose=True)

    def _problem(self, command: Command) -> str | None:
        if self._key is None:
            return "Request not authorized"
        topics = command.topics
        if not topics:
            return REQUEST_FORM
        refused = self._faults.subscriptions.refusal(topics)
        if refused is not None:
            return refused.message
        for topic in topics:
            if topic not in _TOPICS and topic not in _SILENT and topic != DCP:
                return f"error:handler not found,topic:{topic}"
            if command.op == "subscribe" and topic in self._topics:
                return f"error:already subscribed,topic:{topic}"
            # Only within one request must the two forms of a topic not meet.
            if topic in _OF_SPOT and _OF_SPOT[topic] in topics:
                return f"error:mixed topics,topic:{topic}"
        return None

    def _join(self, topic: str) -> None:
        account = self._account
        subscriber = (topic, self._connection.send_event)
        self._topics[topic] = subscriber
        if topic in _TOPICS:
            self._feed.subscribe(account, _TOPICS[topic], subscriber)
        elif topic == DCP:
            self._front.guard.watch(account)

    def _leave(self, topic: str, *, on_purpose: bool) -> None:
        subscriber = self._topics.pop(topic)
        if topic in _TOPICS:
            self._feed.unsubscribe(self._account, _TOPICS[topic], subscriber)
        elif topic == DCP:
            self._front.guard.leave(self._account, self._front.venue.clock.now_ms(), on_purpose=on_purpose)

    @property
    def _account(self) -> str:
        if self._key is None:
            raise LookupError("nobody has signed in")
        return self._key.account

    def _revoked(self, key: ApiKey, _: bool) -> None:
        """A key died: what it opened is closed."""
        if key is self._key:
            self._connection.close()

    def _answer(self, op: str, message: str, req_id: str | None, *, success: bool = True) -> None:
        self._send(to_json(reply(self._id, op, message, req_id, success=success)))

    def _send(self, text: str) -> None:
        if not self._faults.subscriptions.take_lost_reply(KIND):
            self._connection.send(text)
