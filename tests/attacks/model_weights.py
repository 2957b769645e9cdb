"""Files of weights that unpack to gigabytes, or whose tensors are larger than the file: refused before that."""

import importlib.util
import io
import tempfile
import zipfile
from pathlib import Path

MEMORY = 512 << 20
RATIO = 5


def compressed(data):
    """Return an archive with the same members, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return file.getvalue()


def prepare():
    if importlib.util.find_spec("torch") is None:
        return None
    import torch  # noqa: PLC0415 - optional

    def saved(state, **options):
        file = io.BytesIO()
        torch.save(state, file, **options)
        return file.getvalue()

    honest = saved({"fc.bias": torch.zeros(1008)})
    legacy = saved({"a": torch.zeros(1008)}, _use_new_zipfile_serialization=False)
    large = saved({"a": torch.zeros(300_000_000 // 4)})
    bad = {
        "zeros": compressed(large),
        "small": compressed(honest),
        "repeated": saved({"a.running_mean": torch.zeros(1).expand(10**6, 10**6)}),
        "legacy": saved({"a": torch.zeros(1).expand(10**5, 10**5)}, _use_new_zipfile_serialization=False),
        # Another number of elements of the storage.
        "lying": legacy.replace((1008).to_bytes(2, "little"), b"\xff\xff").replace(b"M\xff\xff", b"J\xff\xff\xff"),
    }
    return honest, bad


def load(data):
    from muge_fast.image.extractors.weights import load_weights  # noqa: PLC0415 - imports torch

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.pth")
        path.write_bytes(data)
        return load_weights(path)


def harmless(files):
    if files is not None:
        assert list(load(files[0]).state) == ["fc.bias"]


def outcome(data):
    try:
        return load(data)
    except ValueError as error:
        return str(error)


def attack(files):
    if files is not None:
        outcomes = {name: outcome(data) for name, data in files[1].items()}
        assert all("not a PyTorch file of weights" in str(text) for text in outcomes.values()), outcomes
