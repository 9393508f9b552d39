"""Threads, queues and their supervision: the only place that creates them. Knows no word of trading."""
