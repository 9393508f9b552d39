"""Named places where a test may raise, pause or kill, to provoke races that cannot be timed from outside.

A point costs one look at an empty dictionary when nothing is installed. Names are ``<part>.<moment>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_hooks: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Run the hook installed at this point, if any; what it raises, the point raises."""
    if _hooks:
        hook = _hooks.get(name)
        if hook is not None:
            hook()


@contextmanager
def installed(name: str, hook: Callable[[], None]) -> Iterator[None]:
    """Install a hook for the length of a ``with`` block (tests only; one hook a point)."""
    _hooks[name] = hook
    try:
        yield
    finally:
        _hooks.pop(name, None)
