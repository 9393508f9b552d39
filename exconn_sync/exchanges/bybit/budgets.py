"""What Bybit says about its budgets, and which hosts share them (Bybit: 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.limits import RATE_RULES
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.wire import HttpResponse

LIMIT_HEADER = "x-bapi-limit"
LEFT_HEADER = "x-bapi-limit-status"
RESET_HEADER = "x-bapi-limit-reset-timestamp"

_HEAD = 64
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_OF_ACCOUNT = {rule.limit: rule for rule in RATE_RULES if rule.is_per_account}
_USED_UP = re.compile(rb'"retCode"\s*:\s*10006\s*[,}]')
"""What the refusal for a used up budget begins with; other refusals are none of it."""
_HOSTS = frozenset(
    host
    for environment in urls.ENVIRONMENTS
    if (host := urlsplit(urls.base_urls(environment).get(urls.REST, "")).netloc)
)


def budget_name(endpoints: Mapping[str, str]) -> str:
    """Return one name for all hosts of the exchange, whose requests count together, and the host for any other."""
    host = urlsplit(endpoints[urls.REST]).netloc
    return urls.EXCHANGE if host in _HOSTS else f"{urls.EXCHANGE}:{host}"


def used_figures(response: HttpResponse, path: str) -> list[UsedFigure]:
    """Return what the account has used of an endpoint, and may use; nothing where the answer does not say it."""
    rule = _OF_ACCOUNT.get(path)
    if rule is None:
        return []
    limit, left = (response.headers.get(name, "") for name in (LIMIT_HEADER, LEFT_HEADER))
    if _COUNT.fullmatch(limit) and _COUNT.fullmatch(left):
        return [UsedFigure(path, rule.interval_ms, max(0, int(limit) - int(left)), int(limit) or None)]
    is_used_up = _USED_UP.search(response.body[:_HEAD]) is not None
    return [UsedFigure(path, rule.interval_ms, rule.amount)] if is_used_up else []
