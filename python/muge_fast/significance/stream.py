"""The stream of random numbers from which all resamples are drawn."""

from __future__ import annotations

from muge_fast import _core
from muge_fast._internal.checks import whole_number

SEED = 12345
"""Default seed, that of sacrebleu."""

WORD = 2**32


def pcg64(seed: int) -> _core.Pcg64:
    """Return the generator PCG64 with the stream of ``numpy.random.default_rng(seed)``.

    Args:
        seed: An integer of any size, at least 0.

    Returns:
        The generator.

    Raises:
        TypeError: ``seed`` is not an integer.
        ValueError: ``seed`` is negative.

    Example:
        >>> from muge_fast.significance.stream import pcg64
        >>> pcg64(12345).indices(10, 4).tolist()
        [6, 2, 7, 3]

    """
    rest = whole_number("seed", seed, least=0)
    words = [rest % WORD]
    while rest := rest // WORD:
        words.append(rest % WORD)
    return _core.Pcg64(words)
