"""Journals: where intents and facts are kept."""

from exconn_sync.persistence.memory import MemoryJournal
from exconn_sync.persistence.sqlite import SqliteJournal

__all__ = ["MemoryJournal", "SqliteJournal"]
