"""Tests of the exchange drivers: payloads in, values out, no socket."""
