"""Sources of images, and one pass of the network over them for all metrics."""

import os
import signal
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest

import muge_fast.image
from image_data import encoded, pictures
from muge_fast.datasets import BrokenImageError, ImageTsv
from muge_fast.image import Statistics

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from torch.utils.data import DataLoader, Dataset, TensorDataset  # noqa: E402 - only with torch

from muge_fast.datasets import ImageTsvDataset  # noqa: E402
from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402
from muge_fast.image.sources import count_images, decode_batches, open_images  # noqa: E402

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


class Pairs(Dataset):
    """A dataset of pairs: an image in some form, and its label."""

    def __init__(self, images, form=lambda image: image, order=1):
        self.images, self.form, self.order = images, form, order

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return (self.form(self.images[index]), f"label {index}")[:: self.order]


def channels_first(image):
    return torch.from_numpy(image.copy()).permute(2, 0, 1)


def generator(images, size=4):
    for start in range(0, len(images), size):
        yield images[start : start + size]


IMAGES = pictures(10, (40, 50))
TENSOR = torch.from_numpy(IMAGES).permute(0, 3, 1, 2)
SOURCES = {
    "array": (lambda _: IMAGES, 10),
    "tensor": (lambda _: TENSOR, 10),
    "list of one image": (lambda _: [IMAGES[0]], 1),
    "list of paths": (lambda folder: sorted((folder / "images" / "deep").iterdir()), 10),
    "list of names": (lambda folder: [str(path) for path in sorted((folder / "images" / "deep").iterdir())], 10),
    "list of batches": (lambda _: [IMAGES[:7], IMAGES[7:]], 10),
    "list of images": (lambda _: list(IMAGES), 10),
    "generator of batches": (lambda _: generator(IMAGES), None),
    "generator of tensors": (lambda _: generator(TENSOR), None),
    "generator of images": (lambda _: iter(IMAGES), None),
    "generator of lists": (lambda _: generator(list(IMAGES)), None),
    "generator of Pillow images": (lambda _: map(Image.fromarray, IMAGES), None),
    "generator of lists of Pillow images": (lambda _: generator([*map(Image.fromarray, IMAGES)]), None),
    "generator of pairs": (lambda _: ((Image.fromarray(image), 3) for image in IMAGES), None),
    "dataset of pairs": (lambda _: Pairs(IMAGES), 10),
    "dataset of tensors": (lambda _: Pairs(IMAGES, channels_first), 10),
    "dataset of Pillow images": (lambda _: Pairs(IMAGES, Image.fromarray), 10),
    "dataset of ids first": (lambda folder: ImageTsvDataset(ImageTsv(folder / "images.tsv")), 10),
    "tensor dataset": (lambda _: TensorDataset(TENSOR, torch.arange(10)), 10),
    "loader": (lambda _: DataLoader(Pairs(IMAGES, channels_first), batch_size=3), None),
    "loader, ids first": (lambda _: DataLoader(Pairs(IMAGES, channels_first, order=-1), batch_size=3), None),
    "loader of lists": (
        lambda _: DataLoader(Pairs(IMAGES), batch_size=3, collate_fn=lambda rows: [image for image, _ in rows]),
        None,
    ),
    "folder": (lambda folder: folder / "images", 10),
    "file": (lambda folder: folder / "images.tsv", 10),
    "archive": (lambda folder: folder / "images.zip", 10),
    "mapping": (lambda _: {n: encoded(image) for n, image in enumerate(IMAGES)}, 10),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The images as files."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "images" / "deep").mkdir(parents=True)
    files = {f"{index:02}": encoded(image) for index, image in enumerate(IMAGES)}
    ImageTsv.write(folder / "images.tsv", files)
    with zipfile.ZipFile(folder / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"deep/{name}.png", data)
            (folder / "images" / "deep" / f"{name}.png").write_bytes(data)
    return folder


@pytest.mark.parametrize("batch_size", [1, 7, 32])
@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_yields_every_image(kind, folder, batch_size):
    make, count = SOURCES[kind]
    images = open_images(make(folder))
    assert count_images(images) == count
    decoded = list(decode_batches(images, batch_size, 2))
    assert [len(batch) for batch in decoded[:-1]] == [batch_size] * (len(decoded) - 1)
    expected = IMAGES[: 1 if kind == "list of one image" else None]
    assert np.array_equal(np.array([image for batch in decoded for image in batch]), expected)


def test_images_of_different_sizes_in_one_batch():
    images = [pictures(1, size)[0] for size in ((20, 30), (9, 9), (30, 3), (3, 30))]
    for source in (iter([images]), iter([[*map(Image.fromarray, images)]]), images, Pairs(images)):
        decoded = [image for batch in decode_batches(source, 3, 2) for image in batch]
        assert all(np.array_equal(left, right) for left, right in zip(decoded, images, strict=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_decoded_images_stay_within_the_byte_budget(monkeypatch, threads):
    monkeypatch.setattr(muge_fast.image.sources, "MAX_DECODED_BYTES", 3 * IMAGES[0].nbytes)
    requested = []
    # Small ones first, so that sizes cannot be predicted from them.
    tiny = [np.zeros((1, 1, 3), "uint8")] * 6
    images = [*tiny, *IMAGES, *IMAGES, *tiny, *IMAGES]
    sizes = []
    for batch in decode_batches(Pairs(images, lambda image: requested.append(1) or image), 8, threads):
        sizes.append(len(batch))
        # A network takes some time too.
        time.sleep(0.05)
        held = sum(image.nbytes for image in images[sum(sizes) : len(requested)])
        assert held <= (3 + threads) * IMAGES[0].nbytes
    assert sizes == [8, *[4] * 4, 8, 4, 4, 2]
    assert sizes == [len(batch) for batch in decode_batches(iter(images), 8, threads)]


def test_batches_in_reused_memory_are_copied():
    buffer = np.empty_like(IMAGES[:4])

    def reused():
        for start in range(0, 8, 4):
            buffer[:] = IMAGES[start : start + 4]
            yield buffer

    for source in (reused(), map(torch.from_numpy, reused())):
        decoded = [image for batch in decode_batches(source, 8, 2) for image in batch]
        assert np.array_equal(decoded, IMAGES[:8])


class OneAtATime(Dataset):
    """A dataset that returns wrong images if two threads use it at once."""

    def __init__(self):
        self.index = 0

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, index):
        self.index = index
        time.sleep(0.005)
        return IMAGES[self.index]


def test_a_dataset_is_used_by_one_thread_at_a_time():
    decoded = [image for batch in decode_batches(OneAtATime(), 3, 4) for image in batch]
    assert np.array_equal(decoded, IMAGES)


def test_entries_that_are_not_images_are_skipped(tmp_path):
    folder, path = tmp_path / "images", tmp_path / "images.zip"
    (folder / "deep.png").mkdir(parents=True)
    (folder / "a.png").write_bytes(encoded(IMAGES[0]))
    (folder / "._a.png").write_bytes(b"metadata of macOS")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deep.png/", b"")
        archive.writestr("__MACOSX/._a.png", b"metadata of macOS")
        archive.writestr("a.png", encoded(IMAGES[0]))
    for source in (folder, path):
        assert np.array_equal(list(decode_batches(source, 2, 1)), IMAGES[None, :1])
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.png", encoded(IMAGES[1]))
    with pytest.raises(ValueError, match=r"images\.zip: has a\.png twice"):
        open_images(path)


def test_a_broken_image_of_a_file_is_named_with_its_line(tmp_path):
    ImageTsv.write(tmp_path / "images.tsv", {"a": encoded(IMAGES[0]), "b": b"no image"})
    with pytest.raises(ValueError, match=r"image 'b' of .*images\.tsv \(line 2\) is broken: not an image of"):
        list(decode_batches(tmp_path / "images.tsv", 2, 1))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": 2.5}, {"threads": -1}, {"threads": "2"}])
def test_sizes_are_positive_integers(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError if isinstance(value, int) else TypeError, match=f"{name} must be "):
        muge_fast.image.fid(IMAGES, IMAGES, extractor=len, **options)


def test_images_of_all_modes_are_converted_to_rgb(tmp_path):
    colour = Image.fromarray(IMAGES[0])
    clear = Image.fromarray(np.dstack([IMAGES[0], IMAGES[1][:, :, :1]]))
    modes = {
        "1": (colour.convert("1"), "png"),
        "L": (colour.convert("L"), "png"),
        "LA": (clear.convert("LA"), "png"),
        "P": (colour.quantize(8), "gif"),
        "RGBA": (clear, "png"),
        "I16": (Image.fromarray(IMAGES[0][:, :, 0].astype("uint16") * 257), "png"),
        "CMYK": (colour.convert("CMYK"), "jpg"),
        "YCbCr": (colour.convert("YCbCr"), "jpg"),
    }
    for mode, (image, suffix) in modes.items():
        image.save(tmp_path / f"{mode}.{suffix}")
    paths = sorted(tmp_path.iterdir())
    decoded = [image for batch in decode_batches(tmp_path, 3, 2) for image in batch]
    expected = []
    for path in paths:
        with Image.open(path) as image:
            expected.append(np.array(image.convert("RGB")))
    assert len(decoded) == len(modes)
    assert all(np.array_equal(left, right) for left, right in zip(decoded, expected, strict=True))
    # The same for Pillow images in memory.
    in_memory = [image for batch in decode_batches(iter([clear, colour.convert("CMYK")]), 2, 2) for image in batch]
    assert np.array_equal(in_memory[0], np.array(clear.convert("RGB")))


def test_without_pillow_files_are_not_called_broken(tmp_path, monkeypatch):
    file = encoded(IMAGES[0])
    (tmp_path / "a.png").write_bytes(file)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for source in (tmp_path, {"a": file}):
        with pytest.raises(ImportError, match=r"^images need Pillow: pip install 'muge-fast\[images\]'$"):
            list(decode_batches(source, 2, 1))


def test_broken_sources_are_errors(tmp_path):
    (tmp_path / "no.zip").write_bytes(b"not an archive")
    with zipfile.ZipFile(tmp_path / "broken.zip", "w") as archive:
        archive.writestr("a.png", encoded(IMAGES[0])[:100])
    for source, message in (
        (tmp_path / "no.zip", r"no\.zip: File is not a zip file"),
        (tmp_path / "broken.zip", r"image .*broken\.zip/a\.png is broken"),
        (
            Pairs(IMAGES.astype("float32")),
            r"image at index 0 is broken: images have shape \(40, 50, 3\) and dtype float32",
        ),
        (Pairs(IMAGES[:, :, :, 0]), r"image at index 0 is broken: images have shape \(40, 50\)"),
        (iter([TENSOR.float() / 255]), "dtype float32, need uint8"),
    ):
        with pytest.raises(ValueError, match=message):
            list(decode_batches(source, 2, 1))
    with pytest.raises(BrokenImageError):
        list(decode_batches(tmp_path / "broken.zip", 2, 1))
    with pytest.raises(TypeError, match=r"expected a path, a mapping, .*, got an int"):
        open_images(5)


# One pass


def test_the_network_sees_each_image_once(weights, passes, folder):
    real, generated = pictures(9, seed=3), folder / "images.zip"
    options = {"weights": weights, "device": "cpu"}
    sizes = {"splits": 3, "subsets": 4, "subset_size": 6}
    scores = muge_fast.image.score_images(
        real=real, generated=generated, metrics=("fid", "is", "kid"), **sizes, **options
    )
    assert sum(passes) == 19
    assert list(scores) == ["fid", "is", "kid"]
    passes.clear()
    scores_of_one = muge_fast.image.score_images(real=real, generated=generated, metrics=["is"], splits=3, **options)
    assert list(scores_of_one) == ["is"]
    assert sum(passes) == 10
    assert scores["fid"].value == pytest.approx(muge_fast.image.fid(real, generated, **options).value, rel=1e-6)
    score = muge_fast.image.inception_score(generated, splits=3, **options)
    assert scores["is"].value == pytest.approx(score.value, rel=1e-6)
    assert scores["is"].parts["std"] == pytest.approx(score.parts["std"], rel=1e-6)
    kernel = muge_fast.image.kid(real, generated, subsets=4, subset_size=6, **options)
    assert scores["kid"].value == pytest.approx(kernel.value, rel=1e-6, abs=1e-9)
    assert scores["kid"].parts["std"] == pytest.approx(kernel.parts["std"], rel=1e-6, abs=1e-9)
    features = f"{InceptionExtractor(weights, device='cpu').signature}|version:"
    assert scores["kid"].signature.startswith(f"kid|subsets:4|subset_size:6|seed:2020|{features}")
    assert scores["is"].signature.startswith(f"is|splits:3|shuffle:2020|{features}")
    stream = muge_fast.image.score_images(real=real, generated=generator(IMAGES), metrics=["is"], splits=3, **options)
    assert stream["is"].signature.startswith(f"is|splits:3|round_robin:2020|{features}")


def test_statistics_replace_real_images_in_fid_only(weights, passes):
    extractor = InceptionExtractor(weights, device="cpu")
    statistics = Statistics.from_features(
        extractor(pictures(9, seed=3))["2048"], extractor_signature=extractor.signature
    )
    passes.clear()
    options = {"weights": weights, "device": "cpu", "splits": 3}
    scores = muge_fast.image.score_images(real=statistics, generated=IMAGES, **options)
    assert sum(passes) == 10
    expected = muge_fast.image.fid(statistics, IMAGES, weights=weights, device="cpu").value
    assert scores["fid"].value == pytest.approx(expected, rel=1e-9)
    for real, metrics, message in (
        (statistics, ("kid",), "statistics suffice for FID alone, kid need the images"),
        (statistics, ("fid", "x"), "unknown metrics 'x', choose from fid, is, kid"),
        (statistics, (), "metrics is empty"),
        (IMAGES[:1], ("fid",), "there is 1 image, FID needs at least two"),
        (IMAGES, ("kid",), "subset_size is 1000"),
    ):
        with pytest.raises(ValueError, match=message):
            muge_fast.image.score_images(real=real, generated=IMAGES, metrics=metrics, **options)
    with pytest.raises(ValueError, match="need at least one image for each split"):
        muge_fast.image.inception_score(IMAGES[:1], weights=weights, device="cpu")


def test_outputs_that_are_not_finite_are_errors(weights, tmp_path):
    state = torch.load(weights)
    state["fc.weight"][5, 7] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(ValueError, match=r"logits\[0\] is not finite"):
        muge_fast.image.inception_score(IMAGES, splits=2, weights=tmp_path / "nan.pth", device="cpu")
    state["Conv2d_1a_3x3.conv.weight"][:] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(ValueError, match=r"features\[0\] is not finite"):
        muge_fast.image.fid(IMAGES, IMAGES, weights=tmp_path / "nan.pth", device="cpu")


def test_importing_does_not_import_torch():
    script = "import muge_fast.image as image, sys; assert 'torch' not in sys.modules; image.score_images"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - a constant script
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = muge_fast.image.nonsense


# Interrupts

SCRIPT = """
import signal
import sys
import numpy as np
import muge_fast.image
# A background job starts with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
real = np.zeros((2, 8, 8, 3), dtype="uint8")
def images():
    while True:
        print("working", flush=True)
        yield real
source = images() if sys.argv[2] == "generator" else sys.argv[2]
if sys.argv[2] != "generator":
    print("working", flush=True)
muge_fast.image.fid(source, real, weights=sys.argv[1], device="cpu")
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("kind", ["generator", "folder"])
def test_an_interrupt_stops_a_pass(weights, tmp_path, kind):
    for index in range(3000):
        (tmp_path / f"{index:04}.png").write_bytes(encoded(IMAGES[0]) if kind == "folder" else b"")
    source = str(tmp_path) if kind == "folder" else kind
    command = [sys.executable, "-c", SCRIPT, str(weights), source]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603
    # The test ends even if the process ignores the signal.
    killer = threading.Timer(240, process.kill)
    killer.start()
    try:
        process.stdout.readline()
        time.sleep(8 if kind == "folder" else 1)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate()
    finally:
        killer.cancel()
        process.kill()
    assert "KeyboardInterrupt" in errors
    # The whole pass would take minutes. The limit is generous because machines are shared.
    assert time.monotonic() - start < 60
