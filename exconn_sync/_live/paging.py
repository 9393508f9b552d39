"""Questions whose answers come in pages: all of them, as one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from exconn_sync.errors import ProtocolError
from exconn_sync.model.wire import HttpResponse, Pages, Params, RestCall

T = TypeVar("T")

Page: TypeAlias = tuple[T, Params | None]
"""What a page says, and the parameters that ask for the next one; None after the last."""

_MOST_PAGES = 1000
"""More than any account or exchange has: an exchange that always names a further page must not keep us for ever."""


def all_pages(call: RestCall[T], pages: Pages[T], ask: Callable[[RestCall[Page[T]]], Page[T]]) -> T:
    """Return the joined values of all pages; ``ask`` makes the call for one of them, and raises what fails.

    Raises:
        ProtocolError: the pages lead back to one that was there, or do not end.
    """

    def parse(response: HttpResponse) -> Page[T]:
        # The value first: what is wrong with an answer is told in the words of whoever reads it.
        return call.parse(response), pages.next_params(response)

    found: list[T] = []
    seen: set[Params] = set()
    params: Params | None = call.params
    while params is not None:
        if params in seen or len(seen) >= _MOST_PAGES:
            raise ProtocolError(f"the pages of {call.path} do not end")
        seen.add(params)
        page: RestCall[Page[T]] = RestCall(
            call.method, call.path, parse, params, is_signed=call.is_signed, is_command=call.is_command,
            costs=call.costs, lane=call.lane, body=call.body,
        )  # fmt: skip
        value, params = ask(page)
        found.append(value)
        if pages.most is not None and len(found) >= pages.most:
            break
    return pages.join(found)
