"""What an exchange is, to the rest of the library: pure translation in both directions.

A driver owns no thread, socket, clock or retry. Everything it needs to know is handed to it, also the time. Adding an
exchange means one folder under ``exchanges`` with a ``driver`` module whose ``DRIVER`` is an object of this protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from exconn_sync.errors import ExconnError
from exconn_sync.model.account import Balance, Fact
from exconn_sync.model.capabilities import Capabilities
from exconn_sync.model.enums import Channel
from exconn_sync.model.ids import ClientOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.market import BookDiff, MarketEvent
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import (
    Cost,
    HttpRequest,
    HttpResponse,
    LoginReply,
    Params,
    Pong,
    RateRule,
    RestCall,
    ServerNotice,
    SubscriptionReply,
    Topic,
    Unrecognized,
)
from exconn_sync.ports.account_calls import AccountCalls
from exconn_sync.ports.batch import BatchCalls
from exconn_sync.ports.command_wire import CommandWire
from exconn_sync.ports.market_calls import MarketDataCalls
from exconn_sync.ports.signer import Signer as Signer
from exconn_sync.ports.trading import TradingDriver

Emit: TypeAlias = Callable[[MarketEvent], None]
Decode: TypeAlias = Callable[[bytes, int, Emit], None]
"""Decode one frame of a topic: (frame, received_at in ns, emit). Raises ProtocolError; emits nothing then."""

Span: TypeAlias = Callable[[Any], tuple[int, int]]
"""Return the first and the last sequence number that an event covers."""

Control: TypeAlias = SubscriptionReply | ServerNotice | Pong | Unrecognized


_NO_BANS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True)
class PartlyKnown:
    """Facts of an event in which a word is new to this version: they count, and the word is counted as ``kind``."""

    facts: Sequence[Fact]
    kind: str


AccountMessage: TypeAlias = Sequence[Fact] | PartlyKnown | LoginReply | ServerNotice | Pong | Unrecognized


@dataclass(frozen=True)
class StreamLimits:
    """What an exchange allows on one stream connection; the rate leaves room for our pongs where they count too.

    ``connections`` is how many connections may be opened from one address within ``connections_period`` seconds.
    ``ping_every`` is after how many seconds at the latest the exchange wants to be asked for a sign of life, None where
    it does not mind. ``bans`` are the HTTP statuses of a refused handshake that mean that the exchange has shut this
    address out, and for how many seconds where it does not say.
    """

    topics_per_connection: int
    topics_per_request: int
    requests_per_second: int
    connections: int = 300
    connections_period: float = 300.0
    ping_every: float | None = None
    bans: Mapping[int, float] = field(default_factory=lambda: _NO_BANS)


class ExchangeDriver(MarketDataCalls, TradingDriver, AccountCalls, Protocol):
    """One exchange. All methods are pure and may be called from any thread."""

    @property
    def name(self) -> str:
        """Lower-case name, as in ``Config.builder(name)``."""
        ...

    @property
    def channels(self) -> frozenset[Channel]:
        """Public channels that can be subscribed."""
        ...

    @property
    def stream_limits(self) -> StreamLimits:
        """Limits of a market stream connection."""
        ...

    @property
    def rate_rules(self) -> Sequence[RateRule]:
        """Request budgets, as documented; used until the exchange states its own."""
        ...

    @property
    def processing_limit_ms(self) -> int:
        """How long the exchange may work on a request before it gives up (fault model 0.1)."""
        ...

    @property
    def account_costs(self) -> Sequence[Cost]:
        """What a connection for the account stream takes from the request budgets, its sign-in included."""
        ...

    @property
    def ping_frame(self) -> bytes | None:
        """The text frame that asks for a sign of life on any stream; None where the pings of the protocol do.

        It is answered with a Pong.
        """
        ...

    @property
    def has_books_on_stream(self) -> bool:
        """Whether a topic of an order book brings its own snapshots, the first one at its beginning.

        Otherwise they come from ``fetch_order_book``.
        """
        ...

    @property
    def environments(self) -> Sequence[str]:
        """Names of the environments, ``production`` first; ``endpoints`` has base URLs for each."""
        ...

    def budget_name(self, endpoints: Mapping[str, str]) -> str:
        """Return what stands for the hosts that count their requests together (fault F078)."""
        ...

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return the base URLs of an environment by name (``rest``, ``stream`` ...); empty for an unknown one."""
        ...

    def check_base_url(self, name: str, url: str) -> None:
        """Look whether a user's base URL has the form of those of ``endpoints``.

        Raises:
            ValidationError: it does not; the message names the right form.
        """
        ...

    def for_endpoints(self, endpoints: Mapping[str, str]) -> ExchangeDriver:
        """Return the driver for checked base URLs: itself, unless their form asks for another way to speak."""
        ...

    def public_paths(self, environment: str) -> frozenset[str] | None:
        """Return the only REST paths of an environment that takes no keys, None for one that is a whole exchange."""
        ...

    def capabilities(self, environment: str) -> Capabilities:
        """Return what an environment offers and lacks, by the methods of a connector."""
        ...

    def missing_paths(self, environment: str) -> frozenset[str]:
        """Return the REST paths that an environment lacks although the exchange has them elsewhere."""
        ...

    def signer(self, api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
        """Return an object that signs with these credentials; the form of the secret tells the type of key.

        Raises:
            ValidationError: the secret does not have the form of a key of this exchange, or the passphrase does not
                open it.
        """
        ...

    # --- REST -------------------------------------------------------------------------------------------------------

    def fetch_balances(self) -> RestCall[list[Balance]]:
        """Return the call for the balances of the account."""
        ...

    def fetch_order(self, instrument: Instrument, order: OrderState, instruments: Instruments) -> RestCall[OrderFact]:
        """Return the call for one order, by client order id; it raises OrderNotFound where there is none."""
        ...

    def fetch_open_orders(self, instrument: Instrument | None, instruments: Instruments) -> RestCall[list[OrderFact]]:
        """Return the call for the open orders of one symbol or of all."""
        ...

    def fetch_fills(
        self,
        instrument: Instrument,
        exchange_order_id: str | None,
        instruments: Instruments,
        *,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Return the call for the newest fills of a symbol, or for fills of one order; oldest first.

        The fills of an order come in pages: the first ones, or those that follow the trade ``after``; an empty answer
        means that there are no more. A call with ``pages`` of its own has all of them.
        """
        ...

    def place_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places the order; its answer is what the exchange states about it."""
        ...

    def cancel_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels the order; its answer is what the exchange states about it."""
        ...

    def command_wire(self, environment: str) -> CommandWire | None:
        """Return how commands go over a socket of their own; None where the environment has none for them."""
        ...

    def batch_calls(self, environment: str) -> BatchCalls | None:
        """Return the commands for several orders in one request; None where the environment takes them one by one."""
        ...

    def raw_call(
        self, method: str, path: str, params: Params, *, is_signed: bool, body: Mapping[str, Any] | None = None
    ) -> RestCall[Any]:
        """Return a call for any other path; its answer is the decoded JSON with numbers as Decimal.

        ``body`` holds texts, ints, bools, None, lists and mappings, as JSON does.

        Raises:
            ValidationError: the exchange takes no such call, or no body with it.
        """
        ...

    def to_http(self, call: RestCall[Any], signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
        """Return the request as it goes over the wire, signed where the call says so.

        ``timestamp_ms`` is the exchange's time, ``window_ms`` how long after it the request is still accepted.
        """
        ...

    def error_of(self, response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
        """Return the error in an answer, or None for a success. A code on no table never means ``refused``."""
        ...

    def used_figures(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[UsedFigure]:
        """Return what the answer to a call says is used of the budgets; empty where it says nothing readable."""
        ...

    def stated_rules(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[RateRule]:
        """Return the budgets that the answer to a successful call states; empty for a call that states none."""
        ...

    def unknown_in_answer(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[str]:
        """Return what this version does not know in the answer of a success: fields, and words where words are due.

        Each is a short printable text that names the kind of answer too, and there are few of them; nothing where the
        driver knows no better. Never raises for what an exchange sent. It is asked for samples only.
        """
        ...

    # --- market stream ----------------------------------------------------------------------------------------------

    def unknown_in_frame(self, frame: bytes) -> Sequence[str]:
        """Return what this version does not know in an event of any stream, as ``unknown_in_answer`` does."""
        ...

    def stream_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of a market stream connection without topics.

        ``microseconds`` asks for times to the microsecond; an exchange that has none ignores it.
        """
        ...

    def variant(self, channel: Channel, wanted: str = "") -> str:
        """Return how topics spell a variant of a public channel; an empty text stands for the usual one.

        Texts that mean the same have one spelling: ``20@100ms`` and ``20`` are one partial book.

        Raises:
            ValidationError: the exchange does not offer it; the message lists what it does.
        """
        ...

    def topic_name(self, topic: Topic, instrument: Instrument) -> str:
        """Return the exchange's name of a topic."""
        ...

    def encode_subscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the text frame that subscribes topics by the exchange's names."""
        ...

    def encode_unsubscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the text frame that ends topics by the exchange's names."""
        ...

    def encode_list(self, request_id: int) -> bytes | None:
        """Return the text frame that asks which topics the connection has; None where the exchange does not tell.

        The answer is a SubscriptionReply with ``names``.
        """
        ...

    def topic_of_frame(self, frame: bytes) -> str | None:
        """Return the exchange's name of the topic of a data frame, by a cheap look; None for any other frame."""
        ...

    def decoder(self, topic: Topic, *, microseconds: bool = False) -> Decode:
        """Return the function that decodes the frames of a topic, on a connection with times in that unit."""
        ...

    def parse_control(self, frame: bytes) -> Control:
        """Read a frame that belongs to no topic. Raises ProtocolError."""
        ...

    def judge_diff(self, book_update_id: int, diff: BookDiff) -> str:
        """Return ``apply``, ``ignore`` or ``gap``: the exchange's sequence rule for a book at ``book_update_id``."""
        ...

    def has_numbers_of_rest(self, topic: Topic) -> bool:
        """Return whether the update ids of a book's topic are those of ``fetch_order_book``."""
        ...

    def span(self, topic: Topic) -> Span | None:
        """Return how the events of a topic are numbered; None where they carry no numbers that only grow."""
        ...

    # --- account stream ---------------------------------------------------------------------------------------------

    def account_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the account stream; ``microseconds`` as for ``stream_url``."""
        ...

    def encode_login(
        self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, *, sign_in: str = "subscription"
    ) -> bytes:
        """Return the text frame that authenticates the account stream.

        With ``sign_in="subscription"`` it also starts its events. With ``"session"`` the exchange answers with a
        LoginReply that is not final, and ``encode_account_subscribe`` starts them.

        Raises:
            ValidationError: the exchange does not let this type of key sign in that way.
        """
        ...

    def encode_account_subscribe(self, request_id: int, *, cancel_on_disconnect: bool = False) -> bytes:
        """Return the text frame that starts the account's events on a session that is signed in.

        With ``cancel_on_disconnect`` the exchange counts on this connection, where it can cancel orders by itself.
        """
        ...

    def parse_account(self, frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
        """Read one frame of the account stream. Raises ProtocolError."""
        ...
