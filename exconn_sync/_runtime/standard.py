"""The ``queue`` of the standard library, also where a green-thread library has put another one in its place.

gevent replaces the classes of that module by its own, which lack the hooks for subclasses that the mailboxes use. The
standard ones work with its locks as with any other (fault F155), so they are loaded once more, under no public name.
"""

from __future__ import annotations

import importlib.util
import queue
from types import ModuleType
from typing import TYPE_CHECKING

__all__ = ["queue"]


def _loaded_again(name: str) -> ModuleType:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"the standard module {name} cannot be found")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING and queue.Queue.__module__ != "queue":
    queue = _loaded_again("queue")
