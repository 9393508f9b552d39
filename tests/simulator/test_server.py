"""Starting, stopping, restarting, and use from several threads."""

import threading
import warnings
from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator

from .clients import Rest, Socket, WsApi


def test_unknown_exchange_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known: binance"):
        Simulator("mtgox")


def test_keys_follow_the_seed() -> None:
    first, same, other = Simulator(seed=1), Simulator(seed=1), Simulator(seed=2)
    assert (first.api_key, first.api_secret) == (same.api_key, same.api_secret)
    assert first.api_key != other.api_key
    assert Simulator(api_key="k" * 64, api_secret="s").api_secret == "s"


def test_no_address_before_start() -> None:
    with pytest.raises(RuntimeError, match="before start"):
        _ = Simulator().rest


def test_start_and_stop_are_idempotent_and_keep_port_and_orders() -> None:
    simulator = Simulator(running_market=False)
    simulator.stop()
    simulator.start()
    address = simulator.start().rest
    rest = Rest(simulator)
    rest.limit("BUY", "0.1", "50000", newClientOrderId="survivor")
    stream, private = Socket(f"{simulator.stream}/ws/btcusdt@trade"), WsApi(simulator)
    simulator.stop()
    simulator.stop()
    for socket in (stream, private):
        with pytest.raises(ConnectionError):
            socket.receive()
        socket.close()
    assert [order.client_order_id for order in simulator.accounts.orders()] == ["survivor"]
    with simulator:
        assert simulator.rest == address
        _, order = rest.signed("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="survivor")
        assert order["status"] == "NEW"
    rest.close()


def test_a_taken_port_is_told() -> None:
    with Simulator(running_market=False) as first:
        port = int(first.rest.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Simulator(port=port).start()


def test_stop_while_connected_is_quick_and_clean() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulator = Simulator().start()
        sockets = [Socket(f"{simulator.stream}/ws/btcusdt@bookTicker") for _ in range(5)]
        sockets[0].receive()
        simulator.stop(timeout=2)
    for socket in sockets:
        socket.close()


def test_controls_from_many_threads(quiet: Simulator) -> None:
    def trade() -> None:
        for _ in range(20):
            quiet.market.trade("BTCUSDT", "buy", "0.001")
            quiet.market.best("BTCUSDT")

    threads = [threading.Thread(target=trade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    _, _, asks = quiet.market.order_book("BTCUSDT")
    assert asks == [(Decimal(60010), Decimal("0.92"))]


def test_market_control(quiet: Simulator) -> None:
    assert quiet.market.best("BTCUSDT") == (Decimal(60000), Decimal(60010))
    quiet.market.clear("BTCUSDT")
    assert quiet.market.best("BTCUSDT") is None
    with pytest.raises(TypeError, match="float"):
        quiet.market.quote("BTCUSDT", "buy", 60000.5, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'buy' or 'sell'"):
        quiet.market.trade("BTCUSDT", "long", 1)
