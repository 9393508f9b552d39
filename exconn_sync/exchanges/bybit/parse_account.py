"""Answers about the account: balances, executions, fees (Bybit: 4.16, 4.18)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.envelope import EnvelopeReader, Rows
from exconn_sync.exchanges.bybit.order_rows import TRADE, ExecutionRow, fill_of
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, signed_number
from exconn_sync.model.account import Balance
from exconn_sync.model.account_reports import Commission, FeeRates
from exconn_sync.model.enums import FactSource
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.orders import Fill
from exconn_sync.model.wire import HttpResponse


class CoinRow(msgspec.Struct, rename="camel"):
    """One coin of a wallet. What may be withdrawn is a dead field, and equity counts open positions (Bybit: 10)."""

    coin: str
    wallet_balance: str
    locked: str | None = None


class WalletRow(msgspec.Struct):
    """A wallet: the coins of which there is something, or those that changed."""

    coin: list[CoinRow]


class _FeeRow(msgspec.Struct, rename="camel"):
    symbol: str
    taker_fee_rate: str
    maker_fee_rate: str


class _Window(msgspec.Struct, rename="camel"):
    product: str
    dcp_status: str
    time_window: str


class _Windows(msgspec.Struct, rename="camel"):
    dcp_infos: list[_Window] = []


class _Done(msgspec.Struct, rename="camel"):
    ret_code: int


_WINDOWS = EnvelopeReader(_Windows, refuse_repeated_keys=True)
_DONE = Reader(EXCHANGE, _Done, refuse_repeated_keys=True)
_WALLETS = EnvelopeReader(Rows[WalletRow], refuse_repeated_keys=True)
_EXECUTIONS = EnvelopeReader(Rows[ExecutionRow], refuse_repeated_keys=True)
_FEES = EnvelopeReader(Rows[_FeeRow], refuse_repeated_keys=True)


def parse_balances(response: HttpResponse) -> list[Balance]:
    """Read the balances of all coins of which there is something. Raises ProtocolError."""
    return _WALLETS.read(
        response.body,
        lambda wire: balances_of(wire.result.rows, _needed(wire.time), response.received_at, FactSource.RECONCILIATION),
    )


def balances_of(wallets: Iterable[WalletRow], time_ms: int, received_at: int, source: FactSource) -> list[Balance]:
    """Return the balances that wallets state.

    What is free is the wallet's balance without what open orders hold; borrowed funds are in it (Bybit: 4.18).

    Raises:
        ValueError: a number is malformed.
    """
    return [
        Balance(EXCHANGE, row.coin, *_parts(row), ns_of_ms(time_ms), received_at, source)
        for wallet in wallets
        for row in wallet.coin
    ]


def fills_reader(instrument: Instrument, instruments: Instruments) -> Callable[[HttpResponse], list[Fill]]:
    """Return what reads one page of executions of a symbol, oldest first; what is no trade is left out."""

    def fills(rows: list[ExecutionRow], received_at: int) -> list[Fill]:
        if any(row.symbol != instrument.exchange_symbol for row in rows):
            raise ValueError("the answer is about something else")  # fault F084
        return [
            fill_of(row, instruments, FactSource.QUERY, received_at) for row in reversed(rows) if is_trade(row)
        ]  # fmt: skip

    def parse(response: HttpResponse) -> list[Fill]:
        return _EXECUTIONS.read(response.body, lambda wire: fills(wire.result.rows, response.received_at))

    return parse


def is_trade(row: ExecutionRow) -> bool:
    """Return whether an execution is a trade; other kinds move positions and corporate actions (Bybit: 4.15)."""
    return (row.exec_type or TRADE) == TRADE


def parse_commission(instrument: Instrument, response: HttpResponse) -> Commission:
    """Read what trading a symbol costs. Raises ProtocolError."""

    def commission(rows: list[_FeeRow]) -> Commission:
        found = [row for row in rows if row.symbol == instrument.exchange_symbol]
        if not found:
            raise ValueError("the answer is about something else")  # fault F084
        rates = FeeRates(maker=signed_number(found[0].maker_fee_rate), taker=signed_number(found[0].taker_fee_rate))
        return Commission(instrument.symbol, rates)

    return _FEES.read(response.body, lambda wire: commission(wire.result.rows))


def parse_done(response: HttpResponse) -> None:
    """Read an answer that says no more than that it was done. Raises ProtocolError."""
    _DONE.read(response.body, lambda wire: wire.ret_code)


def parse_window(response: HttpResponse) -> int | None:
    """Read after how many seconds spot orders are cancelled, None where they are not. Raises ProtocolError."""

    def seconds(windows: list[_Window]) -> int | None:
        found = [each for each in windows if each.product == "SPOT" and each.dcp_status == "ON"]
        return int(number(found[0].time_window)) if found else None

    return _WINDOWS.read(response.body, lambda wire: seconds(wire.result.dcp_infos))


def _parts(row: CoinRow) -> tuple[Decimal, Decimal]:
    locked = signed_number(row.locked) if row.locked else ZERO
    return EXACT.subtract(signed_number(row.wallet_balance), locked), locked


def _needed(time_ms: int | None) -> int:
    if time_ms is None:
        # Without a time it could not be told which of two statements is the newer one.
        raise ValueError("an answer without a time")
    return time_ms
