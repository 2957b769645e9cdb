"""What is passed as images, features, paths and extractors: scored right, or refused with what was found and a fix."""

import collections
import zipfile

import numpy as np
import pytest

import muge_fast as mf
from image_data import encoded, pictures
from muge_fast.datasets import ImageTsv
from muge_fast.image import FID, KID, InceptionScore, Statistics

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")
linalg = pytest.importorskip("scipy.linalg")

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")

IMAGES = pictures(12, (20, 24))
FIRST = np.ascontiguousarray(np.moveaxis(IMAGES, 3, 1))


def means(images):
    """Compute three features of each image: the means of its channels."""
    return np.array([image.mean((0, 1)) for image in images])


class Means(torch.nn.Module):
    """The same as a module."""

    def forward(self, images):
        assert images.dtype == torch.uint8
        return images.double().mean((2, 3))


EXTRACTORS = {"function": means, "module": Means()}
METRICS = {
    "FID": (lambda extractor: FID(extractor, dims=3), {"real": True}),
    "KID": (lambda extractor: KID(extractor, subsets=None), {"real": True}),
    "InceptionScore": (lambda extractor: InceptionScore(extractor, splits=1), {}),
}


def fid_of_scipy(left, right):
    """Compute FID by its formula, with scipy's square root of a matrix."""
    covariances = [np.cov(rows, rowvar=False) for rows in (left, right)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    difference = left.mean(0) - right.mean(0)
    return difference @ difference + sum(map(np.trace, covariances)) - 2 * np.trace(root)


# Batches of images

ACCEPTED = {
    "array, channels last": IMAGES,
    "array, channels first": FIRST,
    "tensor, channels first": torch.from_numpy(FIRST),
    "tensor, channels last": torch.from_numpy(IMAGES),
    "list of arrays": list(IMAGES),
    "list of tensors": list(torch.from_numpy(FIRST)),
    "list of Pillow images": [Image.fromarray(image) for image in IMAGES],
    "pair with labels": (torch.from_numpy(FIRST), torch.arange(12)),
    "pair with a mask": (torch.from_numpy(FIRST), torch.zeros(12, 1, 20, 24)),
    "read-only": np.lib.stride_tricks.as_strided(IMAGES, writeable=False),
}


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("kind", ACCEPTED)
def test_batches_of_every_form_have_the_score_of_scipys_formula(kind, extractor):
    other = pictures(15, (20, 24), seed=9)
    expected = fid_of_scipy(means(IMAGES), means(other))
    metric = FID(EXTRACTORS[extractor], dims=3)
    metric.update(ACCEPTED[kind], real=True)
    metric.update(other, real=False)
    assert metric.real.count == 12
    assert metric.compute().value == pytest.approx(expected, rel=1e-6)
    real = ACCEPTED[kind] if not isinstance(ACCEPTED[kind], tuple) else iter([ACCEPTED[kind]])
    assert mf.image.fid(real, other, extractor=EXTRACTORS[extractor]).value == pytest.approx(expected, rel=1e-6)


UNIT = torch.from_numpy(FIRST) / 255
TO_UINT8 = r"for example \(x \* 255\)\.round\(\)\.to\(torch\.uint8\) if values are from 0 to 1"
REFUSED = {
    "float": (UNIT, rf"shape \(12, 3, 20, 24\) and dtype float32, need uint8 \(n, 3, h, w\): {TO_UINT8}"),
    "float array": (FIRST / 255, r"dtype float64, need uint8.*\(x \* 255\)\.round\(\)\.astype\(\"uint8\"\)"),
    "float of 255": (UNIT * 255, r"x\.round\(\)\.to\(torch\.uint8\) if they reach 255"),
    "half": (UNIT.half(), f"dtype float16, need uint8.*{TO_UINT8}"),
    "bfloat16": (UNIT.bfloat16(), f"dtype bfloat16, need uint8.*{TO_UINT8}"),
    "bool": (FIRST > 99, r"dtype bool, need uint8.*astype\(\"uint8\"\) \* 255"),
    "int64": (torch.from_numpy(FIRST).long(), r"dtype int64, need uint8.*x\.to\(torch\.uint8\)"),
    "uint16": (FIRST.astype("uint16"), "dtype uint16, need uint8"),
    "grey": (FIRST[:, :1], "shape .12, 1, 20, 24. .*repeat the grey channel"),
    "grey tensor": (torch.from_numpy(FIRST[:, :1].copy()), r"x\.repeat\(1, 3, 1, 1\)"),
    "grey, channels last": (IMAGES[..., :1], "shape .12, 20, 24, 1. .*repeat the grey channel"),
    "grey without channels": (FIRST[:, 0], "shape .12, 20, 24. .*add the channels of grey images"),
    "alpha": (np.zeros((12, 4, 20, 24), "uint8"), r"drop the alpha channel, for example x\[:, :3\]"),
    "alpha, channels last": (np.zeros((12, 20, 24, 4), "uint8"), "drop the alpha channel"),
    "five dimensions": (FIRST[None], r"shape \(1, 12, 3, 20, 24\)"),
    "two dimensions": (FIRST.reshape(12, -1), r"shape \(12, 1440\)"),
    "no pixels": (np.zeros((2, 3, 0, 8), "uint8"), r"shape \(2, 3, 0, 8\)"),
    "masked": (np.ma.masked_less(FIRST, 9), "images are a masked array"),
    "nested lists": (FIRST[:2].tolist(), "dtype int64, need uint8"),
    "list of float images": (list(IMAGES / 255), "dtype float64, need uint8"),
    "list with a grey image": ([*IMAGES[:2], IMAGES[2, :, :, 0]], "a batch has 2 images and an array of dtype uint8"),
    "two batches": ((torch.from_numpy(FIRST), torch.from_numpy(FIRST)), "a batch has 2 images or batches of images"),
}


def error_of(kind):
    return TypeError if kind == "masked" else ValueError


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("kind", REFUSED)
def test_batches_that_are_not_uint8_images_are_refused_by_every_class(kind, extractor, metric):
    batch, message = REFUSED[kind]
    make, options = METRICS[metric]
    accumulator = make(EXTRACTORS[extractor])
    with pytest.raises(error_of(kind), match=message):
        accumulator.update(batch, **options)


@pytest.mark.parametrize("kind", REFUSED)
def test_functions_refuse_the_same_batches_with_the_same_words(kind):
    batch, message = REFUSED[kind]
    error = error_of(kind)
    with pytest.raises(error, match=message):
        mf.image.fid(iter([batch]), IMAGES, extractor=means)
    if isinstance(batch, (np.ndarray, torch.Tensor)):
        with pytest.raises(error, match=f"real: .*{message}"):
            mf.image.fid(batch, IMAGES)
        with pytest.raises(error, match=f"generated: .*{message}"):
            mf.image.score_images(real=IMAGES, generated=batch)


NOT_IMAGES = {
    "string": ("a.png", "got the string 'a.png': pass paths as a list"),
    "bytes": (b"abc", "got bytes: pass bytes of image files as a mapping"),
    "dict": ({"image": FIRST, "label": 1}, r"got a dict with the keys image, label: pass the images alone"),
    "None": (None, "got None"),
    "number": (5, "got an int"),
    "one Pillow image": (Image.fromarray(IMAGES[0]), r"got a Pillow image: put one image into a list, \[image\]"),
    "one array": (FIRST[0], r"got an array of dtype uint8 and shape \(3, 20, 24\): put one image into a list"),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", NOT_IMAGES)
def test_batches_of_another_type_are_type_errors(kind, metric):
    batch, message = NOT_IMAGES[kind]
    make, options = METRICS[metric]
    with pytest.raises(TypeError, match=message):
        make(means).update(batch, **options)


@pytest.mark.parametrize("real", ["generated", 1, None, "False"])
def test_the_side_of_a_batch_is_a_bool(real):
    for metric in (FID(dims=3), KID()):
        with pytest.raises(TypeError, match="real must be True or False"):
            metric.update(means(IMAGES), real=real)


# Features


@pytest.mark.parametrize("metric", METRICS)
def test_images_without_an_extractor_are_refused_with_the_extractor(metric):
    make, options = METRICS[metric]
    for batch in (FIRST, UNIT, IMAGES.astype(float), FIRST.reshape(12, -1), list(IMAGES)):
        with pytest.raises(ValueError, match=rf"need floats .*: images need an extractor, {metric}\(InceptionExtrac"):
            make(None).update(batch, **options)


FEATURES = {
    "masked": (np.ma.masked_less(means(IMAGES), 9), TypeError, "masked array"),
    "string": ("features.npy", TypeError, "got the string 'features.npy'"),
    "bool": (np.ones((4, 3), bool), TypeError, "must be floats, got dtype bool"),
    "complex": (np.ones((4, 3), complex), TypeError, "must be floats, got dtype complex128"),
    "object": (np.ones((4, 3), object), TypeError, "must be floats, got dtype object"),
    "one dimension": (np.ones(4), ValueError, r"shape \(4,\)"),
    "rows of different lengths": ([[1.0, 2.0], [1.0]], ValueError, "rows differ in length"),
    "NaN": (np.where(np.arange(12)[:, None] == 7, np.nan, means(IMAGES)), ValueError, r"\[7\] is not finite"),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_another_form_are_refused_by_every_function(kind):
    features, error, message = FEATURES[kind]
    good = means(IMAGES)
    statistics = Statistics.from_features(good)
    for call in (
        lambda: FID(dims=3).update(features, real=True),
        lambda: KID().update(features, real=True),
        lambda: InceptionScore(splits=1).update(features),
        lambda: Statistics.from_features(features),
        lambda: Statistics(3).update(features),
        lambda: mf.image.kid_from_features(good, features, subsets=None),
        lambda: mf.image.precision_recall(features, good),
        lambda: mf.image.inception_score_from_logits(features, splits=1),
        lambda: mf.image.inception_score_interval(features, splits=1),
        lambda: mf.image.r_precision(features, good),
        lambda: mf.image.text_recall(good, features),
        lambda: mf.image.clip_score(features, good),
        lambda: mf.image.fid_interval(good, features),
        lambda: mf.image.fid_infinity(statistics, features, min_size=2),
    ):
        with pytest.raises(error, match=message):
            call()


def test_data_frames_of_features_are_refused_because_rows_have_an_index():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(means(IMAGES), index=range(100, 112))
    with pytest.raises(TypeError, match=r"image_features must be an array, got a DataFrame of pandas.*to_numpy\(\)"):
        mf.image.clip_score(frame, frame)


# Sources


@pytest.fixture
def folder(tmp_path):
    """The images as files, in a folder with a sub-folder."""
    (tmp_path / "images" / "sub").mkdir(parents=True)
    for index, image in enumerate(IMAGES):
        parent = "images/sub" if index > 6 else "images"
        (tmp_path / parent / f"{index:02}.png").write_bytes(encoded(image))
    return tmp_path / "images"


SOURCES = {
    "bytes": (b"abc", "got bytes"),
    "list of bytes": ([b"abc"], "got bytes: pass bytes of image files as a mapping from ids"),
    "one Pillow image": (Image.fromarray(IMAGES[0]), r"expected several images, got a Pillow image: .*\[image\]"),
    "one array": (IMAGES[0], "expected several images, got an array of dtype uint8 and shape"),
    "one tensor": (torch.from_numpy(FIRST[0]), "expected several images, got a tensor of dtype uint8 and shape"),
    "dict of arrays": ({"image": FIRST}, "expected the bytes of an image file for each id, got an array"),
    "list with a path": ([FIRST, "a.png"], "got the string 'a.png'"),
    "None": (None, "got None"),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_sources_of_another_type_are_type_errors_before_weights_are_looked_for(kind):
    source, message = SOURCES[kind]
    for call in (
        lambda: mf.image.fid(source, IMAGES),
        lambda: mf.image.kid(source, IMAGES),
        lambda: mf.image.inception_score(source),
        lambda: mf.image.score_images(real=IMAGES, generated=source),
    ):
        with pytest.raises(TypeError, match=f"(real|generated): .*{message}"):
            call()


def test_a_generator_of_paths_is_a_type_error_and_a_list_of_them_is_read(folder):
    expected = fid_of_scipy(means(IMAGES), means(IMAGES[::2]))
    paths = sorted(folder.rglob("*.png"))
    assert mf.image.fid(paths, IMAGES[::2], extractor=means).value == pytest.approx(expected, rel=1e-9)
    assert mf.image.fid(tuple(map(str, paths)), IMAGES[::2], extractor=means).value == pytest.approx(expected, rel=1e-9)
    with pytest.raises(TypeError, match=r"pass paths as a list, such as list\(paths\)"):
        mf.image.fid(folder.rglob("*.png"), IMAGES, extractor=means)
    for wrong, error, message in (
        ([folder], ValueError, "a folder in a list of paths; pass it alone"),
        ([folder / "none.png"], FileNotFoundError, "none.png: no such file"),
        ([__file__], ValueError, "not an image file"),
        (str(paths[0]), ValueError, "expected a folder, .* pass image files as a list"),
    ):
        with pytest.raises(error, match=f"real: .*{message}"):
            mf.image.fid(wrong, IMAGES)


def test_data_frames_as_sources_are_type_errors():
    pandas = pytest.importorskip("pandas")
    for source in (pandas.DataFrame({"path": ["a.png"]}), pandas.Series(["a.png"])):
        with pytest.raises(TypeError, match=r"got a (DataFrame|Series) of pandas: pass a list"):
            mf.image.fid(source, IMAGES)


def test_a_path_that_is_not_there_is_named_before_weights_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("MUGE_FAST_INCEPTION", str(tmp_path / "none.pth"))
    for name in ("none", "none.tsv", "none.zip", "none.npz", "none.png"):
        path = tmp_path / name
        for call in (
            lambda path: mf.image.fid(IMAGES, path),
            lambda path: mf.image.fid(path, IMAGES),
            lambda path: mf.image.kid(IMAGES, path),
            mf.image.inception_score,
            lambda path: mf.image.score_images(real=path, generated=IMAGES),
            lambda path: mf.image.score_images(real=IMAGES, generated=str(path)),
            lambda path: mf.image.score_images(real=IMAGES, generated={}, texts=path, clip="clip"),
            lambda path: mf.image.score_images(real=IMAGES, generated=IMAGES, image_features=path, text_features=path),
        ):
            with pytest.raises(FileNotFoundError, match=name):
                call(path)


# Extractors


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (None, TypeError, r"the extractor returns None, needs \(12, features\)"),
        ("x", TypeError, "the extractor returns the string 'x'"),
        ([[1.0], [2.0, 3.0]] * 6, TypeError, "the extractor returns a list"),
        (np.zeros((12, 3), bool), TypeError, "dtype bool"),
        (np.zeros((12, 3), complex), TypeError, "dtype complex128"),
        (np.zeros(12), ValueError, r"the extractor returns shape \(12,\), needs \(12, features\)"),
        (np.zeros((12, 0)), ValueError, r"the extractor returns shape \(12, 0\), needs \(12, features\)"),
        (np.zeros((1, 3)), ValueError, r"the extractor returns shape \(1, 3\)"),
        (torch.zeros(12, 3, 2, 2), ValueError, r"the extractor returns shape \(12, 3, 2, 2\)"),
        ({"2048": None}, TypeError, "the extractor returns None"),
    ],
)
def test_extractors_that_return_another_form_are_named(returned, error, message):
    with pytest.raises(error, match=message):
        mf.image.fid(IMAGES, IMAGES, extractor=lambda _: returned)
    for metric in (FID(lambda _: returned, dims=3), KID(lambda _: returned)):
        with pytest.raises(error, match=message):
            metric.update(FIRST, real=True)


def test_nested_lists_of_an_extractor_are_features():
    value = mf.image.fid(IMAGES, IMAGES[::2], extractor=lambda images: means(images).tolist()).value
    assert value == pytest.approx(fid_of_scipy(means(IMAGES), means(IMAGES[::2])), rel=1e-9)


def test_an_error_in_an_extractor_says_what_it_was_called_with():
    with pytest.raises(AttributeError) as caught:
        mf.image.fid(IMAGES, IMAGES, extractor=lambda images: images.float())
    notes = getattr(caught.value, "__notes__", None)
    assert notes is None or "a list of 12 uint8 arrays, the first of shape (20, 24, 3)" in notes[0]


def test_extractors_that_cannot_be_called_are_refused_at_once():
    for make in (FID, KID, InceptionScore, lambda extractor: mf.image.fid(IMAGES, IMAGES, extractor=extractor)):
        with pytest.raises(TypeError, match="extractor must be callable, got int"):
            make(2048)
        with pytest.raises(TypeError, match=r"extractor is the class Means: pass an object, Means\(\.\.\.\)"):
            make(Means)


# Files of folders, archives and TSV files


def test_one_rule_of_what_an_image_is(tmp_path):
    names = {"a.jpg": 0, "b.JPEG": 1, "c.jfif": 2, "d.jpe": 3, "sub/deep/e.png": 4, "sub/f.webp": 5}
    ignored = ["._a.jpg", "__MACOSX/a.jpg", "Thumbs.db", "ids.txt", ".DS_Store"]
    left_out = [".ipynb_checkpoints/a.jpg", "g.heic", "h.HEIC", "i.svg"]
    root = tmp_path / "images"
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for name in (*names, *ignored, *left_out):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            data = encoded(IMAGES[names[name]], "PNG") if name in names else b"no image"
            (root / name).write_bytes(data)
            archive.writestr(name, data)
    expected = np.array([IMAGES[index] for index in names.values()])
    message = r"4 entries are left out, 2 \.heic, 1 hidden, 1 \.svg|4 entries are left out, 2 \.heic, 1 \.svg, 1 hidden"
    for source in (root, tmp_path / "images.zip"):
        with pytest.warns(UserWarning, match=message):
            value = mf.image.fid(source, IMAGES, extractor=means).value
        assert value == pytest.approx(fid_of_scipy(means(expected), means(IMAGES)), rel=1e-9)
    with pytest.warns(UserWarning, match=message):
        ImageTsv.write(tmp_path / "images.tsv", root)
    images = ImageTsv(tmp_path / "images.tsv")
    assert list(images) == ["a", "b", "c", "d", "e", "f"]
    assert np.array_equal([np.array(images.image(key)) for key in images], expected)


def test_a_folder_without_images_says_what_is_there(tmp_path):
    with pytest.raises(ValueError, match=r"no images: it is empty; image files are \.bmp, \.gif, \.jfif"):
        mf.image.fid(tmp_path, IMAGES)
    for name in ("a.txt", "b.txt", "c.heic"):
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"no images: 2 \.txt, 1 \.heic; image files are"):
        mf.image.fid(tmp_path, IMAGES)
    with pytest.raises(ValueError, match=r"no images: 2 \.txt, 1 \.heic"):
        ImageTsv.write(tmp_path / "x.tsv", tmp_path)


def test_links_to_files_count_and_links_to_folders_are_reported(folder, tmp_path):
    (folder / "again.png").symlink_to(folder / "00.png")
    assert mf.image.fid(folder, IMAGES, extractor=means).signature.startswith("fid|real:13|")
    (folder / "more").symlink_to(tmp_path)
    with pytest.warns(UserWarning, match="1 entry is left out, 1 linked folder"):
        mf.image.fid(folder, IMAGES, extractor=means)
    (folder / "lost.png").symlink_to(tmp_path / "none.png")
    with pytest.raises(FileNotFoundError, match=r"lost\.png: a link to a file that is not there"):
        mf.image.fid(folder, IMAGES, extractor=means)


def test_two_files_of_a_folder_with_the_same_id_are_named(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "sub/a.jpg"):
        (tmp_path / name).write_bytes(encoded(IMAGES[0]))
    with pytest.raises(ValueError, match=r"a\.png and sub/a\.jpg have the same id, 'a'"):
        ImageTsv.write(tmp_path / "x.tsv", tmp_path)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (["a.png"], "pairs of an id and bytes, got 'a.png' among them"),
        ({"a": IMAGES[0]}, "image 'a' must be the bytes of an image file, got ndarray"),
        ({"a": "base64"}, "image 'a' must be the bytes of an image file, got str"),
        ({7: b"x"}, "ids must be strings, got int"),
    ],
)
def test_images_to_write_are_bytes_by_id(images, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        ImageTsv.write(tmp_path / "x.tsv", images)


def test_an_id_of_another_type_is_said_to_be_there_as_a_str(tmp_path):
    ImageTsv.write(tmp_path / "x.tsv", {"10000": b"x"})
    images = ImageTsv(tmp_path / "x.tsv")
    for call in (images.__getitem__, images.line, images.base64, images.base64_size, images.image):
        for key in (10000, np.int64(10000)):
            with pytest.raises(KeyError, match=r"no image with the id .*: the id is there as a str, '10000'"):
                call(key)
        with pytest.raises(KeyError, match="no image with the id '20000' in"):
            call("20000")
    assert images.get(10000) is None


# Warnings of small sets, and names that completion shows


def test_functions_of_several_metrics_warn_as_those_of_one():
    def both(images):
        return {"2048": means(images), "logits_unbiased": means(images) / 50}

    with pytest.warns(UserWarning, match="is biased") as caught:
        mf.image.score_images(real=IMAGES, generated=IMAGES[:10], extractor=both, splits=2)
    counts = collections.Counter(str(warning.message).split(" is biased")[0] for warning in caught)
    assert counts == {"FID of 10 images": 1, "Inception Score of 2 splits of about 5 images each": 1}
    assert {warning.filename for warning in caught} == {__file__}


def test_completion_shows_public_names_alone():
    for package in (mf.image, mf.image.extractors, mf.datasets):
        assert dir(package) == sorted(package.__all__)
        assert all(hasattr(package, name) for name in dir(package))


def test_pillow_images_whose_values_would_be_clipped_are_refused():
    grey = IMAGES[0][..., 0]
    for mode in ("I;16", "I"):
        deep = Image.fromarray(grey.astype("uint16") * 257)
        with pytest.raises(
            ValueError, match=rf"an image has mode {mode} and values from \d+ to \d+, needs 0 to 255: for 16"
        ):
            mf.image.fid([deep.convert(mode) if mode == "I" else deep] * 3, IMAGES, extractor=means)
    with pytest.raises(ValueError, match="an image has mode F, floats, needs 8 bits"):
        mf.image.fid([Image.fromarray(grey.astype("float32") / 255)] * 3, IMAGES, extractor=means)
    # Within 8 bits they are grey images.
    shallow = [Image.fromarray(image[..., 0].astype("uint16")) for image in IMAGES]
    three = means(np.repeat(IMAGES[..., :1], 3, axis=3))
    assert mf.image.fid(shallow, IMAGES, extractor=means) == pytest.approx(fid_of_scipy(three, means(IMAGES)))


@pytest.mark.parametrize(("make", "options"), METRICS.values(), ids=METRICS)
def test_only_metrics_of_the_same_class_merge(make, options):
    metric = make(means)
    metric.update(IMAGES, **options)
    for other in (5, [make(means)], Statistics(3)):
        with pytest.raises(TypeError, match=f"^other must be {type(metric).__name__}, got {type(other).__name__}"):
            metric.merge(other)
