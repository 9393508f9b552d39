"""Parameters of a REST call of the user's own making: checked, and made texts."""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.errors import ValidationError
from exconn_sync.model.wire import Params

_MOST_BITS = 64
"""The largest ids of exchanges have as many."""


def checked_params(params: Mapping[str, str | int] | None) -> Params:
    """Return the parameters as texts.

    Raises:
        ValidationError: no mapping, a name that is no text, or a value that is no text or int, or cannot be sent.
    """
    if params is None:
        return ()
    if not isinstance(params, Mapping):
        raise ValidationError("params", type(params).__name__, "must be a mapping of names to texts or ints")
    for name in params:
        if not isinstance(name, str) or not name or not is_sendable(name):
            raise ValidationError("params", name, "must have plain texts as names")
    return tuple((name, _text_of(name, value)) for name, value in params.items())


def is_sendable(text: str) -> bool:
    """Return whether a text has a form in UTF-8; half of a pair of surrogates has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_of(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValidationError(name, value, "must be a text or an int; pass numbers as text")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Python itself refuses to make a text of a huge one.
        raise ValidationError(name, "<huge int>", f"must have at most {_MOST_BITS} bits")
    if isinstance(value, str) and not is_sendable(value):
        raise ValidationError(name, ascii(value), "has no form in UTF-8")
    return str(value)
