"""States as bytes: the same bits after reading and merging, and safe from strangers."""

import io
import itertools
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import data
import muge_fast as mf
from attacks import ids_that_collide
from muge_fast._internal.states import json_array, kind_of, pack
from muge_fast.caption.meteor import meteor_score
from muge_fast.cli.main import main
from muge_fast.image import Statistics
from muge_fast.scores import ItemStatistics, Score, mean_score, set_score

CAPTIONS = data.caption_set(60, seed=5, references=3)
REFERENCES = {f"id{index}": list(texts) for index, texts in enumerate(CAPTIONS.references)}
PREDICTIONS = dict(zip(REFERENCES, CAPTIONS.predictions, strict=True))
FREQUENCY = mf.DocumentFrequency.from_references(REFERENCES)
METRICS = ("cider_d", "cider", "bleu", "rouge_l", "meteor")


def caption_scores(keys=None):
    keys = list(REFERENCES) if keys is None else keys
    return mf.score_captions(
        {key: PREDICTIONS[key] for key in keys},
        {key: REFERENCES[key] for key in keys},
        metrics=METRICS,
        document_frequency=FREQUENCY,
    )


def examples():
    ranked = {1: [2, 3, 4], 5: [7, 8, 9]}
    classification = mf.tasks.get("classification").score({"a": "鞋", "b": "裙"}, {"a": "鞋", "b": "包"})
    graded = mf.score_retrieval(ranked, {1: [3], 5: [1]}, ks=(1, 3), metrics=("recall", "ndcg", "mrr"))
    groups = {"question_type": {1: "颜色"}}
    answers = mf.vqa.score_answers({1: "红", 2: "蓝"}, {1: ["红"], 2: ["白"]}, protocol="exact", groups=groups)
    bleu = mf.score_captions(
        ["红裙", "黑鞋"], [["红裙子"], ["鞋"]], metrics=["bleu"], smoothing="floor", smoothing_value=0.2
    )
    whole = mf.Scores({"fid": set_score("fid", "fid|x", 3.5, parts={"a": 1.0}, higher_is_better=False)})
    influence = set_score("fid", "fid|x", 3.5, influence=(np.array([1.0, -1.0]), np.array([0.0])))
    choices = mf.vqa.score_choices({"a": [1, 2]}, {"a": [1, 3]})
    return {
        "captions": caption_scores(),
        "retrieval": graded,
        "classification": classification,
        "answers": answers,
        "choices": choices,
        "bleu": bleu,
        "whole set": whole,
        "influence": mf.Scores({"fid": influence}),
        "captions without document frequencies": mf.score_captions(PREDICTIONS, REFERENCES),
    }


EXAMPLES = examples()


def search(items=range(20), k=3):
    random = np.random.default_rng(2)
    queries, vectors = random.standard_normal((4, 8), np.float32), random.standard_normal((20, 8), np.float32)
    found = mf.TopK(k)
    for item in items:
        found.update(queries, vectors[item : item + 1], item)
    return found


# Bits


@pytest.mark.parametrize("name", EXAMPLES)
def test_scores_are_equal_after_reading(name):
    scores = EXAMPLES[name]
    read = mf.Scores.from_bytes(scores.to_bytes())
    assert read == scores
    assert read.to_bytes() == scores.to_bytes()
    assert [score.higher_is_better for score in read.values()] == [score.higher_is_better for score in scores.values()]
    for metric, score in read.items():
        assert score.value.hex() == scores[metric].value.hex()
        if len(score.statistics.rows):
            rows = score.statistics.rows[:1]
            assert score.with_statistics(rows) == scores[metric].with_statistics(rows)


def test_influence_and_intervals_are_kept():
    score = mf.Scores.from_bytes(EXAMPLES["influence"].to_bytes())["fid"]
    assert [sample.tolist() for sample in score.influence] == [[1, -1], [0]]
    captions = mf.Scores.from_bytes(EXAMPLES["captions"].to_bytes())
    assert captions["bleu"].interval(resamples=200) == EXAMPLES["captions"]["bleu"].interval(resamples=200)


def test_scores_of_shards_that_must_not_be_merged_are_refused_after_reading():
    one = mf.score_captions({"a": "红裙"}, {"a": ["红裙"]}, metrics=["rouge_l", "bleu"])
    assert mf.Scores.merge(
        [one, mf.Scores.from_bytes(mf.score_captions({"b": "x"}, {"b": ["x"]}, metrics=["rouge_l", "bleu"]).to_bytes())]
    ).ids == ["a", "b"]
    states = [
        mf.Scores.from_bytes(
            mf.score_captions({key: "红裙", key * 2: "x"}, {key: ["红裙"], key * 2: ["黑"]}).to_bytes()
        )
        for key in "ab"
    ]
    with pytest.raises(ValueError, match="each shard counted document frequencies in its own references"):
        mf.Scores.merge(states)


def test_statistics_searches_and_frequencies_are_equal_after_reading():
    features = np.random.default_rng(1).standard_normal((9, 4))
    for count in (0, 2, 9):
        statistics = Statistics(4, extractor_signature="x")
        statistics.update(features[:count])
        read = Statistics.from_bytes(statistics.to_bytes())
        read.update(features)
        statistics.update(features)
        assert (read.mean.tobytes(), read.covariance.tobytes()) == (
            statistics.mean.tobytes(),
            statistics.covariance.tobytes(),
        )
    found = mf.TopK.from_bytes(search(range(0, 20, 2)).to_bytes())
    found.merge(search(range(1, 20, 2)))
    expected, merged = search().compute(), found.compute()
    assert (merged.scores.tobytes(), merged.indices.tobytes()) == (
        expected.scores.tobytes(),
        expected.indices.tobytes(),
    )
    read = mf.DocumentFrequency.from_bytes(FREQUENCY.to_bytes())
    assert (read.fingerprint, read.tokenizer, read.to_counts()) == (
        FREQUENCY.fingerprint,
        "muge",
        FREQUENCY.to_counts(),
    )


def test_a_state_of_frequencies_is_a_file_to_load(tmp_path):
    path = tmp_path / "train.state"
    path.write_bytes(FREQUENCY.to_bytes())
    assert mf.DocumentFrequency.load(path).fingerprint == FREQUENCY.fingerprint


@pytest.mark.parametrize("ids", [[1, -(2**63)], ["a", "\ud800"], [1, "1"]])
def test_ids_are_kept(ids):
    score = mean_score("x", "x|version:0", np.array([0.25, 0.5]))
    assert mf.Scores.from_bytes(mf.Scores({"x": score}, 2, ids).to_bytes()).ids == ids


@pytest.mark.parametrize("ids", [[1, (2, 3)], [1, 2**63], [True, 2], [1.5, 2]])
def test_other_ids_are_refused_when_written(ids):
    score = mean_score("x", "x|version:0", np.array([0.25, 0.5]))
    with pytest.raises(TypeError, match=r"ids\[[01]\] is .*; only integers of 64 bits and strings"):
        mf.Scores({"x": score}, 2, ids).to_bytes()


def test_scores_of_other_packages_that_are_not_means_are_refused_when_written():
    rows = np.ones((2, 1))
    score = Score("x", 1.0, rows[:, 0], "x", {}, ItemStatistics(("x",), rows), _rescore=lambda _: None)
    with pytest.raises(TypeError, match="x: only means over items and the metrics of muge_fast"):
        mf.Scores({"x": score}, 2).to_bytes()


# Merging document frequencies

ITEMS = st.lists(st.lists(st.text("ab红 ", max_size=8), min_size=1, max_size=3), min_size=1, max_size=9)


@settings(max_examples=150, deadline=None)
@given(references=ITEMS, cuts=st.lists(st.integers(0, 9), max_size=3), order=st.randoms(use_true_random=False))
def test_merged_frequencies_are_those_of_all_items(references, cuts, order):
    bounds = [0, *sorted(cuts), len(references)]
    shards = [references[start:end] for start, end in itertools.pairwise(bounds) if references[start:end]]
    tables = [mf.DocumentFrequency.from_references(shard, tokenizer="char") for shard in shards]
    order.shuffle(tables)
    whole = mf.DocumentFrequency.from_references(references, tokenizer="char")
    merged = mf.DocumentFrequency.merge(tables)
    assert (merged.documents, merged.to_counts(), merged.tokenizer) == (whole.documents, whole.to_counts(), "char")
    assert merged.fingerprint == whole.fingerprint
    # Associative: the first two before the others.
    if len(tables) > 2:
        first = mf.DocumentFrequency.merge(tables[:2])
        assert mf.DocumentFrequency.merge([first, *tables[2:]]).fingerprint == whole.fingerprint
    options = {"metrics": METRICS, "tokenizer": "char"}
    predictions = [texts[0] for texts in references]
    by_merged = mf.score_captions(predictions, references, document_frequency=merged, **options)
    assert by_merged == mf.score_captions(predictions, references, document_frequency=whole, **options)


def test_wrong_frequencies_are_named():
    other = mf.DocumentFrequency.from_references([["a"]], tokenizer="char")
    merge = mf.DocumentFrequency.merge
    with pytest.raises(ValueError, match=r"shards\[1\] was counted with tokenizer char, shards\[0\] with muge"):
        merge([FREQUENCY, other])
    with pytest.raises(ValueError, match=r"shards\[1\] is the same object"):
        merge([other, other])
    with pytest.raises(ValueError, match="at least one"):
        merge([])
    with pytest.raises(TypeError, match="must be a list of DocumentFrequency"):
        merge(FREQUENCY)
    with pytest.raises(TypeError, match=r"shards\[0\] must be DocumentFrequency, got int"):
        merge([3])
    full = mf.DocumentFrequency.from_counts(2, {("a",): 2**32 - 1})
    with pytest.raises(ValueError, match="more than 4294967295 documents"):
        merge([full, mf.DocumentFrequency.from_counts(2, {("a",): 1})])


# The accumulator


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=5), joined=st.integers(0, 5))
def test_accumulated_captions_have_the_bits_of_one_call(cuts, joined):
    keys = list(REFERENCES)
    parts = [keys[start:end] for start, end in itertools.pairwise([0, *sorted(cuts), 60]) if start < end]
    accumulators = [mf.CaptionAccumulator(metrics=METRICS, document_frequency=FREQUENCY) for _ in range(2)]
    for index, part in enumerate(parts):
        accumulator = accumulators[index >= joined]
        accumulator.update({key: PREDICTIONS[key] for key in part}, {key: REFERENCES[key] for key in part})
        if index % 2:
            accumulator.compute()
    accumulators[0].merge(accumulators[1])
    assert accumulators[0].compute() == caption_scores()
    assert len(accumulators[0]) == 60


def test_wrong_batches_are_named():
    with pytest.raises(ValueError, match="CIDEr of batches needs one document_frequency"):
        mf.CaptionAccumulator()
    with pytest.raises(ValueError, match="smooth"):
        mf.CaptionAccumulator(metrics=["bleu"], smoothing="smooth")
    first, second = (mf.CaptionAccumulator(metrics=["rouge_l"]) for _ in range(2))
    first.update({"a": "红"}, {"a": ["红"]})
    before = first.compute()
    with pytest.raises(ValueError, match="id 'a' was added before"):
        first.update({"a": "红"}, {"a": ["红"]})
    with pytest.raises(TypeError, match="some captions have ids and others have none"):
        first.update(["红"], [["红"]])
    with pytest.raises(ValueError, match="predictions lack 1 of the 2 items"):
        first.update({"b": "红"}, {"b": ["红"], "c": ["红"]})
    second.update({"a": "黑"}, {"a": ["红"]})
    with pytest.raises(ValueError, match="id 'a' was added before"):
        first.merge(second)
    with pytest.raises(ValueError, match="other is this object itself"):
        first.merge(first)
    with pytest.raises(ValueError, match="other scores bleu"):
        first.merge(mf.CaptionAccumulator(metrics=["bleu"]))
    with pytest.raises(TypeError, match="must be a CaptionAccumulator"):
        first.merge(before)
    assert first.compute() == before


def gather_captions(rank, world, file):
    import torch.distributed as dist  # noqa: PLC0415 - in another process

    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=world)
    accumulator = mf.CaptionAccumulator(metrics=METRICS, document_frequency=FREQUENCY)
    # The last process has none.
    keys = list(REFERENCES)[rank * 30 : rank * 30 + 30]
    if keys:
        accumulator.update({key: PREDICTIONS[key] for key in keys}, {key: REFERENCES[key] for key in keys})
    assert accumulator.gather().compute() == caption_scores()
    dist.destroy_process_group()


def test_processes_gather_the_bits_of_one_call(tmp_path):
    torch = pytest.importorskip("torch")
    torch.multiprocessing.start_processes(gather_captions, (3, tmp_path / "store"), nprocs=3, start_method="spawn")


# Strangers

STATES = {
    "Scores": EXAMPLES["captions"].to_bytes(),
    "Statistics": Statistics.from_features([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]]).to_bytes(),
    "TopK": search().to_bytes(),
    "DocumentFrequency": mf.DocumentFrequency.from_references([["红裙"], ["黑鞋"]]).to_bytes(),
}
READERS = {"Scores": mf.Scores, "Statistics": Statistics, "TopK": mf.TopK, "DocumentFrequency": mf.DocumentFrequency}


def problem_of(kind, state):
    """Return why a state is refused, None if it is read; any other error ends the test."""
    try:
        READERS[kind].from_bytes(state)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("kind", READERS)
def test_states_of_other_kinds_and_versions_are_refused(kind):
    read = READERS[kind].from_bytes
    for other, state in STATES.items():
        assert kind_of(state) == other
        if other != kind:
            with pytest.raises(ValueError, match=f"^not a state of {kind}: it is a state of {other}$"):
                read(state)
    with pytest.raises(ValueError, match="File is not a zip file"):
        read(b"PK")
    with pytest.raises(TypeError, match="data must be bytes, got str"):
        read("PK")
    file = io.BytesIO()
    np.savez(file, muge_fast_state=np.array(f"{kind} 2"))
    with pytest.raises(ValueError, match="its format has version 2, this package reads 1"):
        read(file.getvalue())


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_changed_states_are_read_or_refused_with_one_error(kind, data):
    state = bytearray(STATES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(state)))
    for changed in (bytes(state), bytes(state[:cut])):
        assert (problem_of(kind, changed) or f"not a state of {kind}: ").startswith(f"not a state of {kind}: ")


def arrays_of(state):
    with np.load(io.BytesIO(state), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name != "muge_fast_state"}


VALUES = [
    np.array(3.0),
    np.zeros(0),
    np.zeros((0, 1)),
    np.full((3, 1), np.nan),
    np.full((60, 1), 1e300),
    np.full((60, 10), -1.0),
    np.array([2**62], dtype="<i8"),
    np.array([[-(2**63), 2**63 - 1]], dtype="<i8"),
    np.array([[5, 2]], dtype="<i8"),
    np.arange(4, dtype="<u4"),
    np.frombuffer(b"\xff\xfe", dtype="u1"),
    np.array("text"),
    json_array(None),
    json_array([]),
    json_array({"items": 10**30, "scores": [{}]}),
    json_array({"items": 1, "scores": "x"}),
    json_array({"k": 2**80, "metric": "ip", "dims": 3}),
    json_array({"k": 1, "metric": ["x"], "dims": 3}),
    np.frombuffer(b"[" * 100_000, dtype="u1"),
]


@pytest.mark.parametrize("kind", READERS)
def test_states_with_other_arrays_are_read_or_refused_with_one_error(kind):
    arrays = arrays_of(STATES[kind])
    for name in arrays:
        changed = [{**arrays, name: value} for value in VALUES]
        changed.append({key: value for key, value in arrays.items() if key != name})
        for each in changed:
            problem = problem_of(kind, pack(kind, each))
            assert (problem or f"not a state of {kind}: ").startswith(f"not a state of {kind}: ")


def recipe(**changes):
    return {
        "kind": "mean",
        "name": "x",
        "signature": "x|version:0",
        "parts": {},
        "arguments": ["x", "x|version:0"],
        "options": {"merge_error": "", "higher_is_better": True},
        **changes,
    }


def scores_with(*recipes, rows=((0.5,), (1.0,))):
    arrays = {f"rows_{index}": np.array(rows) for index in range(len(recipes))}
    return pack("Scores", {"scores": json_array({"items": 2, "scores": list(recipes)}), **arrays})


def test_scores_that_are_written_by_hand_are_read():
    assert mf.Scores.from_bytes(scores_with(recipe()))["x"].value == 0.75


@pytest.mark.parametrize(
    ("recipes", "rows", "problem"),
    [
        ([recipe(signature="y")], None, "it was scored as 'y', this version makes 'x.version:0'"),
        ([recipe(kind="os.system")], None, "unknown kind 'os.system'"),
        ([recipe(kind=["mean"])], None, "no valid kind"),
        ([recipe(arguments=["x"])], None, "not those of its metric"),
        ([recipe(options={"parts": {}})], None, "not those of its metric"),
        ([recipe(options={"name": "x"})], None, "not those of its metric"),
        ([recipe(parts={"a": "b"})], None, "a part of a score is not a number"),
        ([recipe(), recipe()], None, "score 'x' occurs more than once"),
        ([recipe()], [[1.0, 2.0]] * 2, "not those of its metric"),
        ([recipe()], [[1.0]] * 3, "it has 2 items, but 3 rows"),
        ([recipe()], [[float("inf")]] * 2, "not finite"),
        ([recipe(kind="macro_f1", arguments=[["鞋"]], options={})], [[0.0, 1e300]] * 2, "not those of its metric"),
        ([recipe(kind="bleu", arguments=["muge", "x", None, False], options={})], [[1.0] * 10] * 2, "smoothing"),
        ([recipe(kind="mean_recall", arguments=[[1, 2]], options={})], [[1.0]] * 2, "not those of its metric"),
    ],
)
def test_scores_of_strangers_are_refused(recipes, rows, problem):
    state = scores_with(*recipes) if rows is None else scores_with(*recipes, rows=rows)
    with pytest.raises(ValueError, match=f"not a state of Scores: .*{problem}"):
        mf.Scores.from_bytes(state)


METEOR = mf.score_captions(["红色裙", "黑,"], [["红裙"], ["黑鞋,"]], metrics=["meteor"])["meteor"]


DATA = METEOR.signature.partition("data:")[2].partition("|")[0]


def state_of_meteor(rows, arguments=(DATA,), options=()):
    changes = {"arguments": list(arguments), "options": dict(options), "signature": METEOR.signature}
    return scores_with(recipe(kind="meteor", name="meteor", **changes), rows=rows)


def changed_meteor(changes):
    rows = METEOR.statistics.rows.copy()
    for place, value in changes.items():
        rows[place] = value
    return rows


def test_rows_of_meteor_that_are_written_by_hand_are_read():
    read = mf.Scores.from_bytes(state_of_meteor(METEOR.statistics.rows))["meteor"]
    assert (read, read.value.hex()) == (METEOR, METEOR.value.hex())


@pytest.mark.parametrize(
    "state",
    [
        state_of_meteor(changed_meteor(changes))
        for changes in (
            {(0, 0): -1.0},
            {(0, 0): 3.5},
            {(0, 0): 1e300},
            {(0, 2): 9.0},  # more function words than words
            {(0, 4): 9.0},  # more matches than words
            {(1, 6): 0.0},  # another sum of matches
            {(0, 20): 9.0},  # more chunks than matches
            {(0, 21): 0.0, (0, 22): 0.0},
        )
    ]
    + [
        state_of_meteor(METEOR.statistics.rows[:, :22]),
        state_of_meteor(METEOR.statistics.rows, arguments=[1]),
        state_of_meteor(METEOR.statistics.rows, arguments=["none", "none"]),
        state_of_meteor(METEOR.statistics.rows, options={"name": "x"}),
    ],
)
def test_impossible_rows_and_options_of_meteor_are_refused(state):
    with pytest.raises(ValueError, match="not a state of Scores: the rows or options of a score are not those"):
        mf.Scores.from_bytes(state)


def test_scores_by_other_data_of_meteor_are_not_merged():
    shards = [
        mf.Scores({"meteor": meteor_score(data, METEOR.statistics.rows)}, 2) for data in ("none", "0123456789abcdef")
    ]
    with pytest.raises(ValueError, match=r"meteor\|.*data:0123456789abcdef"):
        mf.Scores.merge([mf.Scores.from_bytes(shard.to_bytes()) for shard in shards])


def test_bombs_are_refused_before_they_are_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        header = io.BytesIO()
        np.lib.format.write_array(header, np.array("Scores 1"))
        archive.writestr("muge_fast_state.npy", header.getvalue())
        archive.writestr("scores.npy", b"\0" * (1 << 27))
    with pytest.raises(ValueError, match="unpacks to"):
        mf.Scores.from_bytes(file.getvalue())


def test_ids_that_collide_are_refused():
    keys = ids_that_collide.colliding(12)
    document = json_array({"items": len(keys), "scores": [recipe()]})
    arrays = {"rows_0": np.zeros((len(keys), 1)), "ids": np.array(keys, dtype="<i8")}
    with pytest.raises(ValueError, match="its ids make a dictionary slow"):
        mf.Scores.from_bytes(pack("Scores", {"scores": document, **arrays}))


def test_many_ranges_of_a_search_are_refused():
    arrays = arrays_of(STATES["TopK"])
    arrays["ranges"] = np.stack([np.arange(20_000) * 2, np.arange(20_000) * 2 + 1], axis=1).astype("<i8")
    with pytest.raises(ValueError, match="at most 10000 pairs"):
        mf.TopK.from_bytes(pack("TopK", arrays))


# The command


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def shards(tmp_path):
    """Write three shards of captions, and return their gold files and submissions."""
    keys, paths = list(REFERENCES), []
    for number, part in enumerate((keys[:20], keys[20:21], keys[21:])):
        gold = write_lines(
            tmp_path / f"gold{number}.jsonl", [{"image_id": key, "text": REFERENCES[key]} for key in part]
        )
        rows = [{"image_id": key, "text": PREDICTIONS[key] or "空"} for key in part]
        paths.append((gold, write_lines(tmp_path / f"pred{number}.jsonl", rows)))
    return paths


def test_shards_are_counted_scored_and_merged_by_commands(shards, tmp_path):
    tables = [tmp_path / f"{number}.df" for number in range(3)]
    for (gold, _), table in zip(shards, tables, strict=True):
        assert run("count", "--gold", gold, "--output", table).exit_code == 0
    frequency = tmp_path / "all.df"
    assert "60 documents" in run("merge", *tables, "--output", frequency).output
    assert mf.DocumentFrequency.load(frequency).fingerprint == FREQUENCY.fingerprint
    states = [tmp_path / f"{number}.state" for number in range(3)]
    for (gold, predictions), state in zip(shards, states, strict=True):
        options = ("--document-frequency", frequency, "--state", state)
        assert run("score", "caption", "-g", gold, "-s", predictions, *options).exit_code == 0
    whole = mf.score_captions(
        {key: text or "空" for key, text in PREDICTIONS.items()}, REFERENCES, document_frequency=FREQUENCY
    )
    for order in itertools.permutations(states):
        merged = tmp_path / "merged.state"
        result = run("merge", *order, "--output", merged, "--json")
        assert result.exit_code == 0, result.output
        read = mf.Scores.from_bytes(merged.read_bytes())
        assert sorted(read.ids) == sorted(whole.ids)
        assert read["bleu"].value.hex() == whole["bleu"].value.hex()
    run("merge", *states, "--output", merged)
    assert mf.Scores.from_bytes(merged.read_bytes()) == whole


def test_states_that_do_not_fit_are_named(tmp_path):
    def state(name, scores):
        (tmp_path / name).write_bytes(scores.to_bytes())
        return tmp_path / name

    a = state("a.state", mf.score_captions({"x": "红"}, {"x": ["红"]}, metrics=["rouge_l"]))
    b = state("b.state", mf.score_captions({"x": "黑"}, {"x": ["红"]}, metrics=["rouge_l"]))
    c = state("c.state", mf.score_captions({"y": "黑"}, {"y": ["红"]}, metrics=["rouge_l"], tokenizer="char"))
    d = state("d.state", FREQUENCY)
    e = state("e.state", search(k=2))
    f = state("f.state", search())
    for paths, message in [
        ((a, b), f"{b}: id x is in {a} too"),
        ((a, c), f"{c} was scored as rouge_l|beta:1.2|tokenizer:char"),
        ((a, d), f"{d}: has DocumentFrequency, but {a} has Scores"),
        ((f, e), f"{e}: "),
        ((f, f), f"{f}: "),
        ((tmp_path / "none.state",), "none.state"),
    ]:
        result = run("merge", *paths)
        assert result.exit_code == 2
        assert message in result.output
    broken = tmp_path / "broken.state"
    broken.write_bytes(a.read_bytes()[:-30])
    assert run("merge", broken).exit_code == 2


def test_the_example_of_shards_in_the_documentation_runs():
    text = (Path(__file__).parent.parent / "docs" / "command-line.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "docs/command-line.md", "exec"), {})  # noqa: S102 - the documentation of the package
