"""The part of the driver that is about the account's stream and its balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exconn_sync.exchanges._template import account_stream, encode, limits, parse_orders
from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.model.account import Balance
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import Cost, RestCall
from exconn_sync.ports.driver import AccountMessage, Signer


class TemplateAccount:
    """The account; see ``ExchangeDriver`` for what each method promises."""

    account_costs: Sequence[Cost] = ()

    def account_url(self, endpoints: Mapping[str, str], *, microseconds: bool = False) -> str:
        """Return the URL of the private stream, which tells times in milliseconds only."""
        return endpoints[urls.PRIVATE]

    def encode_login(
        self, signer: Signer, timestamp_ms: int, window_ms: int, request_id: int, *, sign_in: str = "subscription"
    ) -> bytes:
        """Return the frame that signs the connection in, after which all events come by themselves."""
        return encode.login_request(signer, timestamp_ms, window_ms, request_id)

    def encode_account_subscribe(self, request_id: int, *, cancel_on_disconnect: bool = False) -> bytes:
        """Return what starts the events on a connection that is signed in; never sent here: the sign-in is final."""
        return encode.stream_request("subscribe", ["orders", "fills", "balances"], request_id)

    def parse_account(self, frame: bytes, received_at: int, instruments: Instruments) -> AccountMessage:
        """Read one frame of the private stream. Raises ProtocolError."""
        return account_stream.parse_account(frame, received_at, instruments)

    def fetch_balances(self) -> RestCall[list[Balance]]:
        """Return the call for all balances."""
        path = urls.BALANCES
        costs = limits.costs_of("GET", path)
        return RestCall("GET", path, parse_orders.parse_balances, is_signed=True, costs=costs)
