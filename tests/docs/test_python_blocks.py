"""The Python in the pages: all of it compiles, and what is not marked ``no-run`` is run on the simulator.

The blocks of a page run in order and share a namespace, as if they were typed one after the other. It holds the public
names, a simulated ``exchange`` and a started ``connector``, as the first page of the documentation says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import exconn_sync
from exconn_sync import Connector
from exconn_sync.simulator import Simulator
from tests.docs.pages import DOCS, Block, blocks, name_of, pages

LIMIT = 10.0
LANGUAGES = {"python", "sh", "text", "{toctree}", "{eval-rst}"}


def python_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def runnable(page: Path) -> list[Block]:
    # The README shows a real exchange.
    return [block for block in python_blocks(page) if block.info == "python" and page.is_relative_to(DOCS)]


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_blocks_are_of_a_known_kind_and_python_compiles(page: Path) -> None:
    for block in blocks(page):
        where = f"{name_of(page)}:{block.line}"
        assert block.language in LANGUAGES, f"{where}: {block.info!r}"
        if block.language == "python":
            assert block.info in ("python", "python no-run"), f"{where}: {block.info!r}"
            compile(block.body, where, "exec")


@pytest.mark.parametrize("page", [page for page in pages() if runnable(page)], ids=name_of)
def test_blocks_do_what_they_say(page: Path) -> None:
    names: dict[str, Any] = {name: getattr(exconn_sync, name) for name in exconn_sync.__all__}
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.wait_ready(LIMIT)
        names.update(exchange=exchange, connector=connector, Simulator=Simulator, __name__="page")
        for block in runnable(page):
            # Empty lines in front make the line numbers of a traceback those of the page.
            code = compile("\n" * (block.line - 1) + block.body, str(page), "exec")
            exec(code, names)


def test_there_is_something_to_run() -> None:
    assert sum(len(runnable(page)) for page in pages()) >= 15
