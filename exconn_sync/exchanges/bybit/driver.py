"""The parts of Bybit spot, joined to a driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.bybit import (
    book_sync,
    budgets,
    encode,
    faults,
    known,
    limits,
    parse_rest,
    parse_ws,
    signing,
    streams,
)
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.account import BybitAccount
from exconn_sync.exchanges.bybit.capabilities import capabilities
from exconn_sync.exchanges.bybit.market_calls import MarketCalls
from exconn_sync.exchanges.bybit.trading import BybitTrading
from exconn_sync.model.capabilities import Capabilities
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, HttpResponse, Params, RateRule, RestCall, Topic
from exconn_sync.ports.driver import Control, Decode, ExchangeDriver, Signer


class BybitDriver(MarketCalls, BybitTrading, BybitAccount):
    """Bybit spot; see ``ExchangeDriver`` for what each method promises."""

    name = urls.EXCHANGE
    environments = urls.ENVIRONMENTS
    channels = streams.CHANNELS
    ping_frame = encode.PING
    has_books_on_stream = True
    stream_limits = limits.STREAM_LIMITS
    rate_rules = limits.RATE_RULES
    processing_limit_ms = limits.PROCESSING_LIMIT_MS

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return the base URLs ``rest``, ``public``, ``private`` and, but for demo, ``trade``."""
        return urls.base_urls(environment)

    def check_base_url(self, name: str, url: str) -> None:
        """Refuse a REST URL that ends with ``/v5``. Raises ValidationError."""
        urls.check_base_url(name, url)

    def for_endpoints(self, endpoints: Mapping[str, str]) -> ExchangeDriver:
        """Return this driver: the streams have one form."""
        del endpoints
        return self

    def capabilities(self, environment: str) -> Capabilities:
        """Return what an environment offers and lacks."""
        return capabilities(environment)

    def budget_name(self, endpoints: Mapping[str, str]) -> str:
        """Return one name for all hosts of the exchange, and the REST host for any other."""
        return budgets.budget_name(endpoints)

    def public_paths(self, environment: str) -> frozenset[str] | None:
        """Return None: every environment takes keys."""
        return None

    def missing_paths(self, environment: str) -> frozenset[str]:
        """Return what the demo environment does not answer."""
        return urls.missing_paths(environment)

    def signer(self, api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
        """Return a signer for an HMAC or RSA key. Raises ValidationError for a key that cannot be used."""
        return signing.signer_of(api_key, secret, passphrase)

    # --- REST -------------------------------------------------------------------------------------------------------

    def raw_call(
        self, method: str, path: str, params: Params, *, is_signed: bool, body: Mapping[str, Any] | None = None
    ) -> RestCall[Any]:
        """Return a call for any other path; a POST carries its parameters in its body. Raises ValidationError."""
        verb = encode.checked_raw_call(method, path, has_body=body is not None)
        sent = None if verb == "GET" else encode.raw_body(params, body)
        return RestCall(
            verb, path, parse_rest.parse_raw, params if sent is None else (), is_signed=is_signed,
            is_command=verb != "GET", costs=limits.costs_of(path, encode.orders_in(path, body)),
            lane=limits.lane_of(verb, path), body=sent,
        )  # fmt: skip

    def to_http(self, call: RestCall[Any], signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
        """Return the request as it goes over the wire. Raises AuthenticationError where there is no signer."""
        if not call.is_signed:
            return signing.unsigned_request(call)
        return signing.signed_request(call, signer=signer, timestamp_ms=timestamp_ms, window_ms=window_ms)

    def error_of(self, response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
        """Return the error in an answer, or None for a success."""
        return faults.error_of(response, call)

    def used_figures(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[UsedFigure]:
        """Return what the headers say is used of the endpoint."""
        return budgets.used_figures(response, call.path)

    def stated_rules(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[RateRule]:
        """Return nothing: an answer tells the limit of one endpoint for one account only."""
        del response, call
        return ()

    def unknown_in_answer(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[str]:
        """Return the fields and words of an answer that are on no table."""
        return known.unknown_in_answer(call.path, response.body)

    def unknown_in_frame(self, frame: bytes) -> Sequence[str]:
        """Return the fields and words of an event that are on no table."""
        return known.unknown_in_frame(frame)

    # --- public stream ----------------------------------------------------------------------------------------------

    def stream_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the public stream, which tells times in milliseconds only."""
        del microseconds
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
        """Return None: Bybit does not tell what a connection has subscribed."""
        del request_id
        return None

    # Called for each frame: without a call in between.
    topic_of_frame = staticmethod(parse_ws.topic_of_frame)
    judge_diff = staticmethod(book_sync.judge_diff)
    span = staticmethod(book_sync.span_of)
    has_numbers_of_rest = staticmethod(streams.has_numbers_of_rest)

    def decoder(self, topic: Topic, *, microseconds: bool = False) -> Decode:
        """Return the decoder of a topic. Raises ValidationError."""
        del microseconds
        return parse_ws.decoder(topic)

    def parse_control(self, frame: bytes) -> Control:
        """Read a frame that belongs to no topic. Raises ProtocolError."""
        return parse_ws.parse_control(frame)


DRIVER: ExchangeDriver = BybitDriver()
