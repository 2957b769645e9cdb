"""``muge-fast submit`` against a real site with a worker: a score, the errors of ``check``, quotas, repetitions."""

import json
import shutil
import threading
from contextlib import closing

import pytest
from click.testing import CliRunner
from sqlalchemy import text

import muge_fast as mf
from leaderboard_boards import ADMIN
from leaderboard_sites import serving
from muge_fast.cli.main import main
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.client import submitting
from muge_fast.leaderboard.client.addresses import parse_address
from muge_fast.leaderboard.client.errors import ClientError
from muge_fast.leaderboard.client.requests import Api
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.web.app import create_app
from muge_fast.leaderboard.worker.judgement import judge_once
from source_files import ROOT

SAMPLES = ROOT / "python" / "muge_fast" / "samples" / "retrieval"
GOLD, PRED = SAMPLES / "MR_sample_queries.jsonl", SAMPLES / "MR_sample.pred.large.jsonl"
SETTINGS = """
languages = ["en", "zh"]
[limits]
valid_per_day = 3
[tasks.retrieval]
gold = "gold.jsonl"
[tasks.hard]
scorer = "retrieval"
gold = "gold.jsonl"
max_megabytes = 1
"""


class Challenge:
    """A site at a free port, a worker, and the files of a participant."""

    def __init__(self, folder, port, board) -> None:
        self.folder, self.address, self.board = folder, f"http://127.0.0.1:{port}", board

    def submit(self, file, *options, task="retrieval", lang="en"):
        command = ["submit", task, file, "--to", self.address, "--token-file", self.folder / "token", *options]
        return CliRunner().invoke(main, [*map(str, command), "--lang", lang])

    def count(self) -> int:
        with self.board.database.read() as connection:
            return connection.execute(text("SELECT count(*) FROM submission")).scalar()

    def broken(self, name: str, change) -> str:
        """Write a copy of the sample with one row changed."""
        rows = [json.loads(line) for line in PRED.read_text("utf-8").splitlines()]
        change(rows)
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return path


@pytest.fixture(scope="module")
def challenge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenge")
    shutil.copy(GOLD, folder / "gold.jsonl")
    (folder / "board.toml").write_text(SETTINGS, "utf-8")
    stop = threading.Event()
    with closing(open_board(folder, create=True)) as board:
        register_tasks(board, actor=ADMIN)
        account = create_account(board.database, name="red", name_key="red", actor=ADMIN)
        create_team(board.database, name="red", name_key="red", founder=account, actor=ADMIN)
        scopes = ("read", "submit")
        token = create_token(board.database, account, label="client", scopes=scopes, actor=ADMIN)
        (folder / "token").write_text(token + "\n")

        def work() -> None:
            cache = {}
            while not stop.is_set():
                if not judge_once(board, cache):
                    stop.wait(0.02)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        with serving(create_app(board)) as port:
            yield Challenge(folder, port, board)
        stop.set()
        worker.join()


def test_a_file_is_sent_once_and_scored(challenge):
    before = challenge.count()
    first = challenge.submit(PRED, "--wait", "--method", "CLIP 红")
    expected = mf.evaluate("retrieval", GOLD, PRED).official()["score"]
    assert (first.exit_code, first.stdout) == (0, f"scored: {expected:.2f}\n"), first.output
    assert first.stderr.splitlines()[0] == "accepted: submission 1"
    again = challenge.submit(PRED, "--wait")
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert again.stderr.splitlines()[0] == "accepted before: submission 1"
    assert challenge.count() == before + 1
    with challenge.board.database.read() as connection:
        assert connection.execute(text("SELECT method FROM submission")).scalars().first() == "CLIP 红"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_errors_that_only_the_gold_file_shows_are_those_of_check(challenge, lang):
    strange = {"en": 987_654, "zh": 987_655}[lang]
    path = challenge.broken(f"unknown-{lang}.jsonl", lambda rows: rows[3].update(query_id=strange))
    result = challenge.submit(path, "--wait", task="hard", lang=lang)
    checked = CliRunner().invoke(main, ["check", "retrieval", "-s", str(path), "-g", str(GOLD), "--lang", lang])
    assert checked.exit_code == result.exit_code == 1
    assert result.stdout == checked.stdout


def test_an_invalid_file_costs_nothing(challenge):
    before = challenge.count()
    path = challenge.broken("short.jsonl", lambda rows: rows[0].pop("item_ids"))
    assert challenge.submit(path).exit_code == 1
    assert challenge.count() == before


def test_a_refusal_of_the_quota_is_in_the_language_of_the_user(challenge):
    for number in range(3):
        path = challenge.broken(f"order-{number}.jsonl", lambda rows, n=number: rows[n]["item_ids"].reverse())
        last = challenge.submit(path)
    assert last.exit_code == 2
    assert last.stderr.startswith("Error: the site refuses: ")
    assert "24" in last.stderr
    chinese = challenge.submit(path, lang="zh")
    assert chinese.stderr.startswith("错误：网站拒绝请求：")


def test_a_wrong_token_and_an_unknown_task(challenge, tmp_path):
    (tmp_path / "token").write_text("mfb_token_" + "0" * 72)
    command = ["submit", "retrieval", str(PRED), "--to", challenge.address, "--token-file", str(tmp_path / "token")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "the site refuses" in result.stderr
    unknown = challenge.submit(PRED, task="nowhere")
    assert unknown.exit_code == 2
    assert "there is no such task" in unknown.stderr


def test_a_file_that_is_too_large_is_refused_with_the_limit(challenge, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"x" * 20_000_000)
    result = challenge.submit(path, "--no-check", task="hard")
    assert result.exit_code == 2
    assert "1 MB" in result.stderr


def test_many_clients_with_one_key_make_one_submission(challenge, tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text(PRED.read_text("utf-8") + "\n", "utf-8")
    api = Api(parse_address(challenge.address), token=submitting.read_token(challenge.folder / "token"))
    found, before = [], challenge.count()

    def send() -> None:
        try:
            found.append(submitting.send_submission(api, "hard", path))
        except ClientError as error:
            found.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [one for one in found if not isinstance(one, ClientError)]
    assert len(sent) == 4, found
    assert len({one.id for one in sent}) == 1
    assert challenge.count() == before + 1
