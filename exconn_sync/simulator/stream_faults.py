"""Faults of streams and subscriptions."""

from collections.abc import Iterator
from contextlib import contextmanager

from exconn_sync.simulator.fault_targets import FaultControls, positive
from exconn_sync.simulator.subscription_faults import RefusedStream


class StreamFaults(FaultControls):
    """What can go wrong with frames and subscriptions while the connection is well."""

    def lose_frames(self, stream_name: str, count: int = 1) -> None:
        """Swallow the next frames of a stream."""
        self._call(self._board.lose, stream_name, count)

    def duplicate_frames(self, stream_name: str, count: int = 1) -> None:
        """Send each of the next frames of a stream twice (fault F049)."""
        self._call(self._board.duplicate, stream_name, count)

    def swap_frames(self, stream_name: str, count: int = 1) -> None:
        """Let the next two frames of a stream, and so on ``count`` times, change places."""
        self._call(self._board.swap, stream_name, count)

    @contextmanager
    def silence(self, stream_name: str) -> Iterator[None]:
        """Swallow all frames of a stream; the connection stays alive."""
        with self._between(lambda: self._board.silence(stream_name, 1), lambda: self._board.silence(stream_name, -1)):
            yield

    @contextmanager
    def hold_events(self, stream_name: str) -> Iterator[None]:
        """Hold back private events until the end of the block, then send them in their order (faults F105, F116).

        ``stream_name`` is ``"userDataStream"``, or one kind of its events (``"executionReport"``); on Bybit a topic.
        """
        private = self._board.private
        with self._between(lambda: private.hold(stream_name), lambda: private.release(stream_name)):
            yield

    @contextmanager
    def repeat_events(self, count: int) -> Iterator[None]:
        """Send the newest events again to everybody who subscribes to private events during the block (fault F097)."""
        events, private = int(positive("count", count)), self._board.private

        def set_repeats(number: int) -> None:
            private.repeats = number

        with self._between(lambda: set_repeats(events), lambda: set_repeats(0)):
            yield

    @contextmanager
    def lag(self, seconds: float, kind: str = "stream") -> Iterator[None]:
        """Open connections to a front end that is behind by so much (fault F066).

        What happened during the block, up to ``seconds`` before a stream is subscribed, is sent again. Control answers
        and REST are not late. A connection stays behind after the block. Of private events (``"ws_api"``) nothing is
        sent again. The inner one of two blocks counts.
        """
        late, where, lags = positive("seconds", seconds), self._kind(kind) or kind, self._board.wire.lags
        before = lags.get(where)

        def end() -> None:
            if before is None:
                lags.pop(where, None)
            else:
                lags[where] = before

        with self._between(lambda: lags.update({where: late}), end):
            yield

    def lose_replies(self, kind: str = "stream", count: int = 1) -> None:
        """Execute but do not answer: the next subscriptions, or the next requests of ``"ws_api"`` (fault F047)."""
        self._call(self._board.subscriptions.lose_replies, self._kind(kind) or kind, count)

    def lose_subscriptions(self, count: int = 1) -> None:
        """Answer the next SUBSCRIBE requests as if they were executed: no data comes (fault F047)."""
        self._call(self._board.subscriptions.lose_subscriptions, count)

    @contextmanager
    def refuse_subscription(
        self, stream_name: str, code: int = 2, msg: str = "Invalid request: unknown stream"
    ) -> Iterator[None]:
        """Refuse requests that name a stream, as a whole, with an error answer (fault F046)."""
        refused, rules = RefusedStream(stream_name, code, msg), self._board.subscriptions
        with self._between(lambda: rules.refuse(refused), lambda: rules.permit(refused)):
            yield

    @contextmanager
    def withhold_login(self) -> Iterator[None]:
        """Neither execute nor answer subscriptions to private events (fault F063)."""
        with self._switched(self._board.wire.withholds_login):
            yield

    def end_user_stream(self) -> None:
        """End all subscriptions to private events with ``eventStreamTerminated`` (fault F061)."""
        self._call(self._hub.end_user_streams)
