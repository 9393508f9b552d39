"""Asks every rule before an order may leave."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync.errors import RiskRejected
from exconn_sync.ports.risk import Proposal, RiskRule


class RiskGate:
    """All rules of one connector, asked in order on the thread that places the order."""

    def __init__(self, rules: Sequence[RiskRule]) -> None:
        self._rules = tuple(rules)

    def admit(self, proposal: Proposal) -> None:
        """Return where no rule objects.

        Raises:
            RiskRejected: a rule objects, or raised something else: a broken rule lets nothing pass.
        """
        for rule in self._rules:
            try:
                rule.check(proposal)
            except RiskRejected:
                raise
            except Exception as error:
                # A broken rule may not even be able to tell its name.
                name = getattr(rule, "name", type(rule).__name__)
                raise RiskRejected(f"rule {name} failed: {error}", rule=name) from error
