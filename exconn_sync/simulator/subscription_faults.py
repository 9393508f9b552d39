"""What goes wrong with subscriptions right now. Read and changed on the server's thread only."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple


class RefusedStream(NamedTuple):
    """The error answer to requests that name a stream."""

    stream: str
    code: int
    message: str


class SubscriptionFaults:
    """Lost answers, lost subscriptions, refused streams."""

    def __init__(self) -> None:
        self._lost_replies: defaultdict[str, int] = defaultdict(int)
        self._lost_subscriptions = 0
        self._refused: list[RefusedStream] = []

    def lose_replies(self, kind: str, count: int) -> None:
        """Swallow the next answers on connections of a kind."""
        self._lost_replies[kind] += count

    def take_lost_reply(self, kind: str) -> bool:
        """Whether this answer is to be swallowed, used up by asking."""
        if not self._lost_replies.get(kind):
            return False
        self._lost_replies[kind] -= 1
        return True

    def lose_subscriptions(self, count: int) -> None:
        """Answer the next subscriptions without doing anything."""
        self._lost_subscriptions += count

    def take_lost_subscription(self) -> bool:
        """Whether this subscription is to be forgotten, used up by asking."""
        if not self._lost_subscriptions:
            return False
        self._lost_subscriptions -= 1
        return True

    def refuse(self, refused: RefusedStream) -> None:
        """Refuse requests that name a stream."""
        self._refused.append(refused)

    def permit(self, refused: RefusedStream) -> None:
        """End that."""
        self._refused.remove(refused)

    def refusal(self, streams: Iterable[str]) -> RefusedStream | None:
        """Return why a request for these streams is refused, if it is."""
        wanted = set(streams)
        return next((refused for refused in self._refused if refused.stream in wanted), None)
