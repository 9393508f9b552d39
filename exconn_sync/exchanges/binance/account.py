"""The part of the driver that is about what the account is and may do (Binance: 5.10)."""

from __future__ import annotations

import msgspec

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.binance import limits
from exconn_sync.exchanges.decoding import Reader, clean_text
from exconn_sync.exchanges.wire_numbers import ns_of_ms
from exconn_sync.model.account_info import AccountInfo, KeyInfo
from exconn_sync.model.wire import HttpResponse, RestCall


class _Account(msgspec.Struct, rename="camel"):
    account_type: str
    can_trade: bool
    can_deposit: bool | None = None
    can_withdraw: bool | None = None
    require_self_trade_prevention: bool | None = None
    prevent_sor: bool | None = None
    update_time: int | None = None
    permissions: list[str] = []
    uid: int | None = None


_READER = Reader(urls.EXCHANGE, _Account, refuse_repeated_keys=True)


class BinanceAccount:
    """The account of Binance spot; see ``AccountCalls`` for what each method promises."""

    def fetch_account(self) -> RestCall[AccountInfo]:
        """Return the call for the account, whose balances are told with it."""
        path, params = urls.ACCOUNT, (("omitZeroBalances", "true"),)
        costs = limits.costs_of("GET", path)
        return RestCall("GET", path, parse_account_info, params, is_signed=True, costs=costs)

    def fetch_key(self) -> RestCall[KeyInfo]:
        """Refuse: keys are looked after by another interface than that of spot."""
        raise ValidationError("exchange", urls.EXCHANGE, "does not tell what a key may do", exchange=urls.EXCHANGE)


def parse_account_info(response: HttpResponse) -> AccountInfo:
    """Read what the account is and may do. Raises ProtocolError."""
    return _READER.read(response.body, _info)


def _info(wire: _Account) -> AccountInfo:
    return AccountInfo(
        exchange=urls.EXCHANGE,
        account_type=clean_text(wire.account_type),
        account_id=None if wire.uid is None else str(wire.uid),
        can_trade=wire.can_trade,
        can_deposit=wire.can_deposit,
        can_withdraw=wire.can_withdraw,
        permissions=frozenset(wire.permissions),
        requires_prevention=wire.require_self_trade_prevention,
        refuses_routing=wire.prevent_sor,
        updated_at=None if wire.update_time is None else ns_of_ms(wire.update_time),
    )
