"""The simulated exchange of a run, and how the faults of a plan are made to happen there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from random import Random

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.order_words import OrderType, Side
from exconn_sync.simulator.core.orders import NewOrder
from tests.chaos import plan
from tests.chaos.plan import Fault, Plan
from tests.simulator.clients import now_ms

NUMBERS = {
    "lose_requests": "F067", "execute_then_drop": "F068", "hold_answers": "F068", "execute_late": "F069",
    "answer": "F071", "execute_then_answer": "F071", "lose_frames": "F098", "duplicate_frames": "F096",
    "swap_frames": "F092", "cut": "F006", "cut_all": "F006", "stream_ended": "F061",
}  # fmt: skip
"""What each fault is in the fault model; that of ``answer`` is now and then F076 instead."""
MATCH_LATE_S = 0.05
FOREIGN = ("foreign-1", "foreign-2")
_Targets = dict[str, tuple[tuple[str, str], ...]]
_MANY = 10**9

BINANCE: _Targets = {
    plan.PLACE: (("POST", "/api/v3/order"),),
    plan.PLACE_BATCH: (("POST", "/api/v3/order"),),
    plan.CANCEL: (("DELETE", "/api/v3/order"),),
    plan.CANCEL_BATCH: (("DELETE", "/api/v3/order"),),
    plan.REPLACE: (("POST", "/api/v3/order/cancelReplace"),),
    plan.AMEND: (("PUT", "/api/v3/order/amend/keepPriority"),),
    plan.CANCEL_ALL: (("DELETE", "/api/v3/openOrders"),),
    "look": (("GET", "/api/v3/order"),),
    "listed": (("GET", "/api/v3/openOrders"),),
    "trades": (("GET", "/api/v3/myTrades"),),
    "balances": (("GET", "/api/v3/account"),),
}
BYBIT: _Targets = {
    plan.PLACE: (("POST", "/v5/order/create"), ("WS", "order.create")),
    plan.PLACE_BATCH: (("POST", "/v5/order/create-batch"), ("WS", "order.create-batch")),
    plan.CANCEL: (("POST", "/v5/order/cancel"), ("WS", "order.cancel")),
    plan.CANCEL_BATCH: (("POST", "/v5/order/cancel-batch"), ("WS", "order.cancel-batch")),
    plan.AMEND: (("POST", "/v5/order/amend"), ("WS", "order.amend")),
    plan.CANCEL_ALL: (("POST", "/v5/order/cancel-all"),),
    "look": (("GET", "/v5/order/realtime"),),
    "listed": (("GET", "/v5/order/realtime"),),
    "trades": (("GET", "/v5/execution/list"),),
    "balances": (("GET", "/v5/account/wallet-balance"),),
}

_STREAMS = {"binance": ("userDataStream",), "bybit": ("order", "execution", "wallet")}
_PRIVATE = {"binance": ("ws_api",), "bybit": ("private", "trade")}
_ERRORS = {
    "binance": (
        (503, ""), (502, "<html>bad gateway</html>"), (504, ""), (500, "{"),
        (503, '{"code":-1007,"msg":"Timeout waiting for response from backend server."}'),
        (400, '{"code":-1006,"msg":"An unexpected response was received from the message bus."}'),
    ),
    "bybit": (
        (503, ""), (502, "<html>bad gateway</html>"), (500, "{"),
        *((200, json.dumps({"retCode": code, "retMsg": "?", "result": {}, "retExtInfo": {}, "time": 1}))
          for code in (10000, 10016, 170007, 170146, 170147)),
    ),
}  # fmt: skip
"""Answers that prove nothing (fault model 0.1)."""


class World:
    """The exchange, its market, and the switches; ``met`` counts the faults that the simulator does not count."""

    def __init__(self, wanted: Plan, simulator: Simulator) -> None:
        self.simulator = simulator
        self.exchange = wanted.exchange
        self.via = wanted.via
        self.met: Counter[str] = Counter()
        self._rng = Random(f"answers {wanted.seed}")
        self._targets = BYBIT if self.exchange == "bybit" else BINANCE

    def arm(self, fault: Fault) -> None:
        """Let a fault of the plan happen from now on."""
        faults = self.simulator.faults
        if fault.kind in ("cut", "cut_all", "stream_ended"):
            self._break(fault.kind)
        elif fault.kind.startswith("events_"):
            change = {"events_lost": "lose", "events_twice": "duplicate", "events_swapped": "swap"}[fault.kind]
            getattr(faults, change + "_frames")(self._rng.choice(_STREAMS[self.exchange]), fault.count)
        else:
            targets = self._targets.get(fault.target, ())
            for method, path in targets[-1:] if self.via == "socket" else targets[:1]:
                self._meet(fault, method, path)

    def _break(self, kind: str) -> None:
        faults = self.simulator.faults
        self.met[kind] += 1
        if kind == "cut_all":
            faults.drop_connections()
        elif kind == "stream_ended":
            faults.end_user_stream()
        else:
            faults.drop_connections(self._rng.choice(_PRIVATE[self.exchange]))

    def _meet(self, fault: Fault, method: str, path: str) -> None:
        faults, kind = self.simulator.faults, fault.kind
        status, body = self._rng.choice(_ERRORS[self.exchange])
        if kind in ("error_before", "error_after", "garbage_after", "busy") and method == "WS":
            # What is answered over a socket must name the request, so that its loss is what is like an error here.
            kind = "lost" if kind in ("error_before", "busy") else "dropped"
        if kind == "busy" and self.exchange == "binance":
            text = '{"code":-1003,"msg":"Too much request weight used."}'
            faults.answer(method, path, 429, text, headers={"Retry-After": "1"})
        elif kind == "busy":
            faults.answer(method, path, 200, '{"retCode":10006,"retMsg":"","result":{},"retExtInfo":{},"time":1}')
        elif kind == "lost":
            faults.lose_requests(method, path)
        elif kind == "lost_reset":
            faults.lose_requests(method, path, reset=True)
        elif kind == "late":
            faults.execute_late(method, path, fault.seconds)
        elif kind == "answer_late":
            faults.hold_answers(method, path, fault.seconds)
        elif kind == "dropped":
            faults.execute_then_drop(method, path)
        elif kind == "error_before":
            faults.answer(method, path, status, body)
        elif kind == "error_after":
            faults.execute_then_answer(method, path, status, body)
        else:
            faults.execute_then_answer(method, path, 200, '{"orderId":')

    def trade(self, side: str, quantity: str) -> None:
        """Let somebody trade, and somebody else make the market again."""
        market = self.simulator.market
        market.trade("BTCUSDT", side, quantity)
        market.clear("BTCUSDT")
        market.quote("BTCUSDT", "buy", 60_000, "0.5")
        market.quote("BTCUSDT", "sell", 60_010, "0.5")

    def place_foreign(self) -> None:
        """Let somebody else place orders on the same account, where no ``cancel_all`` of the plan comes."""
        exchange, account = self.simulator.market._exchange, self.simulator.accounts._first.account

        def place() -> None:
            for name in FOREIGN:
                amount, price = Decimal("0.1"), Decimal(2000)
                request = NewOrder("ETHUSDT", Side.BUY, OrderType.LIMIT, name, quantity=amount, price=price)
                exchange.place(account, request, now_ms())

        self.simulator.market._call(place)

    def faults_met(self) -> Counter[str]:
        """Return how many faults came true so far, by their numbers in the fault model."""
        met: Counter[str] = Counter()
        for name, count in (self.met + Counter(self.simulator.faults_done())).items():
            met[NUMBERS[name]] += count
        return met

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.simulator.faults.call_off()


@contextmanager
def world_of(wanted: Plan) -> Iterator[tuple[World, ExitStack]]:
    """Serve the exchange of a plan; leaving the stack ends the faults that last."""
    with Simulator(wanted.exchange, seed=wanted.seed, running_market=False) as simulator, ExitStack() as lasting:
        simulator.faults.rate_limits(
            weight_per_minute=_MANY, orders_per_10s=_MANY, orders_per_day=_MANY, connections_per_5m=_MANY,
            raw_requests_per_5m=_MANY,
        )  # fmt: skip
        market = simulator.market
        market.clear("BTCUSDT")
        market.quote("BTCUSDT", "buy", 60_000, "0.5")
        market.quote("BTCUSDT", "sell", 60_010, "0.5")
        market.trade("BTCUSDT", "sell", "0.001")
        for name in wanted.lasting if wanted.exchange == "bybit" else ():
            switch = getattr(simulator.faults, name)
            lasting.enter_context(switch(MATCH_LATE_S) if name == "match_late" else switch())
        yield World(wanted, simulator), lasting
