"""Write rust/src/text/tokenizers/jieba/tables.bin: the dictionary and the hidden Markov model of jieba 0.42.1.

Needs jieba 0.42.1 installed, or a folder with the package, such as an unpacked sdist:

    python scripts/jieba_tables.py [--package FOLDER/jieba] [--output tables.bin]

The output is reproducible. rust/src/text/tokenizers/jieba/tables.rs, which reads it, describes the layout.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import runpy
import struct
import sys
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

MAGIC = b"MUGEJB01"
# The trie needs about 692,000; trie.rs supports up to 2**20.
MAX_SLOTS = 11 << 16
HAS_CHILDREN = 1 << 15
LEAF_BASE = 0
ROOT_BASE = 1
MISSING_EMISSION = -3.14e100
STATES = "BEMS"

MD5 = {
    "dict.txt": "897a1f17ca8c08caa37a36f92e2da441",
    "finalseg/prob_start.py": "13ca476be592a424764f490153f4d108",
    "finalseg/prob_trans.py": "4fc577ebd350e47e833628f07ffdf54b",
    "finalseg/prob_emit.py": "cfc6a3659be56e73e7336fb7f529edb3",
}

# jieba's re_han_default: only these characters occur in words of two or more characters.
BLOCK_CHARS = [chr(c) for c in range(0x4E00, 0x9FD6)] + [
    c for c in map(chr, range(128)) if c.isalnum() or c in "+#&._%-"
]


def find_package() -> Path:
    """Return the folder of the installed jieba package without importing it."""
    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        sys.exit("jieba is not installed; pip install jieba==0.42.1 or give --package")
    return Path(spec.origin).parent


def check_files(package: Path) -> None:
    """Exit unless the files are those of jieba 0.42.1."""
    for name, expected in MD5.items():
        digest = hashlib.md5((package / name).read_bytes(), usedforsecurity=False).hexdigest()
        if digest != expected:
            sys.exit(f"{package / name}: md5 is {digest}, that of jieba 0.42.1 is {expected}")


def read_words(path: Path) -> tuple[dict[str, int], int]:
    """Return word -> frequency, and the total frequency of all lines, repeated words included, as jieba does."""
    words: dict[str, int] = {}
    total = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        word, frequency = line.split(" ")[:2]
        words[word] = int(frequency)
        total += int(frequency)
    return words, total


def order_alphabet(words: dict[str, int]) -> list[str]:
    """Return all characters, the most frequent first, so that their trie nodes share cache lines."""
    weight: Counter[str] = Counter(dict.fromkeys(BLOCK_CHARS, 0))
    for word, frequency in words.items():
        for char in word:
            weight[char] += frequency
    return sorted(weight, key=lambda char: (-weight[char], char))


def collect_children(words: dict[str, int], code: dict[str, int]) -> dict[str, list[int]]:
    """Return prefix -> codes of the characters that extend it to a word or a longer prefix."""
    children: defaultdict[str, set[int]] = defaultdict(set)
    for word in words:
        for end in range(len(word)):
            children[word[:end]].add(code[word[end]])
    return {prefix: sorted(codes) for prefix, codes in children.items()}


class SlotAllocator:
    """First-fit search for bases, with big integers as bit sets of slots and of bases."""

    def __init__(self, chars: int) -> None:
        slots = (1 << MAX_SLOTS) - 1
        self.unused_bases = slots ^ (1 << LEAF_BASE)
        # Slots that children of the root may have are reserved, so that a lookup there needs no check.
        self.free = slots >> ROOT_BASE + chars + 1 << ROOT_BASE + chars + 1

    def lowest_base(self, codes: Sequence[int]) -> int:
        """Return the lowest unused base whose slots ``base + code`` are all free."""
        fits = self.unused_bases
        for code in codes:
            fits &= self.free >> code
        if not fits:
            sys.exit("the trie does not fit: increase MAX_SLOTS")
        return (fits & -fits).bit_length() - 1

    def reserve(self, base: int, codes: Sequence[int]) -> None:
        """Mark the base and the slots of its children as used."""
        self.unused_bases ^= 1 << base
        self.free ^= sum(1 << code for code in codes) << base


def allocate_bases(children: dict[str, list[int]], chars: int) -> dict[str, int]:
    """Return prefix -> base; prefixes with the most children are allocated first."""
    allocator = SlotAllocator(chars)
    allocator.unused_bases ^= 1 << ROOT_BASE
    bases = {"": ROOT_BASE}
    for prefix in sorted(filter(None, children), key=lambda p: (-len(children[p]), len(p), p)):
        bases[prefix] = allocator.lowest_base(children[prefix])
        allocator.reserve(bases[prefix], children[prefix])
    return bases


def trie_section(words: dict[str, int], alphabet: list[str]) -> tuple[bytes, bytes, list[int]]:
    """Return the frequencies, the double-array trie, and the numbers of slots, nodes and parents."""
    code = {char: index for index, char in enumerate(alphabet, 1)}
    children = collect_children(words, code)
    bases = allocate_bases(children, len(alphabet))
    frequencies = sorted(set(words.values()))
    rank = {frequency: index for index, frequency in enumerate(frequencies, 1)}
    nodes = {}
    for prefix, base in bases.items():
        for child_code in children[prefix]:
            word = prefix + alphabet[child_code - 1]
            nodes[base + child_code] = (child_code, rank.get(words.get(word, 0), 0), bases.get(word))
    slots = max(nodes) // 64 * 64 + 64
    occupied = sum(1 << slot for slot in nodes).to_bytes(slots // 8, "little")
    in_order = [nodes[slot] for slot in sorted(nodes)]
    codes = array("H", (node_code | HAS_CHILDREN * (base is not None) for node_code, _, base in in_order))
    ranks = array("H", (node_rank for _, node_rank, _ in in_order))
    inner = [base.to_bytes(3, "little") for _, _, base in in_order if base is not None]
    section = occupied + little_endian(codes) + little_endian(ranks) + b"".join(inner)
    return little_endian(array("I", frequencies)), section, [slots, len(nodes), len(inner)]


def hmm_section(package: Path, alphabet: list[str]) -> tuple[bytes, int]:
    """Return the hidden Markov model and the number of distinct emissions."""
    start, trans, emit = (
        runpy.run_path(str(package / "finalseg" / f"prob_{name}.py"))["P"] for name in ("start", "trans", "emit")
    )
    matrix = [trans[a].get(b, MISSING_EMISSION) for a in STATES for b in STATES]
    values = [MISSING_EMISSION, *sorted({p for state in STATES for p in emit[state].values()})]
    index = {value: i for i, value in enumerate(values)}
    table = array("H", (index[emit[s].get(c, MISSING_EMISSION)] for c in alphabet for s in STATES))
    numbers = [*(start[s] for s in STATES), *matrix, *values]
    return struct.pack(f"<{len(numbers)}d", *numbers) + little_endian(table), len(values)


def little_endian(numbers: array[int]) -> bytes:
    """Return the array as little-endian bytes, as the file has them."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def build(package: Path) -> bytes:
    """Return the contents of tables.bin."""
    check_files(package)
    words, total = read_words(package / "dict.txt")
    alphabet = order_alphabet(words)
    frequencies, trie, trie_counts = trie_section(words, alphabet)
    hmm, emissions = hmm_section(package, alphabet)
    body = "".join(alphabet).encode("utf-16-le") + frequencies + trie + hmm
    counts = struct.pack("<6I", len(alphabet), len(frequencies) // 4, *trie_counts, emissions)
    return MAGIC + struct.pack("<IIQ", len(body), zlib.crc32(body), total) + counts + body


def main() -> None:
    """Parse the command line and write the file."""
    default = Path(__file__).parent.parent / "rust/src/text/tokenizers/jieba/tables.bin"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help="folder of the jieba package (default: the installed one)")
    parser.add_argument("--output", type=Path, default=default, help="file to write (default: %(default)s)")
    options = parser.parse_args()
    tables = build(options.package or find_package())
    options.output.write_bytes(tables)
    print(f"{options.output}: {len(tables):,} bytes")


if __name__ == "__main__":
    main()
