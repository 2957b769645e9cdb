"""The command ``muge-fast compare``: names of systems, tables, JSON, files, exit codes, clusters, both languages."""

import json
import os
import re
import threading
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.input_files import NamedFile
from muge_fast.cli.main import main
from muge_fast.cli.system_names import system_names

SAMPLES = Path(str(files("muge_fast"))) / "samples"
GOLD = SAMPLES / "caption" / "IC_sample.jsonl"
SYSTEMS = {name: SAMPLES / "caption" / f"IC_sample.pred.{name}.jsonl" for name in ("template", "base", "large")}
QUERIES = SAMPLES / "retrieval" / "MR_sample_queries.jsonl"
HOSTILE_NAME = "a\x1b[2J\u202e|b`]("


def run(*arguments, **options):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], **options)


def named(systems=("base", "large")):
    return [f"{name}={SYSTEMS[name]}" for name in systems]


def compare_captions(*options, systems=("base", "large"), **more):
    return run("caption", "--gold", GOLD, *named(systems), *options, **more)


def error_of(result):
    """Return the last line of a command that was used wrongly."""
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output.splitlines()[-1]


def row(system, text):
    """Return the cells of a system in the first table."""
    line = next(line for line in text.splitlines() if re.match(rf"\S+(?: =)? +{re.escape(system)} ", line))
    return re.split(r" {2,}", line.strip())


# Names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.jsonl", "runs/b.jsonl", "c"], ["a", "b", "c"]),
        (["runs/a/pred.jsonl", "runs/b/pred.jsonl", "c.jsonl"], ["a/pred", "b/pred", "c"]),
        (["pred.jsonl", "a/pred.jsonl"], ["pred", "a/pred"]),
        (["/x/1/a/pred.jsonl", "/x/2/a/pred.jsonl"], ["1/a/pred", "2/a/pred"]),
        (["pred.jsonl", "pred.txt"], ["pred.jsonl", "pred.txt"]),
        (["../pred.jsonl", "pred.jsonl"], ["../pred", "pred"]),
        (["IC.pred.base.jsonl", "IC.pred.large.jsonl"], ["IC.pred.base", "IC.pred.large"]),
    ],
)
def test_systems_are_named_after_their_files(paths, names):
    assert system_names([NamedFile(Path(path)) for path in paths]) == names


def test_given_names_are_kept_and_others_give_way():
    assert system_names([NamedFile(Path("x"), "base"), NamedFile(Path("runs/base.jsonl"))]) == ["base", "runs/base"]


def test_two_systems_of_one_name_are_wrong_usage():
    result = run("caption", "-g", GOLD, SYSTEMS["base"], SYSTEMS["base"])
    assert "two submissions have the name" in error_of(result)
    assert "as NAME=FILE" in error_of(result)
    result = run("caption", "-g", GOLD, f"a={SYSTEMS['base']}", f"a={SYSTEMS['large']}")
    assert error_of(result) == "Error: two submissions have the name a; give one of them another, as NAME=FILE"


def test_an_equals_sign_in_the_name_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "lr=0.1"
    folder.mkdir()
    for path, system in ((folder / "pred.jsonl", "base"), (tmp_path / "lr=0.2.jsonl", "large")):
        path.write_bytes(SYSTEMS[system].read_bytes())
    result = run("caption", "-g", GOLD, "lr=0.1/pred.jsonl", "lr=0.2.jsonl", "--json")
    assert json.loads(result.stdout)["systems"] == ["pred", "lr=0.2"]
    result = run("caption", "-g", GOLD, "x=lr=0.1/pred.jsonl", "./lr=0.2.jsonl", "--json")
    assert json.loads(result.stdout)["systems"] == ["x", "lr=0.2"]


def test_empty_names_and_missing_files_are_wrong_usage():
    assert error_of(run("caption", "-g", GOLD, "=x", SYSTEMS["base"])) == (
        "Error: the name in =x is empty, expected NAME=FILE"
    )
    for argument, path in (("nowhere", "nowhere"), ("a=nowhere", "nowhere"), ("a/b=nowhere", "a/b=nowhere")):
        message = f"Error: SUBMISSION {path}: no such file"
        assert error_of(run("caption", "-g", GOLD, argument, SYSTEMS["base"])) == message


def test_fewer_than_two_systems_are_wrong_usage():
    assert error_of(run("caption", "-g", GOLD)) == "Error: SUBMISSION is missing"
    message = "Error: a comparison needs at least two submissions, got 1"
    assert error_of(run("caption", "-g", GOLD, SYSTEMS["base"])) == message


# Results


def test_the_table_has_the_numbers_of_the_library():
    result = compare_captions("--metric", "bleu", "--metric", "cider_d", "--resamples", "500", "--seed", "7")
    assert result.exit_code == 0, result.output
    reports = {name: mf.evaluate("caption", GOLD, SYSTEMS[name]) for name in ("base", "large")}
    expected = mf.compare(reports, ["bleu", "cider_d"], resamples=500, seed=7)
    for block in expected.table().rstrip("\n").split("\n\n\n"):
        assert block in result.stdout
    assert expected.signature in result.stdout
    assert expected["bleu"].signature in result.stdout
    # In the unit of the official result.
    assert row("large", result.stdout)[:3] == ["1", "large", f"{reports['large'].official()['scoreJson']['bleu4']:.2f}"]


def test_the_table_fits_into_100_columns():
    lines = compare_captions(systems=SYSTEMS).stdout.partition("Signatures")[0].splitlines()
    assert max(map(len, lines)) <= 100


def test_all_metrics_of_a_task_are_compared():
    result = run("retrieval", "-g", QUERIES, *(SAMPLES / "retrieval").glob("MR_sample.pred.*.jsonl"))
    assert result.exit_code == 0
    for title in ("MeanRecall", "Recall@1", "Recall@5", "Recall@10"):
        assert f"{title} ↑ (times 100, 64 items)" in result.stdout
    folder = SAMPLES / "classification"
    result = run("classification", "-g", folder / "CC_sample.jsonl", *folder.glob("CC_sample.pred.*.jsonl"))
    assert result.exit_code == 0
    assert "Macro-F1 ↑ (times 100," in result.stdout


def test_other_metrics_of_captions_are_compared_on_request():
    result = compare_captions("--metric", "METEOR", "--metric", "rouge_l", systems=SYSTEMS)
    assert result.exit_code == 0, result.output
    assert re.findall(r"^(\S+) ↑ \(times 100, 64 items\)", result.stdout, re.MULTILINE) == ["METEOR", "ROUGE-L"]
    expected = mf.evaluate("caption", GOLD, SYSTEMS["large"], metrics=("cider_d", "meteor")).scores["meteor"].value
    assert row("large", result.stdout)[2] == f"{100 * expected:.2f}"


def test_the_first_system_is_compared_with_a_baseline():
    result = compare_captions("--baseline", "template", "--metric", "rouge_l", systems=SYSTEMS)
    assert "vs template" in result.stdout
    assert "Only pairs with template were compared" in result.stdout
    assert "= tied" not in result.stdout
    assert row("template", result.stdout)[-1].endswith("]")


def test_a_correction_that_controls_no_family_claims_nothing_about_ranks():
    options = "--metric", "rouge_l", "--correction"
    assert "hold at once" in compare_captions(*options, "holm", systems=SYSTEMS).stdout
    result = compare_captions(*options, "none", systems=SYSTEMS)
    assert "hold at once" not in result.stdout
    assert "adjusted p" not in result.stdout
    assert "The p-values are not adjusted for the number of pairs." in result.stdout


def test_json_is_that_of_the_library_with_the_files():
    found = json.loads(compare_captions("--json", "--metric", "cider_d").stdout)
    reports = {name: mf.evaluate("caption", GOLD, SYSTEMS[name]) for name in ("base", "large")}
    expected = mf.compare(reports, ["cider_d"]).to_dict()
    assert {key: found[key] for key in expected} == json.loads(json.dumps(expected))
    assert (found["ok"], found["task"]) == (True, "caption")
    assert found["gold"] == reports["base"].files["gold"].to_dict()
    assert found["submissions"] == {name: report.files["submission"].to_dict() for name, report in reports.items()}


def test_identical_submissions_are_a_warning():
    result = run("caption", "-g", GOLD, f"a={SYSTEMS['base']}", f"b={SYSTEMS['base']}")
    assert result.exit_code == 0
    assert result.stderr == "Warning: the submissions of a and b are identical\n"
    assert row("b", result.stdout)[:2] == ["1–2", "b"]


def test_a_warning_about_one_system_names_it(tmp_path):
    path = tmp_path / "noted.jsonl"
    rows = [json.loads(line) for line in SYSTEMS["base"].read_text("utf-8").splitlines()]
    rows[0]["note"] = "x"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run("caption", "-g", GOLD, path, *named())
    assert re.findall(r"^Warning: (.*?): ", result.stderr, re.MULTILINE) == ["noted"]
    result = run("caption", "-g", GOLD, *named(), "--tokenizer", "char")
    warnings = [line for line in result.stderr.splitlines() if "tokenizer" in line]
    assert len(warnings) == 1
    assert "base" not in warnings[0]


def test_dashes_and_arrows_are_replaced_where_they_cannot_be_printed():
    arguments = ["compare", "caption", "-g", str(GOLD), f"a={SYSTEMS['base']}", f"b={SYSTEMS['base']}"]
    result = CliRunner(charset="ascii").invoke(main, arguments)
    assert result.exit_code == 0
    assert row("a", result.stdout)[:2] == ["1-2", "a"]
    assert "CIDEr-D (times 100, 64 items)" in result.stdout


# Clusters


def clusters_file(folder, keys):
    path = folder / "clusters.tsv"
    path.write_text("".join(f"{key}\t{cluster}\n" for key, cluster in keys.items()), encoding="utf-8")
    return path


@pytest.mark.parametrize("task", ["caption", "retrieval"])
def test_clusters_are_matched_by_id_and_others_are_ignored(tmp_path, task):
    gold = {"caption": GOLD, "retrieval": QUERIES}[task]
    name = {"caption": "IC_sample", "retrieval": "MR_sample"}[task]
    paths = {system: SAMPLES / task / f"{name}.pred.{system}.jsonl" for system in ("base", "large")}
    reports = {system: mf.evaluate(task, gold, path) for system, path in paths.items()}
    ids = reports["base"].scores.ids
    keys = {key: f"user {index // 4}" for index, key in enumerate(ids)}
    path = clusters_file(tmp_path, dict(reversed([*keys.items(), ("99999999", "user 1")])))
    main_metric = reports["base"].task.main
    arguments = task, "-g", gold, *(f"{system}={path}" for system, path in paths.items()), "--metric", main_metric
    found = json.loads(run(*arguments, "--clusters", path, "--json").stdout)
    expected = mf.compare(reports, [main_metric], clusters=[keys[key] for key in ids])
    assert found["metrics"] == json.loads(json.dumps(expected.to_dict()["metrics"]))
    assert "clusters:16|" in found["signature"]


def test_files_of_clusters_are_checked(tmp_path):
    ids = list(mf.read_captions(GOLD))
    cases = {
        "".join(f"{key}\tx\n" for key in ids): "all items are in one cluster, needs at least two clusters",
        "".join(f"{key}\t{key}\n" for key in ids[1:]): f"--clusters lack 1 id of the gold file: '{ids[0]}'",
        f"{ids[0]}\n": "line 1: needs an id, a tab and a key, got",
        f"{ids[0]}\ta\n{ids[0]}\tb\n": f"line 2: id '{ids[0]}' occurs more than once",
    }
    path = tmp_path / "clusters.tsv"
    for content, message in cases.items():
        path.write_text(content, encoding="utf-8")
        assert message in error_of(compare_captions("--clusters", path))


# Invalid submissions


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.jsonl"
    lines = SYSTEMS["base"].read_text("utf-8").splitlines()
    lines[2] = '{"image_id": "x"}'
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_errors_are_printed_under_the_name_of_each_invalid_system(broken):
    result = run("caption", "-g", GOLD, broken, *named(), f"gold={GOLD}")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "broken is invalid: 3 problems"
    assert lines[1].startswith("  line 3: ")
    assert "gold is invalid: 65 problems" in lines
    assert "base" not in result.stdout.replace(str(broken), "")
    assert "CIDEr" not in result.stdout


def test_invalid_systems_in_json(broken):
    found = json.loads(run("caption", "-g", GOLD, broken, *named(), "--json").stdout)
    assert (found["ok"], list(found["invalid"])) == (False, ["broken"])
    assert found["invalid"]["broken"]["problem_count"] == 3


def test_no_output_is_written_for_invalid_systems(broken, tmp_path):
    outputs = "--html", tmp_path / "r.html", "--markdown", tmp_path / "r.md"
    assert run("caption", "-g", GOLD, broken, *named(), *outputs).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.jsonl"]


def test_a_broken_gold_file_is_exit_code_2(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text("{", encoding="utf-8")
    assert error_of(run("caption", "-g", gold, *named())).startswith(f"Error: gold file {gold}: ")


@pytest.mark.parametrize("task", ["caption", "retrieval"])
@pytest.mark.parametrize("is_valid", [True, False])
def test_the_gold_file_is_opened_once(tmp_path, monkeypatch, task, is_valid):
    samples = SAMPLES / task
    gold = tmp_path / "gold.jsonl"
    gold.write_bytes((GOLD if task == "caption" else QUERIES).read_bytes())
    systems = sorted(samples.glob("*.pred.*"))
    assert len(systems) == 3
    if not is_valid:
        broken = tmp_path / "broken.jsonl"
        broken.write_bytes(systems[0].read_bytes().partition(b"\n")[2])
        systems.append(broken)
    opened = []
    sys_open = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest, **options: (opened.append(path), sys_open(path, *rest, **options))[1]
    )
    result = run(task, "-g", gold, *systems)
    assert result.exit_code == (0 if is_valid else 1), result.output
    assert [Path(os.fsdecode(path)) for path in opened if isinstance(path, (str, bytes, os.PathLike))].count(gold) == 1


def test_results_are_those_of_each_system_evaluated_alone():
    systems = {name: mf.evaluate("caption", GOLD, path) for name, path in SYSTEMS.items()}
    found = json.loads(compare_captions("--json", systems=SYSTEMS).stdout)
    assert found["submissions"].keys() == systems.keys()
    expected = json.loads(json.dumps(mf.compare(systems).to_dict()))
    assert {name: found[name] for name in expected} == expected


def test_swapped_files_are_named():
    result = run("caption", "-g", SYSTEMS["base"], f"a={GOLD}", *named())
    with pytest.raises(mf.GoldError) as caught:
        mf.evaluate("caption", SYSTEMS["base"], GOLD)
    assert error_of(result) == f"Error: {caught.value}"
    assert "swapped" in str(caught.value)


def test_a_broken_gold_file_is_reported_in_chinese(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text("{", encoding="utf-8")
    with pytest.raises(mf.GoldError) as caught:
        mf.evaluate("caption", gold, SYSTEMS["base"], lang="zh")
    assert caught.value.errors[0] in error_of(run("caption", "-g", gold, *named(), "--lang", "zh"))


def test_all_images_are_checked_before_any_is_scored(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    good, bad = tmp_path / "good.tsv", tmp_path / "bad.tsv"
    good.write_text(f"a\t{pixel}\nb\t{pixel}\n")
    bad.write_text(f"a\t{pixel}\nb\tAAAA\n")
    scored = "muge_fast.evaluation.prepared.PreparedEvaluation.evaluate"
    monkeypatch.setattr(scored, lambda *_, **__: pytest.fail("it was scored"))
    result = run("t2i", "-g", good, good, bad)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "bad is invalid: 1 problem")


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metric", "CIDEr-D"), "--metric: unknown metric 'CIDEr-D', did you mean cider_d?"),
        (("--metric", "mrr"), "--metric: unknown metric 'mrr', choose from cider_d, bleu, rouge_l"),
        (("--baseline", "lrge"), "--baseline: unknown system 'lrge', did you mean large?"),
        (("--level", "95"), "--level: must be a number between 0 and 1, such as 0.95, got '95'"),
        (("--level", "nan"), "--level: must be a number between 0 and 1, such as 0.95, got 'nan'"),
        (("--test", "wilcoxon"), "--test: unknown test 'wilcoxon', choose from auto, sign_flip, swap"),
        (("--correction", "holms"), "--correction: unknown correction 'holms', did you mean holm?"),
        (("--resamples", "30"), "--resamples must be at least 40 for level 0.95, got 30"),
        (("--resamples", "0"), "--resamples: must be an integer of at least 1, got '0'"),
        (("--seed", "-1"), "--seed: must be an integer of at least 0, got '-1'"),
        (("--date", "2026"), "--date needs --html too"),
        (("--protocol", "clean"), "--protocol is an option of t2i and vqa, not of caption"),
        (("--pool", GOLD), "--pool is an option of retrieval, not of caption"),
        (("--image-feats", GOLD), "--image-feats is an option of score and top-k, not of compare"),
        (("--submission", GOLD), "--submission is an option of score and check, not of compare"),
    ],
)
def test_values_of_options_are_checked_before_any_work(monkeypatch, options, message):
    monkeypatch.setattr("muge_fast.cli.compare.prepare", lambda *_, **__: pytest.fail("the gold file was read"))
    assert error_of(compare_captions(*options)).startswith(f"Error: {message}")


def test_a_test_that_does_not_fit_a_metric_is_named():
    message = "Error: the test sign_flip cannot be used for bleu, choose from auto, swap, bootstrap"
    assert error_of(compare_captions("--test", "sign_flip")) == message
    assert compare_captions("--test", "sign_flip", "--metric", "rouge_l").exit_code == 0


def test_r_precision_needs_texts():
    result = run("t2i", "-g", GOLD, *named(), "--metric", "r_precision")
    assert error_of(result) == "Error: --metric r_precision needs --texts too"


def test_one_sided_tests_have_half_the_p_value():
    p_values = {}
    for alternative in ("two-sided", "greater"):
        options = "--metric", "cider_d", "--test", "t", "--alternative", alternative, "--json"
        pair = json.loads(compare_captions(*options, systems=("large", "base")).stdout)["metrics"]["cider_d"]["pairs"][
            0
        ]
        p_values[alternative] = pair["p"]
    assert p_values["greater"] == pytest.approx(p_values["two-sided"] / 2)


# Files


def test_outputs_are_written_and_announced(tmp_path):
    page, table = tmp_path / "r.html", tmp_path / "r.md"
    result = compare_captions("--html", page, "--markdown", table, "--date", "2026-11-27", "--metric", "bleu")
    assert result.stderr.splitlines() == [f"wrote {page}", f"wrote {table}"]
    reports = {name: mf.evaluate("caption", GOLD, SYSTEMS[name]) for name in ("base", "large")}
    expected = mf.compare(reports, ["bleu"])
    assert table.read_text("utf-8") == expected.to_markdown()
    assert "2026-11-27" in page.read_text("utf-8")


@pytest.mark.parametrize("option", ["--html", "--markdown"])
@pytest.mark.parametrize("replaced", ["gold.jsonl", "base.jsonl", "large.jsonl", "link.jsonl", "clusters.tsv"])
def test_outputs_never_replace_inputs(tmp_path, option, replaced):
    contents = {"gold": GOLD.read_bytes(), **{name: SYSTEMS[name].read_bytes() for name in ("base", "large")}}
    for name, content in contents.items():
        (tmp_path / f"{name}.jsonl").write_bytes(content)
    (tmp_path / "clusters.tsv").write_text("a\tb\n")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "large.jsonl")
    systems = tmp_path / "base.jsonl", f"x={tmp_path / 'large.jsonl'}", "--clusters", tmp_path / "clusters.tsv"
    result = run("caption", "-g", tmp_path / "gold.jsonl", *systems, option, tmp_path / replaced)
    name = {"gold.jsonl": "--gold", "clusters.tsv": "--clusters"}.get(replaced, "SUBMISSION")
    message = f"Error: {option} {tmp_path / replaced} is the file of {name}, which would be replaced"
    assert error_of(result) == message
    assert (tmp_path / "large.jsonl").read_bytes() == contents["large"]


def test_one_file_comes_from_standard_input():
    expected = json.loads(compare_captions("--json", "--metric", "bleu").stdout)["metrics"]["bleu"]["systems"]
    arguments = "caption", "-g", GOLD, "-", f"large={SYSTEMS['large']}", "--json", "--metric", "bleu"
    found = json.loads(run(*arguments, input=SYSTEMS["base"].read_bytes()).stdout)
    assert found["systems"] == ["stdin", "large"]
    assert list(found["metrics"]["bleu"]["systems"].values()) == list(expected.values())
    result = run("caption", "-g", "-", *named(), "--json", "--metric", "bleu", input=GOLD.read_bytes())
    assert json.loads(result.stdout)["metrics"]["bleu"]["systems"] == expected
    for arguments, names in (
        (("-g", "-", "-", SYSTEMS["base"]), "SUBMISSION and --gold"),
        (("-g", GOLD, "a=-", "-"), "SUBMISSION and SUBMISSION"),
    ):
        message = f"Error: standard input can be read only once, not for {names}"
        assert error_of(run("caption", *arguments)) == message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipes_are_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=lambda: pipe.write_bytes(SYSTEMS["large"].read_bytes()), daemon=True)
    thread.start()
    result = run("caption", "-g", GOLD, f"base={SYSTEMS['base']}", pipe, "--json", "--metric", "bleu")
    thread.join(timeout=10)
    assert json.loads(result.stdout)["systems"] == ["base", "pipe"]


# Names and languages


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_are_visible_text(tmp_path, lang):
    table, page = tmp_path / "r.md", tmp_path / "r.html"
    path = tmp_path / "x\x1b[2J\u202e.jsonl"
    path.write_bytes(SYSTEMS["base"].read_bytes())
    arguments = "caption", "-g", GOLD, f"{HOSTILE_NAME}={SYSTEMS['large']}", path, "--metric", "bleu"
    result = run(*arguments, "--markdown", table, "--html", page, "--lang", lang)
    assert result.exit_code == 0, result.output
    for text in (result.output, table.read_text("utf-8")):
        assert all(letter.isprintable() for line in text.splitlines() for letter in line)
        assert r"a\x1b[2J\u202e|b`](" in text.replace("\\|", "|")
    assert "\x1b" not in page.read_text("utf-8")
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["systems"] == [HOSTILE_NAME, "x\x1b[2J\u202e"]
    message = error_of(run(*arguments, "--baseline", "b\x1b"))
    assert "\x1b" not in message


@pytest.mark.skipif(os.name != "posix", reason="names of bytes")
def test_a_name_that_is_not_unicode_is_shown_as_an_escape(tmp_path):
    path = Path(os.fsdecode(bytes(tmp_path) + b"/\xff.jsonl"))
    path.write_bytes(SYSTEMS["base"].read_bytes())
    result = run("caption", "-g", GOLD, path, *named(), "--metric", "bleu", "--html", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    assert r"\udcff" in result.stdout


def test_everything_is_in_chinese():
    result = compare_captions("--metric", "cider_d", "--lang", "zh", systems=SYSTEMS)
    text = result.stdout.partition("签名")[0]
    for words in (
        "商品图像描述",
        "标准答案",
        "CIDEr-D ↑（乘以 100，64 个条目）",
        "名次",
        "系统",
        "校正 p 值",
        "检验方法：符号翻转检验。",
    ):
        assert words in text
    assert re.findall(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", text) == []
    result = run("caption", "-g", GOLD, f"a={SYSTEMS['base']}", f"b={SYSTEMS['base']}", "--lang", "zh")
    assert result.stderr == "警告：a 与 b 的提交文件内容相同\n"
    result = run("caption", "-g", GOLD, f"gold={GOLD}", *named(), "--lang", "zh")
    assert result.stdout.splitlines()[0] == "gold 无效：65 个问题"


def test_the_help_has_an_example():
    text = run("--help").output
    assert text.startswith("Usage: muge-fast compare [OPTIONS] TASK SUBMISSION…\n")
    assert "\n  Example:\n    muge-fast compare caption --gold IC_valid.jsonl" in text


# Images


@pytest.mark.slow
def test_images_are_compared_by_their_influence(tmp_path, weights):
    np = pytest.importorskip("numpy")
    pytest.importorskip("PIL")
    from image_data import encoded  # noqa: PLC0415 - needs Pillow

    random = np.random.default_rng(0)
    for name, size in (("real", 6), ("first", 7), ("second", 9)):
        images = {f"{index:02}": encoded(random.integers(0, 256, (size, size, 3), "uint8")) for index in range(12)}
        mf.datasets.ImageTsv.write(tmp_path / f"{name}.tsv", images)
    options = "--weights", weights, "--splits", "2", "--json"
    result = run("t2i", "-g", tmp_path / "real.tsv", tmp_path / "first.tsv", tmp_path / "second.tsv", *options)
    found = json.loads(result.stdout)
    assert list(found["metrics"]) == ["fid", "is"]
    assert found["left_out"] == {}
    assert {metric["test"] for metric in found["metrics"].values()} == {"normal"}
