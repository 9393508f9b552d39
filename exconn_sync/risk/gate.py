"""Asks the user's rules before an order may leave."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync.errors import RiskRejected
from exconn_sync.ports.risk import Proposal, RiskRule


class RiskGate:
    """The user's rules of one connector, asked in order on the thread that places the order."""

    def __init__(self, rules: Sequence[RiskRule]) -> None:
        self._rules = tuple(rules)

    @property
    def has_rules(self) -> bool:
        """Whether there is anybody to ask."""
        return bool(self._rules)

    def admit(self, proposal: Proposal) -> None:
        """Return where no rule objects.

        Raises:
            RiskRejected: a rule objects, raised something else or returned anything but None: a broken rule lets
                nothing pass (fault F140).
        """
        for rule in self._rules:
            try:
                answer: object = rule.check(proposal)  # type: ignore[func-returns-value]
            except RiskRejected:
                raise
            except Exception as error:
                raise RiskRejected(f"rule {_name(rule)} failed: {error}", rule=_name(rule)) from error
            if answer is not None:
                # ``return False`` is meant as a refusal, and nobody knows what else is meant by what.
                text = (
                    f"rule {_name(rule)} returned a {type(answer).__name__}; it must raise RiskRejected or return None"
                )
                raise RiskRejected(text, rule=_name(rule))


def _name(rule: RiskRule) -> str:
    """Return the name of a rule; a broken one may not even be able to tell it."""
    return str(getattr(rule, "name", type(rule).__name__))
