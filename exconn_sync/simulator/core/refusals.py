"""Why the venue does not do what it was asked."""

from enum import Enum


class Reason(Enum):
    """The kinds of refusal; a face gives each the words of its exchange."""

    UNKNOWN_SYMBOL = "unknown symbol"
    FILTER = "filter failure"
    INSUFFICIENT_BALANCE = "insufficient balance"
    DUPLICATE_CLIENT_ID = "duplicate client order id"
    WOULD_TAKE = "would take liquidity"
    WOULD_TRIGGER = "would trigger immediately"
    NO_LIQUIDITY = "no liquidity"
    NO_PEG = "no price to peg to"
    ICEBERG_TOO_LARGE = "more in sight than there is"
    UNKNOWN_ORDER = "unknown order"
    QUANTITY_INCREASE = "an amendment that increases the quantity"
    NO_CHANGE = "nothing would change"
    NOTHING_LEFT = "no quantity left"
    TOO_MANY_AMENDMENTS = "too many amendments"
    NOT_ROUTED = "no routing for this symbol"
    BAD_RELATION = "prices in the wrong relation to each other"
    PENDING_AMOUNT = "an amendment of a quantity that is not known yet"
    MARKET_CLOSED = "market closed"


class Refusal(Exception):
    """A command was refused; nothing has changed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
