"""Boards with the package's sample tasks, for tests of workers."""

from __future__ import annotations

import json
import os
import threading
import uuid
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest

from leaderboard_boards import ADMIN, admit_all
from leaderboard_trial_task import IMAGES, TASK
from muge_fast.leaderboard.board import open_board
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.store.accounts import create_account
from muge_fast.leaderboard.store.submission_records import judgement_of
from muge_fast.leaderboard.store.submissions import NewSubmission, accept
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.worker.loop import run_worker

SECRET = "机密参考文本"  # noqa: S105 - a text of a gold file
SAMPLES = Path(str(files("muge_fast"))) / "samples"
GOLD = {
    "caption": SAMPLES / "caption" / "IC_sample.jsonl",
    "retrieval": SAMPLES / "retrieval" / "MR_sample_queries.jsonl",
    "classification": SAMPLES / "classification" / "CC_sample.jsonl",
}
VALID = {
    "caption": SAMPLES / "caption" / "IC_sample.pred.large.jsonl",
    "retrieval": SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl",
    "classification": SAMPLES / "classification" / "CC_sample.jsonl",
}


class WorkerBoard:
    """A board in a folder, with one team."""

    def __init__(self, folder: Path, *, gold: dict[str, Path | bytes] | None = None, toml: str = "", **options) -> None:
        self.folder = folder
        (folder / "gold").mkdir(parents=True, exist_ok=True)
        text = 'languages = ["en", "zh"]\n'
        for slug, content in (GOLD if gold is None else gold).items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            (folder / "gold" / f"{slug}.jsonl").write_bytes(data)
            text += f'[tasks.{slug}]\ngold = "gold/{slug}.jsonl"\n'
        (folder / "board.toml").write_text(text + toml, "utf-8")
        self.board = open_board(folder, create=True, **options)
        register_tasks(self.board, actor=ADMIN)
        self.account = create_account(self.board.database, name="red", name_key="red", actor=ADMIN)
        create_team(self.board.database, name="red", name_key="red", founder=self.account, actor=ADMIN)

    def send(self, task: str, content: bytes | Path) -> str:
        data = content if isinstance(content, bytes) else content.read_bytes()
        stored = self.board.blobs.put([data])
        new = NewSubmission(task, self.account, stored.sha256, stored.size, uuid.uuid4().hex)
        return accept(self.board.database, new, admit=admit_all).submission

    def verdict(self, submission: str):
        with self.board.database.read() as connection:
            return judgement_of(connection, submission)

    def wait(self, submission: str, states=("scored", "invalid", "faulted"), seconds: float = 20):
        pause, found = threading.Event(), self.verdict(submission)
        for _ in range(int(seconds / 0.01)):
            if found.state in states:
                return found
            pause.wait(0.01)
            found = self.verdict(submission)
        raise AssertionError(f"the evaluation is still {found.state}: {found.fault}")

    @contextmanager
    def worker(self, **options):
        """Run a worker in a thread of this process, and stop it."""
        stop = threading.Event()
        thread = threading.Thread(target=run_worker, args=(self.board,), kwargs={"stop": stop, **options})
        thread.start()
        try:
            yield thread
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()


@contextmanager
def trial_board(make_folder, name=TASK.name, gold=None):
    """Yield a board with a task of another package, whose scorer does what a submission says."""
    folder = make_folder("package")
    package = folder / "trial-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: trial\nVersion: 1.0\n")
    tasks = {"TASK": TASK, "IMAGES": IMAGES}
    entries = "".join(f"{task.name} = leaderboard_trial_task:{key}\n" for key, task in tasks.items())
    (package / "entry_points.txt").write_text(f"[muge_fast.tasks]\n{entries}")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        places = [str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
        gold = gold or json.dumps({"id": "a", "text": [SECRET]}, ensure_ascii=False).encode()
        made = WorkerBoard(make_folder("trial") / "board", gold={name: gold}, toml="higher_is_better = true\n")
        yield made
        made.board.close()


def row(action: str) -> bytes:
    return json.dumps({"id": "a", "text": action}).encode()
