"""``muge-fast board`` on a board with submissions: rejudge sets, months, backups, exports, the diagnosis."""

import json
import os
import re
import shutil
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from click.testing import CliRunner

from muge_fast.cli.main import main
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.samples import HOST, Clock, Demo, plan
from muge_fast.leaderboard.store.boards import best_entries
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.worker.judgement import judge_once


def run(*arguments, code=0):
    done = CliRunner().invoke(main, ["board", *map(str, arguments)])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make a board with a few submissions around the end of a month once."""
    folder = tmp_path_factory.mktemp("small") / "board"
    run("init", folder, "--samples")
    board = open_board(folder)
    clock = Clock(datetime(2026, 10, 28, tzinfo=timezone.utc))
    demo = Demo(replace(board, database=Database(board.database.engine, clock=clock)), clock)
    demo.found_teams()
    end = datetime(2026, 11, 20, tzinfo=timezone.utc)
    for planned in [one for one in plan(clock.now, end) if one.task == "retrieval"][:12]:
        demo.go_to(planned.at)
        demo.submit(planned)
    demo.go_to(end)
    board.close()
    return folder


@pytest.fixture
def folder(template, tmp_path):
    return shutil.copytree(template, tmp_path / "board")


def best(folder, slug="retrieval"):
    board = open_board(folder)
    with board.database.read() as connection:
        found = {entry.team_name: entry.published for entry in best_entries(connection, slug)}
    board.close()
    return found


def judge_all(folder):
    board, prepared = open_board(folder), {}
    while judge_once(board, prepared):
        pass
    board.close()


def test_a_new_gold_file_changes_the_board_only_when_it_is_applied(folder):
    before = best(folder)
    gold = folder / "gold" / "retrieval.jsonl"
    gold.write_text(re.sub(r"\[1000(\d)\]", r"[1001\1]", gold.read_text("utf-8")), "utf-8")
    run("rejudge", "start", folder, "retrieval", "--reason", "ten wrong answers")
    shown = run("rejudge", "show", folder, "retrieval").stderr
    count = re.search(r"(\d+) of \1 evaluations are still to come", shown)[1]
    assert f"with {count} evaluations to come" in run("rejudge", "apply", folder, "retrieval", code=2).stderr
    judge_all(folder)
    assert best(folder) == before
    made = json.loads(run("rejudge", "show", folder, "retrieval", "--json").stdout)
    assert (made["state"], made["waiting"], made["submissions"]) == ("ready", 0, int(count))
    assert {change["team"] for change in made["changes"]} > {HOST}
    table = run("rejudge", "show", folder, "retrieval", "--lang", "zh").stdout.splitlines()
    assert table[0].split() == ["队伍", "序号", "原分数", "新分数", "状态", "id"]
    assert len(table) == 1 + len(made["changes"])
    old = re.search(r"the old evaluator: (\S+)", run("rejudge", "apply", folder, "retrieval").stderr)[1]
    after = best(folder)
    assert after != before
    by_team = {}
    for change in made["changes"]:
        by_team.setdefault(change["team"], []).append(change["after"])
    assert all(
        after[team] in numbers or after[team] == before[team] for team, numbers in by_team.items() if team in after
    )
    # And back, without computing again.
    run("rejudge", "start", folder, "retrieval", "--reason", "they were right", "--evaluator", old)
    run("rejudge", "apply", folder, "retrieval")
    assert best(folder) == before


def test_a_closed_month_is_corrected_by_a_revision(folder):
    assert "closed" in run("close-month", folder, "retrieval", "2026-10", code=2).stderr
    done = run("close-month", folder, "retrieval", "2026-10", "--reason", "a copied file")
    assert "2026-10 of retrieval, revision 2" in done.stderr
    heads, *rows = done.stdout.splitlines()
    assert heads.split() == ["rank", "prize", "mean_recall", "team", "number"]
    assert sum(row.startswith("rank") for row in rows) == 1
    assert len(rows) > 4


def test_a_backup_is_verified_and_restored(folder, tmp_path):
    backups, restored = tmp_path / "backups", tmp_path / "restored"
    name = run("backup", folder, backups).stdout.splitlines()[-1]
    assert run("backup", folder, backups).stdout != ""
    assert "no faults" in run("verify", backups, "--backups", "--name", name).stdout
    assert f"restored the backup {name}" in run("restore", backups, restored, "--name", name).stderr
    assert best(restored) == best(folder)
    run("verify", restored)
    assert run("restore", backups, restored, code=2).stderr.startswith("Error: ")
    assert "--name needs --backups too" in run("verify", folder, "--name", name, code=2).stderr


def test_a_damaged_board_has_exit_code_1(folder):
    assert "no faults" in run("verify", folder).stdout
    assert "没有问题" in run("verify", folder, "--lang", "zh").stdout
    file = next(path for path in (folder / "blobs").glob("*/*/*") if path.stat().st_size > 1000)
    file.chmod(0o600)
    file.write_bytes(b"x")
    assert "no faults" in run("verify", folder, "--quick").stdout
    done = run("verify", folder, code=1)
    assert "fault: " in done.stdout
    assert file.name[:8] in done.stdout


def test_the_board_is_exported(folder, tmp_path):
    done = run("export", folder, tmp_path / "static", "--static")
    assert re.search(r"wrote \d+ files to ", done.stderr)
    assert any(path.suffix == ".csv" for path in (tmp_path / "static").rglob("*"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("x")
    run("export", folder, tmp_path / "other", code=2)


def test_the_diagnosis_has_a_line_for_each_finding(folder, tmp_path):
    done = CliRunner().invoke(main, ["board", "doctor", str(folder), "--json"])
    findings = json.loads(done.stdout)
    assert done.exit_code == any(one["level"] == "fault" for one in findings)
    lines = CliRunner().invoke(main, ["board", "doctor", str(folder)]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one["level"] for one in findings]
    chinese = CliRunner().invoke(main, ["board", "doctor", str(folder), "--lang", "zh"]).stdout.splitlines()
    assert len(chinese) == len(lines)
    assert {line.split()[0] for line in chinese} <= {"正常", "提示", "警告", "问题"}
    run("doctor", tmp_path / "nowhere", code=1)


def test_remains_of_broken_uploads_are_removed_after_a_day(folder):
    old = 1_600_000_000
    part, orphan = folder / "blobs" / "parts" / "1-ab", folder / "blobs" / "ab" / "cd" / ("abcd" + 60 * "0")
    orphan.parent.mkdir(parents=True, exist_ok=True)
    for path in (part, orphan):
        path.write_bytes(b"x")
    assert "removed 0 files" in run("sweep", folder).stderr
    for path in [part, *(folder / "blobs").glob("*/*/*")]:
        os.utime(path, (old, old))
    assert "removed 2 files" in run("sweep", folder).stderr
    assert "no faults" in run("verify", folder).stdout
