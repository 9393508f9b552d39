"""What the account is and what its key may do, asked over real sockets."""

from __future__ import annotations

import pytest

from exconn_sync import Config, Connector, PermissionDenied, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange

ANSWERS = {"binance": ("SPOT", True), "bybit": ("unified 2.0", None)}


@pytest.mark.parametrize("exchange", ANSWERS)
def test_what_the_account_is(exchange: str, connect: Connect) -> None:
    with quiet_exchange(exchange) as simulator:
        connector = connect(simulator)
        found = connector.fetch_account(timeout=LIMIT)
        assert (found.exchange, found.account_type, found.can_trade) == (exchange, *ANSWERS[exchange])
        assert found.trade_group is None
        connector.stop(LIMIT)


def test_the_permissions_of_an_account_are_those_that_symbols_are_judged_by(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    permissions = connector.fetch_account().permissions
    assert connector.instruments.get("BTC-USDT").is_permitted(permissions)


def test_the_group_of_the_account(connect: Connect) -> None:
    with quiet_exchange("bybit") as bybit:
        bybit.accounts.trade_group(7)
        connector = connect(bybit)
        assert connector.fetch_account().trade_group == "7"
        connector.stop(LIMIT)


def test_a_key_that_may_only_look_says_so_before_an_order_is_refused(connect: Connect) -> None:
    with quiet_exchange("bybit") as bybit:
        connector = connect(bybit)
        before = connector.fetch_key()
        assert (before.can_trade, before.is_read_only, before.addresses) == (True, False, ())
        bybit.accounts.permit(bybit.api_key, trade=False)
        after = connector.fetch_key()
        assert (after.can_trade, after.is_read_only) == (False, True)
        assert bybit.api_key not in repr(after)
        with pytest.raises(PermissionDenied):
            connector.set_cancel_on_disconnect(10)
        connector.stop(LIMIT)


def test_binance_does_not_tell_what_a_key_may_do_and_is_not_asked(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert not connector.capabilities.offers("fetch_key")
    before = len(quiet.request_log())
    with pytest.raises(ValidationError) as caught:
        connector.fetch_key()
    assert caught.value.outcome == "not_sent"
    assert quiet.request_log()[before:] == []


def test_demo_does_not_tell_what_a_key_may_do_and_is_not_asked(connect: Connect) -> None:
    """(Bybit: 1.3, 9.2)"""
    with Simulator("bybit", running_market=False, demo=True) as demo:
        urls = {name: url for name, url in demo.addresses().items() if name != "trade"}
        key = demo.accounts.client_key()
        builder = Config.builder("bybit").environment("demo").endpoints(**urls).credentials(key.api_key, key.api_secret)
        with Connector(builder.build()) as connector:
            assert connector.account_ready.wait(LIMIT)
            assert connector.fetch_account().account_type == "unified 2.0"
            before = len(demo.request_log())
            asked = (
                connector.fetch_key,
                lambda: connector.request("GET", "/v5/user/query-api", signed=True),
                lambda: connector.request("GET", "/v5/account/smp-group", signed=True),
                lambda: connector.set_cancel_on_disconnect(10),
            )
            for ask in asked:
                with pytest.raises(ValidationError) as caught:
                    ask()
                assert caught.value.outcome == "not_sent"
            assert demo.request_log()[before:] == []
