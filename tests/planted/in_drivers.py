"""Mistakes in what the drivers make of the exchanges' words."""

from __future__ import annotations

from tests.planted.bug import Bug

BUGS = (
    Bug(
        "status unknown is a refusal at Binance",
        "a timeout of Binance's own (-1007) is called a refusal",
        "exconn_sync/exchanges/binance/fault_codes.py",
        "UNKNOWN_OUTCOME = frozenset({-1000, -1001, -1006, -1007, -1008, -1016})",
        "UNKNOWN_OUTCOME = frozenset({-1000, -1001, -1006, -1008, -1016})",
        ("tests/exchanges/binance/test_fault_codes.py", "tests/exchanges/binance/test_faults.py"),
    ),
    Bug(
        "unlisted code is a refusal at Binance",
        "a code that is on no table is called a refusal",
        "exconn_sync/exchanges/binance/faults.py",
        '    unproven: Outcome = "unknown"\n',
        '    unproven: Outcome = "refused"\n',
        ("tests/exchanges/binance/test_faults.py",),
    ),
    Bug(
        "server error is a refusal at Binance",
        "what a 5xx says in its body is believed",
        "exconn_sync/exchanges/binance/faults.py",
        "    if response.status >= 500 or code in UNKNOWN_OUTCOME:\n        if call.is_command:",
        "    if code in UNKNOWN_OUTCOME:\n        if call.is_command:",
        ("tests/exchanges/binance/test_faults.py",),
    ),
    Bug(
        "id of a cancel",
        "a cancel's own id is taken for that of its order",
        "exconn_sync/exchanges/binance/account_events.py",
        "ClientOrderId(wire.original_client_id or wire.client_id)",
        "ClientOrderId(wire.client_id)",
        ("tests/exchanges/binance/test_parse_account.py",),
    ),
    Bug(
        "last quantity is all that is filled",
        "an event's own trade is taken for the whole filled quantity",
        "exconn_sync/exchanges/binance/account_events.py",
        "        filled_quantity=number(wire.filled_quantity),\n",
        "        filled_quantity=number(wire.last_quantity or wire.filled_quantity),\n",
        ("tests/exchanges/binance/test_parse_account.py",),
    ),
    Bug(
        "answer about another order",
        "an answer to a cancel is believed whatever order it names",
        "exconn_sync/exchanges/binance/parse_orders.py",
        "        _require(row.symbol == instrument.exchange_symbol and _is_about(row, order))\n"
        "        return [order_fact",
        "        return [order_fact",
        ("tests/exchanges/binance/test_parse_orders.py",),
    ),
    Bug(
        "status unknown is a refusal at Bybit",
        "a server timeout of Bybit's own (10016) proves a refusal",
        "exconn_sync/exchanges/bybit/fault_codes.py",
        "    if code in UNKNOWN_OUTCOME:\n",
        "    if code in UNKNOWN_OUTCOME and code != 10016:\n",
        ("tests/exchanges/bybit/test_faults.py",),
    ),
    Bug(
        "unlisted code is a refusal at Bybit",
        "a code that is on no table is called a refusal",
        "exconn_sync/exchanges/bybit/faults.py",
        '    return ExchangeError(message, exchange=EXCHANGE, details=details, outcome="unknown")\n',
        '    return ExchangeError(message, exchange=EXCHANGE, details=details, outcome="refused")\n',
        ("tests/exchanges/bybit/test_faults.py",),
    ),
    Bug(
        "receipt is an open order",
        "an order that was received is called open",
        "exconn_sync/exchanges/bybit/parse_orders.py",
        "        order_class=order_class,\n        may_grow=True,\n    )\n\n\ndef parse_placed",
        "        order_class=order_class,\n        status=OrderStatus.NEW,\n        may_grow=True,\n"
        "    )\n\n\ndef parse_placed",
        ("tests/exchanges/bybit/test_parse_orders.py",),
    ),
    Bug(
        "rejected although it traded",
        "an order that ended as rejected after it had traded is called refused",
        "exconn_sync/exchanges/bybit/order_ends.py",
        "End(OrderStatus.EXPIRED if amounts.traded else status, reason or word)",
        "End(status, reason or word)",
        ("tests/exchanges/bybit/test_parse_orders.py", "tests/exchanges/bybit/test_account_stream.py"),
    ),
    Bug(
        "executions that are no trades",
        "fees and settlements among the executions are taken for fills",
        "exconn_sync/exchanges/bybit/account_stream.py",
        "        elif is_trade(row):\n",
        "        elif is_trade(row) or row.exec_type:\n",
        ("tests/exchanges/bybit/test_account_stream.py",),
    ),
    Bug(
        "fee as a float",
        "a fee passes through a binary float",
        "exconn_sync/exchanges/bybit/order_rows.py",
        "        fee=signed_number(row.exec_fee) if row.exec_fee else ZERO,\n",
        "        fee=Decimal(repr(float(row.exec_fee))) if row.exec_fee else ZERO,\n",
        ("tests/exchanges/bybit/test_account_stream.py", "tests/exchanges/bybit/test_parse_orders.py"),
    ),
)
