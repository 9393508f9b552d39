"""A market stream over TLS, read and written at full speed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, pace, relay_to, through
from tests.faults.test_replacement import in_a_row
from tests.simulator.certificates import Certificates, make_certificates


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    """A certificate for this machine and the authority that vouches for it."""
    return make_certificates(tmp_path)


@pytest.fixture
def encrypted(files: Certificates) -> Iterator[Simulator]:
    """An exchange on TLS."""
    with Simulator(running_market=False, tls=(files.cert_file, files.key_file)) as simulator:
        yield simulator


@pytest.mark.parametrize("how", ["reset", "eof"])
def test_a_stream_that_ends_without_a_tls_goodbye_is_a_loss(
    how: str,
    encrypted: Simulator,
    files: Certificates,
    quiet: Simulator,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cuts swept over the handshake and the first messages: no part of one is delivered (faults F006, F007, F015)."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca_file))
    with relay_to(encrypted) as relay:
        for count in range(400, 4400, 400):
            relay.cut_after(count, "reset" if how == "reset" else "eof")
        stream = through(encrypted, relay, "stream")["stream"]
        connector = connect(
            quiet,
            wait=False,
            start=False,
            credentials=None,
            endpoints={"rest": quiet.rest, "stream": stream, "ws_api": quiet.ws_api},
            reconnect=pace(base=0.001, cap=0.01),
        )
        errors = Errors(connector)
        trades = connector.stream_trades("BTC-USDT")
        connector.start()
        limit = time.monotonic() + LIMIT
        while relay.connections <= 10:
            assert time.monotonic() < limit
            encrypted.market.trade("BTCUSDT", "sell", "0.001")
        assert connector.stream_ready.wait(LIMIT)
        while trades.pending:
            trades.get(LIMIT)
        first = encrypted.market.burst("btcusdt@trade", 50)
        numbers = [int(trades.get(LIMIT).trade_id) for _ in range(50)]
        assert in_a_row([number for number in numbers if number >= first])
        assert errors.told == []


def test_reading_and_writing_at_once_breaks_no_record(
    encrypted: Simulator,
    files: Certificates,
    quiet: Simulator,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Subscriptions and pongs are sent while trades pour in (fault F016)."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca_file))
    connector = connect(
        quiet,
        wait=False,
        start=False,
        credentials=None,
        endpoints={"rest": quiet.rest, "stream": encrypted.stream, "ws_api": quiet.ws_api},
        reconnect=pace(idle_timeout=2.0),
    )
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    connector.start()
    assert connector.stream_ready.wait(LIMIT)
    first = encrypted.market.burst("btcusdt@trade", 30_000)
    encrypted.faults.flood_pings(200, 1.0)
    for symbol in ("ETH-USDT", "BNB-BTC"):
        for make in (connector.stream_trades, connector.stream_book_ticker):
            make(symbol).stop()
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(30_000)]
    assert numbers[0] == first
    assert in_a_row(numbers)
    assert not [event for event in ups.told if not event.is_up]
    assert errors.told == []
