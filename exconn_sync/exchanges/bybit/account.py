"""The part of the driver that is about the account's stream, its balances and its fees (Bybit: 4.18, 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit import account_stream, encode, limits, parse_account, parse_key
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.model.account import Balance
from exconn_sync.model.account_info import AccountInfo, KeyInfo
from exconn_sync.model.account_reports import Commission
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.wire import Cost, RestCall
from exconn_sync.ports.driver import AccountMessage, Signer

_SHORTEST, _LONGEST = 3, 300
"""Seconds (Bybit: 9.1)."""


class BybitAccount:
    """The account of Bybit spot; see ``ExchangeDriver`` for what each method promises."""

    account_costs: Sequence[Cost] = ()
    """Connections to sockets and sign-ins take nothing from the budgets of requests (Bybit: 3.1)."""

    def account_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the private stream, which tells times in milliseconds only."""
        return endpoints[urls.PRIVATE]

    def encode_login(
        self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, *, sign_in: str = "subscription"
    ) -> bytes:
        """Return the frame that signs the connection in; there is one way only, whichever is asked for."""
        return account_stream.login_request(signer, timestamp_ms, request_id)

    def encode_account_subscribe(self, request_id: int, *, cancel_on_disconnect: bool = False) -> bytes:
        """Return the frame that subscribes orders, executions and the wallet."""
        guard = (account_stream.GUARD,) if cancel_on_disconnect else ()
        return encode.stream_request("subscribe", (*account_stream.TOPICS, *guard), request_id)

    def guards_disconnects(self, environment: str) -> bool:
        """Return whether the private stream has the topic for it: not in the demo environment (Bybit: 1.3)."""
        return environment != urls.DEMO

    def set_cancel_on_disconnect(self, seconds: int) -> RestCall[None]:
        """Return the command for spot orders; without a product it would be about options. Raises ValidationError."""
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not _SHORTEST <= seconds <= _LONGEST:
            rule = f"must be a whole number from {_SHORTEST} to {_LONGEST}"
            raise ValidationError("seconds", seconds, rule, exchange=urls.EXCHANGE)
        path, body = urls.SET_DCP, encode.json_body({"product": "SPOT", "timeWindow": seconds})
        return RestCall(
            "POST", path, parse_account.parse_done, is_signed=True, is_command=True, costs=limits.costs_of(path),
            body=body,
        )  # fmt: skip

    def fetch_cancel_on_disconnect(self) -> RestCall[int | None]:
        """Return the call for the window of spot orders."""
        path = urls.QUERY_DCP
        return RestCall("GET", path, parse_account.parse_window, is_signed=True, costs=limits.costs_of(path))

    def parse_account(self, frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
        """Read one frame of the private stream. Raises ProtocolError."""
        return account_stream.parse_account(frame, received_at, instruments)

    def fetch_balances(self) -> RestCall[list[Balance]]:
        """Return the call for the coins of the unified account of which there is something."""
        path = urls.WALLET_BALANCE
        params = (("accountType", "UNIFIED"),)
        return RestCall("GET", path, parse_account.parse_balances, params, is_signed=True, costs=limits.costs_of(path))

    def fetch_commission(self, instrument: Instrument) -> RestCall[Commission]:
        """Return the call for the rates of a symbol; which coin a fee is paid in, each execution says."""
        path, parse = urls.FEE_RATE, partial(parse_account.parse_commission, instrument)
        params = (("category", urls.CATEGORY), ("symbol", instrument.exchange_symbol))
        return RestCall("GET", path, parse, params, is_signed=True, costs=limits.costs_of(path))

    def fetch_account(self) -> RestCall[AccountInfo]:
        """Return the call for what the account is; what may be done with it, the key says."""
        path = urls.ACCOUNT_INFO
        return RestCall("GET", path, parse_key.parse_account_info, is_signed=True, costs=limits.costs_of(path))

    def fetch_key(self) -> RestCall[KeyInfo]:
        """Return the call for what the key may do."""
        path = urls.KEY_INFO
        return RestCall("GET", path, parse_key.parse_key_info, is_signed=True, costs=limits.costs_of(path))
