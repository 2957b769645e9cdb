"""Intervals and tests on plain arrays."""
