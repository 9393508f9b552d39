"""Nothing here starts a thread or opens anything, so no test is searched for left-overs."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Take the place of the look that all other tests get."""
