"""A handler of the log that raises costs its line and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from exconn_sync._runtime.log_guard import guard_log, logger


class Broken(logging.Handler):
    """A handler of the user's that raises."""

    def emit(self, record: logging.LogRecord) -> None:
        raise OSError("no room for " + record.getMessage())


@pytest.fixture
def handler() -> Iterator[Broken]:
    broken = Broken()
    logger.addHandler(broken)
    yield broken
    logger.removeHandler(broken)


def test_it_is_printed_and_not_raised(handler: Broken, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever thread logs would end of it, the supervisor too (fault F146)."""
    guard_log()
    guard_log()
    logger.error("something")
    told = capsys.readouterr().err
    assert told.count("OSError: no room for something") == 1


def test_the_other_handlers_are_told(caplog: pytest.LogCaptureFixture) -> None:
    guard_log()
    logger.error("something")
    assert [record.getMessage() for record in caplog.records] == ["something"]
