"""RSA and Ed25519 keys are told apart by themselves, sign as documented, and give their secret to nobody."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
import traceback
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.private_keys import PrivateKeySigner, is_pem, pem_signer
from exconn_sync.model.secret import Secret
from tests.keys import ec_key, ed25519_key, pem_of, private_pem, public_pem, rsa_key

PAYLOAD = "symbol=\uff11\uff12&timestamp=1".encode()
WORD = "canary-passphrase"


def signer_of(pem: str, passphrase: str | None = None) -> PrivateKeySigner:
    return pem_signer(Secret("key"), Secret(pem), None if passphrase is None else Secret(passphrase))


@pytest.mark.parametrize("passphrase", [None, WORD])
@pytest.mark.parametrize("is_traditional", [False, True])
def test_rsa_signs_by_pkcs1_v15_with_sha256(passphrase: str | None, is_traditional: bool) -> None:
    """(Binance: 3.1)"""
    signer = signer_of(private_pem(rsa_key(), passphrase, is_traditional=is_traditional), passphrase)
    signature = signer.sign(PAYLOAD)
    assert (signer.key_type, signer.api_key, len(signature)) == ("rsa", "key", 344)
    rsa_key().public_key().verify(b64decode(signature), PAYLOAD, PKCS1v15(), SHA256())


@pytest.mark.parametrize("passphrase", [None, WORD])
def test_ed25519_signs_the_bytes_themselves(passphrase: str | None) -> None:
    """(Binance: 3.1)"""
    signer = signer_of(private_pem(ed25519_key(), passphrase), passphrase)
    signature = signer.sign(PAYLOAD)
    assert (signer.key_type, len(signature)) == ("ed25519", 88)
    ed25519_key().public_key().verify(b64decode(signature), PAYLOAD)


def test_many_threads_sign_with_one_key() -> None:
    signers = [signer_of(private_pem(rsa_key())), signer_of(private_pem(ed25519_key()))]
    expected = [signer.sign(PAYLOAD) for signer in signers]
    signed: list[list[str]] = []

    def work() -> None:
        for _ in range(20):
            signed.append([signer.sign(PAYLOAD) for signer in signers])  # noqa: PERF401 - one by one, under contention

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert signed == [expected] * 160


SHORT_RSA = "is an RSA key of 1024 bits"
BAD_KEYS: list[tuple[Callable[[], tuple[str, str | None]], str, str]] = [
    (lambda: (public_pem(rsa_key()), None), "api_secret", "was the public one taken"),
    (lambda: (private_pem(ec_key()), None), "api_secret", "another kind than RSA and Ed25519"),
    (lambda: (private_pem(rsa_key(1024)), None), "api_secret", SHORT_RSA),
    (lambda: (pem_of("canary"), None), "api_secret", "copied whole"),
    (lambda: (pem_of("canary", "OPENSSH PRIVATE KEY"), None), "api_secret", "format of OpenSSH; PKCS#8"),
    (lambda: (pem_of("canary", "OPENSSH PRIVATE KEY"), WORD), "api_secret", "format of OpenSSH; PKCS#8"),
    (lambda: (private_pem(ed25519_key())[:60], None), "api_secret", "copied whole"),
    (lambda: (private_pem(rsa_key(), WORD), None), "passphrase", "is needed"),
    (lambda: (private_pem(rsa_key(), WORD, is_traditional=True), None), "passphrase", "is needed"),
    (lambda: (private_pem(rsa_key(), WORD), "canary-wrong"), "passphrase", "does not open"),
    (lambda: (private_pem(ed25519_key()), WORD), "passphrase", "is of no use"),
]


@pytest.mark.parametrize(("make", "field", "text"), BAD_KEYS)
def test_a_key_that_cannot_be_used_is_refused_unseen(
    make: Callable[[], tuple[str, str | None]], field: str, text: str
) -> None:
    """(faults F165, F170)"""
    pem, passphrase = make()
    secret, word = Secret(pem), None if passphrase is None else Secret(passphrase)
    body = pem.splitlines()[1]
    with pytest.raises(ValidationError, match=text) as caught:
        pem_signer(Secret("key"), secret, word)
    assert caught.value.field == field
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # The frame of the test itself holds the key in plain text.
    shown = "".join(repr(frame.locals) for frame in list(told.stack)[1:]) + str(caught.value) + repr(vars(caught.value))
    assert body not in shown
    assert "canary" not in shown
    assert caught.value.__context__ is None
    assert len(told.stack) > 1


@pytest.mark.parametrize("text", ["-----BEGIN PRIVATE KEY-----", "\n  -----BEGIN PUBLIC KEY-----"])
def test_pem_is_told_by_its_first_line(text: str) -> None:
    assert is_pem(Secret(text))


@pytest.mark.parametrize("text", ["", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"])
def test_everything_else_is_no_pem(text: str) -> None:
    assert not is_pem(Secret(text))


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, vars])
def test_a_signer_is_neither_copied_nor_opened(take: Callable[[Any], object]) -> None:
    """(faults F169, F172)"""
    with pytest.raises(TypeError):
        take(signer_of(private_pem(ed25519_key())))
    assert repr(signer_of(private_pem(ed25519_key()))) == "<PrivateKeySigner>"


MISSING = """
import sys
sys.modules["cryptography"] = None
from exconn_sync import Config, ValidationError
Config.builder("binance").credentials("key", "secret").build()
try:
    Config.builder("binance").credentials("key", "-----BEGIN PRIVATE KEY-----").build()
except ValidationError as error:
    print(error.field, error.constraint)
"""
UNTOUCHED = """
import sys
from exconn_sync import Config
Config.builder("binance").credentials("key", "secret").build()
print(sorted(name for name in sys.modules if name.startswith("cryptography")))
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_without_the_package_only_private_keys_are_refused_and_the_extra_is_named() -> None:
    """(fault F185)"""
    told = run(MISSING)
    assert told.startswith("api_secret RSA and Ed25519 keys need the package cryptography")
    assert "exconn-sync[crypto]" in told


def test_the_package_is_not_loaded_for_other_keys() -> None:
    """(fault F185)"""
    assert run(UNTOUCHED) == "[]"
