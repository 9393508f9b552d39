"""What drivers and transports exchange: requests to send, answers that came, topics of streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from exconn_sync.errors import ExconnError, RateLimitError
from exconn_sync.model.enums import Channel
from exconn_sync.model.limits import Lane, UsedFigure

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Params = tuple[tuple[str, str], ...]
"""Request parameters in the order in which they are sent; values are not yet percent-encoded."""


@dataclass(frozen=True)
class Topic:
    """One stream of public data: a channel of a canonical symbol.

    ``variant`` tells streams of one channel and symbol apart, in the driver's spelling: the interval of candles, the
    window of a ticker, the levels of a partial book. It is empty where there is only one, and for the usual one of
    order books.
    """

    channel: Channel
    symbol: str
    variant: str = ""

    @property
    def name(self) -> str:
        """``channel.symbol`` or ``channel.symbol.variant``, for people."""
        text = f"{self.channel}.{self.symbol}"
        return f"{text}.{self.variant}" if self.variant else text


@dataclass(frozen=True)
class HttpResponse:
    """A whole HTTP answer; header names are in lower case. ``received_at`` is nanoseconds since the Unix epoch."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    received_at: int


@dataclass(frozen=True)
class HttpRequest:
    """A request ready to be written: ``target`` is path and query exactly as they go over the wire.

    Headers may hold the API key and the target the signature, so neither is shown by ``repr``.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.target.partition('?')[0]}>"


@dataclass(frozen=True)
class Cost:
    """What a request takes from a budget of the exchange; ``limit`` names the rules.

    ``is_free_on_success`` marks what the exchange counts only where the request fails: it is given back.
    """

    limit: str
    amount: int
    is_free_on_success: bool = False


@dataclass(frozen=True)
class RateRule:
    """A budget of the exchange: ``amount`` per ``interval_ms``, in windows aligned to the exchange's clock.

    Several rules may have one ``limit``, for windows of different lengths. ``is_per_account`` is for those that the
    exchange counts by account instead of by address, ``is_rolling`` for those that hold for any span of that length,
    wherever it begins. ``fill_credit`` is what the exchange takes off its count, at least, when an order trades for the
    first time.
    """

    limit: str
    amount: int
    interval_ms: int
    is_per_account: bool = False
    fill_credit: int = 0
    is_rolling: bool = False


@dataclass(frozen=True)
class Pages(Generic[T]):
    """How an answer goes on that comes in pages.

    ``next_params`` returns the parameters that ask for the page after an answer, None where it was the last one; it
    raises ProtocolError for an answer that does not tell. ``join`` makes one value of those of all pages. ``most`` is
    how many pages are asked for, None for all of them.
    """

    next_params: Callable[[HttpResponse], Params | None]
    join: Callable[[Sequence[T]], T]
    most: int | None = None


@dataclass(frozen=True)
class RestCall(Generic[T]):
    """One REST call in the exchange's words, and how to read its answer.

    ``parse`` gets the answer of a success and returns the domain value; it raises ProtocolError for anything that does
    not have the documented form. ``is_command`` marks calls that change the account: they are never repeated, and
    without proof their outcome is unknown (fault model 0.1). ``lane`` is how urgent the call is; None is what its kind
    says: a command places an order, anything else is a query, or bulk where a worker asks. ``limit_of`` finds a limit
    that an answer tells of although it is no error as a whole.
    says: a command places an order, anything else is a query, or bulk where a worker asks. ``body`` is sent as it is
    beside the parameters, where an exchange takes one; ``pages`` is for questions whose answers come in pages.

    ``is_receipt`` marks commands whose success proves only that the exchange has received them: what becomes of the
    order is told later, by the account stream or when it is asked for (Bybit: 4.7).
    """

    method: str
    path: str
    parse: Callable[[HttpResponse], T]
    params: Params = ()
    is_signed: bool = False
    is_command: bool = False
    costs: tuple[Cost, ...] = ()
    lane: Lane | None = None
    limit_of: Callable[[HttpResponse], RateLimitError | None] | None = None
    body: bytes | None = None
    pages: Pages[T] | None = None
    is_receipt: bool = False


@dataclass(frozen=True)
class SubscriptionReply:
    """The exchange's answer to a subscribe or unsubscribe request; ``error`` is empty on success.

    ``names`` is its own list of what the connection has subscribed, where it was asked for that, else None.
    ``is_already`` marks an error that only says that the connection has a topic of the request already.
    """

    request_id: int
    error: str = ""
    names: tuple[str, ...] | None = None
    is_already: bool = False


@dataclass(frozen=True)
class Pong:
    """The exchange's answer to a ping of its own dialect: it proves what a pong of the protocol proves."""


@dataclass(frozen=True)
class LoginReply:
    """The exchange's answer to the authentication of a private stream; ``error`` is None on success.

    ``is_final`` is False where the session is signed in, but its events have yet to be subscribed. ``request_id`` is 0
    for what no request asked for, and None where the exchange does not say which one it answers (Bybit: 7.1).
    ``figures`` is what it says is used of the request budgets.
    """

    request_id: int | None
    error: ExconnError | None = None
    is_final: bool = True
    figures: tuple[UsedFigure, ...] = ()


@dataclass(frozen=True)
class ServerNotice:
    """The exchange announces something about the connection: ``shutdown`` or ``terminated``."""

    kind: str


@dataclass(frozen=True)
class Unrecognized:
    """A well-formed frame that this version does not know: counted, never an error, since exchanges add things."""

    kind: str


class TimeSpan(NamedTuple):
    """From the first to the last millisecond since the Unix epoch, both included."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class HistoryLimits:
    """What one question about the past may span: ``longest_ms`` of time, and ``rows`` in one answer.

    ``is_whole`` is True where the answer for a time span has all rows, however many: it comes in pages.
    ``unfilled_ms`` is for how long an order that ended without a fill can still be asked for, None for ever (F090).
    """

    longest_ms: int
    rows: int
    is_whole: bool = False
    unfilled_ms: int | None = None
