"""Tests of exconn_sync."""
