"""The HMAC signer signs as documented and gives its secret to nobody."""

import copy
import pickle

import pytest

from exconn_sync.exchanges.signers import HmacSha256Signer

SECRET = "canary-secret-0123456789"


def make() -> HmacSha256Signer:
    return HmacSha256Signer("canary-key", SECRET.encode())


def test_signs_the_known_answer_of_rfc_4231() -> None:
    signer = HmacSha256Signer("key", b"Jefe")
    assert signer.sign(b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_signing_twice_gives_the_same_signature() -> None:
    signer = make()
    assert signer.sign(b"a") == signer.sign(b"a") != signer.sign(b"b")


def test_api_key_can_be_read() -> None:
    assert make().api_key == "canary-key"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, ascii])
def test_no_text_of_a_signer_shows_a_key(show: object) -> None:
    """(fault F169)"""
    assert callable(show)
    assert "canary" not in show(make())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    """(fault F172)"""
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(make(), protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copying_is_refused(duplicate: object) -> None:
    """(fault F172)"""
    assert callable(duplicate)
    with pytest.raises(TypeError, match="secret"):
        duplicate(make())


def test_a_signer_has_no_dictionary_to_dump() -> None:
    """(fault F169)"""
    with pytest.raises(TypeError):
        vars(make())
