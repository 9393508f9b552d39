"""Heads of answers are read as http.client reads them, whatever they hold (faults F011 to F016)."""

from __future__ import annotations

import io
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._transport.heads import LightResponse, joined


class Wire:
    """A socket that has an answer."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self._answer)


def read(kind: type[HTTPResponse], answer: bytes) -> Any:
    """Return all that a program can see of an answer, or the kind of the error."""
    response = kind(Wire(answer))  # type: ignore[arg-type]
    try:
        response.begin()
        head = response.whole_head if isinstance(response, LightResponse) else joined(response.headers.items())
        framing = response.status, response.version, response.reason, response.length, response.will_close
        return framing, {name: value.strip() for name, value in head.items()}, response.read()
    except HTTPException as error:
        return type(error)
    finally:
        response.close()


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "usual": OK + b"Content-Length: 2\r\nX-MBX-Used-Weight-1M:  7\r\n\r\n{}",
    "twice": OK + b"content-length: 2\r\nX: 1\r\nx: 2\r\n\r\n{}",
    "chunked": OK + b"Transfer-Encoding: chunked\r\nX: 1\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "until the end": OK + b"Connection: close\r\n\r\n{}",
    "1.0": b"HTTP/1.0 503 Busy\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\n{}",
    "without a reason": b"HTTP/1.1 429\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n",
    "continue first": b"HTTP/1.1 100 Continue\r\nX: 0\r\n\r\n" + OK + b"X: 1\r\nContent-Length: 2\r\n\r\n{}",
    "only newlines": b"HTTP/1.1 200 OK\nX: 1\nContent-Length: 2\n\n{}",
    "folded": OK + b"X: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}",
    "without a colon": OK + b"X 1\r\nContent-Length: 2\r\n\r\n{}",
    "a blank in the name": OK + b"X Y: 1\r\nContent-Length: 2\r\n\r\n{}",
    "no name": OK + b": 1\r\nContent-Length: 2\r\n\r\n{}",
    "no headers": OK + b"\r\n{}",
    "cut in a header": OK + b"Content-Le",
    "cut after a header": OK + b"Content-Length: 2\r\n",
    "nothing": b"",
    "no HTTP": b"SSH-2.0\r\n\r\n",
    "no status": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "too many": OK + b"".join(b"X-%d: 1\r\n" % number for number in range(101)) + b"\r\n",
    "just not too many": OK + b"".join(b"X-%d: 1\r\n" % number for number in range(99)) + b"\r\n",
    "a long line": OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "a long first line": b"HTTP/1.1 200 " + b"y" * 70_000 + b"\r\n\r\n",
    "a bad length": OK + b"Content-Length: two\r\nX: 1\r\n\r\n{}",
    "bytes beyond ASCII": OK + b"X: \xe9\xff\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_read_as_http_client_reads_it(name: str) -> None:
    """(faults F011 to F016)"""
    assert read(LightResponse, ANSWERS[name]) == read(HTTPResponse, ANSWERS[name])


_WORDS = st.sampled_from(
    [b"Content-Length", b"X", b"Connection", b"Transfer-Encoding", b":", b" ", b"\t", b"\r\n", b"\n", b"2", b"chunked"]
)


@given(st.lists(_WORDS, max_size=30).map(b"".join))
def test_any_head_is_read_as_http_client_reads_it(head: bytes) -> None:
    answer = OK + head + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert read(LightResponse, answer) == read(HTTPResponse, answer)
