"""What the account is and may do (Binance: 5.10)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from exconn_sync import AccountInfo, ProtocolError, ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from tests.data import read_json
from tests.exchanges.binance.support import response


def documented() -> dict[str, Any]:
    path = ("docs_examples", "binance_spot", "rest", "GET_api_v3_account__response.json")
    found: dict[str, Any] = copy.deepcopy(read_json(*path))
    return found


def test_the_documented_account() -> None:
    assert DRIVER.fetch_account().parse(response(documented())) == AccountInfo(
        exchange="binance",
        account_type="SPOT",
        account_id="354937868",
        can_trade=True,
        can_deposit=True,
        can_withdraw=True,
        permissions=frozenset({"SPOT"}),
        requires_prevention=False,
        refuses_routing=False,
        updated_at=123_456_789_000_000,
    )


@pytest.mark.parametrize("field", ["canDeposit", "canWithdraw", "preventSor", "requireSelfTradePrevention", "uid"])
def test_what_is_not_told_is_not_known(field: str) -> None:
    """(fault F037)"""
    payload = documented()
    del payload[field]
    found = DRIVER.fetch_account().parse(response(payload))
    values = (found.can_deposit, found.can_withdraw, found.refuses_routing, found.requires_prevention, found.account_id)
    assert values.count(None) == 1


@pytest.mark.parametrize("field", ["accountType", "canTrade"])
def test_an_account_without_a_needed_field_is_refused(field: str) -> None:
    """(fault F038)"""
    payload = documented()
    del payload[field]
    with pytest.raises(ProtocolError):
        DRIVER.fetch_account().parse(response(payload))


def test_balances_are_not_asked_for_in_vain() -> None:
    assert DRIVER.fetch_account().params == (("omitZeroBalances", "true"),)


def test_keys_are_not_told_of() -> None:
    with pytest.raises(ValidationError):
        DRIVER.fetch_key()
