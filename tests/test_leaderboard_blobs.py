"""Files under their hashes: complete or absent, on the disk before they are named, swept when they are lost."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from muge_fast.leaderboard.blobs import local
from muge_fast.leaderboard.blobs.interface import BlobTooLargeError, StoredBlob
from muge_fast.leaderboard.blobs.local import LocalBlobs


@pytest.fixture
def blobs(tmp_path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


def files(blobs: LocalBlobs) -> list[str]:
    return sorted(path.relative_to(blobs.folder).as_posix() for path in blobs.folder.rglob("*") if path.is_file())


def age(blobs: LocalBlobs, seconds: float = 2 * 24 * 3600) -> None:
    for path in blobs.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))


def test_a_file_is_stored_under_its_hash(blobs):
    sha256 = hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert blobs.put(iter([b"one\n", b"", b"two\n"])) == StoredBlob(sha256, 8)
    assert blobs.path(sha256).read_bytes() == b"one\ntwo\n"
    assert blobs.path(sha256).relative_to(blobs.folder).parts == (sha256[:2], sha256[2:4], sha256)
    assert blobs.verify(sha256)
    assert list(blobs.hashes()) == [sha256]


def test_an_empty_file_is_a_file(blobs):
    assert blobs.verify(blobs.put([]).sha256)


def test_the_same_bytes_are_stored_once_and_heal_a_damaged_file(blobs):
    stored = blobs.put([b"one"])
    blobs.path(stored.sha256).write_bytes(b"0ne")
    assert not blobs.verify(stored.sha256)
    assert blobs.put([b"o", b"ne"]) == stored
    assert blobs.verify(stored.sha256)
    assert files(blobs) == sorted([blobs.path(stored.sha256).relative_to(blobs.folder).as_posix(), "lock"])


def test_everything_is_on_the_disk_before_the_hash_is_returned(blobs, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd)))
    monkeypatch.setattr("pathlib.os.replace", lambda a, b: (events.append("rename"), replace(a, b)))
    path = blobs.path(blobs.put([b"one"]).sha256)
    assert "/parts/" in events[0]
    assert events[1:] == ["rename", str(path.parent), str(path.parent.parent), str(blobs.folder)]


@pytest.mark.parametrize("chunks", [[b"12345"], [b"123", b"45"]])
def test_a_file_that_is_too_large_leaves_nothing(blobs, chunks):
    with pytest.raises(BlobTooLargeError, match="more than 4 bytes"):
        blobs.put(chunks, max_bytes=4)
    assert files(blobs) == []
    assert blobs.put(chunks, max_bytes=5).size == 5


def test_an_upload_that_breaks_off_leaves_nothing(blobs):
    def broken():
        yield b"one"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        blobs.put(broken())
    assert files(blobs) == []


def test_a_full_disk_leaves_nothing(blobs, monkeypatch):
    def full(_fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(local.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        blobs.put([b"one"])
    assert files(blobs) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_hashes_are_paths(blobs, name):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        blobs.path(name)


def test_a_missing_file_is_not_intact(blobs):
    assert not blobs.verify("a" * 64)


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        LocalBlobs(tmp_path / "typo" / "blobs")


# Sweeps


def test_old_parts_and_files_without_a_row_are_removed(blobs):
    kept, lost = blobs.put([b"kept"]).sha256, blobs.put([b"lost"]).sha256
    (blobs.folder / "parts" / "1-0").write_bytes(b"part")
    age(blobs)
    young = blobs.put([b"young"]).sha256
    (blobs.folder / "parts" / "2-0").write_bytes(b"part")
    assert blobs.sweep(lambda hashes: {kept} & set(hashes)) == (1, 1)
    assert set(blobs.hashes()) == {kept, young}
    assert not blobs.path(lost).exists()
    assert [path.name for path in (blobs.folder / "parts").iterdir()] == ["2-0"]


def test_a_file_that_is_stored_again_during_a_sweep_stays(blobs):
    sha256 = blobs.put([b"one"]).sha256
    age(blobs)
    again = threading.Thread(target=lambda: blobs.put([b"one"]))

    def recorded(_hashes):
        again.start()  # It waits for the lock of the sweep.
        return set()

    assert blobs.sweep(recorded).orphans == 1
    again.join()
    assert blobs.verify(sha256)


def test_a_file_that_is_stored_again_before_a_sweep_is_young(blobs):
    sha256 = blobs.put([b"one"]).sha256
    age(blobs)
    blobs.put([b"one"])
    assert blobs.sweep(lambda _hashes: set()).orphans == 0
    assert blobs.verify(sha256)


def test_many_threads_store_the_same_files(blobs):
    threads = [threading.Thread(target=lambda n=n: blobs.put([b"%d" % (n % 3)])) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(blobs.hashes())) == 3
    assert all(blobs.verify(sha256) for sha256 in blobs.hashes())
