"""Risk limits while the connector runs: what is told of them, how they are changed, and the kill switch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from exconn_sync._live.order_handle import Order
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.connector.making import SubscriptionMaker
from exconn_sync.connector.patterns import ANY
from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.events import RiskAlert
from exconn_sync.model.profit import Profit


class RiskFace(SubscriptionMaker):
    """The limits as they are now, and the kill switch. They outlive ``restart``; see the page on risk limits."""

    def on_risk_alert(self, callback: Callable[[RiskAlert], object] | None) -> Subscription:
        """Call back when a limit is near or reached, once an episode, and when the kill switch changes."""
        return self._push_account(Channel.RISK_ALERT, ANY, callback)

    def profit(self, symbol: str) -> Profit:
        """Return what the position of a symbol has realized, and would bring if it were closed now; instant, no I/O.

        All fills of the account count, as in ``positions``. Prices are those of the local books; where one is missing,
        what depends on it is None, ``missing`` names it, and the book is kept from then on, where there is such a
        symbol.

        Raises:
            ValidationError: the exchange has no such symbol.
            NotReady: the instruments are not loaded yet.
            ConnectorStopped: not started, or stopped.
        """
        assembly = self._core.assembly
        return assembly.risk.profit(assembly.catalogue.get(symbol).symbol)

    @property
    def risk_limits(self) -> RiskLimits:
        """The limits that hold now."""
        self._core.guard.check("connector")
        return self._core.risk.limits

    def change_risk_limits(self, **limits: Any) -> RiskLimits:
        """Change limits from the next order on, all of them in one step; return the former ones.

        ``limits`` are attributes of ``RiskLimits``; what is not named stays, None switches a limit off. Where a limit
        of the configuration is changed by ``restart``, all limits of the new configuration hold from then on.

        Raises:
            ValidationError: no such limit, or one that breaks its rule; nothing was changed.
        """
        known = [item.name for item in fields(RiskLimits)]
        for name, value in limits.items():
            if name not in known:
                raise ValidationError(name, value, f"is no such limit; known are {', '.join(known)}")
        self._core.guard.check("connector")
        return self._change(limits)

    def kill(self, reason: str = "by hand", *, timeout: float | None = None) -> list[Order]:
        """Throw the kill switch: refuse every order from now on, and cancel all open orders that this library placed.

        Returns the live handles of orders that had not ended after ``timeout`` seconds (default: ``timeouts.request``),
        normally none; cancelling them goes on in the background, as long as the connector runs. Orders placed elsewhere
        stay; ``cancel_all`` cancels them too. A replacement, or an amend to more or to another price, is refused as
        well, cancels are not. Where the connector does not run, only the switch is thrown. It stays so until ``rearm``,
        also over a ``restart``.

        Raises:
            ConnectorStopped: stopped meanwhile.
        """
        if not isinstance(reason, str):
            raise ValidationError("reason", reason, "must be a text")
        self._core.guard.check("connector")
        assembly = self._core.running
        if assembly is None:
            self._decide(lambda told: self._core.risk.kill(reason, self._core.clock.time_ns(), told))
            return []
        try:
            assembly.watch_risk()
        finally:
            left = assembly.kill_switch.throw(reason, assembly.gateway.deadline(timeout))
        return left

    def rearm(self) -> bool:
        """Let orders pass again; return whether the kill switch had been thrown."""
        self._core.guard.check("connector")
        return self._decide(lambda told: self._core.risk.arm(self._core.clock.time_ns(), told))

    @property
    def killed(self) -> str | None:
        """Why the kill switch was thrown, None while orders may pass."""
        self._core.guard.check("connector")
        return self._core.risk.killed

    def _change(self, limits: dict[str, Any]) -> RiskLimits:
        guard = self._core.risk

        def change(exposure: object) -> RiskLimits:
            del exposure
            return guard.change(replace(guard.limits, **limits))

        former = self._core.own_store.decide(change)
        assembly = self._core.running
        if assembly is not None and guard.limits.needs_watch:
            assembly.watch_risk()
        return former

    def _decide(self, decision: Callable[[list[RiskAlert]], bool]) -> bool:
        """Change the guard under the store's lock, and tell of it outside."""
        told: list[RiskAlert] = []
        try:
            return self._core.own_store.decide(lambda _: decision(told))
        finally:
            for alert in told:
                self._core.pipeline.account(Channel.RISK_ALERT, alert.scope, [alert])
