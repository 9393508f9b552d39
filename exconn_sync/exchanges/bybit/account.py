"""The part of the driver that is about the account's stream, its balances and its fees (Bybit: 4.18, 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from exconn_sync.exchanges.bybit import account_stream, encode, limits, parse_account
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.model.account import Balance
from exconn_sync.model.account_reports import Commission
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.wire import Cost, RestCall
from exconn_sync.ports.driver import AccountMessage, Signer


class BybitAccount:
    """The account of Bybit spot; see ``ExchangeDriver`` for what each method promises."""

    account_costs: Sequence[Cost] = ()
    """Connections to sockets and sign-ins take nothing from the budgets of requests (Bybit: 3.1)."""

    def account_url(self, endpoints: Mapping[str, str]) -> str:
        """Return the URL of the private stream."""
        return endpoints[urls.PRIVATE]

    def encode_login(
        self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, *, sign_in: str = "subscription"
    ) -> bytes:
        """Return the frame that signs the connection in; there is one way only, whichever is asked for."""
        return account_stream.login_request(signer, timestamp_ms, request_id)

    def encode_account_subscribe(self, request_id: int) -> bytes:
        """Return the frame that subscribes orders, executions and the wallet."""
        return encode.stream_request("subscribe", account_stream.TOPICS, request_id)

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
