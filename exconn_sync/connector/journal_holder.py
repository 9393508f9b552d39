"""The journal of a connector over all its lives: whose it is, when it is open, and what it is owed at a start."""

from __future__ import annotations

from exconn_sync._live.fill_receipts import FillReceipts
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.told import Told
from exconn_sync.errors import JournalError
from exconn_sync.model.account import FillDelivery
from exconn_sync.model.enums import Channel
from exconn_sync.model.orders import Fill
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.journal import Journal, sqlite_path


class JournalHolder:
    """Opens the file of ``"sqlite:PATH"`` at each start and closes it at the stop; an object stays the user's.

    The steps of the life cycle call it, one at a time; ``delivered`` may come from any thread.
    """

    def __init__(self, choice: str | Journal, pipeline: Pipeline, clock: Clock) -> None:
        self._path = sqlite_path(choice)
        self._pipeline = pipeline
        self._clock = clock
        self._file: SqliteJournal | None = None
        self.journal: Journal = MemoryJournal() if isinstance(choice, str) else choice
        self.receipts = FillReceipts(self._note_delivery)
        pipeline.receipts = self.receipts
        for subscription in pipeline.bus.subscriptions():
            # They were kept over a fork.
            if subscription.on_handled is not None:
                self.receipts.watch(subscription)
        self.store = AccountStore(pipeline.exchange, self.journal, pipeline.account, pipeline.error)
        self._owed: list[Fill] = []
        self._restore()

    def open(self, archive_after: float | None) -> None:
        """Open the file and take up what it holds; nothing to do for other journals.

        Orders that ended so many seconds ago leave it for an archive.

        Raises:
            JournalInUse, JournalCorrupt, JournalError: it cannot be used.
        """
        if self._path is None:
            return
        self._file = self.journal = SqliteJournal(self._path, archive_after=archive_after)
        self.store.keeper.use(self._file)
        self._restore()

    def begin(self) -> None:
        """Deliver what an earlier life owes to its subscribers; before anything new, and without any lock held."""
        self.receipts.stopping(False)
        file = self._file
        if file is not None and file.archive is not None:
            self._pipeline.count("journal.archived")
            file.archive = None
        if file is not None and file.cut:
            self._pipeline.count("journal.cut")
            text = f"{file.path}: a write that was not finished was cut off; nothing of it had been promised"
            self._pipeline.error("journal", JournalError(text, details={"path": str(file.path)}), always=True)
            file.cut = 0
        owed, self._owed = [*self._owed, *self.receipts.owed()], []
        if owed:
            self.store.desk.put([Told(events=[(Channel.FILL, fill.symbol, fill) for fill in owed])])
            self.store.desk.flush()

    def close(self) -> None:
        """Close the file, after the last record."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except JournalError as error:
            self._pipeline.error("journal", error, always=True)

    def _restore(self) -> None:
        self._owed += self.store.restore(self.journal.replay())

    def _note_delivery(self, fill: Fill) -> None:
        now_ns = self._clock.time_ns()
        note = FillDelivery(fill.exchange, fill.symbol, fill.trade_id, fill.exchange_order_id, now_ns)
        # Here and now, before this thread delivers anything else: so a kill repeats no more than this one.
        self.store.keeper.keep_note(note)


def is_same(one: str | Journal, other: str | Journal) -> bool:
    """Return whether two configurations mean the same journal."""
    return one == other if isinstance(one, str) and isinstance(other, str) else one is other
