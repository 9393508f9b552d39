"""Tests of single parts, each through what its user would notice."""
