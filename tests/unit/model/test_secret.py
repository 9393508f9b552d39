"""A secret never shows."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest

CANARY = "canary-5f1e9c"


@pytest.mark.parametrize(
    "show",
    [
        repr, str, ascii, lambda secret: f"{secret}", lambda secret: f"{secret!r:>9}", lambda secret: f"{secret:>20}",
        lambda secret: "%s %r" % (secret, secret), lambda secret: repr([secret, {"a": secret}]),  # noqa: UP031
        lambda secret: str(dir(secret)), lambda secret: format(secret, ""),
        lambda secret: "".join(traceback.format_exception(ValueError(secret))),
        lambda secret: logging.LogRecord("n", 10, "p", 1, "%s", (secret,), None).getMessage(),
        lambda secret: json.dumps(secret, default=str),
    ],
)  # fmt: skip
def test_it_prints_as_stars(show: Callable[[Secret], str]) -> None:
    """(fault F169)"""
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, vars, json.dumps, iter, len])
def test_it_is_neither_copied_nor_opened(take: Callable[[Any], object]) -> None:
    """(fault F172)"""
    with pytest.raises(TypeError) as caught:
        take(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_it_is_revealed_when_asked() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_it_compares_by_its_text() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret(CANARY)
    assert not Secret("")


def test_a_request_shows_neither_its_query_nor_its_headers() -> None:
    """(fault F169)"""
    request = HttpRequest("GET", f"/api/v3/order?signature={CANARY}", {"X-KEY": CANARY}, CANARY.encode())
    assert repr(request) == "<HttpRequest GET /api/v3/order>"
