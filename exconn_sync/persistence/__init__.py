"""Journals: where intents and facts are kept."""

from exconn_sync.persistence.memory import MemoryJournal

__all__ = ["MemoryJournal"]
