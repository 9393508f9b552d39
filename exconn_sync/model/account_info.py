"""What the account is, and what its key may do, as the exchange tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NONE: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True)
class AccountInfo:
    """The account behind the key; see ``Connector.fetch_account``. None stands for what the exchange does not say.

    Attributes:
        exchange: name of the exchange.
        account_type: the exchange's word for the kind of account: ``SPOT`` (Binance: 5.10), ``unified 2.0`` (Bybit:
            4.15, ``unifiedMarginStatus``).
        account_id: the exchange's id of the account.
        can_trade: whether orders are taken.
        can_deposit: whether deposits are taken.
        can_withdraw: whether withdrawals are taken.
        permissions: what ``Instrument.is_permitted`` judges symbols by; empty where the exchange has no such thing.
        margin_mode: the exchange's word for how margin is counted (Bybit: ``REGULAR_MARGIN``).
        trade_group: id of the group of accounts that do not trade with each other, None for an account in none.
        requires_prevention: whether every order needs a mode of self-trade prevention.
        refuses_routing: whether smart order routing is switched off.
        updated_at: when this last changed, in nanoseconds since the Unix epoch.
    """

    exchange: str
    account_type: str
    account_id: str | None = None
    can_trade: bool | None = None
    can_deposit: bool | None = None
    can_withdraw: bool | None = None
    permissions: frozenset[str] = frozenset()
    margin_mode: str | None = None
    trade_group: str | None = None
    requires_prevention: bool | None = None
    refuses_routing: bool | None = None
    updated_at: int | None = None


@dataclass(frozen=True)
class KeyInfo:
    """The key that signs the requests; see ``Connector.fetch_key``. The key itself is not part of it.

    Attributes:
        exchange: name of the exchange.
        account_id: the exchange's id of the account that the key belongs to.
        can_trade: whether the key may place and cancel spot orders.
        is_read_only: whether it may only look, whatever ``permissions`` says.
        permissions: what it may do, by the exchange's own words: ``{"Spot": ("SpotTrade",)}``.
        addresses: the only addresses that it may be used from; empty where it may be used from all.
        note: what its owner called it.
        created_at: when it was made, in nanoseconds since the Unix epoch.
        expires_at: when it ends, likewise; None where it does not, as far as the exchange says.
        level: the exchange's word for the tier of fees and limits (Bybit: ``No VIP``, ``VIP-1``, ``PRO-1``).
        is_main_account: whether the account is no subaccount; ``parent_id`` is the account above it, else None.
        parent_id: see ``is_main_account``.
        region: the country of the account's owner in three letters, None where it is not told.
    """

    exchange: str
    account_id: str
    can_trade: bool
    is_read_only: bool
    permissions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NONE)
    addresses: tuple[str, ...] = ()
    note: str = ""
    created_at: int | None = None
    expires_at: int | None = None
    level: str = ""
    is_main_account: bool | None = None
    parent_id: str | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "permissions", MappingProxyType(dict(self.permissions)))
