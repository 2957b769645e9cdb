"""Metrics of lmms-eval tasks: the scores of this package, in the real evaluator where lmms-eval is installed."""

import json
import pickle

import pytest

import muge_fast as mf
from muge_fast.integrations import lmms_eval

PREDICTIONS = {"a": "红色裙子", "b": "黑皮鞋", "c": "白衬衫"}
REFERENCES = {"a": ["红色长裙", "红裙"], "b": ["黑色皮鞋"], "c": ["白色衬衫", "衬衫"]}
ITEMS = [{"image_id": key, "pred": PREDICTIONS[key], "answer": REFERENCES[key]} for key in REFERENCES]
SCORES = mf.score_captions(PREDICTIONS, REFERENCES, metrics=["cider_d", "cider", "bleu", "rouge_l", "meteor"])

UTILS = """
from muge_fast.integrations.lmms_eval import caption_results, register

METRICS = ["cider_d", "bleu", "bleu_1"]
register(metrics=METRICS)
process_results = caption_results(references="captions", image_id="image_id", metrics=[*METRICS, "rouge_l"])


def doc_to_text(doc):
    return doc["image_id"]


def doc_to_visual(doc):
    return []


def doc_to_target(doc):
    return doc["captions"][0]
"""

TASK = """
task: tiny_captions
dataset_path: json
dataset_kwargs: {{data_files: {data}}}
test_split: train
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: !function utils.doc_to_target
process_results: !function utils.process_results
metric_list:
  - metric: muge_cider_d
  - metric: muge_bleu
  - metric: muge_bleu_1
    aggregation: muge_bleu_1
    higher_is_better: true
  - metric: muge_rouge_l
    aggregation: !function muge_fast.integrations.lmms_eval.rouge_l
    higher_is_better: true
"""


@pytest.mark.parametrize("metric", ["cider_d", "cider", "bleu", "rouge_l", "meteor"])
def test_functions_have_the_scores_of_score_captions(metric):
    assert getattr(lmms_eval, metric)(ITEMS) == lmms_eval.aggregation(metric)(ITEMS) == SCORES[metric].value
    again = pickle.loads(pickle.dumps(lmms_eval.aggregation(metric)))  # noqa: S301
    assert again(ITEMS) == SCORES[metric].value


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_each_order_of_bleu_is_a_metric(order):
    assert lmms_eval.aggregation(f"bleu_{order}")(ITEMS) == SCORES["bleu"].parts[f"bleu_{order}"]


def test_options_are_those_of_score_captions():
    frequency = mf.DocumentFrequency.from_references([["红裙"], ["黑鞋"], ["衬衫"], ["长裙"]], tokenizer="char")
    expected = mf.score_captions(PREDICTIONS, REFERENCES, tokenizer="char", document_frequency=frequency)
    found = lmms_eval.aggregation("cider_d", tokenizer="char", document_frequency=frequency, threads=1)(ITEMS)
    assert found == expected["cider_d"].value != SCORES["cider_d"].value


def test_results_of_tasks_of_lmms_eval_are_items():
    # What flickr30k, coco_cap and others return for each document.
    items = [{"answer": REFERENCES[key], "pred": PREDICTIONS[key], "image_id": row} for row, key in enumerate("abc")]
    assert lmms_eval.cider_d(items) == SCORES["cider_d"].value


def test_documents_become_items():
    make = lmms_eval.caption_results(references="caption", metrics=["cider_d", "bleu"], prefix="")
    item = {"pred": "裙", "answer": ["红裙"]}
    assert make({"caption": "红裙"}, ["裙"]) == {"cider_d": item, "bleu": item}
    assert make({"caption": ("红裙", "长裙")}, [])["bleu"] == {"pred": "", "answer": ["红裙", "长裙"]}
    of_function = lmms_eval.caption_results(references=lambda doc: doc["x"]["texts"], image_id="n", metrics=["bleu"])
    found = of_function({"x": {"texts": ["红"]}, "n": 7}, ["红"])
    assert found == {"muge_bleu": {"image_id": 7, "pred": "红", "answer": ["红"]}}
    with pytest.raises(ValueError, match=r"^the document has no field 'caption', its fields are 'captions', 'id'$"):
        make({"captions": [], "id": 1}, ["裙"])


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        ([], ValueError, "at least one item"),
        ([1.0], TypeError, r"^item 0 is 1\.0, needs 'pred' and 'answer'; tasks with several references need process"),
        ([ITEMS[0], {"pred": "红"}], TypeError, "^item 1 is .* needs 'pred' and 'answer'"),
        ([ITEMS[0], ITEMS[1], ITEMS[0]], ValueError, "^items 0 and 2 have the image id 'a', needs one caption$"),
        ([{"pred": "红", "answer": []}, ITEMS[0]], ValueError, r"^references\[0\] is empty"),
        ([ITEMS[0], {"pred": None, "answer": ["红"]}], TypeError, r"^predictions\[1\]: .*a missing value"),
    ],
)
def test_items_that_cannot_be_scored_are_named(items, error, message):
    with pytest.raises(error, match=message):
        lmms_eval.bleu(items)


def test_unknown_metrics_are_refused():
    with pytest.raises(ValueError, match=r"unknown metric 'cidr'.*did you mean 'cider'"):
        lmms_eval.aggregation("cidr")
    with pytest.raises(ValueError, match="metrics has 'bleu' more than once"):
        lmms_eval.caption_results(metrics=["bleu", "bleu"])


# With lmms-eval


@pytest.mark.filterwarnings("ignore")
def test_registered_metrics_have_an_aggregation_and_a_direction():
    registry = pytest.importorskip("lmms_eval.api.registry")
    names = lmms_eval.register(metrics=["cider_d", "rouge_l"], prefix="one_")
    assert names == ["one_cider_d", "one_rouge_l"]
    for name in names:
        assert registry.get_metric_aggregation(name) is registry.get_aggregation(name)
        assert registry.is_higher_better(name)
    assert registry.get_aggregation("one_rouge_l")(ITEMS) == SCORES["rouge_l"].value
    # Tasks without process_results pass one reference and one answer.
    pairs = [registry.get_metric("one_rouge_l")(references=["红色裙"], predictions=["红裙"])]
    assert registry.get_aggregation("one_rouge_l")(pairs) == lmms_eval.rouge_l([{"pred": "红裙", "answer": "红色裙"}])
    # utils.py is loaded for each of its functions; the last options count.
    lmms_eval.register(metrics=["rouge_l"], prefix="one_", tokenizer="whitespace")
    assert registry.get_aggregation("one_rouge_l")(ITEMS) == 0
    registry.register_aggregation("two_bleu")(len)
    with pytest.raises(ValueError, match=r"^lmms-eval has another metric named 'two_bleu'; pass another prefix$"):
        lmms_eval.register(metrics=["bleu"], prefix="two_")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_task_has_the_scores_of_score_captions(tmp_path, monkeypatch):
    model = pytest.importorskip("lmms_eval.api.model")
    evaluator = pytest.importorskip("lmms_eval.evaluator")
    tasks = pytest.importorskip("lmms_eval.tasks")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    rows = [json.dumps({"image_id": key, "captions": texts}) + "\n" for key, texts in REFERENCES.items()]
    (tmp_path / "task").mkdir()
    (tmp_path / "data.jsonl").write_text("".join(rows), "utf-8")
    (tmp_path / "task" / "utils.py").write_text(UTILS, "utf-8")
    (tmp_path / "task" / "tiny.yaml").write_text(TASK.format(data=tmp_path / "data.jsonl"), "utf-8")

    class Fixed(model.lmms):
        def generate_until(self, requests):
            return [PREDICTIONS[request.args[0]] for request in requests]

        def loglikelihood(self, requests):
            raise NotImplementedError

        generate_until_multi_round = loglikelihood

    found = evaluator.simple_evaluate(
        model=Fixed(),
        tasks=["tiny_captions"],
        task_manager=tasks.TaskManager(include_path=str(tmp_path / "task"), include_defaults=False),
        bootstrap_iters=0,
        force_simple=True,
    )["results"]["tiny_captions"]
    expected = {**SCORES.to_dict(), "bleu_1": SCORES["bleu"].parts["bleu_1"]}
    for name in ("cider_d", "bleu", "bleu_1", "rouge_l"):
        assert found[f"muge_{name},none"] == expected[name]
