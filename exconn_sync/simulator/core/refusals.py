"""Why the venue does not do what it was asked."""

from enum import Enum


class Reason(Enum):
    """The kinds of refusal; a face gives each the words of its exchange."""

    UNKNOWN_SYMBOL = "unknown symbol"
    FILTER = "filter failure"
    INSUFFICIENT_BALANCE = "insufficient balance"
    DUPLICATE_CLIENT_ID = "duplicate client order id"
    WOULD_TAKE = "would take liquidity"
    NO_LIQUIDITY = "no liquidity"
    UNKNOWN_ORDER = "unknown order"
    MARKET_CLOSED = "market closed"


class Refusal(Exception):
    """A command was refused; nothing has changed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
