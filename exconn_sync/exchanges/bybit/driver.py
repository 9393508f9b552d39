"""The parts of Bybit spot, joined to a driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.bybit import budgets, encode, faults, limits, parse_rest, signing
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.market_calls import MarketCalls
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest, HttpResponse, Params, RateRule, RestCall
from exconn_sync.ports.driver import Signer


# Orders and the account's stream are further base classes: BybitTrading and BybitAccount.
class BybitDriver(MarketCalls):
    """Bybit spot; see ``ExchangeDriver`` for what each method promises."""

    name = urls.EXCHANGE
    environments = urls.ENVIRONMENTS
    stream_limits = limits.STREAM_LIMITS
    rate_rules = limits.RATE_RULES
    processing_limit_ms = limits.PROCESSING_LIMIT_MS

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return the base URLs ``rest``, ``public``, ``private`` and, but for demo, ``trade``."""
        return urls.base_urls(environment)

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


DRIVER = BybitDriver()
