"""Answers about what the account is and what its key may do (Bybit: 4.18)."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.envelope import EnvelopeReader
from exconn_sync.exchanges.bybit.order_rows import time_of
from exconn_sync.exchanges.decoding import clean_text
from exconn_sync.model.account_info import AccountInfo, KeyInfo
from exconn_sync.model.wire import HttpResponse

_KINDS = {1: "classic", 3: "unified 1.0", 4: "unified 1.0 pro", 5: "unified 2.0", 6: "unified 2.0 pro"}
"""(Bybit: 4.15, ``unifiedMarginStatus``)"""
_TRADING = ("Spot", "SpotTrade")
_ANYWHERE = "*"
_NOBODY = "0"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NS_PER_SECOND = 1_000_000_000


class _Account(msgspec.Struct, rename="camel"):
    unified_margin_status: int
    margin_mode: str | None = None
    smp_group: int = 0
    updated_time: str | None = None


class _Key(msgspec.Struct, rename="camel"):
    read_only: int
    permissions: dict[str, list[str]]
    user_id: int = msgspec.field(name="userID")
    note: str = ""
    ips: list[str] = []
    expired_at: str | None = None
    created_at: str | None = None
    vip_level: str = ""
    is_master: bool | None = None
    parent_uid: str | None = None
    kyc_region: str | None = None


_ACCOUNT = EnvelopeReader(_Account, refuse_repeated_keys=True)
_KEY = EnvelopeReader(_Key, refuse_repeated_keys=True)


def parse_account_info(response: HttpResponse) -> AccountInfo:
    """Read what the account is. Raises ProtocolError."""
    return _ACCOUNT.read(response.body, lambda wire: _account(wire.result))


def parse_key_info(response: HttpResponse) -> KeyInfo:
    """Read what the key may do. Raises ProtocolError."""
    return _KEY.read(response.body, lambda wire: _key(wire.result))


def _account(wire: _Account) -> AccountInfo:
    status = wire.unified_margin_status
    return AccountInfo(
        exchange=EXCHANGE,
        account_type=_KINDS.get(status, str(status)),
        margin_mode=wire.margin_mode or None,
        trade_group=str(wire.smp_group) if wire.smp_group else None,
        updated_at=time_of(wire.updated_time),
    )


def _key(wire: _Key) -> KeyInfo:
    permissions = {name: tuple(words) for name, words in wire.permissions.items()}
    group, word = _TRADING
    return KeyInfo(
        exchange=EXCHANGE,
        account_id=str(wire.user_id),
        # Both are needed: a key that may only look can have the permission (Bybit: 4.18).
        can_trade=wire.read_only == 0 and word in permissions.get(group, ()),
        is_read_only=wire.read_only != 0,
        permissions=permissions,
        addresses=tuple(address for address in wire.ips if address != _ANYWHERE),
        note=clean_text(wire.note),
        created_at=_moment(wire.created_at),
        expires_at=_moment(wire.expired_at),
        level=clean_text(wire.vip_level),
        is_main_account=wire.is_master,
        parent_id=None if wire.parent_uid in (None, "", _NOBODY) else wire.parent_uid,
        region=wire.kyc_region or None,
    )


def _moment(text: str | None) -> int | None:
    """Return a time in ns since the epoch, None for an absent one; the epoch itself stands for none too.

    Raises:
        ValueError: it is written in another way.
    """
    if not text:
        return None
    seconds = int((datetime.strptime(text, _MOMENT).replace(tzinfo=timezone.utc) - _EPOCH).total_seconds())
    return seconds * _NS_PER_SECOND or None
