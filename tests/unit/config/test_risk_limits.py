"""Limits are checked when they are made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import Config
from exconn_sync.config.risk_limits import RiskLimits, limit_for
from exconn_sync.errors import ValidationError

HOUR = 3600 * 10**9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("max_order_notional", "max_order_quantity", "max_position", "max_daily_loss")
          for value in (0, -1, 1.5, "x", True, "NaN", {"BTC-USDT": 0}, {"": 1}, {7: 1}, [1])),
        *((name, {"BTCUSDT": 1}) for name in ("max_order_notional", "max_order_quantity", "max_position")),
        ("max_daily_loss", {"BTC-USDT": 1}),
        *((name, value) for name in ("max_open_orders", "max_open_orders_per_symbol")
          for value in (0, -1, 1.5, "1", True)),
        *(("max_order_rate", value) for value in (5, (0, 1), (1, 0), (1,), (1.5, 1), (True, 1), "ab")),
        *(("max_price_deviation", value) for value in (0, -1, 0.05, "x")),
        *((name, value) for name in ("max_book_age", "dead_man") for value in (0, -1, "1", True, float("nan"))),
        *(("day_starts_at", value) for value in ("24:00", "0:00", 0, None, "00:00:00", "1২:00")),
        ("check_balance", 1),
        *(("allowed_symbols", value) for value in ("BTC-USDT", ["BTCUSDT"], [7], 5)),
        *(("alert_share", value) for value in (0, "1.1", 0.8, "x", -1)),
    ],
)  # fmt: skip
def test_a_wrong_limit_is_told_by_its_name(name: str, value: Any) -> None:
    for make in (RiskLimits, Config.builder("binance").risk):
        with pytest.raises(ValidationError) as caught:
            make(**{name: value})
        assert caught.value.field == name


def test_a_misspelt_limit_is_told_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="max_order_notional") as caught:
        Config.builder("binance").risk(max_notional=5)
    assert caught.value.field == "max_notional"


@pytest.mark.parametrize("rule", [RiskLimits(), "BTC-USDT", None, 5000])
def test_what_is_no_rule_is_told(rule: Any) -> None:
    with pytest.raises(ValidationError, match="must have a method check"):
        Config.builder("binance").risk(rule).build()
    with pytest.raises(ValidationError, match="must be RiskLimits"):
        Config("binance", risk={"max_open_orders": 1})  # type: ignore[arg-type]


def test_numbers_and_symbols_are_made_uniform() -> None:
    limits: Any = RiskLimits(
        max_position={"BTC/USDT": "1.50", "*": 3},  # type: ignore[dict-item]
        allowed_symbols=["BTC-USDT-SPOT", "ETH-USDT"],  # type: ignore[arg-type]
        max_order_rate=[10, 1],  # type: ignore[arg-type]
        alert_share="0.5",  # type: ignore[arg-type]
        max_order_notional=5000,  # type: ignore[arg-type]
    )
    assert limits.max_position == {"BTC-USDT": Decimal("1.50"), "*": Decimal(3)}
    assert limits.allowed_symbols == {"BTC-USDT", "ETH-USDT"}
    assert (limits.max_order_rate, limits.alert_share) == ((10, 1), Decimal("0.5"))
    assert limits.max_order_notional == Decimal(5000)
    assert limits == RiskLimits(**vars(limits))


def test_a_limit_is_for_one_symbol_for_the_others_or_for_all() -> None:
    by_symbol = {"A-B": Decimal(1), "*": Decimal(2)}
    assert [limit_for(by_symbol, name) for name in ("A-B", "C-D")] == [1, 2]
    assert limit_for({"A-B": Decimal(1)}, "C-D") is None
    assert [limit_for(Decimal(3), "C-D"), limit_for(None, "C-D")] == [3, None]


@pytest.mark.parametrize(
    ("starts_at", "at", "begins"),
    [
        ("00:00", 0, 0),
        ("00:00", 25 * HOUR, 24 * HOUR),
        ("06:30", 30 * HOUR, 6.5 * HOUR),
        ("06:30", 31 * HOUR, 30.5 * HOUR),
    ],
)
def test_when_a_day_begins(starts_at: str, at: int, begins: float) -> None:
    assert RiskLimits(day_starts_at=starts_at).day_start(at) == begins
