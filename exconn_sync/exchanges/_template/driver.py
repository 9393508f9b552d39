"""The parts of the exchange, joined to a driver.

A driver has no thread, socket, clock or retry: it translates. Whatever it needs to know is handed to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges._template import book_sync, encode, faults, limits, parse_ws, signing, streams
from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.exchanges._template.account import TemplateAccount
from exconn_sync.exchanges._template.capabilities import capabilities
from exconn_sync.exchanges._template.market_calls import MarketCalls
from exconn_sync.exchanges._template.trading import TemplateTrading
from exconn_sync.exchanges.decoding import read_any
from exconn_sync.model.capabilities import Capabilities
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, HttpResponse, Params, RateRule, RestCall, Topic
from exconn_sync.ports.driver import Control, Decode, ExchangeDriver, Signer


class TemplateDriver(MarketCalls, TemplateTrading, TemplateAccount):
    """An exchange that does not exist; see ``ExchangeDriver`` for what each method promises."""

    name = urls.EXCHANGE
    environments = urls.ENVIRONMENTS
    channels = streams.CHANNELS
    # None: the pings of the WebSocket protocol prove that a connection lives.
    ping_frame: bytes | None = None
    has_books_on_stream = True
    stream_limits = limits.STREAM_LIMITS
    rate_rules = limits.RATE_RULES
    processing_limit_ms = limits.PROCESSING_LIMIT_MS

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return the base URLs ``rest``, ``public`` and ``private``."""
        return urls.base_urls(environment)

    def check_base_url(self, name: str, url: str) -> None:
        """Refuse a REST URL that ends with the version. Raises ValidationError."""
        urls.check_base_url(name, url)

    def for_endpoints(self, endpoints: Mapping[str, str]) -> ExchangeDriver:
        """Return this driver: whatever the URLs, they are spoken to in one way."""
        return self

    def capabilities(self, environment: str) -> Capabilities:
        """Return what an environment offers and lacks."""
        return capabilities(environment)

    def budget_name(self, endpoints: Mapping[str, str]) -> str:
        """Return the name of the REST host: each counts on its own."""
        return limits.budget_name(endpoints)

    def public_paths(self, environment: str) -> frozenset[str] | None:
        """Return None: every environment takes keys."""
        return None

    def missing_paths(self, environment: str) -> frozenset[str]:
        """Return nothing: the environments have the same paths."""
        return frozenset()

    def signer(self, api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
        """Return a signer. Raises ValidationError for a key that cannot be used."""
        return signing.signer_of(api_key, secret, passphrase)

    # --- REST -------------------------------------------------------------------------------------------------------

    def raw_call(
        self, method: str, path: str, params: Params, *, is_signed: bool, body: Mapping[str, Any] | None = None
    ) -> RestCall[Any]:
        """Return a call for any other path; a POST carries its parameters in its body. Raises ValidationError."""
        verb = encode.checked_raw_call(method, path, has_body=body is not None)
        sent = encode.raw_body(params, body) if verb == "POST" else None
        return RestCall(
            verb, path, lambda response: read_any(urls.EXCHANGE, response.body), params if sent is None else (),
            is_signed=is_signed, is_command=verb != "GET", costs=limits.costs_of(verb, path),
            lane=limits.lane_of(verb, path), body=sent,
        )  # fmt: skip

    def to_http(self, call: RestCall[Any], signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
        """Return the request as it goes over the wire. Raises AuthenticationError where there is no signer."""
        return signing.http_request(call, signer, timestamp_ms, window_ms)

    def error_of(self, response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
        """Return the error in an answer, or None for a success."""
        return faults.error_of(response, call)

    def used_figures(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[UsedFigure]:
        """Return what the headers say is used."""
        return limits.used_figures(response)

    def stated_rules(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[RateRule]:
        """Return nothing: no answer states the limits."""
        return ()

    def unknown_in_answer(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[str]:
        """Return nothing: a driver may leave it to the next reading of the exchange's pages to find new fields."""
        return ()

    def unknown_in_frame(self, frame: bytes) -> Sequence[str]:
        """Return nothing, for the same reason."""
        return ()

    # --- public stream ----------------------------------------------------------------------------------------------

    def stream_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the public stream, which tells times in milliseconds only."""
        return endpoints[urls.PUBLIC]

    def variant(self, channel: Channel, wanted: str = "") -> str:
        """Return a variant of a channel as topics have it. Raises ValidationError."""
        return streams.variant_of(channel, wanted)

    def topic_name(self, topic: Topic, instrument: Instrument) -> str:
        """Return the name of a topic. Raises ValidationError."""
        return streams.topic_name(topic, instrument)

    def encode_subscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the frame that subscribes all the topics."""
        return encode.stream_request("subscribe", names, request_id)

    def encode_unsubscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the frame that ends all the topics."""
        return encode.stream_request("unsubscribe", names, request_id)

    def encode_list(self, request_id: int) -> bytes | None:
        """Return None: nobody tells what a connection has subscribed."""
        return None

    # Called for each frame: without a call in between.
    topic_of_frame = staticmethod(parse_ws.topic_of_frame)
    judge_diff = staticmethod(book_sync.judge_diff)
    span = staticmethod(book_sync.span_of)

    def has_numbers_of_rest(self, topic: Topic) -> bool:
        """Return True: the book of REST and that of the stream count together."""
        return topic.channel is Channel.ORDER_BOOK

    def decoder(self, topic: Topic, *, microseconds: bool = False) -> Decode:
        """Return the decoder of a topic. Raises ValidationError."""
        return parse_ws.decoder(topic)

    def parse_control(self, frame: bytes) -> Control:
        """Read a frame that belongs to no topic. Raises ProtocolError."""
        return parse_ws.parse_control(frame)


DRIVER: ExchangeDriver = TemplateDriver()
"""The object that the library uses. Its type here lets mypy prove that nothing is missing."""
