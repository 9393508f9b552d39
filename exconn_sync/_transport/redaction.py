"""Keeps signatures out of the log of urllib3, which writes whole request targets at level DEBUG (fault F168)."""

from __future__ import annotations

import logging
import re

_SIGNATURE = re.compile(r"(signature=)[^&\s]+")
_LOGGER = "urllib3.connectionpool"


class SignatureFilter(logging.Filter):
    """Replaces the value of every ``signature`` parameter by ``***``; lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the texts of a record."""
        if isinstance(record.args, tuple):
            record.args = tuple(_cleaned(value) for value in record.args)
        return True


def protect_log() -> None:
    """Clean what urllib3 logs from now on; called for each HTTP client, installed once."""
    logger = logging.getLogger(_LOGGER)
    if not any(isinstance(item, SignatureFilter) for item in logger.filters):
        logger.addFilter(SignatureFilter())


def _cleaned(value: object) -> object:
    return _SIGNATURE.sub(r"\1***", value) if isinstance(value, str) else value
