"""Scores of Ray data sets have the bits of one process, for any blocks and actors; errors name row and field."""

import gc
import io
import os
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import muge_fast as mf
from data import caption_set
from source_files import ROOT, read

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")

from muge_fast.integrations import ray as on_ray  # noqa: E402 - needs Ray

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ITEMS = 203
CAPTIONS = caption_set(ITEMS, seed=4)
# Numbers of blocks, of actors, and of rows in a batch.
CUTS = [(1, 1, 1000), (5, 2, 16), (29, 2, 3)]
DIMS = 8


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start a Ray whose workers find this package and this file, as the process has them."""
    before = os.environ.get("PYTHONPATH")
    package = Path(mf.__file__).parent.parent
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, [package, Path(__file__).parent, *filter(None, sys.path)]))
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    with warnings.catch_warnings():
        # Ray does not wait for the processes that it ends.
        warnings.simplefilter("ignore")
        ray.shutdown()
        gc.collect()
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


def caption_rows(ids=None):
    ids = range(ITEMS) if ids is None else ids
    triples = zip(ids, CAPTIONS.predictions, CAPTIONS.references, strict=True)
    return [{"id": item, "prediction": text, "references": list(texts)} for item, text, texts in triples]


def dataset_of(rows, blocks=4):
    return ray.data.from_items(rows, override_num_blocks=blocks)


def late_first(batch):
    """Keep the first blocks waiting, so that the last would be scored first."""
    import time  # noqa: PLC0415 - in a separate process

    first = int(batch["id"][0]) if len(batch["id"]) else ITEMS
    time.sleep(0.3 * (first < ITEMS / 2))
    return batch


# Captions


@pytest.mark.parametrize(("blocks", "actors", "batch_size"), CUTS)
def test_captions_have_the_bits_of_one_process(blocks, actors, batch_size):
    options = {"metrics": ("cider_d", "cider", "bleu", "rouge_l"), "tokenizer": "char", "sigma": 5.0}
    rows = dataset_of(caption_rows(), blocks).map_batches(late_first)
    scores = on_ray.score_captions(rows, batch_size=batch_size, actors=actors, **options)
    predictions, references = dict(enumerate(CAPTIONS.predictions)), dict(enumerate(CAPTIONS.references))
    assert scores == mf.score_captions(predictions, references, **options)
    assert not rows.context.execution_options.preserve_order


def test_captions_without_ids_and_with_own_frequencies():
    frequency = mf.DocumentFrequency.from_references(CAPTIONS.references[:50])
    rows = [{"text": row["prediction"], "gold": row["references"]} for row in caption_rows()]
    fields = {"id_field": None, "prediction_field": "text", "reference_field": "gold"}
    scores = on_ray.score_captions(dataset_of(rows), document_frequency=frequency, actors=2, **fields)
    assert scores == mf.score_captions(CAPTIONS.predictions, CAPTIONS.references, document_frequency=frequency)


def letters(text):
    return list(text.lower())


def test_a_tokenizer_may_be_a_function():
    scores = on_ray.score_captions(dataset_of(caption_rows()), tokenizer=letters, metrics=["bleu"], batch_size=31)
    expected = mf.score_captions(CAPTIONS.predictions, CAPTIONS.references, tokenizer=letters, metrics=["bleu"])
    assert scores.to_dict() == expected.to_dict()


def test_empty_blocks_are_skipped():
    rows = dataset_of(caption_rows(), 10).filter(lambda row: row["id"] % 41 == 0 and row["id"] > 60)
    kept = [item for item in range(61, ITEMS) if item % 41 == 0]
    scores = on_ray.score_captions(rows, metrics=["rouge_l"], actors=2)
    assert scores.ids == kept
    expected = mf.score_captions(CAPTIONS.predictions, CAPTIONS.references, metrics=["rouge_l"])
    assert scores["rouge_l"].per_item.tolist() == expected["rouge_l"].per_item[kept].tolist()


WRONG = {
    "null": (150, {"prediction": None}, TypeError, r"dataset, row 150, field 'prediction': expected str, found null"),
    "empty": (77, {"references": []}, ValueError, r"dataset, row 77, field 'references': is empty, needs at least one"),
    "hole": (5, {"references": ["红", None]}, TypeError, r"row 5, field 'references': expected a list .* found null"),
    "no id": (199, {"id": None}, TypeError, r"row 199, field 'id': expected an integer or a str, found null"),
    "one block": (17, {"id": 16}, ValueError, r"row 17, field 'id': 16 is the id of another row too, 1 before"),
    "two blocks": (190, {"id": 3}, ValueError, r"row 190, field 'id': 3 is the id of row 3 too; remove one"),
}


@pytest.mark.parametrize(("index", "change", "kind", "message"), WRONG.values(), ids=WRONG)
def test_errors_name_the_row_and_the_field(index, change, kind, message):
    rows = caption_rows()
    rows[index] |= change
    with pytest.raises(kind, match=message):
        on_ray.score_captions(dataset_of(rows, 7), metrics=["bleu"], batch_size=8, actors=2)
    # CIDEr of all rows is not computed by actors.
    with pytest.raises(kind, match=message.replace("another row too, 1 before", "row 16 too|another row too")):
        on_ray.score_captions(dataset_of(rows, 7), metrics=["cider"])


def fail(batch):
    if 100 in batch["id"]:
        raise RuntimeError("the disk is gone")
    return batch


def test_a_block_that_fails_gives_no_score_of_the_others():
    rows = dataset_of(caption_rows(), 7)
    # Ray would skip the block, and score 174 items.
    rows.context.max_errored_blocks = -1
    with pytest.raises(ray.exceptions.RayError, match="the disk is gone"):
        on_ray.score_captions(rows.map_batches(fail), metrics=["bleu"], actors=1)
    assert rows.context.max_errored_blocks == -1


def die_once(batch, folder):
    """End the process of a task, the first time that it has some row."""
    mark = Path(folder) / "died"
    if 100 in batch["id"] and not mark.exists():
        mark.touch()
        os._exit(1)
    return batch


def test_a_process_that_dies_is_started_again(tmp_path):
    rows = dataset_of(caption_rows(), 7).map_batches(die_once, fn_kwargs={"folder": str(tmp_path)})
    scores = on_ray.score_captions(rows, metrics=["bleu"], actors=1)
    assert (tmp_path / "died").exists()
    assert scores.to_dict() == mf.score_captions(CAPTIONS.predictions, CAPTIONS.references, metrics=["bleu"]).to_dict()


def test_wrong_calls_are_refused_before_anything_runs():
    rows = dataset_of(caption_rows())
    with pytest.raises(TypeError, match=r"dataset must be a ray\.data\.Dataset, got list"):
        on_ray.score_captions(caption_rows())
    with pytest.raises(ValueError, match="dataset has the fields id, prediction, references, not 'caption'"):
        on_ray.score_captions(rows, prediction_field="caption")
    with pytest.raises(ValueError, match="spice"):
        on_ray.score_captions(rows, metrics=["spice"])
    with pytest.raises(ValueError, match="actors must be at least 1"):
        on_ray.score_captions(rows, actors=0)
    with pytest.raises(ValueError, match="dataset has no rows"):
        on_ray.score_captions(rows.filter(lambda row: row["id"] < 0), metrics=["bleu"])


def test_actors_that_take_all_cpus_are_warned_about():
    with pytest.warns(UserWarning, match="3 actors reserve 3 of the 3 CPUs"):
        on_ray.passes.Pool(3, options={"num_cpus": 1}).arguments()


# Retrieval


def vectors(rows, seed, dtype="float32"):
    # Small integers: many items have equal scores, and their order counts.
    return np.random.default_rng(seed).integers(-1, 2, (rows, DIMS)).astype(dtype)


def items(count=ITEMS):
    return [{"item_id": f"i{row}", "features": vector} for row, vector in enumerate(vectors(count, 1))]


def queries(count=12):
    relevant = np.random.default_rng(3).integers(0, ITEMS, (count, 3))
    return [
        {"query_id": row, "features": vector, "item_ids": [f"i{item}" for item in sorted(set(relevant[row]))]}
        for row, vector in enumerate(vectors(count, 2))
    ]


@pytest.mark.parametrize(("blocks", "actors", "batch_size"), CUTS)
@pytest.mark.parametrize("metric", ["ip", "cosine"])
def test_rankings_and_their_scores_have_the_bits_of_one_process(blocks, actors, batch_size, metric):
    pool = {"actors": actors, "batch_size": batch_size, "metric": metric}
    names = {"query_ids": list(range(12)), "item_ids": [row["item_id"] for row in items()]}
    expected = mf.top_k(vectors(12, 2), vectors(ITEMS, 1), 10, metric=metric, **names)
    asked, searched = dataset_of(queries(), min(blocks, 3)), dataset_of(items(), blocks)
    found = on_ray.top_k(asked, searched, 10, **pool)
    assert found.to_dict() == expected.to_dict()
    assert found.scores.tolist() == expected.scores.tolist()
    scores = on_ray.retrieval(asked, searched, metrics=("recall", "mrr"), **pool)
    relevant = {row["query_id"]: row["item_ids"] for row in queries()}
    assert scores == mf.score_retrieval(expected, relevant, metrics=("recall", "mrr"))


def test_wrong_rows_of_items_and_queries_are_named():
    def change(rows, index, **fields):
        rows[index] |= fields
        return dataset_of(rows, 7)

    good = dataset_of(queries()), dataset_of(items())
    options = {"batch_size": 16, "actors": 2}
    with pytest.raises(ValueError, match=r"items, row 100, field 'item_id': 'i3' is the id of row 3 too"):
        on_ray.retrieval(good[0], change(items(), 100, item_id="i3"), **options)
    with pytest.raises(ValueError, match=r"items, row 60, field 'features': has a value that is not finite"):
        on_ray.retrieval(good[0], change(items(), 60, features=np.full(DIMS, np.nan, "float32")), **options)
    with pytest.raises(TypeError, match=r"items, row 0, field 'features': is float64, needs float32 or float16"):
        on_ray.retrieval(good[0], dataset_of([{"item_id": 1, "features": np.zeros(DIMS)}]), **options)
    with pytest.raises(ValueError, match=r"queries, row 11, field 'item_ids': is empty, needs at least one"):
        on_ray.retrieval(change(queries(), 11, item_ids=[]), good[1], **options)
    with pytest.raises(ValueError, match="the number of items"):
        on_ray.top_k(*good, 204, **options)


# FID


def features(rows, seed):
    return np.random.default_rng(seed).standard_normal((rows, DIMS)).astype("float32")


def feature_rows(rows, seed):
    return [{"id": row, "vector": vector} for row, vector in enumerate(features(rows, seed))]


def accumulated(real, generated, batch_size):
    metric = mf.image.FID(dims=DIMS)
    for matrix, is_real in ((real, True), (generated, False)):
        for start in range(0, len(matrix), batch_size):
            metric.update(matrix[start : start + batch_size], real=is_real)
    return metric.compute()


@pytest.mark.parametrize(("blocks", "actors", "batch_size"), [(1, 1, 32), (5, 2, 32), (29, 2, 7), (29, 1, 300)])
def test_fid_of_features_has_the_bits_of_one_process(blocks, actors, batch_size):
    rows = [dataset_of(feature_rows(count, seed), blocks) for count, seed in ((701, 1), (601, 2))]
    late = rows[0].map_batches(late_first)
    score = on_ray.fid(late, rows[1], feature_field="vector", batch_size=batch_size, actors=actors)
    assert score == accumulated(features(701, 1), features(601, 2), batch_size)


class Colors:
    """An extractor whose features depend on the images of the batch, as those of networks do in their last bits."""

    signature = "colors"

    def __call__(self, images):
        rows = np.array([[image[..., c].mean() for c in range(3)] + [image.std()] for image in images])
        return (rows * (1 + 1e-6 * len(images))).astype("float32")


def image_files(count, seed):
    pillow = pytest.importorskip("PIL.Image")
    random, files = np.random.default_rng(seed), []
    for _ in range(count):
        file = io.BytesIO()
        pillow.fromarray(random.integers(0, 256, (5, 4, 3), dtype=np.uint8)).save(file, "png")
        files.append(file.getvalue())
    return files


@pytest.mark.parametrize(("blocks", "actors", "batch_size"), [(1, 1, 32), (13, 2, 9)])
def test_fid_of_images_has_the_bits_of_one_process(blocks, actors, batch_size):
    files = [image_files(301, 1), image_files(270, 2)]
    rows = [dataset_of([{"bytes": data} for data in side], blocks) for side in files]
    options = {"extractor": Colors(), "batch_size": batch_size}
    score = on_ray.fid(*rows, image_field="bytes", actors=actors, **options)
    expected = mf.image.fid(*(dict(enumerate(side)) for side in files), **options)
    assert (score.value, score.signature) == (expected.value, expected.signature)


def test_fid_takes_statistics_of_the_same_extractor():
    statistics = mf.image.Statistics.from_features(features(50, 1), extractor_signature="x")
    rows = dataset_of(feature_rows(40, 2))
    score = on_ray.fid(statistics, rows, feature_field="vector", batch_size=50, actors=1)
    assert score.value == accumulated(features(50, 1), features(40, 2), 50).value
    statistics = mf.image.Statistics.from_features(features(50, 1)[:, :4], extractor_signature="x")
    with pytest.raises(ValueError, match="colors"):
        on_ray.fid(
            statistics, dataset_of([{"image": data} for data in image_files(5, 1)]), extractor=Colors(), actors=1
        )


def test_wrong_images_and_features_are_named():
    files = image_files(40, 1)
    files[33] = files[33][:-30]
    rows = dataset_of([{"image": data} for data in files], 5)
    with pytest.raises(ValueError, match="real, row 33, field 'image': "):
        on_ray.fid(rows, rows, extractor=Colors(), actors=1)
    wrong = feature_rows(40, 1)
    wrong[35] = {"id": 35, "vector": np.full(DIMS, np.inf, "float32")}
    with pytest.raises(ValueError, match="generated, row 35, field 'vector': has a value that is not finite"):
        on_ray.fid(dataset_of(feature_rows(40, 1)), dataset_of(wrong, 5), feature_field="vector", actors=1)
    with pytest.raises(OSError, match="no-such-file"):
        on_ray.fid(rows, rows, weights="no-such-file.pth", actors=1)


def test_the_blocks_of_the_documentation_run():
    for code in re.findall(r"```python\n(.*?)```", read(ROOT / "docs" / "distributed.md"), re.DOTALL):
        names = {}
        exec(compile(code, "distributed.md", "exec"), names)  # noqa: S102 - our own document
        assert "scores" not in names or names["scores"].ids == [1, 2]
