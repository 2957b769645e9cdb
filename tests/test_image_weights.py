"""Fetching weights: from a server of this machine, cut off, gone on with, and checked."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

torch = pytest.importorskip("torch")

from muge_fast.image.extractors.weights import FID, hash_of, load_weights  # noqa: E402 - only with torch


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of one file. ``most`` cuts its answers off, ``ranges`` says whether it knows them."""
    path = tmp_path / "weights.pth"
    torch.save({"fc.bias": torch.arange(100_000.0)}, path)
    content = path.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Range"))
            start = int(asked[-1].removeprefix("bytes=").removesuffix("-")) if asked[-1] and made.ranges else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: made.most])

        def log_message(self, *_):
            pass

    asked = []
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.most, made.ranges, made.asked, made.content = None, True, asked, content
    digits = hashlib.sha256(content).hexdigest()[:8]
    made.published = FID._replace(url=f"http://127.0.0.1:{made.server_address[1]}/weights-{digits}.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made.cached = tmp_path / "home" / "hub" / "checkpoints" / made.published.file
    made.part = made.cached.with_name(made.cached.name + ".part")
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_weights_are_fetched_once(server):
    for _ in range(2):
        assert load_weights("download", server.published).state["fc.bias"].shape == (100_000,)
    assert server.asked == [None]
    assert server.cached.read_bytes() == server.content
    assert not server.part.exists()
    assert load_weights(None, server.published).state["fc.bias"][5] == 5


def test_weights_that_are_not_published_have_a_hash_in_their_name(server, tmp_path):
    loaded = load_weights("download", server.published)
    assert loaded.name == "inception-2015-12-05"
    names = []
    for legacy in (False, True):
        # The same numbers in another file, which nobody knows to be the same.
        torch.save(loaded.state, tmp_path / "again.pth", _use_new_zipfile_serialization=not legacy)
        names.append(
            load_weights(tmp_path / "again.pth", server.published._replace(url="https://x/w-00000000.pth")).name
        )
    assert names[0] == names[1] == f"inception-2015-12-05|weights:{hash_of(loaded.state)}"
    state = {name: tensor.clone() for name, tensor in loaded.state.items()}
    state["fc.bias"][7] += 1e-3
    half = {name: tensor.bfloat16() for name, tensor in state.items()}
    assert len({hash_of(loaded.state), hash_of(state), hash_of(half), hash_of({"fc": state["fc.bias"]})}) == 4


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_goes_on_where_it_ended(server, ranges):
    server.most, server.ranges = 300_000, ranges
    size = len(server.content)
    with pytest.raises(OSError, match=f"the connection ended after 300000 of {size} bytes"):
        load_weights("download", server.published)
    assert not server.cached.exists()
    server.most = None
    assert load_weights("download", server.published).state["fc.bias"][5] == 5
    assert server.asked == [None, "bytes=300000-"]
    assert server.cached.read_bytes() == server.content


def test_a_part_that_is_whole_is_enough(server):
    server.part.parent.mkdir(parents=True)
    server.part.write_bytes(server.content)
    assert load_weights("download", server.published).state["fc.bias"][5] == 5


def test_another_file_is_refused(server):
    other = server.published._replace(url=server.published.url[:-12] + "01234567.pth")
    with pytest.raises(ValueError, match=r"what came has the SHA-256 .*, needs one that starts with 01234567"):
        load_weights("download", other)
    assert not list(server.cached.parent.iterdir())
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match=r"refused|127\.0\.0\.1"):
        load_weights("download", server.published)
