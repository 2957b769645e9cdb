"""Limits on untrusted files."""

from __future__ import annotations

from dataclasses import dataclass

from muge_fast._internal.checks import whole_number

# 8192 x 8192, far more than the input of any network.
MAX_PIXELS = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on the size of a submission and on the number of problems reported.

    Raises:
        TypeError: A limit is not an integer.
        ValueError: A limit is negative, or ``pixels`` above 8192 x 8192.

    Attributes:
        file_bytes: Maximum size of the file in bytes; None for 128 MiB, or 16 GiB for a file of images.
        line_bytes: Maximum length of a line in bytes; None for 1 MiB, or 64 MiB in a file of images.
        pixels: Maximum width times height of an image, at most 8192 x 8192; larger images are not decoded.
        max_reported: Number of problems that a report lists; further ones are only counted.
        stop_after: Number of problems after which reading stops.
        max_per_value: Number of problems reported for one value, such as a list of ids; further ones are not counted.

    Example:
        >>> import muge_fast as mf
        >>> mf.Limits(file_bytes=1 << 20).max_reported
        100

    """

    file_bytes: int | None = None
    line_bytes: int | None = None
    pixels: int = 1 << 22
    max_reported: int = 100
    stop_after: int = 10_000
    max_per_value: int = 10

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None or name not in {"file_bytes", "line_bytes"}:
                whole_number(name, value, 0)
        if self.pixels > MAX_PIXELS:
            # Scoring decodes no larger ones, so that a valid submission could not be scored.
            raise ValueError(f"pixels must be at most {MAX_PIXELS}, got {self.pixels}")
