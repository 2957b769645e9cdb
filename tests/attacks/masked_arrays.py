"""Masked arrays in every public function that takes arrays: the mask would be lost silently, so all refuse them."""

import tempfile
from pathlib import Path

import numpy as np

import muge_fast as mf
from muge_fast import image

MEMORY = 1 << 30


REFUSALS = ("mask", "must be a Statistics", "got NoneType")


def masked(values):
    array = np.ma.array(values)
    array[0] = np.ma.masked
    return array


X = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
FEATURES = masked(X.copy())
IDS = masked(np.arange(6))
ROWS = masked(np.arange(6)[:, None])
TEXTS = masked(np.array(["a", "b"]))
IMAGES = masked(np.zeros((6, 8, 8, 3), dtype=np.uint8))


def extractor(images):
    return np.ones((len(images), 4), dtype=np.float32)


def search():
    started = mf.TopK(2)
    started.update(X, X, 0)
    return started


def states(metric):
    return {name: np.ma.array(array, mask=True) for name, array in metric.state().items() if array.dtype.kind == "f"}


def retrieval(path):
    yield lambda: mf.top_k(FEATURES, X, 2)
    yield lambda: mf.top_k(X, FEATURES, 2)
    yield lambda: mf.top_k(X, X, 2, exclude=ROWS)
    yield lambda: mf.top_k(X, X, 2, exclude=[ROWS[0], *[[]] * 5])
    yield lambda: mf.top_k(X, X, 2, query_ids=IDS)
    yield lambda: mf.top_k(X, X, 2, item_ids=IDS)
    yield lambda: mf.top_k_of(FEATURES, 2)
    yield lambda: mf.top_k_of(X, 2, query_ids=IDS)
    yield lambda: search().update(FEATURES, X, 6)
    yield lambda: search().update(X, FEATURES, 6)
    yield lambda: search().update(X, X, 6, exclude=ROWS)
    yield lambda: search().compute(query_ids=IDS)
    yield lambda: search().compute(item_ids=IDS)
    yield lambda: mf.score_retrieval(ROWS, [[0]] * 6)
    yield lambda: mf.score_retrieval([[0]] * 6, ROWS)
    yield lambda: mf.score_retrieval([ROWS[0]], [[0]])
    yield lambda: mf.score_retrieval([[0]], [ROWS[0]])
    yield lambda: mf.transpose_references(ROWS)
    yield lambda: mf.write_queries(path, {1: IDS})
    yield lambda: mf.write_features(path, np.arange(6), FEATURES)
    yield lambda: mf.write_features(path, IDS, X)


def captions(path):
    yield lambda: mf.score_captions(TEXTS, [["a"], ["b"]])
    yield lambda: mf.score_captions(["a", "b"], TEXTS)
    yield lambda: mf.score_captions(["a"], [TEXTS])
    yield lambda: mf.Captions(TEXTS)
    yield lambda: mf.Captions([["a"], ["b"]]).score(TEXTS)
    yield lambda: mf.tokenize(TEXTS)
    yield lambda: mf.DocumentFrequency.from_references(TEXTS)
    yield lambda: mf.write_captions(path, {"1": TEXTS})


def images():
    real = image.Statistics.from_features(X)
    pairs = (image.kid_from_features, image.precision_recall, image.r_precision, image.text_recall, image.clip_score)
    for pair in pairs:
        yield lambda pair=pair: pair(FEATURES, X)
        yield lambda pair=pair: pair(X, FEATURES)
    for one in (image.inception_score_from_logits, image.inception_score_interval, image.Statistics.from_features):
        yield lambda one=one: one(FEATURES)
    yield lambda: real.update(FEATURES)
    yield lambda: image.fid_infinity(real, FEATURES)
    yield lambda: image.fid_infinity(FEATURES, X)
    yield lambda: image.fid_interval(FEATURES, X)
    yield lambda: image.fid_interval(X, FEATURES)
    yield lambda: image.Statistics.from_state(states(real))
    for metric in (image.FID, image.KID, image.InceptionScore):
        yield lambda metric=metric: metric.from_state(states(metric()))
    for metric in (image.FID(dims=4), image.KID()):
        yield lambda metric=metric: metric.update(FEATURES, real=True)
    for metric in (image.FID(extractor, dims=4), image.KID(extractor)):
        yield lambda metric=metric: metric.update(IMAGES, real=True)
    yield lambda: image.InceptionScore().update(FEATURES)
    yield lambda: image.InceptionScore(extractor).update(IMAGES)
    for function in (image.fid, image.kid):
        yield lambda function=function: function(IMAGES, IMAGES, extractor=extractor)
        yield lambda function=function: function(list(IMAGES), list(IMAGES), extractor=extractor)
    yield lambda: image.score_images(real=IMAGES, generated=IMAGES, extractor=extractor)
    yield lambda: image.inception_score(IMAGES, extractor=extractor)
    yield lambda: image.fid(IMAGES.data, IMAGES.data, extractor=lambda images: masked(extractor(images)))


def outcome(call):
    try:
        return f"taken: {call()!r}"
    except TypeError as error:
        return str(error)


def attack():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f.jsonl")
        for family in (retrieval(path), captions(path), images()):
            for index, call in enumerate(family):
                text = outcome(call)
                assert any(word in text for word in REFUSALS), (family, index, text)
        assert not path.exists()
