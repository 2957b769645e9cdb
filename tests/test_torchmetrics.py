"""Metrics for torchmetrics: the bits of this package, in batches, collections, copies and two processes."""

import multiprocessing
import pickle
import warnings

import numpy as np
import pytest

import muge_fast as mf
from data import caption_set

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from torchmetrics import MetricCollection  # noqa: E402 - needs torch

from muge_fast.integrations import torchmetrics as ours  # noqa: E402 - needs torch

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]

CAPTIONS = {
    "cider_d": ours.CIDErD,
    "cider": ours.CIDEr,
    "bleu": ours.BLEU,
    "rouge_l": ours.ROUGEL,
    "meteor": ours.METEOR,
}


def captions(items=23):
    made = caption_set(items, seed=4)
    predictions, references = list(made.predictions), list(made.references)
    predictions[3] = ""
    return predictions, references


def batches(count, size=5):
    return [slice(start, start + size) for start in range(0, count, size)]


@pytest.mark.parametrize("name", CAPTIONS)
@pytest.mark.parametrize("tokenizer", ["muge", "char"])
def test_captions_in_batches_have_the_bits_of_one_call(name, tokenizer):
    predictions, references = captions()
    metric = ours.METEOR() if name == "meteor" else CAPTIONS[name](tokenizer)
    for batch in batches(len(predictions)):
        metric.update(predictions[batch], references[batch])
    expected = mf.score_captions(predictions, references, tokenizer=tokenizer, metrics=[name])[name].value
    assert metric.compute().item() == expected
    assert metric.compute().dtype == torch.float64
    metric.reset()
    metric.update(predictions[:2], references[:2])
    assert (
        metric.compute().item()
        == mf.score_captions(predictions[:2], references[:2], tokenizer=tokenizer, metrics=[name])[name].value
    )


def test_options_are_those_of_score_captions():
    predictions, references = captions()
    frequency = mf.DocumentFrequency.from_references(references)
    cases = [
        (ours.BLEU(smoothing="add-k", smoothing_value=0.5), "bleu", {"smoothing": "add-k", "smoothing_value": 0.5}),
        (ours.CIDErD(sigma=3.0), "cider_d", {"sigma": 3.0}),
        (ours.CIDEr(document_frequency=frequency), "cider", {"document_frequency": frequency}),
    ]
    for metric, name, options in cases:
        metric.update(predictions, references)
        assert (
            metric.compute().item() == mf.score_captions(predictions, references, metrics=[name], **options)[name].value
        )


def test_forward_returns_the_score_of_the_batch_and_keeps_all():
    predictions, references = captions()
    metric = ours.BLEU()
    for batch in batches(len(predictions)):
        expected = mf.score_captions(predictions[batch], references[batch], metrics=["bleu"])["bleu"].value
        assert metric(predictions[batch], references[batch]).item() == expected
    assert metric.compute().item() == mf.score_captions(predictions, references, metrics=["bleu"])["bleu"].value


def test_a_collection_keeps_captions_once():
    predictions, references = captions()
    collection = MetricCollection({name: kind() for name, kind in CAPTIONS.items()})
    for batch in batches(len(predictions)):
        collection.update(predictions[batch], references[batch])
    values = {name: value.item() for name, value in collection.compute().items()}
    expected = mf.score_captions(predictions, references, metrics=list(CAPTIONS))
    assert values == {name: expected[name].value for name in CAPTIONS}
    assert len(collection.compute_groups) == 1


@pytest.mark.parametrize("name", ["rouge_l", "meteor"])
def test_pickles_and_single_items(name):
    metric = CAPTIONS[name]()
    metric.update("红色长裙", [["红裙", "长裙"]])
    again = pickle.loads(pickle.dumps(metric))  # noqa: S301 - our own
    again.update(["黑鞋"], ["黑色男鞋"])
    expected = mf.score_captions(["红色长裙", "黑鞋"], [["红裙", "长裙"], ["黑色男鞋"]], metrics=[name])
    assert again.compute().item() == expected[name].value


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["红"], []), ValueError, "preds has 1 captions, target has references of 0 items"),
        ((["红", 7], ["红", "裙"]), TypeError, r"preds\[1\] must be a string, got int"),
        ((["红"], [[]]), ValueError, r"target\[0\] has no references"),
        ((["红"], [["红", None]]), TypeError, r"target\[0\] must be a string or a list of strings, has NoneType"),
    ],
)
def test_wrong_captions_are_named_and_not_kept(arguments, error, message):
    metric = ours.CIDErD()
    metric.update(["红裙"], ["红裙"])
    with pytest.raises(error, match=message):
        metric.update(*arguments)
    assert len(metric.joined("prediction_lengths")) == 1


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_a_value_without_captions_is_an_error():
    with pytest.raises(ValueError, match="no captions yet"):
        ours.CIDErD().compute()


# Retrieval


def pairs(count=40, dims=9, items=13):
    rng = np.random.default_rng(3)
    ids = rng.integers(0, items, count) * 7
    features = rng.normal(size=(items * 7, dims)).astype("float32")
    queries = features[ids] + rng.normal(size=(count, dims), scale=1.5).astype("float32")
    return queries, features[ids], ids


def recall_by_hand(queries, items, ids, k):
    """Return Recall@K by sorting all cosines in double precision."""
    known = sorted(set(ids.tolist()))
    different = np.array([items[ids.tolist().index(number)] for number in known], dtype="float64")
    unit = different / np.linalg.norm(different, axis=1, keepdims=True)
    order = np.argsort(-(queries.astype("float64") @ unit.T), axis=1, kind="stable")
    return np.mean([ids[row] in [known[column] for column in order[row, :k]] for row in range(len(queries))])


@pytest.mark.parametrize("k", [1, 3, 10])
def test_recall_is_that_of_a_full_sort(k):
    queries, items, ids = pairs()
    metric = ours.RetrievalRecall(k=k)
    for batch in batches(len(queries), 7):
        metric.update(*(torch.from_numpy(values[batch]) for values in (queries, items, ids)))
    assert metric.compute().item() == pytest.approx(recall_by_hand(queries, items, ids, k), abs=1e-15)


def test_recall_without_ids_takes_each_item_as_another():
    queries, items, _ = pairs(12, items=1000)
    metric = ours.RetrievalRecall(k=2)
    metric.update(torch.from_numpy(queries), torch.from_numpy(items))
    assert metric.compute().item() == pytest.approx(recall_by_hand(queries, items, np.arange(12), 2), abs=1e-15)


def test_unclear_items_are_refused():
    queries, items, ids = (torch.from_numpy(values) for values in pairs())
    metric = ours.RetrievalRecall(k=1)
    metric.update(queries, items, ids)
    metric.update(queries, items)
    with pytest.raises(ValueError, match="item_ids were passed for some batches only"):
        metric.compute()
    metric = ours.RetrievalRecall(k=1)
    metric.update(queries, items + torch.arange(len(items))[:, None], ids)
    with pytest.raises(ValueError, match=r"item \d+ has different features in two rows"):
        metric.compute()
    with pytest.raises(ValueError, match="ids must be at least 0"):
        metric.update(queries, items, -ids)
    with pytest.raises(ValueError, match="need integers of shape"):
        metric.update(queries, items, ids.float())


# Images


def feature_batches(rows, seed, dims=16):
    values = np.random.default_rng(seed).normal(size=(rows, dims)).astype("float32")
    return values, [torch.from_numpy(values[batch]) for batch in batches(rows, 11)]


def test_distances_have_the_bits_of_the_functions():
    real, real_batches = feature_batches(40, 1)
    generated, generated_batches = feature_batches(37, 2)
    metrics = MetricCollection({"fid": ours.FID(), "kid": ours.KID(subsets=4, subset_size=20)})
    for is_real, parts in ((True, real_batches), (False, generated_batches)):
        for part in parts:
            metrics.update(part, real=is_real)
    values = metrics.compute()
    assert len(metrics.compute_groups) == 1
    assert values["fid"].item() == mf.image.fid_from_features(real, generated).value
    assert values["kid"].item() == mf.image.kid_from_features(real, generated, subsets=4, subset_size=20).value


def test_scores_have_the_bits_of_the_functions():
    logits, parts = feature_batches(40, 1)
    metric = ours.InceptionScore(splits=3)
    for part in parts:
        metric.update(part)
    assert metric.compute().item() == mf.image.inception_score_from_logits(logits, splits=3).value
    texts, text_parts = feature_batches(40, 2)
    metric = ours.CLIPScore()
    for part, text_part in zip(parts, text_parts, strict=True):
        metric.update(part, text_part)
    assert metric.compute().item() == mf.image.clip_score(logits, texts).value


def brightness(images):
    return np.array([[image.mean(), image.std()] for image in images], dtype="float32")


def test_extractors_make_features_of_images():
    images = np.random.default_rng(5).integers(0, 256, (12, 3, 8, 8), dtype=np.uint8)
    metric = ours.FID(brightness)
    metric.update(torch.from_numpy(images[:7]), real=True)
    metric.update(torch.from_numpy(images[7:]), real=False)
    assert metric.compute().item() == mf.image.fid(images[:7], images[7:], extractor=brightness).value
    with pytest.raises(ValueError, match="uint8"):
        metric.update(torch.zeros(2, 3, 8, 8), real=True)


class Model:
    """Features of images and of texts by simple numbers."""

    signature = "model:test"

    def images(self, source, **_):
        return np.array([[float(image.mean()), 1.0] for image in source])

    def texts(self, texts, **_):
        return np.array([[float(len(text)), 2.0] for text in texts])


def test_a_model_makes_features_of_images_and_texts():
    images = np.random.default_rng(5).integers(0, 256, (3, 3, 8, 8), dtype=np.uint8)
    metric = ours.CLIPScore(Model())
    metric.update(images, ["红", "红裙", "裙"])
    left, right = Model().images(images), Model().texts(["红", "红裙", "裙"])
    assert metric.compute().item() == mf.image.clip_score(left.astype("float32"), right.astype("float32")).value


def test_batches_of_other_widths_are_refused():
    metric = ours.FID()
    metric.update(torch.zeros(2, 3), real=True)
    metric.update(torch.zeros(2, 4), real=True)
    metric.update(torch.zeros(2, 3), real=False)
    with pytest.raises(ValueError, match="batches of real images have 3 and 4 columns"):
        metric.compute()


def test_plots_show_the_range():
    pytest.importorskip("matplotlib").use("agg")
    _, axes = ours.CIDErD().plot([torch.tensor(0.5), torch.tensor(0.7)])
    assert axes.get_ylim()[1] >= 10


# Two processes


def share(rank, empty):
    """Return the metrics of one process, which has every second batch, or all or nothing."""
    predictions, references = captions()
    queries, items, ids = (torch.from_numpy(values) for values in pairs())
    metrics = {name: kind() for name, kind in CAPTIONS.items()}
    metrics |= {"recall": ours.RetrievalRecall(k=3), "fid": ours.FID(), "kid": ours.KID(subsets=None)}
    taken = [] if empty and rank else range(0 if empty else rank, 4, 1 if empty else 2)
    for part in taken:
        batch = slice(5 * part, 5 * part + 5)
        for name in CAPTIONS:
            metrics[name].update(predictions[batch], references[batch])
        metrics["recall"].update(queries[batch], items[batch], ids[batch])
        for name in ("fid", "kid"):
            metrics[name].update(queries[batch], real=True)
            metrics[name].update(items[batch], real=False)
    return metrics


def gather(rank, folder):
    import torch.distributed as dist  # noqa: PLC0415 - in a separate process

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    for empty in (False, True):
        values = {name: metric.compute().item() for name, metric in share(rank, empty).items()}
        np.savez(f"{folder}/{empty}_{rank}.npz", **values)
    dist.destroy_process_group()


@pytest.mark.parametrize("empty", [False, True])
def test_two_processes_have_the_bits_of_one(gathered, empty):
    predictions, references = captions()
    queries, items, ids = pairs()
    # The rows of the first process come first.
    order = [row for part in ((0, 1, 2, 3) if empty else (0, 2, 1, 3)) for row in range(5 * part, 5 * part + 5)]
    scores = mf.score_captions(
        [predictions[row] for row in order], [references[row] for row in order], metrics=list(CAPTIONS)
    )
    expected = {name: scores[name].value for name in CAPTIONS}
    expected["recall"] = recall_by_hand(queries[order], items[order], ids[order], 3)
    expected["fid"] = mf.image.fid_from_features(queries[order], items[order]).value
    expected["kid"] = mf.image.kid_from_features(queries[order], items[order], subsets=None).value
    for rank in range(2):
        with np.load(gathered / f"{empty}_{rank}.npz") as values:
            assert {name: values[name].item() for name in values} == expected


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gathered")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=gather, args=(rank, folder)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0]
    return folder
