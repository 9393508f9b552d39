"""What the author of a driver hands to the contract suite: payloads as the exchange's pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exconn_sync.errors import ExconnError


@dataclass(frozen=True)
class Refusal:
    """An error answer of REST: its HTTP status and body, and the error that it has to become.

    It says that nothing was done: the outcome of a command is then ``refused``.
    """

    status: int
    body: bytes
    error: type[ExconnError]


@dataclass(frozen=True)
class Examples:
    """Documented payloads of one exchange, all about the same symbol and, where one is meant, the same order.

    Attributes:
        symbol: canonical symbol that the payloads are about; it is listed in ``answers["fetch_instruments"]``.
        client_order_id: the client's id of the order in the payloads.
        exchange_order_id: the exchange's id of it.
        answers: bodies of successful answers, by the name of the driver's method: one for each that is offered.
        frames: data frames of the public stream by channel, or by ``channel.variant`` for a variant that is not the
            usual one: at least one for each channel that is offered.
        account_frames: frames of the account stream: at least one with an order, a fill and a balance, and the answer
            to a sign-in that succeeded.
        control_frames: other frames of the public stream: the answers to a subscription that succeeded and to one that
            was refused, and whatever else is documented.
        refusals: error answers; at least one for each kind of error that the exchange tells apart.
        unknown_refusal: the body of an error answer with a code that is on no table.
        left_out: methods of the driver and channels without an example, and why.
        open_objects: names of fields whose objects have data as keys (``{"BTC": "1"}``), so that a new key is no news.
        api_key: what signs; it need not open anything.
        api_secret: likewise.
    """

    symbol: str
    client_order_id: str
    exchange_order_id: str
    answers: Mapping[str, bytes]
    frames: Mapping[str, Sequence[bytes]]
    account_frames: Sequence[bytes]
    control_frames: Sequence[bytes]
    refusals: Sequence[Refusal]
    unknown_refusal: bytes
    left_out: Mapping[str, str] = field(default_factory=dict)
    open_objects: frozenset[str] = frozenset()
    api_key: str = "contract0suite0key"
    api_secret: str = "contract0suite0secret"
