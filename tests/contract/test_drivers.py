"""The drivers of the library hold the contract of drivers, on what the simulated exchanges say."""

from __future__ import annotations

import pytest

from exconn_sync.connector import Connector
from exconn_sync.errors import (
    AuthenticationError,
    DuplicateOrder,
    FilterViolation,
    InsufficientBalance,
    OrderNotFound,
    PermissionDenied,
)
from exconn_sync.exchanges.binance.driver import DRIVER as BINANCE
from exconn_sync.exchanges.bybit.driver import DRIVER as BYBIT
from exconn_sync.testing.contract import DriverContract, Refusal, methods
from tests.contract.recorded import record
from tests.quiet import quiet_exchange

_LISTS = dict.fromkeys(
    ("place_list", "cancel_list", "fetch_list", "replace_order"), "speaks of two orders at once; see tests/exchanges"
)


_POOR = "Account has insufficient balance for requested action."


def _code(code: int, text: str) -> bytes:
    return f'{{"code":{code},"msg":"{text}"}}'.encode()


def _ret(code: int, text: str = "no") -> bytes:
    return f'{{"retCode":{code},"retMsg":"{text}","result":{{}},"retExtInfo":{{}},"time":1800000000000}}'.encode()


class TestBinance(DriverContract):
    driver = BINANCE

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def examples_of_the_simulator(cls) -> None:
        with quiet_exchange("binance") as simulator:
            cls.examples = record(
                cls.driver,
                simulator,
                left_out=_LISTS,
                control_frames=[
                    b'{"result":null,"id":1}',
                    b'{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":2}',
                ],
                refusals=[
                    Refusal(400, _code(-2010, _POOR), InsufficientBalance),
                    Refusal(400, _code(-2010, "Duplicate order sent."), DuplicateOrder),
                    Refusal(400, _code(-2011, "Unknown order sent."), OrderNotFound),
                    Refusal(400, _code(-1013, "Filter failure: LOT_SIZE"), FilterViolation),
                    Refusal(401, _code(-2014, "API-key format invalid."), AuthenticationError),
                ],
                unknown_refusal=_code(-999_999, "Something new."),
            )  # fmt: skip


class TestBybit(DriverContract):
    driver = BYBIT

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def examples_of_the_simulator(cls) -> None:
        with quiet_exchange("bybit") as simulator:
            cls.examples = record(
                cls.driver,
                simulator,
                open_objects=frozenset({"cumFeeDetail", "permissions"}),
                control_frames=[
                    b'{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"1","op":"subscribe"}',
                    b'{"success":false,"ret_msg":"args size >10","conn_id":"c","req_id":"2","op":"subscribe"}',
                    b'{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}',
                ],
                refusals=[
                    Refusal(200, _ret(170131, "Balance insufficient "), InsufficientBalance),
                    Refusal(200, _ret(170141), DuplicateOrder),
                    Refusal(200, _ret(170213), OrderNotFound),
                    Refusal(200, _ret(170134), FilterViolation),
                    Refusal(200, _ret(10004), AuthenticationError),
                    Refusal(200, _ret(10005), PermissionDenied),
                ],
                unknown_refusal=_ret(999_999),
            )


def test_the_suite_speaks_of_methods_that_there_are() -> None:
    assert {name for name in methods.ALL if not callable(getattr(Connector, name, None))} == set()
