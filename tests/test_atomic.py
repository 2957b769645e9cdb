"""Files that are written completely or not at all, and paths that are not regular files."""

import os
import subprocess
import sys
import threading

import pytest

from muge_fast._internal.atomic import replacing

posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes and links")


def write(path, data=b"whole"):
    with replacing(path) as file:
        file.write(data)


@posix
def test_a_pipe_is_written_to(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    # Open for reading and writing, so that neither end waits for the other if nothing is written.
    end = os.open(pipe, os.O_RDWR)
    reader = threading.Thread(target=lambda: read.append(os.read(end, 100)), daemon=True)
    reader.start()
    write(pipe)
    reader.join(timeout=10)
    os.close(end)
    assert read == [b"whole"]
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_kept_and_its_file_is_written(tmp_path, exists):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target.txt", tmp_path / "link.txt"
    if exists:
        target.write_text("old content")
    link.symlink_to("folder/target.txt")
    write(link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert target.read_bytes() == b"whole"
    assert [path.name for path in target.parent.iterdir()] == ["target.txt"]


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(OSError, match=tmp_path.name):
        write(tmp_path)
    assert not list(tmp_path.iterdir())


# A process that can write at most 10 kB, as if the disk were full.
FULL = """
import resource, signal, sys
from muge_fast._internal.atomic import replacing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    with replacing(sys.argv[1]) as file:
        for _ in range(100):
            file.write(b"x" * 1000)
except OSError as error:
    print(error.strerror)
"""


@posix
def test_a_full_disk_leaves_nothing_behind(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old content")
    command = [sys.executable, "-c", FULL, path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert result.stdout == "File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["result.txt"]
    assert path.read_text() == "old content"


def test_a_name_can_have_the_maximum_length(tmp_path):
    path = tmp_path / ("n" * 251 + ".txt")
    write(path)
    assert path.read_bytes() == b"whole"


def test_the_error_for_a_missing_folder_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no.result\.txt"):
        write(tmp_path / "no" / "result.txt")
