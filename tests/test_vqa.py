"""Visual question answering: each protocol against its original, published files, and the task everywhere."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.scores import additive_statistics
from vqa_originals import CONTRACTIONS, ORIGINALS, normalize_evalai, normalize_vlmevalkit, normalize_vqa

SAMPLES = Path(mf.__file__).parent / "samples" / "vqa"
NORMALIZED = {"vqa-v2": normalize_vqa, "evalai": normalize_evalai, "vlmevalkit": normalize_vlmevalkit}

# Pieces that meet the rules: marks next to spaces or not, digits of other scripts, articles, contractions, numbers.
PIECES = [
    *[
        "a",
        "an",
        "the",
        "dont",
        "Dont",
        "somebody'd",
        "Im",
        "none",
        "two",
        "Ten",
        "10,000",
        "3,4",
        "３,４",
        "1.",
        ".5",
        "x.5",
        "u.s.a.",
        "...",
        "dog's",
        "'s",
    ],
    *[
        "红色",
        "红色裙子",
        "三件",
        "，",
        "。",
        "《书》",
        "ß",
        "İ",
        "ΑΣ",
        "ﬁ",
        "é",
        "\u0301",
        "\x1c",
        "\u3000",
        "\u2028",
        "🙂",
    ],
    *[" ", "  ", "\n", "\t", ",", ".", "?", "!", "-", "/", ";", "(", ")", "[", "_", "@", "`", '"', "\\", "<", ">"],
]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=6)


def one(protocol: str, prediction: str, answers: list[str]) -> float:
    return mf.vqa.score_answers({1: prediction}, {1: answers}, protocol=protocol)["vqa"].value


def annotators(**counts: int) -> list[str]:
    return [answer for answer, count in counts.items() for _ in range(count)]


# Golden values

# vqaEval.py (a013f00) under Python 3.11 with the prints removed.
OFFICIAL = [
    (annotators(yes=10), "yes", 1.0),
    (annotators(yes=10), "Yes.", 0.0),
    (annotators(red=3, blue=7), "red", 0.9),
    (annotators(red=4, blue=6), "red", 1.0),
    (annotators(red=1, blue=9), "red", 0.3),
    (annotators(red=2, blue=8), "red", 0.6),
    (["2"] * 5 + ["two"] * 5, "Two", 1.0),
    (["none"] * 3 + ["0"] * 7, "none", 1.0),
    (["a dog"] * 5 + ["dog"] * 5, "the dog", 1.0),
    (["no"] * 9 + ["the"], "", 0.3),
]


@pytest.mark.parametrize(("answers", "prediction", "value"), OFFICIAL)
def test_accuracy_of_vqa_is_as_recorded(answers, prediction, value):
    assert round(100 * one("vqa-v2", prediction, answers), 2) == 100 * value


def test_overall_accuracies_are_as_recorded():
    predictions = {index: prediction for index, (_, prediction, _) in enumerate(OFFICIAL)}
    answers = {index: answers for index, (answers, _, _) in enumerate(OFFICIAL)}
    official = mf.vqa.score_answers(predictions, answers)["vqa"]
    assert round(100 * official.value, 2) == 71.0
    # The second prediction is right where all answers are normalized.
    assert round(mf.vqa.score_answers(predictions, answers, protocol="evalai")["vqa"].value, 2) == 0.81


@pytest.mark.parametrize(
    ("protocol", "prediction", "answer", "value"),
    [
        ("anls", "hallo", "hello", 0.8),
        ("anls", "红裙子", "红色裙子", 0.75),
        ("anls", "ab", "abcd", 0.0),
        ("anls-inclusive", "ab", "abcd", 0.5),
        ("anls", "xyz", "abc", 0.0),
    ],
)
def test_similarities_are_as_recorded(protocol, prediction, answer, value):
    assert one(protocol, prediction, [answer]) == value


def test_contractions_are_those_of_the_original():
    # SHA-256 of json.dumps(VQAEval(...).contractions, sort_keys=True) of vqaEval.py, a013f00.
    text = json.dumps(CONTRACTIONS, sort_keys=True)
    assert len(CONTRACTIONS) == 120
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "52771f672b95913f862aae058e42219f9e1e4d7af64475a5cdf394301acf67a9"
    )


# Originals


@pytest.mark.parametrize("protocol", ORIGINALS)
@settings(max_examples=1_500, deadline=None)
@given(data=st.data())
def test_each_protocol_has_the_bits_of_its_original(protocol, data):
    count = 10 if protocol == "evalai" else data.draw(st.integers(1, 6))
    answers = data.draw(st.lists(texts, min_size=count, max_size=count))
    prediction = data.draw(texts | st.sampled_from(answers))
    assert one(protocol, prediction, answers) == ORIGINALS[protocol](prediction, answers)


@pytest.mark.parametrize("protocol", NORMALIZED)
@settings(max_examples=1_500, deadline=None)
@given(text=texts)
def test_normalized_answers_are_those_of_the_original(protocol, text):
    assert mf.vqa.normalize_answers([text], protocol=protocol) == [NORMALIZED[protocol](text)]


@settings(max_examples=1_000, deadline=None)
@given(prediction=texts, answers=st.lists(texts, min_size=1, max_size=4))
def test_anls_is_that_of_the_package(prediction, answers):
    anls = pytest.importorskip("anls", reason="the package anls is not installed")
    assert one("anls", prediction, answers) == anls.anls_score(prediction, answers)


def test_long_answers_have_the_similarity_of_the_definition():
    random = np.random.default_rng(7)
    for length in (63, 64, 65, 200, 500):
        answer = "".join(random.choice(list("红白黑a"), length))
        places = random.choice(length, length // 5, replace=False)
        prediction = "".join("x" if index in places else c for index, c in enumerate(answer))
        for protocol in ("anls", "anls-inclusive"):
            assert one(protocol, prediction, [answer]) == ORIGINALS[protocol](prediction, [answer])


# The package's own protocol


@pytest.mark.parametrize(
    ("prediction", "answer"),
    [
        ("３件。", "三件"),
        ("十二！", "12"),
        ("ＮＩＫＥ 红色", "nike红色"),
        ("1,000元", "一千元"),
        ("红色，蓝色", "红色蓝色"),
    ],
)
def test_chinese_answers_are_equal_under_their_own_protocol_alone(prediction, answer):
    assert one("muge-zh", prediction, [answer]) == 1
    assert one("exact", prediction, [answer]) == 0


@given(text=texts)
def test_chinese_normalization_ignores_what_stands_around_an_answer(text):
    plain, surrounded = mf.vqa.normalize_answers([text, f" 《{text}》。 "], protocol="muge-zh")
    assert plain == surrounded


# Scores


def sample_scores(protocol="vqa-v2", threads=None):
    random = np.random.default_rng(3)
    answers = {key: [str(value) for value in random.integers(0, 4, 10)] for key in range(1_000)}
    predictions = {key: str(value) for key, value in enumerate(random.integers(0, 4, 1_000))}
    types = {"question_type": {key: f"t{key % 3}" for key in range(900)}}
    return mf.vqa.score_answers(predictions, answers, protocol=protocol, groups=types, threads=threads)


def test_rows_have_one_column_and_merge_to_the_same_bits():
    random = np.random.default_rng(5)
    answers = {key: [str(value) for value in random.integers(0, 4, 10)] for key in range(301)}
    predictions = {key: str(value) for key, value in enumerate(random.integers(0, 4, 301))}
    whole = mf.vqa.score_answers(predictions, answers)
    shards = [
        mf.vqa.score_answers({key: predictions[key] for key in keys}, {key: answers[key] for key in keys})
        for keys in (range(100), range(100, 101), range(101, 301))
    ]
    merged = mf.Scores.merge(shards)
    assert whole["vqa"].statistics.columns == ("vqa",)
    assert merged["vqa"].value == whole["vqa"].value
    assert merged.ids == whole.ids
    assert additive_statistics(whole["vqa"]).is_mean


def test_scores_do_not_depend_on_threads():
    assert sample_scores(threads=1) == sample_scores(threads=7)


def test_parts_are_means_of_groups():
    score = sample_scores()["vqa"]
    for part in range(3):
        items = [index for index in range(900) if index % 3 == part]
        assert score.parts[f"question_type:t{part}"] == pytest.approx(score.per_item[items].mean(), abs=1e-15)
    assert set(score.parts) == {f"question_type:t{part}" for part in range(3)}


def test_scores_pickle():
    assert pickle.loads(pickle.dumps(sample_scores())) == sample_scores()  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("predictions", "references", "options", "error", "message"),
    [
        ({1: "a"}, {1: []}, {}, ValueError, r"references\[1\] is empty"),
        ({1: "a"}, {1: ["a"]}, {"protocol": "evalai"}, ValueError, r"references\[1\] has 1 answers.*exactly 10"),
        ({1: "a"}, {1: ["a"]}, {"protocol": "anls2"}, ValueError, "anls"),
        ({1: 7}, {1: ["a"]}, {}, TypeError, r"predictions\[1\]: expected str, found int"),
        ({1: "a"}, {1: "abc"}, {}, TypeError, r"references\[1\]: expected a list of str, found str"),
        ({1: "a"}, {1: ["a", 3]}, {}, TypeError, r"references\[1\]\[1\]: expected str, found int"),
        ({1: "\ud800"}, {1: ["a"]}, {}, ValueError, r"predictions\[1\]: lone surrogate"),
        ({2: "a"}, {1: ["a"]}, {}, ValueError, "predictions lack 1 id of references: 1"),
        ({}, {}, {}, ValueError, "references are empty"),
    ],
)
def test_wrong_input_is_named(predictions, references, options, error, message):
    with pytest.raises(error, match=message):
        mf.vqa.score_answers(predictions, references, **options)


# Files


def annotations(count=6):
    answers = [{"answer_id": number, "answer": "红色" if number < 3 else "蓝色"} for number in range(10)]
    entry = {"question_type": "what color", "answer_type": "other", "image_id": 1, "answers": answers}
    document = {"info": {}, "annotations": [{**entry, "question_id": key} for key in range(count)]}
    return json.loads(json.dumps(document))


def write(path, value, **options):
    path.write_text(json.dumps(value, ensure_ascii=False, **options), encoding="utf-8")
    return path


@pytest.mark.parametrize("indent", [None, 1])
def test_files_of_vqa_are_read_by_the_task_and_by_functions(tmp_path, indent):
    gold = write(tmp_path / "gold.json", annotations(), indent=indent)
    results = write(tmp_path / "r.json", [{"question_id": key, "answer": "红色"} for key in range(6)], indent=indent)
    questions = write(tmp_path / "q.json", {"questions": [{"question_id": 0, "question": "什么颜色？"}]})
    report = mf.evaluate("vqa", gold, results)
    assert report.official()["score"] == pytest.approx(90)
    assert report.scores["vqa"].parts == pytest.approx({"question_type:what color": 0.9, "answer_type:other": 0.9})
    read = mf.vqa.read_annotations(gold, questions=questions)
    assert read.questions == {0: "什么颜色？"}
    scores = mf.vqa.score_answers(mf.vqa.read_results(results), read.answers, groups=read.groups)
    assert scores == report.scores


@pytest.mark.parametrize("name", ["question_id", "questionId"])
def test_files_of_docvqa_and_textvqa_are_read(tmp_path, name):
    rows = [{name: 7, "question": "价格？", "answers": ["39元", "39"], "question_types": ["form", "table/list"]}]
    gold = write(tmp_path / "gold.json", {"dataset_name": "x", "data": rows})
    results = write(tmp_path / "results.json", [{name: 7, "answer": '"questionId": 39元'}])
    report = mf.evaluate("vqa", gold, results, protocol="contains")
    assert report.official()["score"] == 100
    assert list(report.scores["vqa"].parts) == ["question_type:form/table/list"]
    assert report.texts == {7: "价格？"}


def test_answers_without_number_are_refused(tmp_path):
    document = annotations()
    for answer in document["annotations"][2]["answers"]:
        del answer["answer_id"]
    gold = write(tmp_path / "gold.json", document)
    with pytest.raises(ValueError, match=r"annotations\[2\] has an answer without answer_id"):
        mf.vqa.read_annotations(gold)
    with pytest.raises(mf.GoldError, match="line 3"):
        mf.evaluate("vqa", gold, gold)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"question_id": 0, "answer": "a"}, {"question_id": 0, "answer": "a"}]', "line 2: question_id 0 occurs more"),
        ('[{"question_id": 0, "answer": "a", "answer": "b"}]', "line 1: field 'answer' occurs more than once"),
        ('[{"question_id": "0", "answer": "a"}]', "line 1: question_id is '0', expected an integer"),
        ('[{"question_id": 0, "answer": ["a"]}]', "line 1: question_id 0: answer is "),
        ('[{"question_id": 0}]', "line 1: question_id 0: field answer is missing|line 1: field answer is missing"),
        ('[{"question_id": 0, "answer": NaN}]', "line 1: NaN is not a valid JSON number"),
        ('[{"question_id": 9, "answer": "a"}]', "question_id 9 is not in the gold file"),
        ('[{"question_id": 0, "answer": "a"}', "JSON"),
        ('[{"question_id": 0, "answer": {"x": [1]}}]', "JSON"),
        ("[]", "no rows|JSON"),
        ("[[[[", "JSON"),
    ],
)
def test_every_problem_of_results_is_reported(tmp_path, text, problem):
    gold = write(tmp_path / "gold.json", annotations(2))
    results = tmp_path / "results.json"
    results.write_text(text, encoding="utf-8")
    errors = "\n".join(mf.evaluate("vqa", gold, results).errors)
    assert errors
    assert any(part in errors for part in problem.split("|"))


def test_results_that_do_not_end_are_refused_in_linear_time(tmp_path):
    gold = write(tmp_path / "gold.json", annotations(2))
    results = tmp_path / "results.json"
    for data in (
        b"[" + b'{"a":"' * 300_000,
        b"[" + b'{"a" ' * 300_000,
        b'[{"a": "' + b"\\" * 2_000_001,
        b"[{" * 500_000,
    ):
        results.write_bytes(data)
        assert not mf.evaluate("vqa", gold, results).ok


# The task everywhere

SYSTEMS = ("template", "base", "large")


@pytest.mark.parametrize("task", ["vqa", "vcr"])
def test_samples_are_evaluated_and_compared(task, tmp_path):
    folder = SAMPLES.parent / task
    gold = next(folder.glob("*_sample.jsonl"))
    reports = {name: mf.evaluate(task, gold, folder / f"{gold.stem}.pred.{name}.jsonl") for name in SYSTEMS}
    values = [report.official()["score"] for report in reports.values()]
    assert values == sorted(values)
    assert 0 <= values[0] < values[-1] <= 100
    main = mf.tasks.get(task).main
    comparison = mf.compare(reports, [main])
    assert comparison[main].ranks["large"].low == 1
    reports["large"].to_html(path=tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 10_000
    prepared = mf.evaluation.prepare(task, gold)
    assert prepared.evaluate(folder / f"{gold.stem}.pred.base.jsonl").scores == reports["base"].scores


def test_the_command_takes_the_protocols_of_the_task(tmp_path):
    files = ["-g", str(SAMPLES / "VQA_sample.jsonl"), "-s", str(SAMPLES / "VQA_sample.pred.base.jsonl")]
    run = CliRunner().invoke
    assert run(main, ["score", "vqa", *files, "--protocol", "ANLS", "--json"]).exit_code == 0
    wrong = run(main, ["score", "vqa", *files, "--protocol", "tf1"])
    assert wrong.exit_code == 2
    assert "unknown protocol 'tf1', choose from vqa-v2, evalai" in wrong.output
    assert "--protocol is an option of t2i and vqa" in run(main, ["score", "vcr", *files, "--protocol", "anls"]).output
    official = tmp_path / "official.json"
    assert run(main, ["score", "vqa", *files, "--official", str(official)]).exit_code == 0
    assert json.loads(official.read_text())["success"]


# VCR


def test_choices_are_the_highest_scores_given_the_right_answer():
    scores = [[0.1, 0.9, 0.9, 0], [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]]
    for labels, expected in [([1, 3], (1, 1, 1)), ([2, 1], (0, 1, 0)), ([3, 0], (0, 1, 0)), ([0, 1], (0, 0, 0))]:
        found = mf.vqa.score_choices({"a": scores}, {"a": labels})
        assert tuple(found[name].value for name in ("q_a", "qa_r", "q_ar")) == expected


@pytest.mark.parametrize(
    ("prediction", "error", "message"),
    [
        ([0, 4], ValueError, "needs 0 to 3"),
        ([0], ValueError, "not a pair"),
        ([0, True], TypeError, "found bool"),
        ([[1, 2, 3], [[0] * 4] * 4], ValueError, r"shape \(3,\)"),
        ([[1, 2, 3, float("nan")], [[0] * 4] * 4], ValueError, "not finite"),
    ],
)
def test_wrong_choices_are_named(prediction, error, message):
    with pytest.raises(error, match=message):
        mf.vqa.score_choices({"a": prediction}, {"a": [0, 0]})


def test_files_of_vcr_are_read(tmp_path):
    from muge_fast.vqa.official_files import VCR_COLUMNS  # noqa: PLC0415 - of this test alone

    random = np.random.default_rng(11)
    rows = {f"val-{index}": random.random(20).round(6).tolist() for index in range(50)}
    labels = {key: random.integers(0, 4, 2).tolist() for key in rows}
    gold = tmp_path / "val.jsonl"
    lines = [
        json.dumps({"annot_id": key, "answer_label": answer, "rationale_label": rationale, "img_id": "x"})
        for key, (answer, rationale) in labels.items()
    ]
    gold.write_text("\n".join(lines))
    csv = tmp_path / "submission.csv"
    body = "".join(f"{key},{','.join(map(str, row))}\n" for key, row in rows.items())
    csv.write_text(f"{','.join(VCR_COLUMNS)}\n{body}")
    report = mf.evaluate("vcr", gold, csv)
    assert report.ok, report.errors
    right = both = 0
    for key, (answer, rationale) in labels.items():
        row = rows[key]
        start = 4 + 4 * answer
        is_rationale = row[start:][:4].index(max(row[start:][:4])) == rationale
        right += is_rationale
        both += is_rationale and row[:4].index(max(row[:4])) == answer
    assert report.scores["qa_r"].value == pytest.approx(right / 50, abs=1e-15)
    assert report.scores["q_ar"].value == pytest.approx(both / 50, abs=1e-15)
    csv.write_text(f"{','.join(VCR_COLUMNS)}\nval-0,{','.join('abcd')},{','.join('0' * 16)}\n")
    assert "line 1: annot_id val-0: choice is " in mf.evaluate("vcr", gold, csv).errors[0]
