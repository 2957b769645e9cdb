"""Files in an object storage: in memory, and through the interface of S3 over HTTP."""

import hashlib
import multiprocessing
import os

import obstore
import pytest
from obstore.store import LocalStore, MemoryStore

from muge_fast.leaderboard.blobs import object_storage
from muge_fast.leaderboard.blobs.addresses import open_blobs
from muge_fast.leaderboard.blobs.interface import BlobTooLargeError, StoredBlob
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.blobs.object_storage import ObjectBlobs, open_bucket
from object_server import serving_objects


@pytest.fixture
def bucket(monkeypatch):
    """Serve a bucket and set the environment of its address."""
    with serving_objects() as (server, address):
        values = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "eu", "ENDPOINT_URL": address}
        for name, value in {**values, "ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield server


@pytest.fixture(params=["memory", "folder", "s3", "moto"])
def blobs(request, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    if request.param in ("s3", "moto"):
        request.getfixturevalue("bucket" if request.param == "s3" else "moto")
        opened = open_bucket("s3://bucket/boards/one/")
        opened._scratch = scratch
        return opened
    if request.param == "memory":
        return ObjectBlobs(MemoryStore(), scratch=scratch)
    (tmp_path / "objects").mkdir()
    return ObjectBlobs(LocalStore(str(tmp_path / "objects")), scratch=scratch)


def scratch_files(blobs) -> list:
    return list(blobs._scratch.iterdir())


def test_a_file_is_stored_under_its_hash(blobs):
    sha256 = hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert blobs.put(iter([b"one\n", b"", b"two\n"])) == StoredBlob(sha256, 8)
    with blobs.local(sha256) as path:
        assert path.read_bytes() == b"one\ntwo\n"
    assert blobs.verify(sha256)
    assert list(blobs.hashes()) == [sha256]
    assert scratch_files(blobs) == []


@pytest.mark.parametrize("size", [0, 1, 5 << 20, 16 << 20, (33 << 20) + 7])
def test_files_of_every_size(blobs, size):
    content = os.urandom(size)
    stored = blobs.put([content[: size // 2], content[size // 2 :]])
    assert stored == StoredBlob(hashlib.sha256(content).hexdigest(), size)
    with blobs.local(stored.sha256) as path:
        assert path.read_bytes() == content


def test_a_file_that_is_too_large_or_breaks_off_leaves_nothing(blobs):
    def broken():
        yield b"one"
        raise ConnectionResetError

    with pytest.raises(BlobTooLargeError, match="more than 4 bytes"):
        blobs.put([b"12345"], max_bytes=4)
    with pytest.raises(ConnectionResetError):
        blobs.put(broken())
    assert list(blobs.hashes()) == []
    assert scratch_files(blobs) == []


def test_a_missing_file_is_missing(blobs):
    assert not blobs.verify("a" * 64)
    with pytest.raises(FileNotFoundError), blobs.local("a" * 64):
        pass
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        blobs.verify("../secret")


def test_a_damaged_file_is_found(blobs):
    sha256 = blobs.put([b"one"]).sha256
    obstore.put(blobs._store, object_storage._name(sha256), b"0ne")
    assert not blobs.verify(sha256)
    with pytest.raises(OSError, match="is damaged"), blobs.local(sha256):
        pass
    assert blobs.put([b"one"]).sha256 == sha256
    assert blobs.verify(sha256)


def names(blobs) -> set[str]:
    return {name for name, _ in blobs._list()}


def test_a_sweep_sets_files_without_a_row_aside_and_a_later_one_removes_them(blobs):
    kept, lost = blobs.put([b"kept"]).sha256, blobs.put([b"lost"]).sha256
    assert blobs.sweep(lambda hashes: {kept} & set(hashes), older_than=60).orphans == 0
    assert blobs.sweep(lambda hashes: {kept} & set(hashes), older_than=-60).orphans == 1
    # Readers still find it.
    assert blobs.verify(lost)
    assert set(blobs.hashes()) == {kept, lost}
    assert blobs.sweep(lambda hashes: {kept} & set(hashes), older_than=-60).orphans == 0
    assert names(blobs) == {object_storage._name(kept)}
    assert not blobs.verify(lost)


def test_a_file_whose_row_was_committed_during_a_sweep_comes_back(blobs):
    sha256 = blobs.put([b"one"]).sha256
    assert blobs.sweep(lambda _hashes: (), older_than=-60).orphans == 1
    assert blobs.sweep(set, older_than=-60).orphans == 0
    assert names(blobs) == {object_storage._name(sha256)}
    assert blobs.verify(sha256)


def test_a_file_that_is_stored_again_after_a_sweep_is_found(blobs):
    sha256 = blobs.put([b"one"]).sha256
    blobs.sweep(lambda _hashes: (), older_than=-60)
    blobs.put([b"one"])
    blobs.sweep(set, older_than=-60)
    assert names(blobs) == {object_storage._name(sha256)}


# The interface of S3


def test_names_have_the_prefix_of_the_address(bucket):
    sha256 = open_blobs("s3://bucket/boards/one").put([b"one"]).sha256
    assert set(bucket.objects) == {f"boards/one/{sha256[:2]}/{sha256[2:4]}/{sha256}"}
    assert list(open_blobs("s3://bucket/boards/one").hashes()) == [sha256]
    assert list(open_blobs("s3://bucket/boards/two").hashes()) == []


def test_large_files_are_uploaded_in_parts(bucket):
    content = os.urandom(40 << 20)
    assert open_blobs("s3://bucket").put([content]).size == len(content)
    assert [method for method, _ in bucket.requests].count("PUT") == 5
    assert bucket.parts == {}


def test_a_storage_that_refuses_raises_an_error_of_files_in_one_line(bucket):
    blobs = open_blobs("s3://bucket")
    bucket.failures = 100
    for action in (lambda: blobs.put([b"one"]), lambda: blobs.verify("a" * 64), lambda: list(blobs.hashes())):
        with pytest.raises(OSError, match="the object storage could not") as caught:
            action()
        assert "\n" not in str(caught.value)
    bucket.failures = 0
    assert bucket.objects == {}
    assert blobs.put([b"one"]).size == 3


def test_an_upload_that_is_not_allowed_is_an_error(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    with pytest.raises(OSError, match="could not upload"):
        open_blobs("s3://bucket").put([b"one"])
    assert bucket.objects == {}


# Moto's S3


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "InvalidAccessKeyId"),
    ],
)
def test_wrong_keys_are_one_clear_error(moto, monkeypatch, name, value, code):
    sha256 = open_blobs("s3://bucket").put([b"one"]).sha256
    monkeypatch.setenv(name, value)
    blobs = open_blobs("s3://bucket")
    actions = {
        "upload": lambda: blobs.put([b"two"]),
        "download": lambda: blobs.verify(sha256),
        "list files": lambda: list(blobs.hashes()),
    }
    for action, act in actions.items():
        with pytest.raises(OSError, match=f"could not {action}: the service refuses the keys") as caught:
            act()
        assert str(caught.value).endswith(
            f"({code}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and what their user may do"
        )
    monkeypatch.setenv(*next(pair for pair in moto.environment.items() if pair[0] == name))
    assert list(open_blobs("s3://bucket").hashes()) == [sha256]


def test_a_bucket_that_is_missing_is_not_a_missing_file(moto):
    blobs = open_blobs(f"s3://{moto.name}-missing")
    for act in (lambda: blobs.put([b"one"]), lambda: blobs.verify("a" * 64), lambda: list(blobs.hashes())):
        with pytest.raises(OSError, match="there is no such bucket: make it, or correct the name") as caught:
            act()
        assert not isinstance(caught.value, FileNotFoundError)
    with pytest.raises(FileNotFoundError, match="the object storage has no such file"):
        open_blobs("s3://bucket").local("a" * 64).__enter__()


# Addresses


def test_addresses_of_storages(tmp_path, bucket):
    assert isinstance(open_blobs(str(tmp_path / "blobs")), LocalBlobs)
    assert isinstance(open_blobs("s3://bucket"), ObjectBlobs)
    assert bucket.requests == []


@pytest.mark.parametrize("address", ["s3://", "s3:///prefix", "s3://UPPER/x", "https://bucket", "memory:///"])
def test_other_addresses_are_refused(address):
    with pytest.raises(ValueError, match=r"the address '.*' (has no bucket|is not of a storage)"):
        open_blobs(address)


# Forks


def use(blobs, queue) -> None:
    try:
        blobs.verify("a" * 64)
    except RuntimeError as error:
        queue.put(str(error))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_gets_an_error_and_does_not_wait_forever():
    blobs = ObjectBlobs(MemoryStore())
    blobs.put([b"one"])
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=use, args=(blobs, queue))
    process.start()
    assert "cannot be used after a fork" in queue.get(timeout=10)
    process.join()
