"""Settings: ``board.toml`` is read with its defaults, and every mistake is named by its key with what to do."""

import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast.leaderboard.rules.quotas import Limits
from muge_fast.leaderboard.rules.ranking import RankingRule
from muge_fast.leaderboard.rules.settings import SettingsError, parse_settings, read_settings
from muge_fast.leaderboard.rules.settings_table import Table
from muge_fast.tasks import get
from source_files import ROOT

FOLDER = Path("board")
SMALLEST = '[tasks.retrieval]\ngold = "gold/retrieval.jsonl"\n'


def parse(text):
    return parse_settings(text, folder=FOLDER)


def problems(text):
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert str(caught.value).startswith("board.toml: ")
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return list(caught.value.problems)


def test_defaults():
    settings = parse(SMALLEST)
    assert (settings.zone.key, settings.languages) == ("Asia/Shanghai", ("zh", "en"))
    assert (settings.prizes, settings.vetting_days) == (8, 10)
    task = settings.tasks["retrieval"]
    assert (task.slug, task.scorer, task.main) == ("retrieval", "retrieval", "mean_recall")
    assert task.gold == FOLDER / "gold" / "retrieval.jsonl"
    assert task.limits == Limits(valid_per_day=5, all_per_day=25, valid_per_month=0, all_per_month=0)
    assert task.ranking == RankingRule(higher_is_better=True, digits=2, scale=100.0)
    assert (task.opens, task.closes, task.options, task.max_bytes) == (None, None, {}, 128_000_000)
    assert not task.disclosure.references_public
    assert not task.disclosure.anonymous


def test_the_example_of_the_design_page_is_valid():
    page = (ROOT / "docs" / "leaderboard-design.md").read_text("utf-8")
    settings = parse(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    assert list(settings.tasks) == ["retrieval", "caption-hard", "t2i"]
    assert settings.tasks["caption-hard"].scorer == "caption"
    assert settings.tasks["t2i"].limits == Limits(2, 10, 20, 100)


def test_every_built_in_task_is_ranked_in_its_direction_and_unit():
    text = "\n".join(f'[tasks.{name}]\ngold = "a"' for name in ("caption", "classification", "retrieval", "t2i"))
    rules = {slug: (task.ranking.higher_is_better, task.ranking.scale) for slug, task in parse(text).tasks.items()}
    assert rules == {
        "caption": (True, 100.0),
        "classification": (True, 100.0),
        "retrieval": (True, 100.0),
        "t2i": (False, 1.0),
    }
    inception_score = parse('[tasks.t2i]\ngold = "a"\nmain = "is"').tasks["t2i"].ranking
    assert inception_score.higher_is_better


@pytest.mark.parametrize(
    ("board", "task", "limits"),
    [
        ("", "", (5, 25, 0, 0)),
        ("valid_per_day = 3", "", (3, 15, 0, 0)),
        ("valid_per_day = 3", "valid_per_day = 2", (2, 10, 0, 0)),
        ("valid_per_day = 0", "", (0, 0, 0, 0)),
        ("", "valid_per_day = 0", (0, 0, 0, 0)),
        ("all_per_day = 0", "valid_per_day = 9", (9, 0, 0, 0)),
        ("all_per_day = 40", "valid_per_day = 9", (9, 40, 0, 0)),
        ("valid_per_month = 20", "all_per_month = 30", (5, 25, 20, 30)),
    ],
)
def test_limits_of_a_task_come_before_those_of_the_board(board, task, limits):
    settings = parse(f"[limits]\n{board}\n{SMALLEST}[tasks.retrieval.limits]\n{task}\n")
    assert settings.tasks["retrieval"].limits == Limits(*limits)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-12-01T00:00:00+08:00", datetime(2026, 11, 30, 16, tzinfo=timezone.utc)),
        ("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=timezone.utc)),
        ("2026-12-01T00:00:00", datetime(2026, 11, 30, 16, tzinfo=timezone.utc)),  # in the board's zone
        ("2026-12-01", datetime(2026, 11, 30, 16, tzinfo=timezone.utc)),  # its midnight there
    ],
)
def test_times_without_an_offset_are_those_of_the_board(value, moment):
    assert parse(f"{SMALLEST}opens = {value}").tasks["retrieval"].opens == moment


TASK = "tasks.retrieval"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 'tasks: missing: add a table such as [tasks.retrieval] with gold = "gold/retrieval.jsonl"'),
        ("tasks = 1", "tasks: must be a table: write [tasks] above its keys, got 1"),
        ("[tasks]\nretrieval = 1", f"{TASK}: must be a table: write [{TASK}] above its keys, got 1"),
        ("[[tasks]]\nname = 'a'", "tasks: must be a table: write [tasks] above its keys, got a list of 1"),
        ("[tasks.retrieval]", f"{TASK}.gold: missing: add the path of the file, relative to the folder, such as"),
        ("[tasks.retrieval]\ngold = 3", f'{TASK}.gold: must be text in quotes, such as "MUGE", got 3'),
        ("[tasks.retrieval]\ngold = ''", f"{TASK}.gold: is not a path: write one that is relative to the folder"),
        (
            "[tasks.retrieval]\ngold = '/data/a'",
            f"{TASK}.gold: '/data/a' is not inside the folder: write a path relative",
        ),
        ("[tasks.retrieval]\ngold = '../a'", f"{TASK}.gold: '../a' is not inside the folder"),
        ("[tasks.retrieval]\ngold = 'C:\\a'", f"{TASK}.gold: 'C:\\\\a' is not inside the folder"),
        (
            "[tasks.retreival]\ngold = 'a'",
            "tasks.retreival.scorer: there is no scorer 'retreival': write scorer = with one of",
        ),
        ("[tasks.retreival]\ngold = 'a'", "did you mean 'retrieval'?"),
        ("[tasks.'A b']\nscorer='caption'\ngold = 'a'", "tasks.A b: is not a name for addresses: use small letters of"),
        (
            SMALLEST + "main = 'mean_recal'",
            f"{TASK}.main: 'mean_recal' is unknown: choose one of mean_recall, recall@1",
        ),
        (SMALLEST + "digits = 9", f"{TASK}.digits: must be at most 6, got 9"),
        (SMALLEST + "digits = 2.0", f"{TASK}.digits: must be a whole number, without quotes, got 2.0"),
        (SMALLEST + "digits = true", f"{TASK}.digits: must be a whole number, without quotes, got True"),
        (SMALLEST + "anonymous = 'yes'", f"{TASK}.anonymous: must be true or false, without quotes, got 'yes'"),
        (
            SMALLEST + "opens = 'soon'",
            f"{TASK}.opens: must be a date and time without quotes, such as 2026-12-01T00:00",
        ),
        (SMALLEST + "opens = 0001-01-01", f"{TASK}.opens: must be a date and time"),
        (SMALLEST + "opens = 2026-12-02\ncloses = 2026-12-01", f"{TASK}.closes: is not after opens: give a later date"),
        (SMALLEST + "glod = 1", f"{TASK}.glod: unknown key: remove it, or choose from"),
        (SMALLEST + "glod = 1", "did you mean 'gold'?"),
        (SMALLEST + "max_megabytes = 0", f"{TASK}.max_megabytes: must be at least 1, got 0"),
        (
            SMALLEST + "[tasks.retrieval.limits]\nvalid_per_day = -1",
            f"{TASK}.limits.valid_per_day: must be at least 0, got -1",
        ),
        (
            SMALLEST + "[tasks.retrieval.limits]\nvalid_per_day = 5\nall_per_day = 3",
            f"{TASK}.limits.all_per_day: 3 is less than valid_per_day, 5: write at least 5, or 0 for no limit",
        ),
        (
            SMALLEST + "[tasks.retrieval.options]\nkk = 3",
            f"{TASK}.options: cannot be used: task 'retrieval' has no option 'kk'",
        ),
        ("[limits]\nper_day = 3\n" + SMALLEST, "limits.per_day: unknown key: remove it, or choose from valid_per_day"),
        (
            "[limits]\nvalid_per_day = '3'\n" + SMALLEST,
            "limits.valid_per_day: must be a whole number, without quotes, got '3'",
        ),
        ("zone = 8\n" + SMALLEST, 'zone: must be text in quotes, such as "MUGE", got 8'),
        ("zone = 'Asia/Beijing'\n" + SMALLEST, "zone: there is no zone 'Asia/Beijing'; did you mean 'Asia/Shanghai'?"),
        ("zone = 'UTC+8'\n" + SMALLEST, "zone: there is no zone 'UTC+8'; did you mean 'Asia/Shanghai'?"),
        ("zone = 'Asia/Shangai'\n" + SMALLEST, "zone: there is no zone 'Asia/Shangai'; did you mean 'Asia/Shanghai'?"),
        ("zone = 'Asia'\n" + SMALLEST, "zone: there is no zone 'Asia'"),
        ("zone = '../../etc/passwd'\n" + SMALLEST, "zone: there is no zone '../../etc/passwd'"),
        ("zone = ''\n" + SMALLEST, "zone: there is no zone ''"),
        (
            "languages = 'zh'\n" + SMALLEST,
            'languages: must be a list of names from zh, en, such as languages = ["zh", "en"]',
        ),
        ("languages = []\n" + SMALLEST, "languages: must be a list of names from zh, en"),
        ("languages = ['fr']\n" + SMALLEST, "languages: must be a list of names from zh, en"),
        ("languages = ['zh', 'zh']\n" + SMALLEST, "languages: has 'zh' twice: remove one"),
        ("prizes = 0\n" + SMALLEST, "prizes: must be at least 1, got 0"),
        ("titel = 'a'\n" + SMALLEST, "titel: unknown key: remove it, or choose from title"),
        ("zone = ", "the file is not TOML: "),
    ],
)
def test_every_mistake_names_its_key_and_what_to_do(text, found):
    assert any(found in problem for problem in problems(text)), problems(text)


def test_all_problems_are_reported_at_once():
    text = "zone = 'Mars'\nlanguages = 3\n[tasks.caption]\ndigits = -1\n[tasks.nothing]\n"
    keys = [problem.split(": ")[0] for problem in problems(text)]
    assert keys == ["zone", "languages", "tasks.caption.gold", "tasks.caption.digits", "tasks.nothing.scorer"]


def test_hostile_text_is_escaped_in_problems():
    (problem,) = problems(SMALLEST + '"a\\u001b[31m" = 1')
    assert problem.isprintable()


def test_several_boards_of_one_scorer():
    text = "[tasks.easy]\nscorer = 'caption'\ngold = 'a'\n[tasks.hard]\nscorer = 'caption'\ngold = 'b'\n"
    assert {slug: task.scorer for slug, task in parse(text).tasks.items()} == {"easy": "caption", "hard": "caption"}


def with_direction(monkeypatch, lower_is_better):
    task = replace(get("retrieval"), lower_is_better=lower_is_better)
    monkeypatch.setattr("muge_fast.leaderboard.rules.settings.get", lambda _name: task)


def test_a_direction_that_the_task_does_not_declare_must_be_in_the_settings(monkeypatch):
    with_direction(monkeypatch, None)
    (problem,) = problems(SMALLEST)
    assert problem.startswith(f"{TASK}.higher_is_better: missing, and the scorer does not declare lower_is_better: ")
    assert problem.endswith("write true if a larger mean_recall is better, or false")
    assert parse(SMALLEST + "higher_is_better = false").tasks["retrieval"].ranking.higher_is_better is False


def test_the_direction_that_a_task_declares_holds(monkeypatch):
    with_direction(monkeypatch, ["mean_recall"])
    assert parse(SMALLEST).tasks["retrieval"].ranking.higher_is_better is False
    assert parse(SMALLEST + "main = 'recall@1'").tasks["retrieval"].ranking.higher_is_better is True
    assert problems(SMALLEST + "higher_is_better = true") == [
        f"{TASK}.higher_is_better: a smaller mean_recall is better: remove the key"
    ]


def test_the_declared_direction_of_every_built_in_score_is_that_of_its_scores():
    scores = {
        "caption": mf.score_captions({"a": "红裙", "b": "白鞋"}, {"a": ["红裙"], "b": ["黑鞋"]}),
        "retrieval": mf.score_retrieval({1: [2]}, {1: [2]}),
    }
    for name, found in scores.items():
        for score in found.values():
            assert get(name).higher_is_better(score.name) is score.higher_is_better
    directions = {name: get("t2i").higher_is_better(name) for name in ("fid", "kid", "is", "r_precision")}
    assert directions == {"fid": False, "kid": False, "is": True, "r_precision": True}
    with pytest.raises(TypeError, match="must be a tuple of names"):
        replace(get("t2i"), lower_is_better="fid")


def test_the_direction_of_a_built_in_task_cannot_be_turned():
    turned = "[tasks.t2i]\ngold = 'a'\nhigher_is_better = true"
    assert problems(turned) == ["tasks.t2i.higher_is_better: a smaller fid is better: remove the key"]
    assert problems(SMALLEST + "higher_is_better = false") == [
        f"{TASK}.higher_is_better: a larger mean_recall is better: remove the key"
    ]


def test_image_files_may_be_larger():
    sizes = {slug: task.max_bytes for slug, task in parse(SMALLEST + "[tasks.t2i]\ngold = 'a'").tasks.items()}
    assert sizes == {"retrieval": 128_000_000, "t2i": 8_192_000_000}


def test_options_are_passed_on():
    text = "[tasks.caption]\ngold = 'a'\n[tasks.caption.options]\ntokenizer = 'jieba'\n"
    assert parse(text).tasks["caption"].options == {"tokenizer": "jieba"}


# Files


def write(folder, text, encoding="utf-8"):
    (folder / "board.toml").write_bytes(text.encode(encoding))
    (folder / "gold").mkdir(exist_ok=True)
    return folder


def test_paths_are_relative_to_the_folder(tmp_path, monkeypatch):
    write(tmp_path, SMALLEST)
    (tmp_path / "gold" / "retrieval.jsonl").touch()
    monkeypatch.chdir("/")
    assert read_settings(tmp_path).tasks["retrieval"].gold == tmp_path / "gold" / "retrieval.jsonl"


def test_missing_files_are_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"there is no board\.toml in .*: make a board with `muge-fast board init`"
    ):
        read_settings(tmp_path)
    write(tmp_path, SMALLEST)
    with pytest.raises(
        SettingsError, match=r"tasks\.retrieval\.gold: there is no file gold/retrieval\.jsonl in the folder: copy"
    ):
        read_settings(tmp_path)


def test_encodings(tmp_path):
    (write(tmp_path, SMALLEST) / "gold" / "retrieval.jsonl").touch()
    write(tmp_path, 'title = "电商"\n' + SMALLEST, "utf-8-sig")
    assert read_settings(tmp_path).title == "电商"
    write(tmp_path, 'title = "电商"\n' + SMALLEST, "gbk")
    with pytest.raises(SettingsError, match=r"the file is not in UTF-8 \(byte 9\): save it as UTF-8"):
        read_settings(tmp_path)


def test_a_system_without_zones_is_named(monkeypatch):
    monkeypatch.setattr("muge_fast.leaderboard.rules.settings_table.available_timezones", set)
    found = []
    assert Table("", {"zone": "No/Zone"}, found).zone("zone", "Asia/Shanghai") is None
    assert found == ["zone: this system has no time zones: pip install tzdata"]
