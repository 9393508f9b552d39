"""Answers in pages become one value."""

from __future__ import annotations

import pytest

from exconn_sync._live.paging import Page, all_pages
from exconn_sync.errors import ProtocolError
from exconn_sync.model.wire import Cost, HttpResponse, Pages, Params, RestCall

FIRST: Params = (("limit", "2"),)


def next_params(response: HttpResponse) -> Params | None:
    cursor = response.body.partition(b"|")[2].decode()
    return (*FIRST, ("cursor", cursor)) if cursor else None


def parse(response: HttpResponse) -> list[str]:
    if response.body == b"broken":
        raise ProtocolError("broken")
    return response.body.partition(b"|")[0].decode().split(",")


PAGES: Pages[list[str]] = Pages(next_params, lambda lists: [item for each in lists for item in each])


class Exchange:
    """Answers by cursor, and keeps what it was asked."""

    def __init__(self, **bodies: str) -> None:
        self.bodies = bodies
        self.asked: list[RestCall[Page[list[str]]]] = []

    def ask(self, call: RestCall[Page[list[str]]]) -> Page[list[str]]:
        self.asked.append(call)
        body = self.bodies[dict(call.params).get("cursor", "first")]
        return call.parse(HttpResponse(200, {}, body.encode(), 0))


def call() -> RestCall[list[str]]:
    return RestCall("GET", "/list", parse, FIRST, is_signed=True, costs=(Cost("W", 1),), pages=PAGES)


def test_all_pages_are_joined_in_their_order() -> None:
    """(fault F089)"""
    exchange = Exchange(first="a,b|x", x="c,d|y", y="e")
    assert all_pages(call(), PAGES, exchange.ask) == ["a", "b", "c", "d", "e"]
    assert [dict(each.params).get("cursor") for each in exchange.asked] == [None, "x", "y"]
    assert all(each.is_signed and each.costs == (Cost("W", 1),) and each.pages is None for each in exchange.asked)


def test_one_page_is_enough_where_there_is_no_other() -> None:
    assert all_pages(call(), PAGES, Exchange(first="a").ask) == ["a"]


def test_pages_that_lead_back_are_refused() -> None:
    """(fault F089)"""
    with pytest.raises(ProtocolError, match="do not end"):
        all_pages(call(), PAGES, Exchange(first="a|x", x="b|y", y="c|x").ask)


def test_a_page_that_cannot_be_read_ends_it() -> None:
    with pytest.raises(ProtocolError, match="broken"):
        all_pages(call(), PAGES, Exchange(first="a|x", x="broken").ask)


def test_no_more_pages_are_asked_for_than_wanted() -> None:
    exchange = Exchange(first="a|x", x="b|y", y="c")
    pages = Pages(next_params, PAGES.join, most=2)
    assert all_pages(call(), pages, exchange.ask) == ["a", "b"]
    assert len(exchange.asked) == 2
