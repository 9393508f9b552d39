"""The parts of Binance spot, joined to a driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges import api_keys
from exconn_sync.exchanges.binance import (
    account_login,
    book_sync,
    budgets,
    encode,
    faults,
    known,
    limits,
    parse_account,
    parse_orders,
    parse_rest,
    parse_ws,
    raw_streams,
    signing,
    streams,
)
from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.binance.account import BinanceAccount
from exconn_sync.exchanges.binance.capabilities import capabilities
from exconn_sync.exchanges.binance.market_calls import MarketCalls
from exconn_sync.exchanges.binance.trading import BinanceTrading
from exconn_sync.model.account import Balance, Fact
from exconn_sync.model.capabilities import Capabilities
from exconn_sync.model.enums import Channel
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, HttpResponse, Params, RateRule, RestCall, Topic
from exconn_sync.ports.driver import AccountMessage, Control, Decode, ExchangeDriver, Signer

_MOST_FILLS = "1000"


class BinanceDriver(MarketCalls, BinanceTrading, BinanceAccount):
    """Binance spot; see ``ExchangeDriver`` for what each method promises."""

    name = urls.EXCHANGE
    channels = streams.CHANNELS
    stream_limits = limits.STREAM_LIMITS
    rate_rules = limits.RATE_RULES
    processing_limit_ms = limits.PROCESSING_LIMIT_MS
    account_costs = budgets.ACCOUNT_COSTS
    environments = urls.ENVIRONMENTS
    ping_frame = None
    has_books_on_stream = False

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return the base URLs ``rest``, ``stream`` and, but for market data alone, ``ws_api``."""
        return urls.base_urls(environment)

    def check_base_url(self, name: str, url: str) -> None:
        """Refuse a URL that ends with ``/api/v3``. Raises ValidationError."""
        urls.check_base_url(name, url)

    def for_endpoints(self, endpoints: Mapping[str, str]) -> ExchangeDriver:
        """Return the driver of raw streams where the URL of streams ends with ``/ws``, else this one."""
        return RAW_DRIVER if urls.has_raw_streams(endpoints) else self

    def capabilities(self, environment: str) -> Capabilities:
        """Return what an environment offers and lacks."""
        return capabilities(environment)

    def budget_name(self, endpoints: Mapping[str, str]) -> str:
        """Return one name for all hosts of production, and the REST host for any other environment."""
        return budgets.budget_name(endpoints)

    def public_paths(self, environment: str) -> frozenset[str] | None:
        """Return the paths of the hosts for market data alone, None elsewhere."""
        return urls.public_paths(environment)

    def missing_paths(self, environment: str) -> frozenset[str]:
        """Return nothing: each environment is whole, but for the one that ``public_paths`` is about."""
        del environment
        return frozenset()

    def signer(self, api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> Signer:
        """Return a signer for an HMAC, RSA or Ed25519 key. Raises ValidationError for a key that cannot be used."""
        return api_keys.signer_of(urls.EXCHANGE, api_key, secret, passphrase)

    # --- REST -------------------------------------------------------------------------------------------------------

    def fetch_balances(self) -> RestCall[list[Balance]]:
        """Return the call for all balances, those of zero among them."""
        path = urls.ACCOUNT
        costs = limits.costs_of("GET", path)
        return RestCall("GET", path, parse_rest.parse_balances, is_signed=True, costs=costs)

    def fetch_order(self, instrument: Instrument, order: OrderState, instruments: Instruments) -> RestCall[OrderFact]:
        """Return the call for one order, by the exchange's id where it is known."""
        parse = partial(parse_orders.parse_queried, instrument, order)
        params = encode.order_params(instrument, order)
        costs = limits.costs_of("GET", urls.ORDER)
        return RestCall("GET", urls.ORDER, parse, params, is_signed=True, costs=costs, lane=Lane.QUERY)

    def fetch_open_orders(self, instrument: Instrument | None, instruments: Instruments) -> RestCall[list[OrderFact]]:
        """Return the call for the open orders of one symbol, or for more than ten times its weight of all."""
        path = urls.OPEN_ORDERS
        parse = partial(parse_orders.parse_open_orders, instrument, instruments)
        params: Params = () if instrument is None else (("symbol", instrument.exchange_symbol),)
        costs = limits.costs_of("GET", path, params)
        lane = None if instrument is None else Lane.QUERY
        return RestCall("GET", path, parse, params, is_signed=True, costs=costs, lane=lane)

    def fetch_fills(
        self,
        instrument: Instrument,
        exchange_order_id: str | None,
        instruments: Instruments,
        *,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Return the call for the newest 1000 fills of a symbol, or for the first 1000 of one order after a trade."""
        parse = partial(parse_rest.parse_fills, instrument)
        params: Params = (("symbol", instrument.exchange_symbol), ("limit", _MOST_FILLS))
        if exchange_order_id is not None:
            # Without ``fromId`` the newest would come, and paging could not begin at the beginning (Binance: 5.6).
            start = "0" if after is None else str(int(after) + 1)
            params = (*params, ("orderId", exchange_order_id), ("fromId", start))
        costs = limits.costs_of("GET", urls.MY_TRADES, params)
        return RestCall("GET", urls.MY_TRADES, parse, params, is_signed=True, costs=costs)

    def cancel_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels the order, by the exchange's id where it is known."""
        parse = partial(parse_orders.parse_cancelled, instrument, order)
        params = encode.order_params(instrument, order)
        costs = limits.costs_of("DELETE", urls.ORDER)
        return RestCall(
            "DELETE", urls.ORDER, parse, params, is_signed=True, is_command=True, costs=costs, lane=Lane.CANCEL
        )

    def raw_call(
        self, method: str, path: str, params: Params, *, is_signed: bool, body: Mapping[str, Any] | None = None
    ) -> RestCall[Any]:
        """Return a call for any other path. Raises ValidationError, also for a body: Binance takes none."""
        verb = encode.checked_raw_call(method, path, params, is_signed=is_signed, has_body=body is not None)
        costs = limits.costs_of(verb, path, params)
        return RestCall(
            verb, path, parse_rest.parse_raw, params, is_signed=is_signed, is_command=verb != "GET", costs=costs,
            lane=limits.lane_of(verb, path),
        )  # fmt: skip

    def to_http(self, call: RestCall[Any], signer: Signer | None, timestamp_ms: int, window_ms: int) -> HttpRequest:
        """Return the request as it goes over the wire. Raises AuthenticationError where there is no signer."""
        if not call.is_signed:
            return signing.unsigned_request(call.method, call.path, call.params)
        return signing.signed_request(
            call.method, call.path, call.params, signer=signer, timestamp_ms=timestamp_ms, window_ms=window_ms
        )

    def error_of(self, response: HttpResponse, call: RestCall[Any]) -> ExconnError | None:
        """Return the error in an answer, or None for a success."""
        return faults.error_of(response, call)

    def used_figures(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[UsedFigure]:
        """Return the counts in the headers of an answer, which name their limits themselves."""
        del call
        return budgets.used_figures(response)

    def stated_rules(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[RateRule]:
        """Return the limits in an answer to exchangeInfo."""
        return budgets.stated_rules(response, call.path)

    def unknown_in_answer(self, response: HttpResponse, call: RestCall[Any]) -> Sequence[str]:
        """Return the fields and words of an answer that are on no table."""
        return known.unknown_in_answer(call.path, response.body)

    # --- market stream ----------------------------------------------------------------------------------------------

    def unknown_in_frame(self, frame: bytes) -> Sequence[str]:
        """Return the fields and words of an event that are on no table."""
        return known.unknown_in_frame(frame)

    def stream_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of a combined stream connection."""
        return urls.combined_stream_url(endpoints, microseconds=microseconds)

    def variant(self, channel: Channel, wanted: str = "") -> str:
        """Return a variant of a channel as topics have it. Raises ValidationError."""
        return streams.variant_of(channel, wanted)

    def topic_name(self, topic: Topic, instrument: Instrument) -> str:
        """Return the name of a stream. Raises ValidationError."""
        return streams.stream_name(topic, instrument)

    def encode_subscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the frame that subscribes all the streams."""
        return encode.stream_request("SUBSCRIBE", names, request_id)

    def encode_unsubscribe(self, names: Sequence[str], request_id: int) -> bytes:
        """Return the frame that ends all the streams."""
        return encode.stream_request("UNSUBSCRIBE", names, request_id)

    def encode_list(self, request_id: int) -> bytes:
        """Return the frame that asks for the streams of the connection."""
        return encode.list_request(request_id)

    # Called for each frame: without a call in between.
    topic_of_frame = staticmethod(parse_ws.topic_of_frame)
    judge_diff = staticmethod(book_sync.judge_diff)
    span = staticmethod(book_sync.span_of)

    def has_numbers_of_rest(self, topic: Topic) -> bool:
        """Return True: the streams and the snapshots count the same changes (Binance: 9)."""
        del topic
        return True

    def decoder(self, topic: Topic, *, microseconds: bool = False) -> Decode:
        """Return the decoder of a stream. Raises ValidationError."""
        return parse_ws.decoder(topic, microseconds=microseconds)

    def parse_control(self, frame: bytes) -> Control:
        """Read a frame that belongs to no stream. Raises ProtocolError."""
        return parse_ws.parse_control(frame)

    # --- account stream ---------------------------------------------------------------------------------------------

    def account_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the WebSocket API."""
        return urls.account_url(endpoints, microseconds=microseconds)

    def encode_login(
        self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, *, sign_in: str = "subscription"
    ) -> bytes:
        """Return the frame that subscribes the account's events by signature, or signs the session in."""
        return account_login.login_request(signer, timestamp_ms, window_ms, request_id, sign_in)

    def encode_account_subscribe(self, request_id: int, *, cancel_on_disconnect: bool = False) -> bytes:
        """Return the frame that subscribes the account's events once the session is signed in."""
        return account_login.subscribe_request(request_id)

    def parse_account(self, frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
        """Read one frame of the account stream. Raises ProtocolError."""
        return parse_account.parse_account(frame, received_at, instruments)


class RawBinanceDriver(BinanceDriver):
    """Binance spot with its market streams over raw connections; all the rest is the same."""

    channels = raw_streams.CHANNELS
    topic_of_frame = staticmethod(raw_streams.topic_of_event)

    def capabilities(self, environment: str) -> Capabilities:
        """Return what an environment offers and lacks; not all streams come over such a connection."""
        named = {channel.value: raw_streams.variants_of(channel) for channel in sorted(raw_streams.CHANNELS)}
        return replace(super().capabilities(environment), streams=named)

    def stream_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of a raw stream connection."""
        return urls.raw_stream_url(endpoints, microseconds=microseconds)

    def variant(self, channel: Channel, wanted: str = "") -> str:
        """Return a variant of a channel as topics have it. Raises ValidationError."""
        return raw_streams.variant_of(channel, wanted)

    def topic_name(self, topic: Topic, instrument: Instrument) -> str:
        """Return the name of a stream. Raises ValidationError."""
        self.variant(topic.channel, topic.variant)
        return streams.stream_name(topic, instrument)

    def decoder(self, topic: Topic, *, microseconds: bool = False) -> Decode:
        """Return the decoder of a stream. Raises ValidationError."""
        return raw_streams.decoder(topic, microseconds=microseconds)

    def parse_control(self, frame: bytes) -> Control:
        """Read a frame that belongs to no stream. Raises ProtocolError."""
        return raw_streams.parse_control(frame)


DRIVER: ExchangeDriver = BinanceDriver()
RAW_DRIVER: ExchangeDriver = RawBinanceDriver()
