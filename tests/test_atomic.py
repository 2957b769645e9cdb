"""Files that are written whole or not at all, and what is no file that could be replaced."""

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
    # Open for both, so that nobody waits for the other side if the pipe is not written to.
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
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_its_file_is_written(tmp_path, is_there):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target.txt", tmp_path / "link.txt"
    if is_there:
        target.write_text("what was there")
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


# A process that may write no more than 10 kB, as if the disk were full then.
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
    path.write_text("what was there")
    command = [sys.executable, "-c", FULL, path]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert result.stdout == "File too large\n"
    assert [found.name for found in tmp_path.iterdir()] == ["result.txt"]
    assert path.read_text() == "what was there"


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("n" * 251 + ".txt")
    write(path)
    assert path.read_bytes() == b"whole"


def test_a_folder_that_is_not_there_is_told_by_the_name_of_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no.result\.txt"):
        write(tmp_path / "no" / "result.txt")
