"""Values only: no thread, no I/O, no exchange's words."""
