"""The key in use, and questions that nobody has to wait for (fault F167)."""

from __future__ import annotations

import threading

import pytest

from exconn_sync._live.key_ring import KeyRing
from exconn_sync._runtime.question import Question
from exconn_sync.errors import AuthenticationError, NotReady, ValidationError
from exconn_sync.exchanges.signers import HmacSha256Signer
from tests.unit.support import LIMIT


def signer(name: str) -> HmacSha256Signer:
    return HmacSha256Signer(name, b"secret")


def test_without_a_key_it_says_whether_one_may_come() -> None:
    with pytest.raises(AuthenticationError, match="a call needs an API key") as caught:
        KeyRing().take("a call")
    assert caught.value.outcome == "not_sent"
    with pytest.raises(NotReady, match="credentials provider"):
        KeyRing(is_provided=True).take("a call")


def test_a_late_word_about_a_former_key_means_nothing() -> None:
    """(fault F167)"""
    former, present = signer("former"), signer("present")
    keys, told = KeyRing(former), []
    keys.on_refused = lambda: told.append("refused")
    keys.refused(former)
    assert (keys.is_wanting, told) == (True, ["refused"])
    keys.replace(present)
    keys.refused(former)
    keys.accepted(former)
    assert keys.take("a call") is present
    assert (keys.is_wanting, keys.is_proven, keys.refusals, told) == (False, False, 1, ["refused"])


def test_a_key_that_is_accepted_again_is_wanted_no_more() -> None:
    keys = KeyRing(signer("key"))
    keys.refused(keys.take("a call"))
    keys.accepted(keys.take("a call"))
    assert (keys.is_wanting, keys.is_proven, keys.refusals) == (False, True, 1)


def asked(function: object) -> Question[object]:
    done = threading.Event()
    assert callable(function)
    made: Question[object] = Question("test-question", function, done.set)
    assert done.wait(LIMIT)
    assert made.is_done
    return made


def test_a_question_brings_its_result() -> None:
    made = asked(lambda: threading.current_thread().name)
    assert (made.result, made.fault) == ("exconn-test-question", None)


def test_a_question_keeps_of_foreign_errors_neither_text_nor_traceback() -> None:
    """(fault F171)"""

    def fail() -> None:
        canary = "canary"
        raise SystemExit(canary)

    made = asked(fail)
    assert isinstance(made.fault, str)
    assert made.fault.startswith("SystemExit at ")
    assert "canary" not in made.fault
    assert "test_key_ring.py:" in made.fault


def test_a_question_keeps_errors_of_the_library_without_their_traceback() -> None:
    """(fault F171)"""

    def fail() -> None:
        raise ValidationError("api_key", "<hidden>", "is malformed")

    made = asked(fail)
    assert isinstance(made.fault, ValidationError)
    assert made.fault.__traceback__ is None
