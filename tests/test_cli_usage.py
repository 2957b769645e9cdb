"""The command ``muge-fast``: wrong usage, help and languages."""

import json
import re

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from muge_fast import tasks
from muge_fast._internal.metric_names import TITLES, metric_title
from muge_fast.cli.argument_names import name_options, options_of
from muge_fast.cli.board import LazyGroup
from muge_fast.cli.chinese import CHINESE, DESCRIPTIONS, HELP, MESSAGES
from muge_fast.cli.language import counted, duration
from muge_fast.cli.main import main
from muge_fast.cli.program import Command, description
from muge_fast.cli.scoring_options import PRECISIONS, PROTOCOLS
from source_files import ROOT, read

SAMPLES = ROOT / "python" / "muge_fast" / "samples"
CAPTIONS = SAMPLES / "caption" / "IC_sample.jsonl", SAMPLES / "caption" / "IC_sample.pred.large.jsonl"
QUERIES = SAMPLES / "retrieval" / "MR_sample_queries.jsonl", SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl"
COMMANDS = [
    "score",
    "check",
    "compare",
    "official",
    "top-k",
    "run",
    "count",
    "merge",
    "info",
    "submit",
    "demo",
    "board",
]


def run(*arguments, **options):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def score(task, files, *options):
    return run("score", task, "--gold", files[0], "--submission", files[1], *options)


def error_of(result):
    """Return the last line of a command that was used wrongly."""
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    return result.output.splitlines()[-1]


# Arguments


@pytest.mark.parametrize("first", ["--submission", "--predictions", "--pred", "-s"])
@pytest.mark.parametrize("second", ["--submission", "--pred", "-s"])
def test_a_submission_that_is_given_twice_is_wrong_usage(first, second):
    message = "Error: --submission is given 2 times, it takes one value"
    assert error_of(run("check", "caption", first, CAPTIONS[1], second, CAPTIONS[1])) == message
    assert error_of(run("check", "caption", first, "a", second, "b")) == message


def single_valued_options():
    for command in main.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not (parameter.is_flag or parameter.multiple):
                yield pytest.param(command.name, parameter, id=f"{command.name}-{parameter.name}")


@pytest.mark.parametrize(("command", "parameter"), list(single_valued_options()))
def test_every_option_with_one_value_is_refused_twice(command, parameter):
    for name in parameter.opts:
        result = run(command, name, "1", parameter.opts[-1], "1")
        assert re.search(r"Error: --\S+ is given 2 times", error_of(result)), name


def test_options_of_the_group_are_refused_twice():
    assert error_of(run("--lang", "en", "--lang", "en", "info", "x")) == (
        "Error: --lang is given 2 times, it takes one value"
    )


@pytest.mark.parametrize("names", [("--gold", "--submission"), ("-g", "-s"), ("-g", "--predictions"), ("-g", "--pred")])
def test_aliases_of_the_files(names):
    result = run("score", "caption", names[0], CAPTIONS[0], names[1], CAPTIONS[1])
    assert (result.exit_code, "91.64" in result.output) == (0, True)


@pytest.mark.parametrize("name", ["Caption", "CAPTION", "caption"])
def test_names_of_tasks_in_any_case(name):
    assert run("check", name, "-s", CAPTIONS[1]).output == "valid: 64 rows\n"


@pytest.mark.parametrize(
    ("name", "near"),
    [("captions", "caption"), ("Retreival", "retrieval"), ("t2", "t2i"), ("classify", "classification")],
)
def test_a_misspelled_task_has_a_suggestion(name, near):
    assert error_of(run("check", name, "-s", CAPTIONS[1])) == f"Error: unknown task {name!r}, did you mean {near}?"


def test_an_unknown_task_lists_all():
    message = f"Error: unknown task 'poems', choose from {', '.join(tasks.names())}"
    assert error_of(run("check", "poems", "-s", CAPTIONS[1])) == message


def test_misspelled_commands_and_options_have_suggestions():
    assert error_of(run("scor")) == "Error: no command scor, did you mean score?"
    assert error_of(run("frobnicate")) == f"Error: no command frobnicate, choose from {', '.join(COMMANDS)}"
    assert error_of(run("check", "caption", "--submision", "x")) == (
        "Error: no option --submision, did you mean --submission?"
    )
    assert error_of(run("check", "caption")) == "Error: --submission is missing"
    assert error_of(run("check", "-s", CAPTIONS[1])) == "Error: TASK is missing"
    assert error_of(run("check", "caption", "-s")) == "Error: -s needs a value"
    assert error_of(run("check", "caption", "--json=1", "-s", "x")) == "Error: --json takes no value"
    assert error_of(run("check", "caption", "retrieval", "-s", CAPTIONS[1])) == "Error: unexpected argument retrieval"
    assert error_of(run("check", "caption", "--html", "x")) == (
        "Error: --html is an option of score, compare and demo, not of check"
    )


def test_only_similar_options_are_suggested():
    cases = {
        ("score", "retrieval", "--ks", "1"): "no option --ks",
        ("score", "caption", "--x"): "no option --x",
        ("score", "caption", "--toknizer", "x"): "no option --toknizer, did you mean --tokenizer?",
        ("score", "retrieval", "--batchsize", "3"): "no option --batchsize, did you mean --batch-size?",
        ("top-k", "--image_feats", "x"): "no option --image_feats, did you mean --image-feats?",
        ("check", "caption", "--sub", "x"): "no option --sub, did you mean --submission?",
        ("--html", "x", "score"): "--html is an option of score, compare and demo, not of muge-fast",
        ("score", "--version"): "--version is an option of muge-fast, not of score",
    }
    for arguments, message in cases.items():
        assert error_of(run(*arguments)) == f"Error: {message}"


OF_IMAGES = [
    ("--protocol", "tf1"),
    ("--precision", "bf16"),
    ("--weights", "download"),
    ("--device", "cpu"),
    ("--batch-size", "3"),
    ("--splits", "3"),
    ("--negatives", "3"),
    ("--clip", "model"),
    ("--texts", CAPTIONS[0]),
    ("--image-feats", CAPTIONS[0]),
    ("--text-feats", CAPTIONS[0]),
]


@pytest.mark.parametrize(("option", "value"), OF_IMAGES)
@pytest.mark.parametrize(("task", "files"), [("caption", CAPTIONS), ("retrieval", QUERIES)])
def test_options_of_images_are_refused_for_other_tasks(task, files, option, value):
    of_tasks = "t2i and vqa" if option == "--protocol" else "t2i"
    assert error_of(score(task, files, option, value)) == f"Error: {option} is an option of {of_tasks}, not of {task}"


def test_options_of_other_tasks_are_named_with_their_tasks():
    message = "--tokenizer is an option of caption, not of retrieval"
    assert error_of(score("retrieval", QUERIES, "--tokenizer", "jieba")) == f"Error: {message}"
    for command in ("check", "score"):
        result = run(command, "caption", "-g", CAPTIONS[0], "-s", CAPTIONS[1], "--pool", QUERIES[0])
        assert error_of(result) == "Error: --pool is an option of retrieval, not of caption"


@pytest.mark.parametrize("task", ["caption", "CAPTION"])
def test_an_option_of_another_task_is_refused_before_its_file_is_looked_at(tmp_path, task):
    options = {"--texts": "t2i", "--image-feats": "t2i", "--weights": "t2i", "--pool": "retrieval"}
    for option, other in options.items():
        for value in (tmp_path / "missing", tmp_path, ""):
            result = run("score", task, option, value, "-g", tmp_path / "missing", "-s", CAPTIONS[1])
            assert error_of(result) == f"Error: {option} is an option of {other}, not of caption"


def test_an_option_of_a_task_of_another_package_is_accepted(monkeypatch):
    caption = tasks.get("caption")

    def scored(predictions, references, *, threads=None, tokenizer="muge"):
        return caption.score(predictions, references, threads=threads, tokenizer=tokenizer)

    other = type(caption)(**{**vars(caption), "name": "other", "score": scored})
    monkeypatch.setattr(tasks, "get", lambda _: other)
    assert "tokenizer:char" in score("caption", CAPTIONS, "--tokenizer", "char").output


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("caption", ("--tokenizer", "jeiba"), "--tokenizer: unknown tokenizer 'jeiba', did you mean jieba?"),
        ("t2i", ("--protocol", "tf"), "--protocol: unknown protocol 'tf', did you mean tf1?"),
        ("t2i", ("--precision", "double"), "--precision: unknown precision 'double', choose from fp32, tf32, bf16"),
        ("caption", ("--lang", "fr"), "--lang: unknown language 'fr', choose from en, zh"),
        ("caption", ("--threads", "0"), "--threads: must be an integer of at least 1, got '0'"),
        ("t2i", ("--splits", "ten"), "--splits: must be an integer of at least 1, got 'ten'"),
        ("t2i", ("--weights", "nowhere.pth"), "--weights nowhere.pth: no such file"),
        ("t2i", ("--texts", CAPTIONS[0]), "--texts needs --clip too"),
        ("t2i", ("--clip", "model"), "--clip needs --texts too"),
        ("t2i", ("--image-feats", CAPTIONS[0]), "--image-feats needs --text-feats too"),
        ("t2i", ("--text-feats", CAPTIONS[0]), "--text-feats needs --image-feats too"),
        (
            "t2i",
            ("--texts", CAPTIONS[0], "--clip", "m", "--image-feats", CAPTIONS[0], "--text-feats", CAPTIONS[0]),
            "--texts and --image-feats exclude each other",
        ),
        ("retrieval", ("--images", CAPTIONS[0]), "--images needs --html too"),
    ],
)
def test_values_of_options_are_checked_before_any_work(monkeypatch, task, options, message):
    monkeypatch.setattr("muge_fast.cli.score.evaluate", lambda *_, **__: pytest.fail("it was evaluated"))
    assert error_of(score(task, CAPTIONS, *options)) == f"Error: {message}"


def test_the_choices_are_those_of_the_networks():
    pytest.importorskip("torch")
    from muge_fast.image.extractors import preprocessing, torch_precision  # noqa: PLC0415 - needs torch

    assert tuple(preprocessing.PROTOCOLS) == PROTOCOLS
    assert torch_precision.PRECISIONS == PRECISIONS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["score", "caption", "--tokenizer", "j"], ["jieba"]),
        (["score", "t2i", "--protocol", "t"], ["tf1", "torchmetrics"]),
        (["score", "t2i", "--precision", "b"], ["bf16"]),
        (["score", "t2i", "--weights", "d"], ["download"]),
        (["check", "C"], ["caption", "classification"]),
        (["check", "caption", "--lang", ""], ["en", "zh"]),
    ],
)
def test_names_are_completed(words, expected):
    completions = ShellComplete(main, {}, "muge-fast", "_MUGE_FAST_COMPLETE").get_completions(words[:-1], words[-1])
    assert [item.value for item in completions] == expected


# Files


@pytest.mark.parametrize("option", ["--gold", "--submission", "--pool", "--images"])
def test_a_file_that_is_missing_is_named_with_its_option(tmp_path, option):
    given = {"--gold": QUERIES[0], "--submission": QUERIES[1], "--html": tmp_path / "r.html"}
    given[option] = tmp_path / "nowhere"
    result = run("score", "retrieval", *[word for pair in given.items() for word in pair])
    assert result.output == f"Error: {option} {tmp_path / 'nowhere'}: no such file\n"
    assert result.exit_code == 2
    given[option] = tmp_path
    result = run("score", "retrieval", *[word for pair in given.items() for word in pair])
    if option == "--images":
        # Images may be the files of a folder.
        assert result.output.startswith(f"Error: {tmp_path}: no images: it is empty")
    else:
        assert result.output == f"Error: {option} {tmp_path}: a folder, expected a file\n"


def test_outputs_are_announced_on_stderr(tmp_path):
    paths = {name: tmp_path / name for name in ("o.json", "r.html", "r.md", "i.csv")}
    options = "--official", paths["o.json"], "--html", paths["r.html"], "--markdown", paths["r.md"]
    result = score("retrieval", QUERIES, *options, "--per-item", paths["i.csv"], "--json")
    assert json.loads(result.stdout)["ok"] is True
    assert result.stderr.splitlines() == [
        f"wrote {paths['o.json']}",
        f"wrote {paths['r.html']} (64 rows)",
        f"wrote {paths['r.md']}",
        f"wrote {paths['i.csv']} (64 rows)",
    ]
    assert all(path.stat().st_size for path in paths.values())


def test_pages_of_the_same_date_have_the_same_bytes(tmp_path):
    commands = {
        "score": ("score", "retrieval", "-g", QUERIES[0], "-s", QUERIES[1]),
        "compare": (
            "compare",
            "retrieval",
            "-g",
            QUERIES[0],
            QUERIES[1],
            QUERIES[1].with_name("MR_sample.pred.base.jsonl"),
        ),
        "demo": ("demo",),
    }
    for name, command in commands.items():
        pages = [tmp_path / f"{name}{number}.html" for number in range(3)]
        for page, date in zip(pages, ("2026-11-27", "2026-11-27", "2026-11-28"), strict=True):
            assert run(*command, "--html", page, "--date", date).exit_code == 0
        first, second, other = (page.read_text("utf-8") for page in pages)
        assert first == second
        assert first.replace("2026-11-27", "2026-11-28") == other != first


def test_a_page_has_the_time_on_request(tmp_path):
    pages = [tmp_path / "plain.html", tmp_path / "seconds.html"]
    assert score("retrieval", QUERIES, "--html", pages[0]).exit_code == 0
    assert score("retrieval", QUERIES, "--html", pages[1], "--seconds").exit_code == 0
    plain, with_time = (len(page.read_text("utf-8")) for page in pages)
    assert plain < with_time
    for option in (("--seconds",), ("--date", "2026-11-27")):
        assert error_of(score("retrieval", QUERIES, *option)) == f"Error: {option[0]} needs --html too"


@pytest.mark.parametrize("option", ["--html", "--markdown", "--official"])
@pytest.mark.parametrize("replaced", ["gold.jsonl", "pred.jsonl", "link.jsonl"])
def test_outputs_never_replace_inputs(tmp_path, option, replaced):
    files = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    for source, copy in zip(QUERIES, files, strict=True):
        copy.write_bytes(source.read_bytes())
    (tmp_path / "link.jsonl").symlink_to(files[1])
    name = "--gold" if replaced == "gold.jsonl" else "--submission"
    message = f"Error: {option} {tmp_path / replaced} is the file of {name}, which would be replaced"
    assert error_of(score("retrieval", files, option, tmp_path / replaced)) == message
    assert files[1].read_bytes() == QUERIES[1].read_bytes()


def test_official_never_replaces_an_input(tmp_path):
    path = tmp_path / "pred.jsonl"
    path.write_bytes(QUERIES[1].read_bytes())
    message = f"Error: OUTPUT {path} is the file of PREDICTION, which would be replaced"
    assert error_of(run("official", "retrieval", QUERIES[0], path, path)) == message
    assert path.read_bytes() == QUERIES[1].read_bytes()


def test_one_file_for_two_outputs_is_refused(tmp_path):
    path = tmp_path / "report"
    result = score("retrieval", QUERIES, "--html", path, "--markdown", tmp_path / "." / "report")
    assert error_of(result) == f"Error: --html and --markdown are the same file {path}"
    assert not path.exists()


def test_standard_output_is_refused_as_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error_of(score("retrieval", QUERIES, "--html", "-")) == "Error: --html -: expected the name of a file"
    assert not any(tmp_path.iterdir())


def test_official_checks_its_output_before_any_work(tmp_path):
    # The other files would be errors too.
    result = run("official", "retrieval", "nowhere", "nowhere", tmp_path / "no" / "o.json")
    assert error_of(result) == f"Error: OUTPUT: the folder {tmp_path / 'no'} does not exist"


def test_the_demo_checks_its_output_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("muge_fast.cli.demo.demo_captions", lambda: pytest.fail("it was scored"))
    result = run("demo", "--html", tmp_path / "no" / "x.html")
    assert result.exit_code == 2
    assert result.output == f"Error: --html: the folder {tmp_path / 'no'} does not exist\n"


def test_images_that_belong_to_no_item_are_a_warning(tmp_path):
    images = tmp_path / "images.tsv"
    options = "--html", tmp_path / "r.html", "--images", images
    images.write_text("nobody\tAAAA\nelse\tAAAA\n")
    warning = "Warning: none of the 2 images of --images has an id of the submission or the gold file"
    assert warning in score("retrieval", QUERIES, *options).stderr.splitlines()
    item = json.loads(QUERIES[1].read_text(encoding="utf-8").splitlines()[0])["item_ids"][3]
    images.write_text(f"nobody\tAAAA\n{item}\tAAAA\n")
    assert "Warning" not in score("retrieval", QUERIES, *options).stderr


# Text


def test_scores_have_a_name_a_scale_a_direction_and_a_signature():
    lines = score("caption", CAPTIONS).stdout.splitlines()
    assert lines[:8] == [
        "Product captions (ECommerce-IC)",
        f"submission  {CAPTIONS[1]}",
        f"gold        {CAPTIONS[0]}",
        "",
        "CIDEr-D    91.64  (x100, higher is better ↑)",
        "BLEU-4     25.32  (x100, higher is better ↑)",
        "ROUGE-L    32.48  (x100, higher is better ↑)",
        "",
    ]
    data = json.loads(score("caption", CAPTIONS, "--json").stdout)
    assert lines[8:12] == ["Signatures", *(f"  {score['signature']}" for score in data["scores"].values())]
    assert re.fullmatch(r"64 rows in \d+ ms", lines[13])
    assert data["scores"]["cider_d"]["value"] == pytest.approx(0.9164, abs=5e-5)


def test_scores_in_chinese():
    lines = score("retrieval", QUERIES, "--lang", "zh").stdout.splitlines()
    assert lines[0] == "图文检索（Multimodal Retrieval）"
    assert lines[1].startswith("提交文件 ")
    assert "Recall@1      42.19  (×100，越高越好 ↑)" in lines
    assert re.fullmatch(r"64 行，用时 \d+ 毫秒", lines[-1])


def test_arrows_are_left_out_where_they_cannot_be_printed():
    arguments = ["score", "caption", "-g", str(CAPTIONS[0]), "-s", str(CAPTIONS[1])]
    output = CliRunner(charset="latin-1").invoke(main, arguments).stdout_bytes
    assert b"CIDEr-D    91.64  (x100, higher is better)" in output


def test_every_score_of_the_tasks_has_a_title():
    for name in tasks.BUILT_IN:
        for key in tasks.get(name).official.values():
            assert metric_title(key) != key
    assert metric_title("recall@37") == "Recall@37"
    assert {metric_title(f"bleu_{n}") for n in (1, 2, 3, 4)} == {"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"}
    assert [metric_title(name) for name in ("bleu_x", "fid@", "", "my_score@3")] == ["bleu_x", "FID@", "", "my_score@3"]
    assert len(set(TITLES.values())) == len(TITLES)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0 ms"),
        (0.0051, "5 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (29.707, "29.7 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_times_are_in_readable_units(seconds, expected):
    assert duration(seconds) == expected


def test_plurals():
    assert [counted(count, "problem") for count in (0, 1, 2)] == ["0 problems", "1 problem", "2 problems"]


def test_the_number_of_problems_has_its_plural(tmp_path):
    path = tmp_path / "pred.jsonl"
    path.write_text('{"image_id": "a", "text": 5}\n')
    assert run("check", "caption", "-s", path).output.splitlines()[-1] == "invalid: 1 problem"
    assert run("check", "caption", "-s", path, "--lang", "zh").output.splitlines()[-1] == "无效：1 个问题"
    path.write_text('{"image_id": "a", "text": "裙"}\n', encoding="utf-8")
    assert run("check", "caption", "-s", path).output == "valid: 1 row\n"
    assert run("--lang", "zh", "check", "caption", "-s", path).output == "有效：1 行\n"


# Languages


def texts_of_help():
    for command in (main, *main.commands.values()):
        yield from description(command)
        for parameter in command.get_params(click.Context(command)):
            if isinstance(parameter, click.Option):
                text, _, default = parameter.help.partition("  [default: ")
                yield text
                # Names of values are the same in every language.
                if " " in default:
                    yield default.removesuffix("]")
                yield getattr(parameter, "section", "Other options")


def test_every_text_of_the_help_has_a_translation():
    # Lists of names are the same in every language.
    names = re.compile(r"[\w-]+(, [\w-]+)+\.")
    assert [text for text in texts_of_help() if text not in CHINESE and not names.fullmatch(text)] == []


def test_every_translated_text_of_the_help_is_used():
    around = {"Options", "Commands", "Example:", "[required]", "[default: {value}]"}
    assert set(HELP) - set(texts_of_help()) == around


def test_every_translation_has_the_placeholders_of_its_text():
    fields = re.compile(r"\{\w+\}")
    for english, chinese in CHINESE.items():
        assert set(fields.findall(english)) == set(fields.findall(chinese)), english


def test_every_translated_message_is_used():
    files = [path for path in (ROOT / "python" / "muge_fast").rglob("*.py") if path.name != "chinese.py"]
    code = " ".join("".join(map(read, files)).replace('"\n', "").split())
    assert [text for text in MESSAGES if text not in code] == []
    assert len(CHINESE) == len(MESSAGES) + len(DESCRIPTIONS) + len(HELP)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
@pytest.mark.parametrize("way", ["before", "after", "environment"])
def test_help_in_chinese(command, way):
    lang = ("--lang", "zh")
    arguments = [*lang, *command, "--help"] if way == "before" else [*command, "--help", *lang]
    result = run(*arguments) if way != "environment" else run(*command, "--help", env={"MUGE_FAST_LANG": "zh"})
    assert result.exit_code == 0
    assert result.output.startswith("用法：")
    assert "显示本帮助并退出。" in result.output
    english = re.findall(r"\b(?:Show|Write|Number|File|Options|Print)\b.*", result.output)
    assert english == []


@pytest.mark.parametrize("way", [("--lang", "zh", "check"), ("check", "--lang", "zh"), ("check", "--lang=zh")])
def test_wrong_usage_in_chinese(way):
    cases = {
        ("captions", "-s", CAPTIONS[1]): "错误：未知的任务 'captions'，您是否想用 caption？",
        ("caption",): "错误：缺少 --submission",
        ("caption", "-s", "x", "--pred", "y"): "错误：--submission 出现了 2 次，只能有一个值",
        ("caption", "-s", "nowhere"): "错误：--submission nowhere: 文件不存在",
        ("caption", "--nothing"): "错误：没有选项 --nothing",
    }
    for arguments, message in cases.items():
        assert error_of(run(*way, *arguments)) == message


def test_errors_of_the_gold_file_in_chinese(tmp_path):
    gold = tmp_path / "gold.jsonl"
    gold.write_text('{"image_id": "a"}\n{"image_id": 5, "text": ["裙"]}\n', encoding="utf-8")
    result = score("caption", (gold, CAPTIONS[1]), "--lang", "zh")
    assert error_of(result).startswith(f"错误：标准答案文件 {gold}：第 1 行：缺少字段 text")


def test_the_option_wins_over_the_environment():
    environment = {"MUGE_FAST_LANG": "zh"}
    assert run("check", "caption", "-s", CAPTIONS[1], env=environment).output == "有效：64 行\n"
    assert run("check", "caption", "-s", CAPTIONS[1], "--lang", "en", env=environment).output == "valid: 64 rows\n"
    assert run("--lang", "en", "check", "caption", "-s", CAPTIONS[1], env=environment).output == "valid: 64 rows\n"
    assert "unknown language 'fr'" in run("check", "caption", "-s", "x", env={"MUGE_FAST_LANG": "fr"}).output


# Help


def test_options_are_grouped_by_task():
    text = run("score", "--help").output
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings == [
        "Files",
        "Options of retrieval",
        "Options of captions",
        "Options of text-to-image",
        "Options of text-to-image and vqa",
        "Output",
        "Other options",
    ]
    captions = text.partition("Options of captions:")[2].partition("\n\n")[0]
    assert "--tokenizer" in captions
    assert "--protocol" not in captions


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_fits_into_80_columns(command):
    result = run(*command, "--help", terminal_width=80)
    assert max(map(len, result.output.splitlines())) <= 80
    assert result.output.splitlines()[0].startswith(" ".join(["Usage: muge-fast", *command, "[OPTIONS]"]))


def test_the_usage_names_the_task_and_not_its_values():
    assert run("score", "--help").output.startswith("Usage: muge-fast score [OPTIONS] TASK\n")


@pytest.mark.parametrize("arguments", [("--debug", "check"), ("check", "--debug")])
def test_debug_before_and_after_the_command(arguments, monkeypatch):
    def fail(*_, **__):
        raise ValueError("this one")

    monkeypatch.setattr("muge_fast.cli.check.check_submission", fail)
    result = run(*arguments, "caption", "-s", CAPTIONS[1])
    assert (result.exit_code, "Traceback" in result.stderr, "ValueError: this one" in result.stderr) == (2, True, True)
    assert error_of(run("check", "caption", "-s", CAPTIONS[1])) == "Error: this one"


# Arguments of Python in messages

OPTIONS = options_of(click.Context(main.commands["score"])) | {"k": "--top-k"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('pass weights="download", or download it', "pass --weights download, or download it"),
        ("pass weights='download'", "pass --weights download"),
        ("and pass its path as weights or in", "and pass its path as --weights or in"),
        ("batch_size must be at least 1, got 0", "--batch-size must be at least 1, got 0"),
        ("image_features and text_features go together", "--image-feats and --text-feats go together"),
        ("image_features[3] is not finite, or zero", "--image-feats[3] is not finite, or zero"),
        ("negatives is 99, there are 23 other texts", "--negatives is 99, there are 23 other texts"),
        ("splits is 99, images 24: need", "--splits is 99, images 24: need"),
        ("device is 'cuda', but torch finds none", "--device is 'cuda', but torch finds none"),
        ("k must be at most 50", "--top-k must be at most 50"),
        # These are words, not arguments.
        ("no weights of FID's Inception at x", "no weights of FID's Inception at x"),
        ("gold file g.jsonl: line 1", "gold file g.jsonl: line 1"),
        ("the images lack ids", "the images lack ids"),
        # These are paths.
        ("data/image_features/a.npy: no such file", "data/image_features/a.npy: no such file"),
        ("batch_size.jsonl: line 1", "batch_size.jsonl: line 1"),
        ("runs/weights=2/a.pth: no", "runs/weights=2/a.pth: no"),
    ],
)
def test_messages_speak_of_options(message, expected):
    assert name_options(message, OPTIONS) == expected


def test_missing_weights_name_the_option(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("MUGE_FAST_INCEPTION", raising=False)
    images = tmp_path / "images.tsv"
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    images.write_text(f"a\t{pixel}\nb\t{pixel}\n")
    result = score("t2i", (images, images))
    assert "pass --weights download" in error_of(result)
    assert 'weights="' not in result.output


def test_commands_are_of_the_class_with_the_common_options():
    assert {type(command) for command in main.commands.values()} == {Command, LazyGroup}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_empty_name_is_not_the_current_folder(lang):
    reason = {"en": "the name is empty, expected the name of a file", "zh": "名称为空，应为文件名"}[lang]
    for arguments in (
        ("check", "caption", "-s", ""),
        ("score", "caption", "-g", CAPTIONS[0], "-s", CAPTIONS[1], "--html", ""),
        ("info", ""),
        ("official", "caption", "", CAPTIONS[1], "x"),
        ("top-k", "--image-feats", "", "--text-feats", CAPTIONS[0], "--output", "x"),
        ("compare", "caption", "-g", CAPTIONS[0], "a=", CAPTIONS[1]),
    ):
        assert error_of(run(*arguments, "--lang", lang)).endswith(f"'': {reason}")


def test_an_output_that_is_an_input_is_refused_in_the_language_of_the_user():
    result = score("caption", CAPTIONS, "--html", CAPTIONS[1], "--lang", "zh")
    assert error_of(result).endswith("是 --submission 的文件，会被覆盖")
