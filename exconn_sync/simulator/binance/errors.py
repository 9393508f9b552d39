"""The exchange's error codes, their exact words and their HTTP statuses."""

from collections.abc import Mapping

from exconn_sync.simulator.core.refusals import Reason, Refusal


class ApiError(Exception):
    """An error answer. ``retry_at`` (epoch ms) goes with rate limits."""

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        retry_at: int | None = None,
        data: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_at = retry_at
        self.data = data

    def body(self) -> dict[str, object]:
        """The JSON body of a REST error."""
        body: dict[str, object] = {"code": self.code, "msg": self.message}
        return body if self.data is None else body | {"data": self.data}


def too_many_requests(limit: int, retry_at: int) -> ApiError:
    """The number of requests is used up; the sheet has no text for it, so it is the one for weight in its words."""
    return ApiError(-1003, f"Too many requests; current limit is {limit} raw requests per 5 MINUTE.", 429, retry_at)


def too_much_weight(limit: int, retry_at: int, window: str = "1 MINUTE") -> ApiError:
    """The weight of the window is used up."""
    text = (
        f"Too much request weight used; current limit is {limit} request weight per {window}. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return ApiError(-1003, text, 429, retry_at)


def banned(until: int) -> ApiError:
    """The address went on after being told to stop."""
    text = (
        f"Way too much request weight used; IP banned until {until}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return ApiError(-1003, text, 418, until)


def too_many_orders(limit: int, window: str, retry_at: int) -> ApiError:
    """The account placed too many orders that did not fill."""
    return ApiError(-1015, f"Too many new orders; current limit is {limit} orders per {window}.", 429, retry_at)


def outside_window() -> ApiError:
    """The timestamp is too old."""
    return ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def ahead_of_time() -> ApiError:
    """The timestamp lies in the future."""
    return ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def bad_signature() -> ApiError:
    """The signature does not fit the payload."""
    return ApiError(-1022, "Signature for this request is not valid.")


def bad_key_format() -> ApiError:
    """No key, or not one in the shape of a key."""
    return ApiError(-2014, "API-key format invalid.", 401)


def bad_key() -> ApiError:
    """A key nobody knows."""
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def illegal_characters(name: str, legal: str) -> ApiError:
    """A value outside its pattern."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def duplicate_parameter() -> ApiError:
    """The same name twice in one place."""
    return ApiError(-1101, "Duplicate values for a parameter detected.")


def too_many_parameters(expected: int, received: int) -> ApiError:
    """Parameters where none are taken."""
    return ApiError(-1101, f"Too many parameters; expected '{expected}' and received '{received}'.")


def missing_parameter(name: str) -> ApiError:
    """A mandatory parameter is not there, empty, or not in its form."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def unread_parameters(read: int, sent: int) -> ApiError:
    """Parameters that the endpoint does not know."""
    text = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'."
    return ApiError(-1104, text)


def empty_parameter(name: str) -> ApiError:
    """An optional parameter without a value."""
    return ApiError(-1105, f"Parameter '{name}' was empty.")


def unwanted_parameter(name: str) -> ApiError:
    """A parameter that does not go with the others."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def bad_combination() -> ApiError:
    """Optional parameters that exclude each other."""
    return ApiError(-1128, "Combination of optional parameters invalid.")


def too_precise(name: str) -> ApiError:
    """More decimals than the asset has."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def bad_symbol() -> ApiError:
    """A symbol nobody knows."""
    return ApiError(-1121, "Invalid symbol.")


def rejected(message: str) -> ApiError:
    """The matching engine refuses a new order."""
    return ApiError(-2010, message)


def archived() -> ApiError:
    """The order that was asked for ended without a fill too long ago."""
    text = "Order was canceled or expired with no executed qty over 90 days ago and has been archived."
    return ApiError(-2026, text)


def no_such_order() -> ApiError:
    """A query found nothing."""
    return ApiError(-2013, "Order does not exist.")


def no_such_list() -> ApiError:
    """A query for an order list found nothing."""
    return ApiError(-2013, "Order list does not exist.")


def cancel_rejected(message: str = "Unknown order sent.") -> ApiError:
    """The matching engine refuses a cancel."""
    return ApiError(-2011, message)


_AMEND_TEXTS = {
    Reason.UNKNOWN_ORDER: "Unknown order sent.",
    Reason.QUANTITY_INCREASE: "Order amend (quantity increase) is not supported.",
    Reason.NO_CHANGE: "The requested action would change no state; rejecting",
    Reason.NOTHING_LEFT: "Price * QTY is zero or less.",
    Reason.TOO_MANY_AMENDMENTS: "Filter failure: MAX_NUM_ORDER_AMENDS",
    Reason.PENDING_AMOUNT: "Order amend (pending OPO order) is not supported.",
}


def amend_rejected(refusal: Refusal) -> ApiError:
    """The matching engine refuses an amendment."""
    text = _AMEND_TEXTS.get(refusal.reason)
    return of_refusal(refusal) if text is None else ApiError(-2038, text)


_REJECT_TEXTS = {
    Reason.INSUFFICIENT_BALANCE: "Account has insufficient balance for requested action.",
    Reason.DUPLICATE_CLIENT_ID: "Duplicate order sent.",
    Reason.WOULD_TAKE: "Order would immediately match and take.",
    Reason.NO_PEG: "Order book liquidity is too low for this pegged order.",
    Reason.ICEBERG_TOO_LARGE: "IcebergQty exceeds QTY.",
    Reason.WOULD_TRIGGER: "Order would trigger immediately.",
    Reason.BAD_RELATION: "The relationship of the prices for the orders is not correct.",
    Reason.MARKET_CLOSED: "Market is closed.",
    Reason.NO_LIQUIDITY: "Order book liquidity is less than LOT_SIZE filter minimum quantity.",
}


def of_refusal(refusal: Refusal) -> ApiError:
    """The exchange's words for a refusal of the core."""
    if refusal.reason is Reason.UNKNOWN_SYMBOL:
        return bad_symbol()
    if refusal.reason is Reason.FILTER:
        return ApiError(-1013, f"Filter failure: {refusal.detail}")
    if refusal.reason is Reason.NOT_ROUTED:
        # The sheet has no text for it.
        return ApiError(-1020, "This operation is not supported.")
    if refusal.reason is Reason.UNKNOWN_ORDER:
        return cancel_rejected()
    return rejected(_REJECT_TEXTS[refusal.reason])
