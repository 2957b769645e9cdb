"""Malicious and broken files of document frequencies: loading them raises ValueError and executes nothing."""

import io
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import pytest

import muge_fast as mf

COUNTS = {("红",): 3.0, ("a", "b", "c", "d"): 1.0}


def outcome(path: Path) -> str:
    """Load a file and return the result as text, because a stored exception would keep the file open."""
    try:
        mf.DocumentFrequency.load(path)
    except ValueError as error:
        return f"refused {error}"
    except Exception as error:  # noqa: BLE001 - any other exception is a fault, which the caller reports
        return f"let through {error!r}"
    return "loaded"


@pytest.fixture
def refuse(tmp_path, monkeypatch):
    """Load bytes, expect a ValueError that names the file, and check that nothing was executed."""
    monkeypatch.chdir(tmp_path)

    def refuse_bytes(content: bytes) -> None:
        path = tmp_path / "hostile.p"
        path.write_bytes(content)
        result = outcome(path)
        assert result.startswith(f"refused {path}: not a table of document frequencies: "), result
        assert [entry.name for entry in tmp_path.iterdir()] == ["hostile.p"]

    return refuse_bytes


def plain(documents=3, counts=None, protocol=4) -> bytes:
    return pickle.dumps({"ref_len": documents, "document_frequency": COUNTS if counts is None else counts}, protocol)


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


# Each would create a file named `executed`, or is a step towards it.
TOUCH = b"(S'touch executed'\ntR."
EXECUTE = {
    "os.system": b"cos\nsystem\n" + TOUCH,
    "posix.system": b"cposix\nsystem\n" + TOUCH,
    "nt.system": b"cnt\nsystem\n" + TOUCH,
    "INST": b"(S'touch executed'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'touch executed'\no.",
    "NEWOBJ": b"\x80\x02cos\nsystem\nU\x0etouch executed\x85\x81.",
    "STACK_GLOBAL": b"\x80\x04" + short("os") + short("system") + b"\x93" + short("touch executed") + b"\x85R.",
    "memoised names": b"\x80\x04" + short("os") + b"\x94" + short("system") + b"\x940h\x00h\x01\x93.",
    "dotted name": b"\x80\x04" + short("collections") + short("defaultdict.__init__.__globals__") + b"\x93.",
    "dotted float": b"\x80\x04" + short("builtins") + short("float.fromhex") + b"\x93.",
    "names that are not strings": b"\x80\x04K\x01K\x02\x93.",
    "eval": b'cbuiltins\neval\n(S\'open("executed", "w")\'\ntR.',
    "exec": b'c__builtin__\nexec\n(S\'open("executed", "w")\'\ntR.',
    "open": b"cbuiltins\nopen\n(S'executed'\nS'w'\ntR.",
    "getattr": b"cbuiltins\ngetattr\n(ccollections\ndefaultdict\nS'__init__'\ntR.",
    "__import__": b"cbuiltins\n__import__\n(S'os'\ntR.",
    "type": b"cbuiltins\ntype\n(S'X'\n(t}tR.",
    "bytearray": b"cbuiltins\nbytearray\n(I10\ntR.",
    "OrderedDict": b"ccollections\nOrderedDict\n)R.",
    "Counter": b"ccollections\nCounter\n)R.",
    "extension": b"\x80\x02\x82\x01.",
    "extension 4": b"\x80\x02\x84\xff\xff\xff\x7f.",
    "persistent id": b"Pexecuted\n.",
    "binary persistent id": b"U\x08executedQ.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "codecs": pickle.dumps(b"bytes", 2),
}


@pytest.mark.parametrize("content", EXECUTE.values(), ids=EXECUTE)
def test_nothing_is_executed(refuse, content):
    refuse(content)


@pytest.mark.parametrize("content", EXECUTE.values(), ids=EXECUTE)
def test_nothing_is_executed_inside_a_table_either(refuse, content):
    # The opcodes of the attack, without their STOP, instead of the counts.
    body = content.removesuffix(b".")
    body = body[2:] if body[:1] == b"\x80" else body
    refuse(b"\x80\x05}(U\x07ref_lenK\x03U\x12document_frequency" + body + b"u.")


NOT_TABLES = {
    "empty": b"",
    "one byte": b"P",
    "text": b"this is not a pickle",
    "json": b'{"ref_len": 3}',
    "truncated": plain()[:-10],
    "without STOP": plain()[:-1],
    "only STOP": b".",
    "protocol 99": b"\x80\x63}.",
    "list": pickle.dumps([3, COUNTS]),
    "set": pickle.dumps({3, 4}),
    "bytes": pickle.dumps(b"ref_len"),
    "None": pickle.dumps(None),
    "no ref_len": pickle.dumps({"document_frequency": COUNTS}),
    "no frequencies": pickle.dumps({"ref_len": 3}),
    "numpy ref_len": plain(np.float64(3)),
    "numpy count": plain(counts={("a",): np.int64(3)}),
    "numpy array": plain(counts=np.zeros(3)),
    "ref_len True": plain(documents=True),
    "ref_len None": pickle.dumps({"ref_len": None, "document_frequency": COUNTS}),
    "ref_len text": plain("3"),
    "ref_len NaN": plain(float("nan")),
    "ref_len inf": plain(float("inf")),
    "ref_len 0": plain(0),
    "ref_len -1": plain(-1),
    "ref_len huge": plain(10**400),
    "frequencies list": plain(counts=[1]),
    "frequencies set": plain(counts={("a",)}),
    "frequencies None": pickle.dumps({"ref_len": 3, "document_frequency": None}),
    "count True": plain(counts={("a",): True}),
    "count NaN": plain(counts={("a",): float("nan")}),
    "count inf": plain(counts={("a",): float("inf")}),
    "count -1": plain(counts={("a",): -1}),
    "count 1.5": plain(counts={("a",): 1.5}),
    "count huge": plain(counts={("a",): 2**32}),
    "count enormous": plain(counts={("a",): 10**400}),
    "count list": plain(counts={("a",): [1]}),
    "count dict": plain(counts={("a",): {}}),
    "n-gram str": plain(counts={"a": 1}),
    "n-gram bytes": plain(counts={(b"a",): 1}),
    "n-gram of bytes as text": plain(counts={(b"a",): 1}, protocol=0),
    "n-gram of numbers": plain(counts={(1, 2): 1}),
    "n-gram of five": plain(counts={tuple("abcde"): 1}),
    "empty n-gram": plain(counts={(): 1}),
    "nested n-gram": plain(counts={(("a",),): 1}),
    "lone surrogate": plain(counts={("\ud800",): 1}),
    "unhashable key": b"\x80\x02}]K\x01s.",
    "odd number of items": b"}(K\x01u.",
    "unknown opcode": b"\x80\x04\xff.",
    "stack underflow": b"0000.",
    "unknown memo": b"\x80\x02h\x05.",
    "negative memo": b"p-1\n.",
    "giant bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b".",
    "giant text": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b".",
    "giant frame": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b".",
    "giant number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "number of many digits": b"I" + b"9" * 100_000 + b"\n.",
    "long of many digits": b"L" + b"9" * 100_000 + b"L\n.",
    "int from many digits": b"cbuiltins\nint\n(S'" + b"9" * 100_000 + b"'\ntR.",
    "wrong arguments": b"ccollections\ndefaultdict\n(I5\ntR.",
    "state for a type": b"cbuiltins\nfloat\n}S'x'\nI1\nsb.",
}


@pytest.mark.parametrize("content", NOT_TABLES.values(), ids=NOT_TABLES)
def test_other_content_is_refused(refuse, content):
    refuse(content)


ESCAPES = {
    "state for a dict": b"\x80\x02}}U\x01aK\x01sb.",
    "append to a dict": b"\x80\x02}K\x01a.",
    "append to a number": b"\x80\x02G@\x08\x00\x00\x00\x00\x00\x00(K\x01e.",
    "add to a dict": b"\x80\x04}(K\x01\x90.",
    "deep n-gram": b"\x80\x02}U\x07ref_lenK\x03sU\x12document_frequency}K\x01" + b"\x85" * 5000 + b"K\x01ss.",
}


@pytest.mark.parametrize("content", ESCAPES.values(), ids=ESCAPES)
def test_other_errors_become_value_errors(refuse, content):
    refuse(content)


def test_a_dict_that_contains_itself_is_refused(refuse):
    recursive: dict = {"ref_len": 3}
    recursive["document_frequency"] = recursive
    refuse(pickle.dumps(recursive))


def test_mutated_pickles_load_or_are_refused(tmp_path):
    good = plain(protocol=2)
    assert_loads_or_refuses(tmp_path / "mutated.p", mutations(good, 4000))


def mutations(good: bytes, count: int):
    """Yield files with some bytes changed, or truncated."""
    random = Random(41)
    for index in range(count):
        changed = bytearray(good)
        for _ in range(random.randint(1, 3)):
            changed[random.randrange(2, len(changed))] = random.randrange(256)
        yield bytes(changed[: random.randrange(2, len(good))] if index % 4 == 0 else changed)


def assert_loads_or_refuses(path: Path, contents) -> None:
    for content in contents:
        path.write_bytes(content)
        result = outcome(path)
        assert result == "loaded" or result.startswith(f"refused {path}: "), result


# Memory and the stack: in a separate process, with a limit that is large enough for any small file

LIMITED = """
import re, resource, sys
from pathlib import Path
import muge_fast as mf
def peak():
    # getrusage would include the memory of the parent process.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10
before = peak()
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
for path in sys.argv[1:]:
    try:
        mf.DocumentFrequency.load(path)
    except ValueError:
        pass
grown = peak() - before
print("bounded" if grown < 200 else f"used {grown} MiB")
"""


@pytest.fixture
def limited(tmp_path):
    def load_limited(*contents: bytes) -> str:
        paths = [tmp_path / f"{index}.p" for index in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        command = [sys.executable, "-c", LIMITED, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - written in this file
        return done.stdout.strip() or f"exit {done.returncode}: {done.stderr[-200:]}"

    return load_limited


linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")


@linux
def test_declared_sizes_are_not_trusted(limited):
    opcodes = (b"\x8e", b"\x8d", b"\x95", b"\x96")
    sizes = [struct.pack("<Q", size) for size in (2**32, 2**40, 2**62)]
    assert limited(*(b"\x80\x05" + opcode + size + b"." for opcode in opcodes for size in sizes)) == "bounded"


@linux
@pytest.mark.parametrize("content", [b"\x80\x02}r\x00\x00\x00\x02.", b"}p30000000\n."], ids=["LONG_BINPUT", "PUT"])
def test_a_giant_memo_is_not_allocated(limited, content):
    assert limited(content) == "bounded"


@linux
def test_a_very_deep_ngram_does_not_crash_the_process(limited):
    deep = b"K\x01" + b"\x85" * 1_000_000
    assert limited(b"\x80\x02}U\x07ref_lenK\x03sU\x12document_frequency}" + deep + b"K\x01ss.") == "bounded"


# Archives of arrays


def archive(**changed) -> bytes:
    arrays = {
        "documents": np.float64(3),
        "token_lengths": np.array([1, 1], np.uint32),
        "token_bytes": np.frombuffer(b"ab", np.uint8),
        "ngrams": np.array([[1, 0, 0, 0], [1, 2, 0, 0]], np.uint32),
        "counts": np.array([2, 1], np.uint32),
        "tokenizer": np.array("char"),
    }
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in (arrays | changed).items() if array is not None})
    return file.getvalue()


def test_the_unchanged_archive_is_a_table(tmp_path):
    path = tmp_path / "table"
    path.write_bytes(archive())
    assert mf.DocumentFrequency.load(path).to_counts() == {("a",): 2, ("a", "b"): 1}


BROKEN_ARCHIVES = {
    "tokens missing": archive(token_bytes=None),
    "tokenizer missing": archive(tokenizer=None),
    "pickled objects": archive(tokenizer=np.array([{}], dtype=object)),
    "documents NaN": archive(documents=np.float64("nan")),
    "documents 0": archive(documents=np.float64(0)),
    "two documents": archive(documents=np.array([1.0, 2.0])),
    "documents text": archive(documents=np.array("x")),
    "n-grams of one axis": archive(ngrams=np.array([1, 2], np.uint32)),
    "n-grams of floats": archive(ngrams=np.array([[1.0], [2.0]])),
    "n-grams too wide": archive(ngrams=np.ones((2, 5), np.uint32)),
    "n-gram without tokens": archive(ngrams=np.zeros((2, 4), np.uint32)),
    "a gap in an n-gram": archive(ngrams=np.array([[1, 0, 0, 0], [1, 0, 2, 0]], np.uint32)),
    "n-gram twice": archive(ngrams=np.ones((2, 1), np.uint32)),
    "unknown token": archive(ngrams=np.array([[1], [3]], np.uint32)),
    "counts of floats": archive(counts=np.array([1.0, 2.0])),
    "not UTF-8": archive(token_bytes=np.frombuffer(b"a\xff", np.uint8)),
    "a token twice": archive(token_bytes=np.frombuffer(b"aa", np.uint8)),
}


@pytest.mark.parametrize("content", BROKEN_ARCHIVES.values(), ids=BROKEN_ARCHIVES)
def test_broken_archives_are_refused(refuse, content):
    refuse(content)


INCONSISTENT_ARCHIVES = {
    "more counts than n-grams": archive(counts=np.array([2, 1, 7], np.uint32)),
    "fewer counts than n-grams": archive(counts=np.array([2], np.uint32)),
    "tokens longer than the text": archive(token_lengths=np.array([1, 9], np.uint32)),
    "tokens shorter than the text": archive(token_bytes=np.frombuffer(b"abcdef", np.uint8)),
    "a negative length": archive(token_lengths=np.array([-1, 3], np.int64)),
    "an unused token twice": archive(
        token_bytes=np.frombuffer(b"aab", np.uint8), token_lengths=np.array([1, 1, 1], np.uint32)
    ),
}


@pytest.mark.parametrize("content", INCONSISTENT_ARCHIVES.values(), ids=INCONSISTENT_ARCHIVES)
def test_inconsistent_archives_are_refused(refuse, content):
    refuse(content)


BROKEN_ZIPS = {
    "only a header": b"PK\x03\x04" + bytes(50),
    "only the magic bytes": b"PK",
    "truncated": archive()[:-30],
    "wrong sum": archive().replace(b"ab", b"ac", 1),
}


@pytest.mark.parametrize("content", BROKEN_ZIPS.values(), ids=BROKEN_ZIPS)
def test_broken_zip_files_are_refused(refuse, content):
    refuse(content)


def test_mutated_archives_load_or_are_refused(tmp_path):
    table = mf.DocumentFrequency.from_references([["红裙"], ["黑鞋"]])
    table.save(tmp_path / "good")
    assert_loads_or_refuses(tmp_path / "mutated.npz", mutations((tmp_path / "good").read_bytes(), 600))


@linux
def test_a_decompression_bomb_is_refused(limited):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("token_bytes.npy", "w") as member:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (210 << 20,)})
        member.write(header.getvalue())
        for _ in range(210):
            member.write(bytes(1 << 20))
    assert limited(file.getvalue()) == "bounded"
