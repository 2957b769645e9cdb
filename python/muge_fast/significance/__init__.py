"""Intervals and tests on plain arrays."""

SEED = 12345
"""Default seed of resamples and draws, that of sacrebleu."""

RESAMPLES = 10_000
"""Default number of resamples and draws."""
