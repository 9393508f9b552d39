"""A question to the user's code that may take for ever, on a thread of its own, for which nobody has to wait."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from exconn_sync._runtime.threads import spawn
from exconn_sync.errors import ExconnError

T = TypeVar("T")


class Question(Generic[T]):
    """Calls a function once, on the thread ``exconn-<name>``; a call that hangs is left behind.

    Written by its thread only. ``on_done`` is called on that thread when there is an answer.

    Attributes:
        is_done: there is a result or a fault.
        result: what the function returned, None where it raised.
        fault: an error of this library as it was raised; of any other only its type and place, because its text and
            its traceback may hold secrets (fault F171).

    Raises:
        RuntimeError: no thread can be started (faults F133, F143).
    """

    def __init__(self, name: str, function: Callable[[], T], on_done: Callable[[], None]) -> None:
        self.is_done = False
        self.result: T | None = None
        self.fault: ExconnError | str | None = None
        self._function = function
        self._on_done = on_done
        spawn(name, self._run)

    def _run(self) -> None:
        try:
            self.result = self._function()
        except ExconnError as error:
            self.fault = error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001 - the user's code; SystemExit ends no more than its thread
            self.fault = _described(error)
        finally:
            self.is_done = True
            self._on_done()


def _described(error: BaseException) -> str:
    """Return the type of an error and where it was raised."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" at {places[-1].filename}:{places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{where}"
