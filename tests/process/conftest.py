"""An exchange in another process, so that no thread or socket of it is in the program under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.process.support import serving


@pytest.fixture(scope="session")
def exchange() -> Iterator[str]:
    """Addresses and key of a running exchange, as JSON."""
    with serving() as facts:
        yield facts
