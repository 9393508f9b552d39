"""The imaginary exchange of the template, on the simulator's core and within the process: strict, and small."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from exconn_sync import Config, register_driver
from exconn_sync.errors import ConnectionFailed
from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.exchanges._template.driver import DRIVER
from exconn_sync.exchanges._template.signing import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    WINDOW_HEADER,
    socket_payload,
)
from exconn_sync.model.wire import HttpRequest, HttpResponse
from exconn_sync.ports import registry
from exconn_sync.ports.clock import Clock, SystemClock
from exconn_sync.ports.local_exchange import forget_local, register_local
from exconn_sync.simulator import Accounts, MarketControl, SeenRequest
from exconn_sync.simulator.bybit.books import DepthView
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.events import BalanceEvent, CommandEnded, Event, OrderEvent, PublicTrade
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.market import MarketGenerator
from exconn_sync.simulator.core.orders import Side, SimOrder
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.facade import DEMO_ACCOUNT, DEMO_FUNDS
from exconn_sync.simulator.keys import ApiKey, KeyTable
from tests.contract import imaginary_rows as rows
from tests.quiet import lay_out

HOST = "imaginary"
_KEY, _SECRET = "imaginary0key", "imaginary0secret0of0nobody"
_PRIVATE = frozenset({urls.ORDERS, urls.OPEN_ORDERS, urls.PAST_ORDERS, urls.ALL_ORDERS, urls.FILLS, urls.BALANCES})


class Stream:
    """One stream connection."""

    def __init__(self, exchange: ImaginaryExchange, is_private: bool, on_arrival: Callable[[], None]) -> None:
        self.is_private = is_private
        self.on_arrival = on_arrival
        self.inbox: list[bytes] = []
        self.names: set[str] = set()
        self.is_over = False
        self._exchange = exchange

    def tell(self, message: rows.Json) -> None:
        self.inbox.append(json.dumps(message).encode())

    def send(self, message: bytes) -> None:
        self._exchange.heard(self, json.loads(message))

    def receive(self) -> Sequence[bytes] | None:
        found, self.inbox = self.inbox, []
        return None if self.is_over and not found else found

    def close(self) -> None:
        self.is_over = True


class ImaginaryExchange:
    """Answers as the pages of the template's exchange would say; what it is told is done when the call returns."""

    name = urls.EXCHANGE
    place_path = urls.ORDERS

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self._lock = threading.RLock()
        self._streams: list[Stream] = []
        self._log: list[SeenRequest] = []
        self._to_lose = 0
        self._trades: list[rows.Json] = []
        venue_clock = VenueClock(self.clock.time_ns)
        self._now = venue_clock.now_ms
        self._core = core = Exchange()
        core.add_account(DEMO_ACCOUNT)
        self._keys = KeyTable([ApiKey(_KEY, _SECRET, DEMO_ACCOUNT)])
        generator = MarketGenerator(core, 1)
        self.market = MarketControl(self._call, core, generator, venue_clock)
        self.accounts = Accounts(self._call, core, self._keys, venue_clock, Random(1))
        for asset, amount in DEMO_FUNDS.items():
            core.deposit(DEMO_ACCOUNT, asset, amount, self._now())
        generator.open(self._now())
        generator.pause()
        lay_out(self.market)
        self._symbols = {rows.spelt(core, symbol): symbol for symbol in core.markets}
        self._views = {symbol: DepthView(market.book, 500) for symbol, market in core.markets.items()}
        core.listeners.append(self._hear)

    def __enter__(self) -> ImaginaryExchange:
        register_driver(DRIVER)
        register_local(HOST, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        forget_local(HOST)
        # It is nobody's exchange: other tests of this process must not know it.
        registry._registered.pop(self.name, None)

    def config(self, **changes: Any) -> Config:
        base = f"memory://{HOST}"
        builder = Config.builder(self.name).endpoints(rest=base, public=f"{base}/public", private=f"{base}/private")
        return builder.credentials(_KEY, _SECRET).build()

    def drop_connections(self) -> None:
        def drop() -> None:
            for stream in self._streams:
                stream.is_over = True

        self._call(drop)
        for stream in list(self._streams):
            stream.on_arrival()

    def lose_answer(self) -> None:
        self._to_lose += 1

    def requests(self) -> list[SeenRequest]:
        return list(self._log)

    def subscriptions(self) -> list[str]:
        return sorted(name for stream in self._streams if not stream.is_over for name in stream.names)

    def pass_time(self, seconds: float) -> None:
        del seconds

    def _call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self._lock:
            result = function(*arguments, **options)
        for stream in list(self._streams):
            if stream.inbox or stream.is_over:
                stream.on_arrival()
        return result

    # --- REST -------------------------------------------------------------------------------------------------------

    def answer(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        words = {**dict(parse_qsl(query)), **(json.loads(request.body) if request.body else {})}
        try:
            status, body = 200, self._call(self._answer, request, path, words)
        except Refusal as refusal:
            code = rows.CODES.get(refusal.reason, "REFUSED")
            status = 404 if code == "NO_SUCH_ORDER" else 400
            body = {"error": {"code": code, "text": str(refusal)}}
        except PermissionError as error:
            status, body = 401, {"error": {"code": str(error), "text": "refused"}}
        self._log.append(SeenRequest(self._now(), request.method, path, HOST, status))
        if self._to_lose and (request.method, path) == ("POST", urls.ORDERS):
            self._to_lose -= 1
            raise ConnectionFailed("the connection broke", outcome="unknown")
        return HttpResponse(status, {"x-used-requests": "1"}, json.dumps(body).encode(), time.time_ns())

    def _answer(self, request: HttpRequest, path: str, words: Mapping[str, str]) -> rows.Json:
        if path in _PRIVATE:
            self._check(request)
            return self._account(request.method, path, words)
        symbol = self._symbols.get(words.get("symbol", ""), "")
        if path == urls.TIME:
            return {"time_ms": self._now()}
        if path == urls.SYMBOLS:
            return {"symbols": [rows.symbol_row(self._core, each) for each in self._core.markets]}
        if path == urls.BOOK:
            return self._book(symbol, int(words["levels"]))
        if path == urls.TRADES:
            return {"trades": self._trades[-int(words["limit"]) :]}
        if path == urls.BEST:
            return {"best": [self._best(each) for each in ([symbol] if symbol else self._core.markets)]}
        raise Refusal(Reason.UNKNOWN_SYMBOL, path)

    def _check(self, request: HttpRequest) -> None:
        headers = request.headers
        moment, window = headers[TIME_HEADER], headers[WINDOW_HEADER]
        if abs(self._now() - int(moment)) > int(window):
            raise PermissionError("STALE_TIME")
        signed = f"{moment}{window}{request.method}{request.target}".encode() + (request.body or b"")
        if not self._keys.keys[headers[KEY_HEADER]].is_signed(signed, headers[SIGNATURE_HEADER]):
            raise PermissionError("BAD_SIGNATURE")

    def _account(self, method: str, path: str, words: Mapping[str, str]) -> rows.Json:
        core, symbol = self._core, self._symbols.get(words.get("symbol", ""))
        if (method, path) == ("POST", urls.ORDERS):
            placed = core.place(DEMO_ACCOUNT, rows.new_order(words, str(symbol)), self._now())
            return rows.order_row(core, placed)
        if path == urls.ORDERS:
            order = self._named(str(symbol), words)
            return rows.order_row(core, core.cancel(order, self._now()) if method == "DELETE" else order)
        if path == urls.BALANCES:
            balances = core.accounts[DEMO_ACCOUNT].balances()
            return {"time_ms": self._now(), "balances": rows.balance_rows(balances)}
        if path == urls.FILLS:
            fills = [each for each in core.registry.fills(DEMO_ACCOUNT, symbol) if _is_wanted(each, words)]
            return {"fills": [rows.fill_row(core, each) for each in fills]}
        found = core.registry.orders if path == urls.PAST_ORDERS else core.registry.open_orders
        orders: list[SimOrder] = found(DEMO_ACCOUNT, symbol)
        if path == urls.ALL_ORDERS:
            orders = [core.cancel(order, self._now()) for order in orders]
        return {"orders": [rows.order_row(core, order) for order in orders]}

    def _named(self, symbol: str, words: Mapping[str, str]) -> SimOrder:
        known = self._core.registry
        if "id" in words:
            found = known.get(symbol, int(words["id"]))
        else:
            found = known.find(DEMO_ACCOUNT, symbol, words["client_id"])
        if found is None:
            raise Refusal(Reason.UNKNOWN_ORDER)
        return found

    # --- streams ----------------------------------------------------------------------------------------------------

    def open(self, url: str, on_arrival: Callable[[], None]) -> Stream:
        stream = Stream(self, urlsplit(url).path == "/private", on_arrival)
        with self._lock:
            self._streams = [each for each in self._streams if not each.is_over] + [stream]
        return stream

    def heard(self, stream: Stream, words: rows.Json) -> None:
        self._call(self._login if stream.is_private else self._subscribe, stream, words)

    def _login(self, stream: Stream, words: rows.Json) -> None:
        payload = socket_payload(words["time_ms"], words["window_ms"])
        if self._keys.keys[words["key"]].is_signed(payload, words["sign"]):
            stream.names = {"account"}
            stream.tell({"id": words["id"], "done": True})
        else:
            stream.tell({"id": words["id"], "done": False, "error": {"code": "BAD_SIGNATURE", "text": "no"}})

    def _subscribe(self, stream: Stream, words: rows.Json) -> None:
        unknown = [name for name in words["names"] if name.partition(".")[2] not in self._symbols]
        if unknown:
            error = {"code": "BAD_REQUEST", "text": f"no such name: {unknown[0]}"}
            stream.tell({"id": words["id"], "done": False, "error": error})
            return
        stream.tell({"id": words["id"], "done": True})
        if words["do"] == "unsubscribe":
            stream.names -= set(words["names"])
            return
        stream.names |= set(words["names"])
        for kind, _, spelling in (name.partition(".") for name in words["names"]):
            if kind == "book":
                whole = {"whole": True, **self._book(self._symbols[spelling], 500)}
                stream.tell({"name": f"book.{spelling}", "data": whole})

    def _book(self, symbol: str, count: int) -> rows.Json:
        view = self._views[symbol]
        bids, asks = view.rows(count)
        return {"number": view.update_id, "time_ms": self._now(), "bids": bids, "asks": asks}

    def _best(self, symbol: str) -> rows.Json:
        book = self._core.markets[symbol].book
        bid, ask = (rows.levels([level])[0] if (level := book.best(side)) else None for side in Side)
        number = self._views[symbol].update_id
        spelling = rows.spelt(self._core, symbol)
        return {"symbol": spelling, "number": number, "time_ms": self._now(), "bid": bid, "ask": ask}

    def _hear(self, event: Event) -> None:
        core = self._core
        if isinstance(event, PublicTrade):
            row = rows.trade_row(
                event.trade_id, event.price, event.quantity, event.time, buyer_is_maker=event.buyer_is_maker
            )
            self._trades.append(row)
            self._tell(f"trades.{rows.spelt(core, event.symbol)}", [row])
        elif isinstance(event, OrderEvent) and event.order.account == DEMO_ACCOUNT:
            if event.fill is not None:
                self._tell("account", [rows.fill_row(core, event.fill)], "fills")
            self._tell("account", [rows.order_row(core, event.order)], "orders")
        elif isinstance(event, BalanceEvent) and event.account == DEMO_ACCOUNT:
            self._tell("account", rows.balance_rows(event.balances), "balances", time_ms=event.time)
        elif isinstance(event, CommandEnded):
            self._advance(event.symbol)

    def _advance(self, symbol: str) -> None:
        changes = self._views[symbol].advance()
        if changes is None:
            return
        spelling, number = rows.spelt(self._core, symbol), self._views[symbol].update_id
        bids, asks = changes
        data = {"whole": False, "number": number, "time_ms": self._now(), "bids": bids, "asks": asks}
        self._tell(f"book.{spelling}", data)
        self._tell(f"best.{spelling}", self._best(symbol))

    def _tell(self, topic: str, data: rows.Json, name: str | None = None, **more: int) -> None:
        for stream in self._streams:
            if topic in stream.names and not stream.is_over:
                stream.tell({"name": name or topic, "data": data, **more})


def _is_wanted(fill: Any, words: Mapping[str, str]) -> bool:
    is_of_order = words.get("order_id") in (None, str(fill.order_id))
    return is_of_order and fill.trade_id > int(words.get("after", 0))
