"""The hostile collection through the API: stored as it is, judged like the command, shown by line to its team alone."""

import hashlib
import json
import shutil
from pathlib import Path

from starlette.testclient import TestClient

from leaderboard_boards import ADMIN, Clock
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.web.app import create_app
from muge_fast.leaderboard.web.site import WebOptions
from muge_fast.leaderboard.worker.judgement import judge_once

HOSTILE = Path(__file__).parent / "hostile"
VERDICTS = json.loads((HOSTILE / "verdicts.json").read_text(encoding="utf-8"))
API = "/api/v1"
TASKS = ("caption", "classification", "retrieval")


def make_board(folder: Path, template: Path):
    shutil.copy(template, folder / "board.sqlite")
    settings = "[limits]\nvalid_per_day = 0\n"
    for task in TASKS:
        shutil.copy(HOSTILE / f"{task}.gold.jsonl", folder)
        settings += f'[tasks.{task}]\ngold = "{task}.gold.jsonl"\n'
    (folder / "board.toml").write_text(settings, "utf-8")
    board = open_board(folder, clock=Clock())
    register_tasks(board, actor=ADMIN)
    account = create_account(board.database, name="red", name_key=skeleton("red"), actor=ADMIN)
    create_team(board.database, name="red", name_key=skeleton("red"), founder=account, actor=ADMIN)
    token = create_token(board.database, account, label="t", scopes=("read", "submit"), actor=ADMIN)
    return board, {"Authorization": f"Bearer {token}"}


def test_every_hostile_file_is_judged_as_the_command_does(tmp_path, sqlite_template):
    board, red = make_board(tmp_path, sqlite_template)
    prepared: dict = {}
    wrong = []
    with TestClient(create_app(board, options=WebOptions(limit_floods=False))) as client:
        for number, (name, expected) in enumerate(VERDICTS.items()):
            task = name.partition("/")[0]
            content = (HOSTILE / f"{name}.jsonl").read_bytes()
            answer = client.post(f"{API}/tasks/{task}/submissions", content=content, headers=red)
            if not content:
                assert (answer.status_code, answer.json()["code"]) == (422, "empty")
                continue
            sent = answer.json()
            # Archives and broken files are bytes like others.
            assert sent["sha256"] == hashlib.sha256(content).hexdigest()
            assert judge_once(board, prepared)
            shown = client.get(f"{API}/submissions/{sent['id']}", headers=red).json()
            report = client.get(f"{API}/submissions/{sent['id']}/report", headers=red).json()
            if number % 4 == 0:
                assert client.get(f"/submissions/{sent['id']}?lang=zh", headers=red).status_code == 200
            found = {problem["code"] for problem in report["problems"]}
            state = "invalid" if expected else "scored"
            if (shown["state"], found) != (state, {code for code, _ in expected}) and not report["is_cut"]:
                wrong.append((name, shown["state"], found, expected))
            if expected and number % 4 == 0:
                assert client.get(f"{API}/submissions/{sent['id']}").status_code == 404
    board.close()
    assert wrong == []
