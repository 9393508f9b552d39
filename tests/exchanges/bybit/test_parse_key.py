"""What the account is and what its key may do, from the documented answers (Bybit: 4.15, 4.18)."""

from __future__ import annotations

import copy
from datetime import datetime, timezone
from typing import Any

import pytest

from exconn_sync import AccountInfo, KeyInfo, ProtocolError
from exconn_sync.exchanges.bybit.driver import DRIVER
from tests.data import read_json
from tests.exchanges.bybit.support import envelope, response

REST = ("docs_examples", "bybit_v5", "rest")


def documented(name: str) -> dict[str, Any]:
    found: dict[str, Any] = copy.deepcopy(read_json(*REST, f"{name}.json"))
    return found


def account(**changes: Any) -> AccountInfo:
    payload = documented("GET_account_info__response")
    return DRIVER.fetch_account().parse(response({**payload, "result": payload["result"] | changes}))


def key(**changes: Any) -> KeyInfo:
    payload = documented("GET_user_query_api__response")
    return DRIVER.fetch_key().parse(response({**payload, "result": payload["result"] | changes}))


def ns(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=timezone.utc).timestamp()) * 1_000_000_000  # type: ignore[misc, arg-type]


def test_the_documented_account() -> None:
    assert account() == AccountInfo(
        "bybit", "unified 1.0 pro", margin_mode="REGULAR_MARGIN", updated_at=1_697_078_946_000_000_000
    )
    assert account(smpGroup=7).trade_group == "7"


def test_what_the_account_may_do_is_not_told_and_so_not_known() -> None:
    found = account()
    assert (found.can_trade, found.can_deposit, found.can_withdraw, found.requires_prevention) == (None,) * 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [(1, "classic"), (3, "unified 1.0"), (5, "unified 2.0"), (6, "unified 2.0 pro"), (9, "9")],
)
def test_kinds_of_accounts(status: int, kind: str) -> None:
    """A number of the future is shown as it came (Bybit: 4.15)."""
    assert account(unifiedMarginStatus=status).account_type == kind


def test_the_documented_key() -> None:
    """It may trade by its permission and is read-only all the same."""
    found = key()
    assert found.permissions["Spot"] == ("SpotTrade",)
    assert (found.can_trade, found.is_read_only) == (False, True)
    assert found.addresses == ("18.181.170.164", "13.212.45.47", "13.212.45.48")
    assert (found.account_id, found.note, found.level) == ("1448939", "testnet", "PRO-1")
    assert (found.is_main_account, found.parent_id, found.region) == (True, None, "MYS")
    assert found.created_at == ns(2025, 10, 13, 3, 20, 45)
    assert found.expires_at is None, "1970 stands for none: the key is bound to addresses"
    assert "XXXXXXXX" not in repr(found), "the key itself is not part of it"
    with pytest.raises(TypeError):
        found.permissions["Spot"] = ()  # type: ignore[index]


def test_a_key_that_may_trade() -> None:
    assert key(readOnly=0).can_trade
    assert not key(readOnly=0, permissions={"Spot": []}).can_trade
    assert not key(readOnly=0, permissions={"ContractTrade": ["Order"]}).can_trade


def test_a_key_of_a_subaccount_that_ends_and_is_good_from_everywhere() -> None:
    found = key(ips=["*"], isMaster=False, parentUid="1448900", expiredAt="2026-01-11T03:20:45Z", kycRegion="")
    assert (found.addresses, found.is_main_account, found.parent_id) == ((), False, "1448900")
    assert found.expires_at == ns(2026, 1, 11, 3, 20, 45)
    assert found.region is None


@pytest.mark.parametrize("field", ["readOnly", "permissions", "userID"])
def test_a_key_without_a_needed_field_is_refused(field: str) -> None:
    payload = documented("GET_user_query_api__response")
    del payload["result"][field]
    with pytest.raises(ProtocolError):
        DRIVER.fetch_key().parse(response(payload))


@pytest.mark.parametrize("text", ["yesterday", "2026-01-11 03:20:45", 5])
def test_a_time_that_cannot_be_read_is_refused(text: Any) -> None:
    with pytest.raises(ProtocolError):
        key(expiredAt=text)


def test_an_account_without_its_kind_is_refused() -> None:
    with pytest.raises(ProtocolError):
        DRIVER.fetch_account().parse(response(envelope({"marginMode": "REGULAR_MARGIN"})))
