"""Files that are written whole or not at all, and what is no file that could be replaced."""

import os
import threading

import pytest

from muge_fast.atomic import replacing

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
