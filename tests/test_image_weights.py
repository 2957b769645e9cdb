"""Downloading weights from a local server: interrupted, resumed and checked."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

torch = pytest.importorskip("torch")

from muge_fast.image.extractors.weights import FID_INCEPTION_WEIGHTS, hash_weights, load_weights  # noqa: E402 - only with torch


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server of one file. ``max_bytes`` truncates its responses, ``ranges`` is whether it supports them."""
    path = tmp_path / "weights.pth"
    torch.save({"fc.bias": torch.arange(100_000.0)}, path)
    content = path.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requested.append(self.headers.get("Range"))
            start = int(requested[-1][len("bytes=") : -1]) if requested[-1] and server.ranges else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: server.max_bytes])

        def log_message(self, *_):
            pass

    requested = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.max_bytes, server.ranges, server.requested, server.content = None, True, requested, content
    digits = hashlib.sha256(content).hexdigest()[:8]
    server.published = FID_INCEPTION_WEIGHTS._replace(
        url=f"http://127.0.0.1:{server.server_address[1]}/weights-{digits}.pth"
    )
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.cached = tmp_path / "home" / "hub" / "checkpoints" / server.published.file_name
    server.part = server.cached.with_name(server.cached.name + ".part")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_weights_are_downloaded_once(server):
    for _ in range(2):
        assert load_weights("download", server.published).state["fc.bias"].shape == (100_000,)
    assert server.requested == [None]
    assert server.cached.read_bytes() == server.content
    assert not server.part.exists()
    assert load_weights(None, server.published).state["fc.bias"][5] == 5


def test_unpublished_weights_have_a_hash_in_their_name(server, tmp_path):
    loaded = load_weights("download", server.published)
    assert loaded.name == "inception-2015-12-05"
    names = []
    for legacy in (False, True):
        # The same tensors in another file, whose hash is not the published one.
        torch.save(loaded.state, tmp_path / "again.pth", _use_new_zipfile_serialization=not legacy)
        names.append(
            load_weights(tmp_path / "again.pth", server.published._replace(url="https://x/w-00000000.pth")).name
        )
    assert names[0] == names[1] == f"inception-2015-12-05|weights:{hash_weights(loaded.state)}"
    state = {name: tensor.clone() for name, tensor in loaded.state.items()}
    state["fc.bias"][7] += 1e-3
    half = {name: tensor.bfloat16() for name, tensor in state.items()}
    assert (
        len(
            {
                hash_weights(loaded.state),
                hash_weights(state),
                hash_weights(half),
                hash_weights({"fc": state["fc.bias"]}),
            }
        )
        == 4
    )


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_resumed(server, ranges):
    server.max_bytes, server.ranges = 300_000, ranges
    size = len(server.content)
    with pytest.raises(OSError, match=f"the connection ended after 300000 of {size} bytes"):
        load_weights("download", server.published)
    assert not server.cached.exists()
    server.max_bytes = None
    assert load_weights("download", server.published).state["fc.bias"][5] == 5
    assert server.requested == [None, "bytes=300000-"]
    assert server.cached.read_bytes() == server.content


def test_a_complete_part_is_not_downloaded_again(server):
    server.part.parent.mkdir(parents=True)
    server.part.write_bytes(server.content)
    assert load_weights("download", server.published).state["fc.bias"][5] == 5


def test_a_file_with_another_hash_is_refused(server):
    other = server.published._replace(url=server.published.url[:-12] + "01234567.pth")
    with pytest.raises(ValueError, match=r"the SHA-256 .* should start with 01234567"):
        load_weights("download", other)
    assert not list(server.cached.parent.iterdir())
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match=r"refused|127\.0\.0\.1"):
        load_weights("download", server.published)
