"""The public face: every name is listed, documented, and cheap to import."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys

import pytest

import exconn_sync


@pytest.mark.parametrize("name", exconn_sync.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    thing = getattr(exconn_sync, name)
    assert inspect.getdoc(thing), f"{name} has no docstring"
    if not inspect.isclass(thing):
        return
    for member, value in inspect.getmembers(thing):
        if member.startswith("_") or not (inspect.isfunction(value) or isinstance(value, property)):
            continue
        if not getattr(value, "__module__", "exconn_sync").startswith("exconn_sync"):
            continue
        assert inspect.getdoc(value), f"{name}.{member} has no docstring"


def test_names_are_listed_in_order_and_once() -> None:
    assert exconn_sync.__all__ == sorted(set(exconn_sync.__all__), key=lambda name: (name.islower(), name))


def test_importing_loads_no_event_loop_and_no_network_library() -> None:
    code = (
        "import sys, exconn_sync; "
        "print([m for m in ('asyncio', 'urllib3', 'websocket', 'pyrate_limiter', 'pybreaker', 'aiohttp') "
        "if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_importing_configures_no_logging_and_starts_no_thread() -> None:
    code = (
        "import logging, threading, signal; before = signal.getsignal(signal.SIGINT); import exconn_sync; "
        "print(logging.getLogger().handlers, len(threading.enumerate()), signal.getsignal(signal.SIGINT) is before)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[] 1 True"


def test_names_are_loaded_from_where_type_checkers_find_them() -> None:
    tree = ast.parse(inspect.getsource(exconn_sync))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    stated = {
        alias.name: node.module.removeprefix("exconn_sync.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert stated == exconn_sync._MODULE_OF
    assert sorted(stated) == sorted(exconn_sync.__all__)


def test_importing_the_package_loads_none_of_its_modules() -> None:
    code = "import sys, exconn_sync; print([name for name in sys.modules if name.startswith('exconn_sync.')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Conector'"):
        _ = exconn_sync.Conector
    assert set(exconn_sync.__all__) <= set(dir(exconn_sync))
