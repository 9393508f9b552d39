"""Tests of the Binance spot driver."""
