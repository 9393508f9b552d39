"""What Binance says about its budgets: their limits, and what is used of them (Binance: 2, 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.endpoints import EXCHANGE, EXCHANGE_INFO, REST
from exconn_sync.exchanges.binance.limits import FILL_CREDIT, ORDERS, RAW_REQUESTS, REQUEST_WEIGHT
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.wire import Cost, HttpResponse, RateRule

ACCOUNT_COSTS = (Cost(REQUEST_WEIGHT, 6),)
"""Opening a connection to the WebSocket API costs 2, and so do the logon of a session and the subscription (Binance: 4,
5.1); a sign-in by subscription needs no logon and leaves 2 over until the next figures of the exchange."""

_INTERVALS_MS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
_LETTERS_MS = {name[0].lower(): length for name, length in _INTERVALS_MS.items()}
_COUNTERS = {"used-weight": REQUEST_WEIGHT, "order-count": ORDERS}
_HEADER = re.compile(r"x-mbx-(used-weight|order-count)-([0-9]{1,4})([smhd])", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_ONE_EXCHANGE = (
    (re.compile(r"api(?:[0-9]|-gcp)?\.binance\.com", re.ASCII), "api.binance.com"),
    (re.compile(r"(?:api[0-9]\.)?testnet\.binance\.vision", re.ASCII), "testnet.binance.vision"),
)
"""Hosts of one exchange, which counts by address whichever of them is asked (Binance: 1)."""
_USUAL_PORTS = {"https": 443, "http": 80}


_KINDS = ((REQUEST_WEIGHT, False, 0), (RAW_REQUESTS, False, 0), (ORDERS, True, FILL_CREDIT))


class _Limit(msgspec.Struct):
    rateLimitType: str  # noqa: N815
    interval: str
    intervalNum: int  # noqa: N815
    limit: int


class _Counted(_Limit):
    intervalNum: Annotated[int, msgspec.Meta(gt=0, le=10_000)]  # noqa: N815
    count: Annotated[int, msgspec.Meta(ge=0, lt=10**9)]


class _Info(msgspec.Struct):
    rateLimits: list[_Limit]  # noqa: N815


_INFO = Reader(EXCHANGE, _Info)


def budget_name(endpoints: Mapping[str, str]) -> str:
    """Return one name for all hosts of production, one for those of the testnet, the host itself for any other.

    However a host is spelt: case and the usual port make no difference.
    """
    url = urlsplit(endpoints[REST])
    host = url.hostname or ""
    name = next((name for hosts, name in _ONE_EXCHANGE if hosts.fullmatch(host)), host)
    is_usual = url.port in (None, _USUAL_PORTS.get(url.scheme))
    return f"{EXCHANGE}:{name}" if is_usual else f"{EXCHANGE}:{name}:{url.port}"


def used_figures(response: HttpResponse) -> list[UsedFigure]:
    """Return the counts of the headers ``X-MBX-USED-WEIGHT-...`` and ``X-MBX-ORDER-COUNT-...``.

    What cannot be read is left out: it corrects nothing, and the answer itself is good.
    """
    found = []
    for name, value in response.headers.items():
        if name.startswith("x-mbx-"):
            match, count = _HEADER.fullmatch(name), _COUNT.fullmatch(value)
            if match is not None and count is not None:
                counter, number, letter = match.groups()
                found.append(UsedFigure(_COUNTERS[counter], int(number) * _LETTERS_MS[letter], int(value)))
    return found


def reply_figures(rate_limits: object) -> tuple[UsedFigure, ...]:
    """Return the counts in a reply of the WebSocket API (Binance: 11); what cannot be read is left out."""
    found = []
    for row in rate_limits if isinstance(rate_limits, list) else []:
        try:
            limit = msgspec.convert(row, _Counted)
        except msgspec.ValidationError:
            continue
        if limit.rateLimitType in _COUNTERS.values() and limit.interval in _INTERVALS_MS:
            interval_ms = limit.intervalNum * _INTERVALS_MS[limit.interval]
            found.append(UsedFigure(limit.rateLimitType, interval_ms, limit.count))
    return tuple(found)


def stated_rules(response: HttpResponse, path: str) -> list[RateRule]:
    """Return the limits in an answer to ``exchangeInfo``; kinds and intervals that are not known are left out."""
    if path != EXCHANGE_INFO:
        return []
    try:
        limits = _INFO.read(response.body, lambda info: info.rateLimits)
    except ProtocolError:
        # Whether the answer is good as a whole, its own reader says.
        return []
    return [
        RateRule(kind, each.limit, each.intervalNum * _INTERVALS_MS[each.interval], is_per_account, credit)
        for each in limits
        for kind, is_per_account, credit in _KINDS
        if each.rateLimitType == kind and each.interval in _INTERVALS_MS and each.intervalNum > 0 and each.limit > 0
    ]
