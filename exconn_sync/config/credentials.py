"""API key and secret of an account."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret


@dataclass(frozen=True)
class Credentials:
    """Key and secret as the exchange gave them; neither is ever printed or pickled."""

    api_key: Secret
    api_secret: Secret

    @classmethod
    def of(cls, api_key: object, api_secret: object) -> Credentials:
        """Return checked credentials; the error never shows what was passed (fault F166).

        Raises:
            ValidationError: empty, not a text, or with blanks or control characters, as after careless copying.
        """
        return cls(Secret(_checked("api_key", api_key)), Secret(_checked("api_secret", api_secret)))


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValidationError(name, "<hidden>", "must be a text that is not empty")
    if name == "api_key" and not (value.isascii() and value.isprintable() and " " not in value):
        raise ValidationError(name, "<hidden>", "has blanks or characters that no key has; was it copied whole?")
    if value != value.strip():
        raise ValidationError(name, "<hidden>", "begins or ends with blanks; was it copied whole?")
    return value
