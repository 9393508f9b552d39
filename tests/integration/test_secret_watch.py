"""The search for secrets in logs finds what is there."""

from __future__ import annotations

import logging

import pytest

from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret
from exconn_sync.simulator import Simulator
from tests import secret_watch
from tests.conftest import WATCH
from tests.integration.conftest import Connect

logger = logging.getLogger("exconn_sync.sample")


@pytest.mark.parametrize("made", ["secret", "signature", "argument", "error"])
def test_a_secret_in_a_line_at_the_level_of_debugging_is_found(made: str) -> None:
    """(fault F168)"""
    canary = f"canary-of-the-{made}-5a7c"
    Secret(canary)
    if made == "signature":
        canary = HmacSha256Signer("key", canary.encode()).sign(b"payload")
    if made == "argument":
        logger.debug("nothing to see%.0s", canary)
    elif made == "error":
        try:
            raise ValueError(canary)
        except ValueError:
            logger.debug("it failed", exc_info=True)
    else:
        logger.debug("it is %s", canary)
    found = list(secret_watch.leaks)
    secret_watch.leaks.clear()
    assert len(found) == 1
    assert "<SECRET>" in found[0]
    assert canary not in found[0]


def test_what_a_connector_does_is_read(quiet: Simulator, connect: Connect) -> None:
    """Its own lines and those of the library that carries its requests."""
    before = WATCH.records
    connector = connect(quiet)
    connector.fetch_balances()
    assert WATCH.records > before
    assert logging.getLogger("urllib3").isEnabledFor(logging.DEBUG)
