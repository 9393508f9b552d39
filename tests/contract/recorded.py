"""Payloads of the simulated exchanges for the contract of drivers; other people's clients judge what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import websocket

from exconn_sync import OrderRequest
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import Channel
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpResponse, LoginReply, RestCall, TimeSpan, Topic
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.simulator import Simulator
from exconn_sync.testing.contract import Examples
from exconn_sync.testing.contract.material import RECEIVED_AT, Material
from tests.simulator.clients import eventually

SYMBOL, CLIENT_ID = "BTC-USDT", "contract-order"
PATIENCE = 20.0
_WINDOW_MS = 5_000


class Recorder:
    """Asks a simulator in a driver's words and keeps what it says."""

    def __init__(self, driver: ExchangeDriver, simulator: Simulator) -> None:
        self.driver = driver
        self.simulator = simulator
        self.urls = simulator.addresses()
        self.signer = driver.signer(Secret(simulator.api_key), Secret(simulator.api_secret))
        self.answers: dict[str, bytes] = {}

    def ask(self, call: RestCall[Any]) -> HttpResponse:
        """Return the answer to a call; it is a success."""
        sent = self.driver.to_http(call, self.signer, time.time_ns() // 1_000_000, _WINDOW_MS)
        connection = HTTPConnection(urlsplit(self.urls["rest"]).netloc, timeout=PATIENCE)
        try:
            connection.request(sent.method, sent.target, body=sent.body, headers=dict(sent.headers))
            got = connection.getresponse()
            known = {name.lower(): value for name, value in got.getheaders()}
            response = HttpResponse(got.status, known, got.read(), RECEIVED_AT)
        finally:
            connection.close()
        error = self.driver.error_of(response, call)
        assert error is None, error
        return response

    def keep(self, name: str, call: RestCall[Any]) -> HttpResponse:
        """Remember the answer to a call under the name of the driver's method."""
        response = self.ask(call)
        self.answers[name] = response.body
        return response

    def frames(self, url: str, first: Sequence[bytes], is_enough: Callable[[list[bytes]], bool]) -> list[bytes]:
        """Return the frames of a connection after some requests, until there are enough."""
        connection = websocket.create_connection(url, timeout=PATIENCE)
        found: list[bytes] = []
        try:
            for frame in first:
                connection.send(frame.decode())
            while not is_enough(found):
                text = connection.recv()
                found.append(text.encode() if isinstance(text, str) else text)
        finally:
            connection.close()
            connection.shutdown()  # type: ignore[no-untyped-call]
        return found


def record(driver: ExchangeDriver, simulator: Simulator, **fixed: Any) -> Examples:
    """Return the examples of an exchange on a quiet market; ``fixed`` is what is documented and cannot be provoked."""
    recorder = Recorder(driver, simulator)
    recorder.keep("fetch_instruments", driver.fetch_instruments())
    begun = Examples(SYMBOL, CLIENT_ID, "?", recorder.answers, {}, [], [], [], b"", api_key=simulator.api_key)
    material = Material(driver, replace(begun, api_secret=simulator.api_secret))
    account: list[bytes] = []
    exchange_order_id = _trade(recorder, material, account)
    frames = _market(recorder, material)
    material.examples = replace(
        material.examples, exchange_order_id=exchange_order_id, frames=frames, account_frames=account, **fixed
    )
    return material.examples


def _trade(recorder: Recorder, material: Material, account: list[bytes]) -> str:
    """Live through the life of an order, and ask about it where there is something to tell."""
    driver, table, one = recorder.driver, material.instruments, material.instrument
    request = OrderRequest.limit(SYMBOL, "buy", 1, "60005")
    name, found = material.client_order_id, [""]

    def play() -> None:
        response = recorder.keep("place_order", driver.place_order(request, one, name, table))
        eventually(lambda: len(recorder.simulator.accounts.orders()) == 1)
        facts = driver.place_order(request, one, name, table).parse(response)
        found[0] = str(next(fact for fact in facts if isinstance(fact, OrderFact)).exchange_order_id)
        recorder.simulator.market.trade("BTCUSDT", "sell", "0.2")

    login = driver.encode_login(recorder.signer, time.time_ns() // 1_000_000, _WINDOW_MS, 1)
    account += _account_frames(recorder, material, login, play)
    material.examples = replace(material.examples, exchange_order_id=found[0])
    offered = material.offered()
    last = ("cancel_order", "cancel_all", "fetch_past_order", "fetch_order_history", "fetch_instruments")
    recorded = {*last, "replace_order", "place_list", "cancel_list", "fetch_list", "place_order", "test_order"}
    for method, calls in offered.items():
        if method not in recorded:
            recorder.keep(method, calls[0])
    if "test_order" in offered:
        recorder.keep("test_order", driver.test_order(request, one, name, with_commission=True))
    now_ms = time.time_ns() // 1_000_000
    span = TimeSpan(now_ms - 60_000, now_ms + 500)
    recorder.keep("fetch_fill_history", driver.fetch_fill_history(one, table, span=span, limit=5))
    recorder.keep("cancel_order", offered["cancel_order"][0])
    eventually(lambda: not recorder.simulator.accounts.orders()[0].is_open)
    for method in ("fetch_past_order", "fetch_order_history"):
        if method in offered:
            call = offered[method][0]
            if method == "fetch_order_history":
                call = driver.fetch_order_history(one, table, span=None, limit=5)
            recorder.keep(method, call)
    second = replace(request, quantity=Decimal("0.1"))
    recorder.ask(driver.place_order(second, one, ClientOrderId("another-order"), table))
    eventually(lambda: len(recorder.simulator.accounts.orders()) == 2)
    recorder.keep("cancel_all", offered["cancel_all"][0])
    return found[0]


def _account_frames(recorder: Recorder, material: Material, login: bytes, play: Callable[[], None]) -> list[bytes]:
    """Return the frames of the account stream from the sign-in to a filled order, which ``play`` brings about."""
    driver, wanted = recorder.driver, {LoginReply, OrderFact, Fill, Balance}
    connection = websocket.create_connection(driver.account_url(recorder.urls), timeout=PATIENCE)
    found: list[bytes] = []
    kinds: set[type] = set()
    is_playing = False
    try:
        connection.send(login.decode())
        while not wanted <= kinds:
            text = connection.recv()
            found.append(text.encode() if isinstance(text, str) else text)
            message = driver.parse_account(found[-1], RECEIVED_AT, material.instruments)
            if isinstance(message, LoginReply):
                assert message.error is None
                kinds.add(LoginReply)
                if not message.is_final:
                    connection.send(driver.encode_account_subscribe(2).decode())
                elif not is_playing:
                    is_playing = True
                    play()
            elif isinstance(message, Sequence):
                kinds |= {type(fact) for fact in message}
    finally:
        connection.close()
        connection.shutdown()  # type: ignore[no-untyped-call]
    return found


def _market(recorder: Recorder, material: Material) -> dict[str, list[bytes]]:
    """Return frames of each channel in its usual variant."""
    driver, market = recorder.driver, recorder.simulator.market
    topics = {channel: Topic(channel, SYMBOL, driver.variant(channel)) for channel in sorted(driver.channels)}
    names = {driver.topic_name(topic, material.instrument): channel for channel, topic in topics.items()}
    frames: dict[str, list[bytes]] = {channel.value: [] for channel in topics}

    def is_enough(found: list[bytes]) -> bool:
        channel = names.get(driver.topic_of_frame(found[-1]) or "") if found else None
        if channel is not None and len(frames[channel.value]) < 2:
            frames[channel.value].append(found[-1])
        if len(found) in (1, 3):
            market.trade("BTCUSDT", "buy", "0.01")
            market.quote("BTCUSDT", "buy", "60001", "0.5")
        has_diffs = len(frames[Channel.ORDER_BOOK.value]) > 1 or not driver.has_books_on_stream
        return has_diffs and all(frames.values())

    request = driver.encode_subscribe(list(names), 1)
    recorder.frames(driver.stream_url(recorder.urls), [request], is_enough)
    return frames
