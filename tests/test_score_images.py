"""Scores of two image sets in one pass: order of arguments, checks of options, results; without torch."""

import inspect
import pickle
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from image_data import pictures
from muge_fast.image import Statistics, inception_score_from_logits, r_precision, score_images
from muge_fast.image.scoring_options import ScoringOptions

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


def brightness(images):
    """Return two features and two logits of each image: the means of its halves."""
    means = np.array([[half.mean() for half in np.array_split(image.astype(float), 2)] for image in images])
    return {"2048": means, "logits_unbiased": means / 20}


@pytest.fixture(scope="module")
def sets():
    return pictures(30, seed=3), pictures(25, seed=4)


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(5)
    images = rng.normal(size=(25, 6))
    return {"image_features": images, "text_features": images + rng.normal(size=(25, 6)), "negatives": 9}


def test_real_and_generated_images_must_be_named(sets):
    with pytest.raises(TypeError, match="positional"):
        score_images(*sets, extractor=brightness)


def test_inception_score_and_r_precision_are_of_the_generated_images(sets, features):
    real, generated = sets
    scores = score_images(real=real, generated=generated, extractor=brightness, splits=2, **features)
    expected = inception_score_from_logits(brightness(generated)["logits_unbiased"], splits=2)
    assert scores["is"].value == pytest.approx(expected.value, rel=1e-9)
    assert scores["fid"].signature.startswith("fid|real:30|generated:25|")
    expected = r_precision(features["image_features"], features["text_features"], negatives=9)
    assert 0 < expected.value < 1
    assert scores["r_precision"].per_item.tolist() == expected.per_item.tolist()
    swapped = score_images(real=generated, generated=real, extractor=brightness, splits=2)
    assert swapped["fid"].value == pytest.approx(scores["fid"].value, rel=1e-9)
    expected = inception_score_from_logits(brightness(real)["logits_unbiased"], splits=2)
    assert swapped["is"].value == pytest.approx(expected.value, rel=1e-9)
    assert swapped["is"].value != scores["is"].value


def test_scores_of_images_are_pickled(sets, features):
    options = {"metrics": ("fid", "is", "kid"), "splits": 2, "subsets": 3, "subset_size": 9, **features}
    scores = score_images(real=sets[0], generated=sets[1], extractor=brightness, **options)
    loaded = pickle.loads(pickle.dumps(scores))  # noqa: S301 - our own bytes
    assert list(loaded) == ["fid", "is", "kid", "r_precision"]
    assert loaded.ids == scores.ids == list(range(25))
    for name, score in scores.items():
        assert loaded[name].to_dict() == score.to_dict()
        assert loaded[name].per_item.tolist() == score.per_item.tolist()


def test_subsets_of_none_compare_all_images(sets):
    scores = score_images(real=sets[0], generated=sets[1], metrics=("kid",), extractor=brightness, subsets=None)
    assert scores["kid"].signature.startswith("kid|subsets:all|extractor:")
    assert scores["kid"].parts == {}


def not_called(images):
    raise AssertionError(f"{len(images)} images were read")


def unread():
    raise AssertionError("an image was read")
    yield


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metrics": "fid"}, TypeError, "metrics must be a sequence of names"),
        ({"metrics": ()}, ValueError, "metrics is empty"),
        ({"metrics": ("fid", "fid")}, ValueError, "metrics has 'fid' more than once"),
        ({"metrics": ("fid", "isc")}, ValueError, "unknown metrics 'isc', choose from fid, is, kid"),
        ({"splits": 0}, ValueError, "splits must be at least 1, got 0"),
        ({"splits": "1"}, TypeError, "splits must be an integer, got '1'"),
        ({"subsets": 0}, ValueError, "subsets must be at least 1, got 0"),
        ({"subset_size": 1}, ValueError, "subset_size must be at least 2, got 1"),
        ({"negatives": 0}, ValueError, "negatives must be at least 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"threads": 1.5}, TypeError, "threads must be an integer, got 1.5"),
        ({"texts": {"a": "红裙"}}, ValueError, "texts and clip go together"),
        (
            {"metrics": ("fid", "r_precision")},
            ValueError,
            "metrics has 'r_precision', .*: leave it out, and pass texts",
        ),
        ({"metrics": ("kid",), "real": None}, TypeError, "real must be images or statistics for kid, got None"),
        ({"metrics": ("kid",), "subset_size": 26}, ValueError, "subset_size is 26, a set has 25 images"),
        ({"splits": 26}, ValueError, "splits is 26, images 25: need at least one image for each split"),
    ],
)
def test_options_are_checked_before_an_image_is_read(sets, options, error, message):
    arguments = {"real": unread(), "generated": sets[1], "extractor": not_called, **options}
    with pytest.raises(error, match=message):
        score_images(**arguments)


def test_statistics_suffice_for_fid_alone(sets):
    statistics = Statistics.from_features(brightness(sets[0])["2048"], extractor_signature="")
    scores = score_images(real=statistics, generated=sets[1], metrics=("fid",), extractor=brightness)
    assert scores["fid"].value > 0
    with pytest.raises(ValueError, match="statistics suffice for FID alone, kid need the images"):
        score_images(real=statistics, generated=sets[1], metrics=("kid",), extractor=not_called)


def test_an_extractor_without_torch_suffices():
    script = (
        "import sys, numpy as np; from muge_fast import image; images = np.zeros((4, 8, 8, 3), dtype='uint8'); "
        "extractor = lambda batch: np.array([[float(i)] for i, _ in enumerate(batch)]); "
        "scores = image.score_images(real=images, generated=images, metrics=('fid',), extractor=extractor); "
        "assert abs(scores['fid'].value) < 1e-9; assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own script


def test_without_torch_a_wrong_output_of_an_extractor_is_named():
    script = """
import sys
sys.modules["torch"] = sys.modules["PIL"] = None
import numpy as np
from muge_fast import image
images = np.zeros((4, 8, 8, 3), dtype="uint8")
arrays = np.zeros(4), np.zeros((5, 2)), np.zeros((4, 0))
for wrong in (None, "a", [[1.0], [1.0, 2.0]], (np.zeros((4, 2)), 1), {"2048": None}, {"a": 1}, *arrays):
    for call in (
        lambda extractor: image.fid(images, images, extractor=extractor),
        lambda extractor: image.kid(images, images, subset_size=2, extractor=extractor),
        lambda extractor: image.score_images(real=images, generated=images, metrics=("fid",), extractor=extractor),
        lambda extractor: image.FID(extractor).update(images, real=True),
    ):
        try:
            call(lambda batch: wrong)
        except (TypeError, ValueError) as error:
            assert str(error).startswith("the extractor returns "), error
        else:
            raise AssertionError(wrong)
"""
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own script


def test_the_network_without_torch_names_what_to_install(sets, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "muge_fast.image.extractors.inception", raising=False)
    with pytest.raises(ImportError, match=r"needs torch and Pillow: pip install 'muge-fast\[t2i\]'"):
        score_images(real=sets[0], generated=sets[1])


def test_options_have_the_names_and_defaults_of_the_function():
    parameters = dict(inspect.signature(score_images).parameters)
    assert {"real", "generated"} == parameters.keys() - {field.name for field in fields(ScoringOptions)}
    for field in fields(ScoringOptions):
        assert field.default == parameters[field.name].default, field.name
    # Passed on, not only accepted: each invalid value is refused.
    for name, value in (("splits", 0), ("subsets", 0), ("subset_size", 1), ("negatives", 0), ("batch_size", 0)):
        with pytest.raises(ValueError, match=f"{name} must be at least"):
            score_images(real=None, generated=[], **{name: value})
