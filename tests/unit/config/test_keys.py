"""Keys of every type, from a text, a file or the environment; what is wrong with one is told, and never shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import Config, Credentials, ValidationError
from exconn_sync.model.secret import Secret
from tests.keys import ed25519_key, private_pem, rsa_key

KEY = "canary-key-77"
SECRET = "canary-secret-99"
WORD = "canary-passphrase-55"
NAME, SECRET_NAME, FILE_NAME, WORD_NAME = (
    f"EXCONN_BINANCE_API_{name}" for name in ("KEY", "SECRET", "SECRET_FILE", "PASSPHRASE")
)


def key_type(config: Config) -> str:
    from exconn_sync.exchanges.binance.driver import DRIVER

    assert config.credentials is not None
    return DRIVER.signer(*config.credentials.parts()).key_type


def shown(error: BaseException) -> str:
    """Return what an error shows, the variables of the library's frames included."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [str(frame.locals) for frame in told.stack if "/exconn_sync/" in frame.filename]
    assert frames
    return "".join([*frames, str(error), repr(vars(error)), str(error.__context__), str(error.__cause__)])


def test_the_form_of_the_secret_tells_the_type_of_key() -> None:
    for secret, kind in ((SECRET, "hmac"), (private_pem(rsa_key()), "rsa"), (private_pem(ed25519_key()), "ed25519")):
        assert key_type(Config.builder("binance").credentials(KEY, secret).build()) == kind


def test_an_encrypted_key_is_opened_with_its_passphrase() -> None:
    config = Config.builder("binance").credentials(KEY, private_pem(rsa_key(), WORD), WORD).build()
    assert key_type(config) == "rsa"


@pytest.mark.parametrize("text", [f"\ufeff {SECRET} \r\n", SECRET])
def test_blanks_around_what_a_file_holds_mean_nothing(tmp_path: Path, text: str) -> None:
    """(fault F165)"""
    file = tmp_path / "secret"
    file.write_text(text, encoding="utf-8")
    assert Credentials.of(KEY, file) == Credentials.of(KEY, SECRET)


def test_a_private_key_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("\n\n" + private_pem(ed25519_key()) + "\n\n")
    assert key_type(Config.builder("binance").credentials(KEY, file).build()) == "ed25519"


def test_a_file_that_holds_no_secret_is_told(tmp_path: Path) -> None:
    """(fault F165)"""
    bad, large, empty = tmp_path / "bad", tmp_path / "large", tmp_path / "empty"
    bad.write_bytes(b"canary\xff")
    large.write_bytes(b"canary" * 20_000)
    empty.write_text("\n")
    for path, text in (
        (tmp_path / "missing", "cannot be read: No such file"), (tmp_path, "cannot be read: Is a directory"),
        (bad, "holds no text"), (large, "is too large"), (empty, "not empty"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=text) as caught:
            Config.builder("binance").credentials(KEY, path)
        assert caught.value.field == "api_secret"
        assert "canary" not in shown(caught.value)


@pytest.mark.parametrize("how", ["text", "escaped", "file"])
def test_a_private_key_comes_from_the_environment(tmp_path: Path, how: str) -> None:
    pem = private_pem(ed25519_key(), WORD)
    file = tmp_path / "key.pem"
    file.write_text(pem)
    secret = {"text": (SECRET_NAME, pem), "escaped": (SECRET_NAME, pem.replace("\n", "\\n")),
              "file": (FILE_NAME, str(file))}[how]  # fmt: skip
    config = Config.from_env("binance", {NAME: KEY, secret[0]: secret[1], WORD_NAME: WORD})
    assert key_type(config) == "ed25519"
    assert "canary" not in repr(config)


BAD_ENVIRONMENT: list[tuple[str, dict[str, str]]] = [
    (SECRET_NAME, {NAME: KEY, SECRET_NAME: SECRET, FILE_NAME: "/canary"}),
    (FILE_NAME, {NAME: KEY, FILE_NAME: "/canary/nowhere"}),
    (NAME, {FILE_NAME: "/canary/nowhere"}),
    (NAME, {WORD_NAME: WORD}),
]


@pytest.mark.parametrize(("variable", "environ"), BAD_ENVIRONMENT)
def test_a_variable_that_does_not_fit_is_named(variable: str, environ: dict[str, str]) -> None:
    """(fault F177)"""
    with pytest.raises(ValidationError) as caught:
        Config.from_env("binance", environ)
    assert caught.value.field == variable
    assert "canary" not in str(caught.value)


BAD: list[tuple[Any, ...]] = [
    ("api_key", "canary key", SECRET), ("api_key", None, SECRET), ("api_secret", KEY, SECRET + "\n"),
    ("api_secret", KEY, 77), ("passphrase", KEY, SECRET, WORD), ("passphrase", KEY, SECRET, 55),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_no_frame_of_the_library_holds_a_key_in_plain_text(bad: tuple[Any, ...]) -> None:
    """(faults F165, F170)"""
    field, *parts = bad
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").credentials(*parts).build()
    assert caught.value.field == field
    assert "canary" not in shown(caught.value)


# --- a provider -----------------------------------------------------------------------------------------------------


def provider() -> tuple[str, str]:
    return KEY, SECRET


def test_a_provider_stands_for_a_key() -> None:
    config = Config.builder("binance").credentials_provider(provider).build()
    assert config.has_account
    assert config.credentials is None
    assert "provider" not in repr(config), "its repr may be that of an object which holds a secret"
    assert not Config("binance").has_account


def test_key_and_provider_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="beside"):
        Config.builder("binance").credentials(KEY, SECRET).credentials_provider(provider).build()
    with pytest.raises(ValidationError, match="function"):
        Config.builder("binance").credentials_provider(SECRET).build()  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [(KEY, SECRET), [KEY, SECRET], (KEY, Secret(SECRET), None)])
def test_a_provider_may_answer_in_several_forms(answer: object) -> None:
    assert Credentials.of_answer(answer) == Credentials.of(KEY, SECRET)
    assert Credentials.of_answer(Credentials.of(KEY, SECRET)) == Credentials.of(KEY, SECRET)


@pytest.mark.parametrize(
    "answer", [None, "canary", (KEY,), (KEY, SECRET, WORD, 1), {"canary": 1}, (KEY, None), (KEY, SECRET, ""), 7]
)
def test_rubbish_of_a_provider_is_refused_unseen(answer: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Credentials.of_answer(answer)
    assert "canary" not in str(caught.value)


# --- the way in -----------------------------------------------------------------------------------------------------


def test_signing_a_session_in_needs_an_ed25519_key() -> None:
    """(Binance: 10.2)"""
    good = Config.builder("binance").credentials(KEY, private_pem(ed25519_key())).account_sign_in("session").build()
    assert good.account_sign_in == "session"
    for secret in (SECRET, private_pem(rsa_key())):
        with pytest.raises(ValidationError, match="Ed25519") as caught:
            Config.builder("binance").credentials(KEY, secret).account_sign_in("session").build()
        assert caught.value.field == "account_sign_in"
    with pytest.raises(ValidationError, match="must be one of subscription, session"):
        Config.builder("binance").account_sign_in("magic").build()
