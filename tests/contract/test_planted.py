"""The contract of drivers finds what is wrong: a check that cannot fail proves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from exconn_sync.errors import OrderRejected, ProtocolError
from exconn_sync.exchanges._template.driver import TemplateDriver
from exconn_sync.exchanges.binance.driver import DRIVER as BINANCE
from exconn_sync.model.enums import Channel, OrderStatus
from exconn_sync.model.limits import Lane
from exconn_sync.model.orders import OrderFact
from exconn_sync.model.wire import Cost, HttpRequest, RateRule
from exconn_sync.ports.driver import PartlyKnown
from exconn_sync.testing.contract import DriverContract, Examples
from tests.contract.test_template import TestTemplate as Template

Method = Callable[..., Any]


def around(name: str, change: Callable[[Any], Any]) -> type[TemplateDriver]:
    """Return the driver with another result of one method."""

    def changed(self: TemplateDriver, *arguments: Any, **options: Any) -> Any:
        return change(getattr(super(made, self), name)(*arguments, **options))

    made: type[TemplateDriver] = type("Planted", (TemplateDriver,), {name: changed})
    return made


def with_(**members: Any) -> type[TemplateDriver]:
    """Return the driver with other members."""
    return type("Planted", (TemplateDriver,), members)


def parsing(name: str, change: Callable[[Callable[[Any], Any]], Callable[[Any], Any]]) -> type[TemplateDriver]:
    """Return the driver with another way to read the answer to a call."""
    return around(name, lambda call: replace(call, parse=change(call.parse)))


def shows_its_time(request: HttpRequest) -> HttpRequest:
    return replace(request, headers={name: value for name, value in request.headers.items() if name == "X-KEY"})


def as_float(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda response: [replace(each, free=float(each.free)) for each in parse(response)]


def crashes(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(response: Any) -> Any:
        json.loads(response.body)["orders"]
        return parse(response)

    return read


def emits_half(decode: Method) -> Method:
    def half(frame: bytes, received_at: int, emit: Method) -> None:
        try:
            decode(frame, received_at, emit)
        except ProtocolError:
            emit("half of it")
            raise

    return half


def guessing(self: TemplateDriver, *arguments: Any) -> Any:
    found = TemplateDriver.parse_account(self, *arguments)
    if not isinstance(found, PartlyKnown):
        return found
    return [replace(fact, status=OrderStatus.CANCELED) for fact in found.facts if isinstance(fact, OrderFact)]


def refuses_all(self: TemplateDriver, response: Any, call: Any) -> Any:
    error = TemplateDriver.error_of(self, response, call)
    return None if error is None else OrderRejected(str(error), exchange="template", details=error.details)


def without(*names: str) -> Callable[[Any], Any]:
    return lambda found: replace(found, missing={key: why for key, why in found.missing.items() if key not in names})


PLANTED: dict[str, tuple[type[TemplateDriver], str]] = {
    "a name with a capital": (with_(name="Template"), "the_name_is_a_plain_word"),
    "plain http": (around("endpoints", lambda urls: urls and {**urls, "rest": "http://x"}), "environments_begin"),
    "a capability too many": (around("capabilities", without("amend_order")), "capabilities_lack_exactly"),
    "a channel too many": (with_(channels=frozenset({Channel.TRADE, Channel.KLINE})), "capabilities_have_exactly"),
    "a cost without a rule": (around("ping", lambda call: replace(call, costs=(Cost("NOWHERE", 1),))), "costs_name"),
    "a rule of nothing": (with_(rate_rules=(RateRule("REQUESTS", 0, 1), RateRule("ORDERS", 1, 1))), "rate_rules"),
    "a late cancel": (around("cancel_order", lambda call: replace(call, lane=Lane.BULK)), "cancels_go_first"),
    "a repeated cancel": (around("cancel_order", lambda call: replace(call, is_command=False)), "commands_are_marked"),
    "an unsigned order": (around("place_order", lambda call: replace(call, is_signed=False)), "commands_are_marked"),
    "a signature without the time": (around("to_http", shows_its_time), "a_signature_covers_the_time"),
    "a number in another form": (
        around("place_order", lambda call: replace(call, body=call.body.replace(b"0.00000001", b"1E-8"))),
        "numbers_and_ids_reach",
    ),
    "a float": (parsing("fetch_balances", as_float), "damaged_answers"),
    "a KeyError": (parsing("fetch_open_orders", crashes), "damaged_answers"),
    "a frame in halves": (around("decoder", emits_half), "damaged_frames"),
    "a status that was guessed": (with_(parse_account=guessing), "unknown_words"),
    "everything is a refusal": (with_(error_of=refuses_all), "an_unknown_code_is_no_refusal"),
    "a failing server is a refusal": (with_(error_of=refuses_all), "a_failing_server"),
    "no gap": (with_(judge_diff=staticmethod(lambda book, diff: "apply")), "books_notice"),
    "two topics of one name": (with_(topic_name=lambda *_: "book.BTC_USDT"), "a_topic_has_one_spelling"),
    "a frame of another topic": (with_(topic_of_frame=staticmethod(lambda frame: "book.X")), "frames_name_their_topic"),
    "times in milliseconds": (parsing("server_time", lambda parse: lambda answer: parse(answer) // 10**6), "the_clock"),
    "the exchange's spelling": (
        parsing("fetch_order", lambda parse: lambda answer: replace(parse(answer), symbol="BTC_USDT")),
        "documented_answers",
    ),
    "news that raise": (with_(unknown_in_answer=lambda *_: json.loads("{")), "news_in_answers"),
    "news without an end": (with_(unknown_in_frame=lambda *_: ["x" * 10_000]), "news_in_frames"),
    "another exchange": (with_(for_endpoints=lambda *_: BINANCE), "spoken_to_as_the_exchange"),
    "a raw path with a query": (
        with_(raw_call=lambda self, method, path, params, **more: self.server_time()),
        "raw_calls",
    ),
}  # fmt: skip


def failures(driver: type[TemplateDriver], examples: Examples, among: str = "test_") -> Iterator[str]:
    """Yield the checks that a driver does not pass, of those whose name has a part."""
    suite: DriverContract = type("Suite", (DriverContract,), {"driver": driver(), "examples": examples})()
    for name in dir(suite):
        if name.startswith("test_") and among in name:
            try:
                getattr(suite, name)()
            except Exception:  # noqa: BLE001 - a check that crashes fails too
                yield name


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_mistake_is_found(what: str) -> None:
    driver, check = PLANTED[what]
    assert list(failures(driver, Template.examples, check)) != []


def test_without_a_mistake_nothing_is_found() -> None:
    assert list(failures(TemplateDriver, Template.examples)) == []


def test_missing_examples_are_named() -> None:
    examples = replace(Template.examples, answers={"fetch_instruments": Template.examples.answers["fetch_instruments"]})
    assert list(failures(TemplateDriver, examples, "there_is_an_example")) != []
