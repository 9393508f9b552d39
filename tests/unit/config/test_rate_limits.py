"""Who shares the request budget: what is accepted, and what is never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exconn_sync import Config, ValidationError
from exconn_sync.config.settings import RateLimits

SECRET = "redis://user:topsecret@cache.example:6379/0"


def test_the_ways_to_share() -> None:
    assert RateLimits().share == "process"
    assert RateLimits("host").path is None
    assert RateLimits("host", path=Path("x") / "budgets.sqlite").path == str(Path.cwd() / "x" / "budgets.sqlite")
    for url in (SECRET, "rediss://cache.example"):
        assert RateLimits("redis", redis_url=url).share == "redis"


def test_the_builder_hands_them_on() -> None:
    config = Config.builder("binance").rate_limits(share="redis", redis_url=SECRET, name="desk 7").build()
    assert config.rate_limits.name == "desk 7"
    assert "topsecret" not in repr(config) + str(config.rate_limits)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"share": "planet"}, "share"),
        ({"window_ms": 0}, "window_ms"),
        ({"window_ms": True}, "window_ms"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"path": "x"}, "path"),
        ({"share": "host", "path": 5}, "path"),
        ({"share": "host", "path": ""}, "path"),
        ({"redis_url": SECRET}, "redis_url"),
        ({"share": "redis"}, "redis_url"),
        ({"share": "redis", "redis_url": "http://topsecret@cache.example"}, "redis_url"),
        ({"share": "redis", "redis_url": "redis://"}, "redis_url"),
        ({"share": "redis", "redis_url": "redis://topsecret@x:99999"}, "redis_url"),
        ({"account": ""}, "account"),
        ({"account": "a" * 101}, "account"),
        ({"account": "a\n"}, "account"),
        ({"account": 7}, "account"),
        ({"name": None}, "name"),
    ],
)
def test_what_breaks_a_rule_is_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RateLimits(**settings)
    assert caught.value.field == field
    assert "topsecret" not in str(caught.value)


def test_redis_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exconn_sync.config.rate_limits.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"exconn-sync\[redis\]"):
        RateLimits("redis", redis_url=SECRET)
