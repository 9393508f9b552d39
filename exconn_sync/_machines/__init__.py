"""Decisions as pure objects: they are told the time and own no thread, lock, clock, random source or I/O."""
