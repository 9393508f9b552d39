"""Questions to the exchange that are counted: comparing the account must cost little, and say how much it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, TypeVar

from exconn_sync._live.rest_client import RestClient
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports.metrics import MetricsSink

T = TypeVar("T")


class Asks(Protocol):
    """Whoever makes REST calls."""

    def call(self, call: RestCall[T], timeout: float | None) -> T:
        """Make a call; see ``RestClient.call``."""
        ...


class CountedQuestions:
    """Makes REST calls and counts what they take from the exchange's budgets, as ``reconciliation.cost``.

    Counted is what is asked for, also where it fails; not what is repeated after a broken connection. Thread-safe.
    """

    def __init__(self, exchange: str, rest: RestClient, metrics: MetricsSink) -> None:
        self._exchange = exchange
        self._rest = rest
        self._metrics = metrics

    def call(self, call: RestCall[T], timeout: float | None) -> T:
        """Make a call; see ``RestClient.call``."""
        if call.pages is None:
            self._count(call)
            return self._rest.call(call, timeout)

        def parse(response: HttpResponse) -> T:
            # Each page costs the same, and how many there are only the answers tell.
            self._count(call)
            return call.parse(response)

        return self._rest.call(replace(call, parse=parse), timeout)

    def _count(self, call: RestCall[T]) -> None:
        for cost in call.costs:
            self._metrics.count("reconciliation.cost", cost.amount, exchange=self._exchange, limit=cost.limit)
