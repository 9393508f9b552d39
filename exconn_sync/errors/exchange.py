"""What an exchange says, or what stands between it and us."""

from __future__ import annotations

from typing import Any

from exconn_sync.errors.base import ExconnError, Outcome


class AuthenticationError(ExconnError):
    """The exchange refused key, signature or session, or there is no key for a private call."""

    code = "authentication"
    outcome: Outcome | None = "refused"


class PermissionDenied(ExconnError):
    """The key is known, but may not do this (permission, address or account restriction)."""

    code = "permission"
    outcome: Outcome | None = "refused"


class RateLimitError(ExconnError):
    """A limit of the exchange is reached.

    Attributes:
        retry_after: seconds until the next attempt may succeed, or None where nobody said.
        is_per_account: it is a limit on the orders of the account; everything else may go on.
    """

    code = "rate_limit"
    retryable = True
    outcome: Outcome | None = "refused"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        is_per_account: bool = False,
        **more: Any,
    ) -> None:
        self.retry_after = retry_after
        self.is_per_account = is_per_account
        super().__init__(message, **more)


class ConnectionFailed(ExconnError):
    """The exchange could not be reached, or a connection broke.

    Attributes:
        temporary: False where only a change of configuration can help (wrong certificate, unknown path).

    ``details`` hold ``http_status``, and ``retry_after`` in seconds where the exchange gave it, for a stream that the
    exchange refused to open; ``proxy_status`` for a proxy that refused.
    """

    code = "connection"
    retryable = True

    def __init__(self, message: str, *, temporary: bool = True, **more: Any) -> None:
        self.temporary = temporary
        super().__init__(message, **more)


class RequestTimeout(ExconnError, TimeoutError):
    """No answer within the deadline of the call."""

    code = "timeout"
    retryable = True


class ProtocolError(ExconnError):
    """An answer or frame that does not have the documented form; ``details['payload']`` holds its beginning."""

    code = "protocol"


class ExchangeError(ExconnError):
    """The exchange answered with an error; ``details['exchange_code']`` is its own code."""

    code = "exchange"


class OrderRejected(ExchangeError):
    """The exchange certainly did not execute the command.

    Attributes:
        result: of ``replace_order`` the ``OrderReplacement``, else None.
    """

    code = "order_rejected"
    outcome: Outcome | None = "refused"
    result: Any = None

    def __init__(self, message: str, *, result: Any = None, **more: Any) -> None:
        self.result = result
        super().__init__(message, **more)


class InsufficientBalance(OrderRejected):
    """Not enough free balance for the order."""

    code = "insufficient_balance"


class FilterViolation(OrderRejected):
    """Price, quantity or notional breaks a trading rule of the symbol."""

    code = "filter_violation"


class DuplicateOrder(OrderRejected):
    """An open order already has this client order id: one of an earlier run, or of another program.

    Attributes:
        order: a live handle on the order that has the id; None for a command that is not about one order.
    """

    code = "duplicate_order"
    order: Any = None


class OrderNotFound(OrderRejected):
    """The exchange does not know the order (any more)."""

    code = "order_not_found"


class MarketClosed(OrderRejected):
    """The symbol does not accept this order at the moment."""

    code = "market_closed"


class WouldTakeLiquidity(OrderRejected):
    """A post-only order would have matched at once."""

    code = "would_take_liquidity"


class ClockSkew(ExconnError):
    """The exchange refused the timestamp of the request; the clock is being synchronized again."""

    code = "clock_skew"
    retryable = True
    outcome: Outcome | None = "refused"
