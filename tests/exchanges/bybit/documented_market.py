"""How each of Bybit's example payloads of public data is read, and which of its fields are left out, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exconn_sync._machines.book_side import BookSide
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, BookSnapshot
from exconn_sync.model.wire import RestCall, Topic
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, decoded, response

Read = Callable[[bytes], Any]

NAMED_BEFORE = "the topic or the question has it"
WIRE_TIME = "when the message was sent; the time of the matter itself is kept"
NOT_TOLD = "nothing of the library needs it; Connector.request has it"
DEAD = "not enforced any more (Bybit: 4.2)"
ENVELOPE = {"retCode": "errors are told apart before", "retMsg": "unstable text", "time": "the answer's own time"}


@dataclass(frozen=True)
class Reading:
    """How one payload is read; ``ignored`` are fields whose content is not in the value, with the reason."""

    read: Read
    ignored: Mapping[str, str] = field(default_factory=dict)


def checked(read: Read) -> Read:
    """Read a book as the library does: its levels stay text until the local book takes them."""

    def read_levels(body: bytes) -> Any:
        found = read(body)
        for event in found if isinstance(found, list) else [found]:
            if isinstance(event, (BookDiff, BookSnapshot)):
                BookSide(is_bids=True).load(event.bids)
                BookSide(is_bids=False).load(event.asks)
        return found

    return read_levels


def of_call(call: RestCall[Any], **ignored: str) -> Reading:
    """Return the reading of an answer."""
    named = {name.replace("__", "."): why for name, why in ignored.items()}
    return Reading(checked(lambda body: call.parse(response(body))), ENVELOPE | named)


def of_topic(channel: Channel, variant: str = "", symbol: str = "BTC-USDT", **ignored: str) -> Reading:
    """Return the reading of a frame."""
    decode = DRIVER.decoder(Topic(channel, symbol, DRIVER.variant(channel, variant)))
    named = {name.replace("__", "."): why for name, why in ignored.items()}
    kept = {"topic": NAMED_BEFORE, "type": "always the same, but for books"}
    return Reading(checked(lambda body: decoded(decode, body)), kept | named)


_ROWS = {f"result.list[].{name}": NOT_TOLD for name in ("symbolId", "innovation", "stTag", "marginTrading")}
_INSTRUMENTS = {
    "result.category": NAMED_BEFORE, **_ROWS,
    "result.list[].lotSizeFilter.quotePrecision": "its number of decimals is kept",
    **{
        f"result.list[].lotSizeFilter.{name}": DEAD
        for name in ("minOrderQty", "maxOrderQty", "maxOrderAmt")
    },
    **{
        f"result.list[].{name}": NOT_TOLD
        for name in (
            "riskParameters.priceLimitRatioX",
            "riskParameters.priceLimitRatioY", "symbolType", "xstockMultiplier", "forbidUplMargin",
        )
    },
}  # fmt: skip
_BOOK = {"data.s": NAMED_BEFORE, "data.seq": NOT_TOLD, "ts": WIRE_TIME}

READINGS: dict[str, Reading] = {
    "rest/GET_market_time__response": of_call(DRIVER.server_time(), result__timeSecond="timeNano has it"),
    "rest/GET_market_instruments_info__response_spot": Reading(
        of_call(DRIVER.fetch_instruments()).read, ENVELOPE | _INSTRUMENTS
    ),
    "rest/GET_market_orderbook__response": of_call(
        DRIVER.fetch_order_book(BTCUSDT, 1), result__s=NAMED_BEFORE, result__ts=WIRE_TIME, result__seq=NOT_TOLD
    ),
    "rest/GET_market_recent_trade__response": Reading(
        of_call(DRIVER.fetch_trades(BTCUSDT, 1)).read,
        ENVELOPE
        | {"result.category": NAMED_BEFORE, "result.list[].symbol": NAMED_BEFORE}
        | {f"result.list[].{name}": NOT_TOLD for name in ("isBlockTrade", "isRPITrade")}
        | {"result.list[].seq": "orders the trades of one moment"},
    ),
    "rest/GET_market_kline__response": Reading(
        of_call(DRIVER.fetch_klines(BTCUSDT, "1h", 3, now=0)).read,
        {name: why for name, why in ENVELOPE.items() if name != "time"}
        | {"result.category": NAMED_BEFORE, "result.symbol": NAMED_BEFORE},
    ),
    "rest/GET_market_tickers__response_spot": Reading(
        of_call(DRIVER.fetch_tickers([BTCUSDT], "24h", INSTRUMENTS)).read,
        {name: why for name, why in ENVELOPE.items() if name != "time"}
        | {"result.category": NAMED_BEFORE, "result.list[].usdIndexPrice": NOT_TOLD},
    ),
    "ws/public_orderbook__response_snapshot": Reading(
        of_topic(Channel.ORDER_BOOK, "50").read, _BOOK | {"topic": NAMED_BEFORE}
    ),
    "ws/public_orderbook__response_delta": Reading(
        of_topic(Channel.ORDER_BOOK, "50").read, _BOOK | {"topic": NAMED_BEFORE}
    ),
    "ws/public_trade__response": of_topic(
        Channel.TRADE, ts=WIRE_TIME,
        **{f"data[]__{name}": NOT_TOLD for name in ("seq", "BT", "RPI", "L")}, **{"data[]__s": NAMED_BEFORE},
    ),
    "ws/public_ticker__response_spot": of_topic(
        Channel.TICKER, data__symbol=NAMED_BEFORE, data__usdIndexPrice=NOT_TOLD, cs=NOT_TOLD
    ),
    "ws/public_kline__response": of_topic(
        Channel.KLINE, "5m", **{"data[]__interval": NAMED_BEFORE, "data[]__timestamp": NOT_TOLD}
    ),
}  # fmt: skip

LEFT_OUT: dict[str, str] = dict.fromkeys(
    (
        "rest/GET_market_fee_group_info__response", "rest/GET_market_full_orderbook__response",
        "rest/GET_market_price_limit__response", "rest/GET_market_rpi_orderbook__response",
        "rest/GET_account_instruments_info__response_spot", "ws/public_full_ob__response",
        "ws/public_order_price_limit__response", "ws/public_orderbook_rpi__response__2",
        "ws/system_system_status__response",
    ),
    "the domain has nothing of the kind; Connector.request has the answers",
)  # fmt: skip
CONTROL = {
    "ws/public_orderbook_rpi__response": "SubscriptionReply of no request of ours",
    "ws/wss_authentication__response_public_spot": "SubscriptionReply",
}
