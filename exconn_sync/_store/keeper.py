"""What the store gives to its journal, and what becomes of facts that the journal could not take (fault F150)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from exconn_sync._runtime.faultpoints import reach
from exconn_sync.errors import ExconnError, JournalError
from exconn_sync.model.account import Fact
from exconn_sync.model.orders import OrderFact
from exconn_sync.ports.journal import Journal


class Keeper:
    """Hands facts to the journal of the present life.

    A fact that the journal may take later (its error is ``retryable``, as of a full disk) is given to it again, in its
    turn, before the next one. So what a disk missed while it was full is in the journal once there is room.
    """

    def __init__(self, journal: Journal, report: Callable[[str, Exception], None]) -> None:
        self._journal = journal
        self._report = report
        # Appended and taken by whoever serves the desk; a hung life may still be at it, and what is kept twice is once.
        self._missed: deque[Fact] = deque()

    def use(self, journal: Journal) -> None:
        """Hand facts to another journal from now on, that of the next life."""
        self._journal = journal

    @property
    def missed(self) -> int:
        """Number of facts that the journal has not taken yet."""
        return len(self._missed)

    def keep_intent(self, intent: OrderFact) -> None:
        """Keep an order before it is sent. Raises JournalError."""
        try:
            self._journal.append(intent)
        except JournalError:
            raise
        except Exception as error:
            raise JournalError(f"the journal failed: {type(error).__name__}: {error}") from error

    def keep(self, fact: Fact) -> None:
        """Keep a fact as soon as that is possible; a failure is reported and costs nothing else."""
        if self._missed:
            self._catch_up()
        self.keep_note(fact)

    def keep_note(self, fact: Fact) -> None:
        """Keep a fact in its turn; may be called from any thread, while another one catches up."""
        if self._missed:
            self._missed.append(fact)
            return
        reach("journal.before_fact")
        error = self._try(fact)
        reach("journal.after_fact")
        if isinstance(error, ExconnError) and error.retryable:
            self._missed.append(fact)

    def _catch_up(self) -> None:
        while self._missed:
            fact = self._missed[0]
            error = self._try(fact)
            if isinstance(error, ExconnError) and error.retryable:
                return
            if self._missed and self._missed[0] is fact:
                self._missed.popleft()

    def _try(self, fact: Fact) -> Exception | None:
        try:
            self._journal.append(fact)
        except Exception as error:  # noqa: BLE001 - a broken journal of the user must not cost any event
            self._report("journal", error)
            return error
        return None


def hanging_journal() -> JournalError:
    """Return the error for whoever waits for a journal that hangs."""
    return JournalError("the journal hangs")
