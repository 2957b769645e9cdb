"""Limit on the dictionaries of LZMA data in TIFF files, before a decoder takes memory for them.

A decoder takes memory for the dictionary that a block names, up to 4 GiB, however short the data is. The headers of all
blocks are found by their checksums, because the length of a block is known only when it is decoded. The format is
https://tukaani.org/xz/xz-file-format.txt, section 3.1.
"""

from __future__ import annotations

import re
import zlib

# The command xz makes at most 64 MiB.
MAX_DICTIONARY = 64 << 20
# The filter LZMA2, the length of its properties, and each of them that stands for more than 64 MiB.
LARGE_DICTIONARY = re.compile(rb"\x21\x01([\x1d-\x28])")
# Bytes of a header of a block before this filter: its length, flags, two lengths of data, and three other filters. A
# filter has an id, the length of its properties and at most four bytes of those.
BYTES_BEFORE_FILTER = 2 + 2 * 9 + 3 * 6
CHECKSUM_BYTES = 4
# Other data looks like the filter once in 1.4 million bytes, and only hostile files more often than this.
MAX_MATCHES = 1000


def too_large_dictionary(data: bytes) -> int | None:
    """Return the size of a dictionary that exceeds the limit, from the header of a block of LZMA data in a file.

    Args:
        data: Bytes of a TIFF file with LZMA data.

    Returns:
        The size in bytes of the first such dictionary, None if there is none.

    Example:
        >>> import lzma
        >>> from muge_fast.datasets.image_lzma import too_large_dictionary
        >>> too_large_dictionary(lzma.compress(b"data", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 27}]))
        134217728
        >>> too_large_dictionary(lzma.compress(b"data"))

    """
    for count, match in enumerate(LARGE_DICTIONARY.finditer(data), 1):
        if count > MAX_MATCHES or _is_in_header(data, match.start()):
            code = match[1][0]
            return (2 | code & 1) << code // 2 + 11
    return None


def _is_in_header(data: bytes, filter_start: int) -> bool:
    """Return whether a filter stands in the header of a block, whose last bytes are the checksum of the others."""
    for start in range(max(0, filter_start - BYTES_BEFORE_FILTER), filter_start - 1):
        end = start + 4 * (data[start] + 1) - CHECKSUM_BYTES
        checksum = data[end : end + CHECKSUM_BYTES]
        if end > filter_start and zlib.crc32(data[start:end]) == int.from_bytes(checksum, "little"):
            return True
    return False
