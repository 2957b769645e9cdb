"""The data of METEOR: read from an installed pycocoevalcap once, then from tables in the user's folder for caches."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import sys
import tempfile
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.coco_files import coco_file, damaged, jar_checksums, jar_entries
from muge_fast._internal.display import format_path
from muge_fast._internal.progress import Progress

JAR = "meteor/meteor-1.5.jar"
PARAPHRASES = "meteor/data/paraphrase-en.gz"
ENTRIES = (
    "function/english.words",
    "nonbreaking/english.prefixes",
    "synonym/english.synsets",
    "synonym/english.exceptions",
)

CACHE_VARIABLE = "MUGE_FAST_CACHE"
"""Environment variable that may hold the path of the folder for tables."""

MAGIC = b"muge_fast METEOR tables 1\n"
HEADER = struct.Struct("<Q")
"""After the magic bytes: length of the head."""

MAX_HEAD = 1 << 26
CHUNK = 1 << 20
NO_DATA = "none"

# Not on Windows.
try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

_Result = TypeVar("_Result")


class MeteorData(NamedTuple):
    """What METEOR knows of the language.

    Attributes:
        core: The data in Rust.
        fingerprint: Hash of the data, 16 hexadecimal digits, or ``"none"``.

    Example:
        >>> from muge_fast.caption.meteor_data import NO_DATA, MeteorData
        >>> from muge_fast import _core
        >>> MeteorData(_core.Meteor(), NO_DATA).core.words("红色T恤!")
        ['红', '色', 't', '恤', '!']

    """

    core: _core.Meteor
    fingerprint: str


class _State:
    """The data that this process has loaded."""

    lock = threading.Lock()
    data: MeteorData | None = None


def load_data() -> MeteorData:
    """Return the data of METEOR, which is loaded once in a process.

    The first call on a machine reads the files of pycocoevalcap, which takes about ten seconds,
    and writes tables of 50 MB to the folder for caches. Other processes read what they need of these, and wait while
    one of them writes them.

    Returns:
        The data; without pycocoevalcap, one that only texts without Latin letters and digits can be scored with.

    Raises:
        OSError: A file of pycocoevalcap is damaged.
        MemoryError: There is no memory for making the tables.

    Warns:
        UserWarning: The tables cannot be written to the folder for caches.

    Example:
        >>> from muge_fast.caption.meteor_data import load_data
        >>> load_data() is load_data()
        True

    """
    with _State.lock:
        if _State.data is None:
            _State.data = _load()
        return _State.data


def with_data(call: Callable[[MeteorData], _Result]) -> _Result:
    """Call a function with the data of METEOR; make the tables again if they turn out to be damaged.

    Args:
        call: Takes the data. It is called again if it raises an ``OSError``.

    Returns:
        What it returns.

    Raises:
        OSError: A file of pycocoevalcap is damaged.

    Example:
        >>> from muge_fast.caption.meteor_data import with_data
        >>> with_data(lambda data: data.core.words("Hello, world"))
        ['hello', ',', 'world']

    """
    data = load_data()
    try:
        return call(data)
    except OSError:
        with _State.lock:
            if _State.data is data:
                _State.data = _load(rebuild=True)
    return call(load_data())


def cache_folder() -> Path:
    """Return the folder for tables: that of the environment variable ``MUGE_FAST_CACHE``, or one of the user.

    Example:
        >>> from muge_fast.caption.meteor_data import cache_folder
        >>> cache_folder().is_absolute()
        True

    """
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE]).absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "muge_fast"


def _load(*, rebuild: bool = False) -> MeteorData:
    try:
        jar, paraphrases = (coco_file(name, purpose="METEOR") for name in (JAR, PARAPHRASES))
    except ImportError:
        return MeteorData(_core.Meteor(), NO_DATA)
    fingerprint = _fingerprint(jar, paraphrases)
    try:
        path = cache_folder() / f"meteor-{fingerprint}-1.tables"
    except RuntimeError:
        # A user without a home.
        path = None
    if path is not None and not rebuild:
        # Tables that are missing, damaged or unreadable are made again.
        with suppress(OSError):
            return MeteorData(_open(path), fingerprint)
    with _alone(path):
        if path is not None and not rebuild:
            # Another process has made them in the meantime.
            with suppress(OSError):
                return MeteorData(_open(path), fingerprint)
        head, sections = _make_tables(jar, paraphrases)
        return MeteorData(_store(path, head, sections), fingerprint)


@contextmanager
def _alone(path: Path | None) -> Iterator[None]:
    """Wait until no other process is in such a block for the folder of a path.

    Where folders cannot be locked, several processes may make the same tables, which only takes longer.
    """
    lock = None
    if fcntl is not None and path is not None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(path.parent, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                # Closing alone would leave it to a process that was forked in the meantime.
                fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)


def _fingerprint(jar: Path, paraphrases: Path) -> str:
    """Return a hash of all data, from the checksums that the files of pycocoevalcap contain."""
    digest = hashlib.blake2b(digest_size=8)
    for size, checksum in jar_checksums(jar, ENTRIES):
        digest.update(struct.pack("<QL", size, checksum))
    with paraphrases.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        # Of the content: its CRC-32 and its length.
        file.seek(max(0, size - 8))
        digest.update(struct.pack("<Q", size) + file.read())
    return digest.hexdigest()


def _make_tables(jar: Path, paraphrases: Path) -> tuple[bytes, bytes]:
    """Return the head and the sections of the tables."""
    builder = _core.MeteorTables()
    try:
        with paraphrases.open("rb") as packed, gzip.GzipFile(fileobj=packed) as file:
            size = os.fstat(packed.fileno()).st_size
            with Progress(size, "B", None, title="tables of METEOR, once") as bar:
                while chunk := file.read(CHUNK):
                    builder.feed(chunk)
                    if bar.callback is not None:
                        bar.callback(packed.tell())
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise damaged(paraphrases, error) from error
    try:
        return builder.finish(*(entry.decode() for entry in jar_entries(jar, ENTRIES)))
    except ValueError as error:
        raise damaged(jar, error) from error


def _store(path: Path | None, head: bytes, sections: bytes) -> _core.Meteor:
    """Write tables to a file and return data that reads from it."""
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                file.writelines([MAGIC, HEADER.pack(len(head)), head, sections])
            return _open(path)
        except OSError as error:
            # A folder that cannot be written to, or a full disk: the tables live as long as this process.
            _warn_about_folder(path.parent, error)
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the data
        file.write(sections)
        file.flush()
    except OSError:
        return _core.Meteor(head, lambda start, length: sections[start : start + length])
    return _core.Meteor(head, _Sections(file, 0))


def _warn_about_folder(folder: Path, error: OSError) -> None:
    warn_caller(
        f"the tables of METEOR cannot be kept in {format_path(folder)} ({error.strerror or error}), so every process "
        f"makes them again, which takes long: set the environment variable {CACHE_VARIABLE} to a folder that can be "
        "written to"
    )


def _open(path: Path) -> _core.Meteor:
    """Return data that reads from the file of tables."""
    file = path.open("rb")
    try:
        prefix = file.read(len(MAGIC) + HEADER.size)
        if not prefix.startswith(MAGIC) or len(prefix) < len(MAGIC) + HEADER.size:
            raise OSError(f"{path} has no tables of METEOR")
        (length,) = HEADER.unpack(prefix[len(MAGIC) :])
        head = file.read(length) if length <= MAX_HEAD else b""
        if len(head) < length:
            raise OSError(f"{path} is cut off")
        return _core.Meteor(head, _Sections(file, len(prefix) + length))
    except BaseException:
        file.close()
        raise


class _Sections:
    """Reads from a file at offsets, also in processes that were forked."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._descriptor, self._start = file.fileno(), start
        self._close = weakref.finalize(self, file.close)
        self._lock = threading.Lock()

    def __call__(self, start: int, length: int) -> bytes:
        parts = []
        while length > 0:
            part = self._read(self._start + start, length)
            if not part:
                raise OSError("the file of METEOR's tables is cut off")
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)

    def _read(self, start: int, length: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._descriptor, length, start)
        with self._lock:
            os.lseek(self._descriptor, start, os.SEEK_SET)
            return os.read(self._descriptor, length)
