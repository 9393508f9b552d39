"""The rules that keep one connection alive, with the clock in the test's hands."""

from __future__ import annotations

import pytest

from exconn_sync import Config
from exconn_sync._live.link import Link
from exconn_sync._transport.frames import CloseFrame, Frames
from exconn_sync.config.settings import Reconnect, Timeouts
from exconn_sync.errors import ConnectionFailed, ProtocolError
from exconn_sync.testing import ManualClock
from tests.live.fakes import FakeSocket, QuietHandler, link_over

CONFIG = Config("binance", reconnect=Reconnect(idle_timeout=20), timeouts=Timeouts(read=5))


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.socket = FakeSocket()
        self.handler = QuietHandler()
        self.link: Link = link_over(self.socket, self.clock, CONFIG, self.handler)

    def look(self) -> float:
        return self.link.look_after(self.clock.monotonic_ns())

    def live(self, seconds: float) -> None:
        """Let time pass as a session does: looking when the link says so."""
        end_ns = self.clock.monotonic_ns() + int(seconds * 1e9)
        while self.clock.monotonic_ns() < end_ns:
            wait = self.look()
            assert wait > 0, "a look that is due again at once burns the processor"
            self.clock.advance(min(wait, 1.0) + 1e-6)


def test_an_answered_probe_keeps_a_quiet_connection() -> None:
    """On a connection without data, the answers to our own probes are its life (fault F024)."""
    desk = Desk()
    for number in range(1, 6):
        desk.live(10.5)
        assert desk.socket.pings == number
        desk.socket.brings(pong=True)
        assert desk.link.take(), "an answered ping proves a connection on which nothing is due"


def test_pongs_are_paced_and_the_newest_ping_is_answered_in_the_end() -> None:
    """Exchanges count pongs as messages: one in 1.1 s, for the newest ping (fault F023)."""
    desk = Desk()
    desk.socket.brings(pings=(b"1", b"2"))
    desk.link.take()
    assert desk.socket.pongs == [b"2"]
    for number in range(3, 9):
        desk.clock.advance(0.1)
        desk.socket.brings(b"data", pings=(b"%d" % number,))
        desk.link.take()
    assert desk.socket.pongs == [b"2"]
    assert len(desk.handler.messages) == 6
    assert desk.look() == pytest.approx(0.5)
    desk.clock.advance(0.5)
    desk.look()
    assert desk.socket.pongs == [b"2", b"8"]
    desk.live(5)
    assert desk.socket.pongs == [b"2", b"8"]


def test_a_probe_that_the_pace_holds_back_does_not_burn_the_processor() -> None:
    """A pong a moment before our own ping is due puts the ping off; nobody looks meanwhile (fault F023)."""
    desk = Desk()
    desk.clock.advance(9.9)
    desk.socket.brings(pings=(b"x",))
    desk.link.take()
    desk.clock.advance(0.2)
    assert desk.look() == pytest.approx(0.9)
    assert desk.socket.pings == 0
    desk.live(1)
    assert desk.socket.pings == 1


def test_silence_ends_a_connection_in_time() -> None:
    desk = Desk()
    desk.live(8)
    desk.socket.brings(b"data")
    desk.link.take()
    last_byte_ns = desk.clock.monotonic_ns()
    with pytest.raises(ConnectionFailed, match=r"no byte for 20 s|no answer to a ping for 10 s"):
        desk.live(30)
    assert desk.clock.monotonic_ns() - last_byte_ns < 21 * 10**9


@pytest.mark.parametrize("reads_before", [0, 1, 60])
def test_nothing_is_dead_before_what_came_was_read(reads_before: int) -> None:
    """A program that was held up finds its answer in the socket, behind whatever else came (fault F163)."""
    desk = Desk()
    desk.live(10.5)
    assert desk.socket.pings == 1
    desk.clock.advance(100)
    for _ in range(reads_before):
        desk.socket.brings(b"data")
    desk.socket.brings(pong=True)
    assert desk.look() > 0
    assert len(desk.handler.messages) == reads_before


def test_a_peer_that_only_talks_is_dead_in_the_end() -> None:
    """Catching up ends, also where data come faster than they are read (faults F010, F163)."""
    desk = Desk()
    desk.live(10.5)

    class Endless:
        def popleft(self) -> Frames:
            return Frames([b"data"], [], [], None)

        def __bool__(self) -> bool:
            return True

    desk.socket.reads = Endless()  # type: ignore[assignment]
    with pytest.raises(ConnectionFailed, match="no answer to a ping for 10 s"):
        desk.live(11)


@pytest.mark.parametrize("is_probed", [False, True])
def test_who_overslept_asks_before_it_judges(is_probed: bool) -> None:
    """Nothing ran for longer than every limit, and nobody had been asked in time (fault F163)."""
    desk = Desk()
    desk.live(10.5 if is_probed else 9.5)
    desk.clock.advance(100)
    desk.live(9)
    assert desk.socket.pings == 1
    desk.socket.brings(pong=True)
    desk.link.take()
    desk.live(9)
    desk.clock.advance(100)
    with pytest.raises(ConnectionFailed, match="no answer to a ping for 10 s"):
        desk.live(11)


def test_a_message_that_has_ended_lets_the_next_one_begin() -> None:
    """Only a message that does not end is a drip, not a read that ends inside of the next one (fault F011)."""
    desk = Desk()
    desk.socket.is_partial = True
    for _ in range(10):
        desk.clock.advance(1)
        desk.socket.brings(b"ended")
        desk.link.take()
        desk.look()
    for _ in range(4):
        desk.clock.advance(1)
        desk.socket.brings()
        desk.link.take()
        desk.look()
    desk.clock.advance(1)
    with pytest.raises(ConnectionFailed, match="a message did not end within 5 s"):
        desk.look()


def test_messages_before_a_close_are_handled() -> None:
    """The close ends the connection, not the messages before it (faults F026, F027)."""
    desk = Desk()
    desk.socket.brings(b"last words", close=CloseFrame(1001, "going"))
    with pytest.raises(ConnectionFailed, match="closed by the exchange: 1001 going") as caught:
        desk.link.take()
    assert caught.value.details["close_code"] == 1001
    assert desk.handler.messages == [b"last words"]


def test_a_violation_of_the_protocol_ends_the_connection() -> None:
    """Whoever reads it gets one kind of error (fault F031)."""
    desk = Desk()
    desk.socket.reads.append(ProtocolError("masked"))
    with pytest.raises(ConnectionFailed, match="masked") as caught:
        desk.link.take()
    assert caught.value.details["close_code"] == 1002


def test_a_failed_send_is_remembered_as_the_links_own() -> None:
    desk = Desk()
    desk.socket.error = ConnectionFailed("the connection broke")
    with pytest.raises(ConnectionFailed) as caught:
        desk.link.send(b"x")
    assert desk.link.failure is caught.value


def test_a_flood_of_pings_does_not_keep_our_own_probe_back() -> None:
    """Pongs would use up the pace for ever, and the silence of the exchange would go unnoticed (fault F023)."""
    desk = Desk()
    for _ in range(120):
        desk.clock.advance(0.1)
        desk.socket.brings(pings=(b"x",))
        desk.link.take()
        desk.look()
    assert desk.socket.pings == 1
    assert len(desk.socket.pongs) > 5


def test_an_exchange_with_pings_of_its_own_is_asked_in_its_words_and_dies_without_an_answer() -> None:
    """Its text is the probe, paced like one; what it answers is a pong, and nothing else is (faults F010, F025)."""
    desk = Desk()
    desk.link = link_over(desk.socket, desk.clock, CONFIG, desk.handler, ping_frame=b"are you there?")
    desk.live(10.5)
    assert (desk.socket.texts, desk.socket.pings) == ([b"are you there?"], 0)
    desk.socket.brings(b"here")
    desk.link.take()
    desk.link.pong()
    desk.live(10.1)
    assert len(desk.socket.texts) == 2
    desk.socket.brings(b"data")
    desk.link.take()
    with pytest.raises(ConnectionFailed, match="no answer to a ping"):
        desk.live(11)
