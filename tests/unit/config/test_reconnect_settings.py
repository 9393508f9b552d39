"""Settings of reconnecting, rotation and delivery are checked when they are given."""

from __future__ import annotations

from typing import Any

import pytest

from exconn_sync import Config, ValidationError


def test_the_rotation_window_is_kept() -> None:
    config = Config.builder("binance").reconnect(rotation_window=("02:00", "04:30"), rotate_after=3600).build()
    assert config.reconnect.rotation_window == ("02:00", "04:30")
    assert config.reconnect.rotate_after == 3600


@pytest.mark.parametrize(
    "window",
    [("2:00", "04:00"), ("24:00", "01:00"), ("02:00", "02:00"), ("02:00",), "02:00", (2, 4), ("٠٢:00", "04:00")],
)
def test_a_window_that_is_none_is_refused(window: Any) -> None:
    with pytest.raises(ValidationError, match="rotation_window"):
        Config.builder("binance").reconnect(rotation_window=window)


@pytest.mark.parametrize("settings", [{"alarm": 0}, {"alarm": True}, {"block_limit": 0}, {"block_limit": "5"}])
def test_delivery_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(settings))):
        Config.builder("binance").delivery(**settings)
