"""From credentials to what signs with them: an HMAC secret, or a private key in PEM."""

from __future__ import annotations

import re

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.private_keys import PrivateKeySigner, is_pem, pem_signer
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret

_KEY = re.compile(r"[!-~]+", re.ASCII)


def signer_of(
    exchange: str, api_key: Secret, secret: Secret, passphrase: Secret | None = None
) -> HmacSha256Signer | PrivateKeySigner:
    """Return a signer for a key of any type: PEM text is an RSA or Ed25519 key, everything else an HMAC secret.

    Raises:
        ValidationError: a key with blanks, line ends or other foreign characters (faults F165, F179), a private key
            that cannot be used, or a passphrase where none is needed; the message shows nothing of either.
    """
    if not _KEY.fullmatch(api_key.reveal()):
        raise _malformed(exchange, "api_key")
    if is_pem(secret):
        return pem_signer(api_key, secret, passphrase)
    if passphrase is not None:
        raise ValidationError("passphrase", "<hidden>", "is for encrypted private keys", exchange=exchange)
    if not _KEY.fullmatch(secret.reveal()):
        raise _malformed(exchange, "api_secret")
    return HmacSha256Signer(api_key.reveal(), secret.reveal().encode("ascii"))


def _malformed(exchange: str, field: str) -> ValidationError:
    return ValidationError(field, "<hidden>", "must be text without blanks and line ends", exchange=exchange)
