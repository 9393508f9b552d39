"""What is sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from urllib.parse import unquote

from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpRequest
from exconn_sync.testing.contract.base import ContractBase, none_of, refused
from exconn_sync.testing.contract.material import (
    COMMANDS,
    OF_MARKET,
    PRICE,
    QUANTITY,
    TIMESTAMP_MS,
    WINDOW_MS,
    Calls,
)


def text_of(request: HttpRequest) -> str:
    """Return all that goes over the wire, headers included, with the query decoded."""
    headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    return f"{request.method} {unquote(request.target)}\n{headers}{(request.body or b'').decode()}"


class RequestsContract(ContractBase):
    """Requests are exact, signed where they must be, the same each time, and show no secret."""

    def _requests(self, calls: Calls, timestamp_ms: int = TIMESTAMP_MS) -> list[HttpRequest]:
        signer = self.material.signer
        return [self.driver.to_http(call, signer, timestamp_ms, WINDOW_MS) for call in calls]

    def test_a_call_gives_the_same_request_each_time(self) -> None:
        for name, calls in self.material.offered().items():
            again = self.material.calls(name) or []
            assert self._requests(calls) == self._requests(again), f"{name}: two requests for one call"

    def test_requests_are_well_formed(self) -> None:
        problems = []
        for name, calls in self.material.offered().items():
            for call, request in zip(calls, self._requests(calls), strict=True):
                target = request.target
                if request.method != call.method or target.partition("?")[0] != call.path:
                    problems.append(f"{name}: {request} is not {call.method} {call.path}")
                if not target.isascii() or not target.isprintable() or " " in target or "#" in target:
                    problems.append(f"{name}: {target!r} is not percent-encoded")
                if call.method == "GET" and request.body:
                    problems.append(f"{name}: a GET with a body")
        none_of(problems)

    def test_commands_are_marked_and_questions_are_not(self) -> None:
        problems = []
        for name, calls in self.material.offered().items():
            for call in calls:
                if call.is_command is not (name in COMMANDS):
                    problems.append(f"{name}: is_command is {call.is_command}; a command is never sent twice")
                if call.is_signed is not (name not in OF_MARKET):
                    problems.append(f"{name}: is_signed is {call.is_signed}")
                if call.method == "GET" and call.is_command:
                    problems.append(f"{name}: a GET that changes something")
        none_of(problems)

    def test_a_signature_covers_the_time_and_needs_a_key(self) -> None:
        for name, calls in self.material.offered().items():
            if name in OF_MARKET:
                self.driver.to_http(calls[0], None, TIMESTAMP_MS, WINDOW_MS)
                continue
            assert self._requests(calls) != self._requests(calls, TIMESTAMP_MS + 1), f"{name}: the time is not signed"
            try:
                self.driver.to_http(calls[0], None, TIMESTAMP_MS, WINDOW_MS)
                outcome = "made without a key"
            except AuthenticationError as error:
                outcome = str(error.outcome)
            assert outcome == "not_sent", f"{name}: {outcome}"

    def test_another_secret_gives_another_signature(self) -> None:
        call = self.driver.fetch_balances()
        other = self.driver.signer(Secret(self.examples.api_key), Secret("another0secret0of0nobody"))
        ours = self.driver.to_http(call, self.material.signer, TIMESTAMP_MS, WINDOW_MS)
        assert ours != self.driver.to_http(call, other, TIMESTAMP_MS, WINDOW_MS)

    def test_no_secret_is_shown(self) -> None:
        key, secret, signer = self.examples.api_key, self.examples.api_secret, self.material.signer
        assert secret not in repr(signer) + str(signer), "the signer shows its secret"
        login = self.driver.encode_login(signer, TIMESTAMP_MS, WINDOW_MS, 1)
        assert secret.encode() not in login, "the sign-in holds the secret"
        for name, calls in self.material.offered().items():
            for request in self._requests(calls):
                assert secret not in text_of(request), f"{name}: the secret itself is sent"
                assert key not in repr(request), f"{name}: repr shows the key"
                assert (key in text_of(request)) is (name not in OF_MARKET), f"{name}: the key goes with signed calls"

    def test_keys_that_cannot_be_used_are_refused(self) -> None:
        for key, secret in (("", "secret"), ("with blank", "secret"), ("key", "line\nend"), ("key", "")):
            refused("a malformed key", lambda k=key, s=secret: self.driver.signer(Secret(k), Secret(s)))  # type: ignore[misc]

    def test_numbers_and_ids_reach_the_wire_as_they_are(self) -> None:
        (request,) = self._requests(self.material.calls("place_order") or [])
        sent = text_of(request)
        for wanted in (plain_text(QUANTITY), plain_text(PRICE), self.examples.client_order_id):
            assert wanted in sent, f"{wanted} does not stand in the order: a number is written plainly and whole"
        assert self.material.instrument.exchange_symbol.lower() in sent.lower()

    def test_orders_are_named_by_the_best_id(self) -> None:
        driver, table, one = self.driver, self.material.instruments, self.material.instrument
        for order in (self.material.order(), self.material.order(is_named=False)):
            wanted = order.exchange_order_id or order.client_order_id
            for call in (driver.cancel_order(one, order, table), driver.fetch_order(one, order, table)):
                assert wanted in text_of(self._requests([call])[0]), f"{call.path}: the order is not named by {wanted}"

    def test_orders_with_what_is_not_offered_are_refused(self) -> None:
        """Or they are written: an option is never dropped without a word."""
        one, table, name = self.material.instrument, self.material.instruments, self.material.client_order_id
        bare = self.driver.place_order(replace(self.material.request(), quantity=Decimal(1)), one, name, table)
        plain = text_of(self._requests([bare])[0])
        for options in ({"iceberg_quantity": "0.5"}, {"self_trade_prevention": "expire_taker"}, {"strategy_id": 7}):
            order = replace(self.material.request(), quantity=Decimal(1)).with_options(**options)
            try:
                call = self.driver.place_order(order, one, name, table)
            except ValidationError:
                continue
            sent = text_of(self._requests([call])[0])
            assert len(sent) > len(plain), f"{options}: dropped without a word"

    def test_raw_calls(self) -> None:
        path = self.driver.server_time().path
        call = self.driver.raw_call("GET", path, (("name", "a value"),), is_signed=False)
        assert not call.is_command
        assert "a%20value" in self.driver.to_http(call, None, TIMESTAMP_MS, WINDOW_MS).target
        assert self.driver.raw_call("POST", path, (), is_signed=True).is_command
        for wrong in (f"{path}?x=1", f"{path}#x", "no-slash", f"{path} x"):
            refused(f"the path {wrong}", lambda p=wrong: self.driver.raw_call("GET", p, (), is_signed=False), "path")  # type: ignore[misc]
        refused("TRACE", lambda: self.driver.raw_call("TRACE", path, (), is_signed=False), "method")
