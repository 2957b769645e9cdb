"""Boards to look at: the sample tasks of the package, and a demo with teams and two months of submissions.

Submissions of the demo are made of the sample submissions and the gold files. They are accepted, judged and ranked like
those of any team, by a clock that goes through the two months. The same day gives the same board.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.new_board import write_settings
from muge_fast.leaderboard.rules.admission import admission
from muge_fast.leaderboard.rules.calendar_months import month_of, month_start
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.rules.settings import LANGUAGES, ZONE
from muge_fast.leaderboard.standings.month_records import close_due_months
from muge_fast.leaderboard.store.accounts import create_account
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.queue import RULES, claim, report_fault, requeue
from muge_fast.leaderboard.store.submissions import Accepted, NewSubmission, accept, rule_out, withdraw
from muge_fast.leaderboard.store.teams import create_team
from muge_fast.leaderboard.store.verdicts import evaluations_of
from muge_fast.leaderboard.worker.evaluators import Scorer
from muge_fast.leaderboard.worker.judgement import judge_once

SAMPLES = Path(str(files("muge_fast"))) / "samples"

SEED = 2022
ACTOR = Actor("muge-fast board init --demo")
HOST = "MUGE baseline"

TEAMS = (
    *("织女星", "红裙子", "Lotus", "深蓝视觉", "Team Panda", "图文并茂", "Crossmodal Owls", "拾光", "N-Gram Gang"),
    *(
        "西湖算法社",
        "Zebra Crossing",
        "北斗七星",
        "Late Fusion",
        "豆浆油条",
        "Cold Start",
        "一点点",
        "Attention Seekers",
    ),
    *("青出于蓝", "Gradient Descenders", "最后一公里"),
)
METHODS = (
    *("CLIP ViT-B/16, fine-tuned", "OFA-base", "OFA-large, beam 5", "Chinese-CLIP ViT-H/14", "双塔 + 重排序"),
    *("BLIP-2, LoRA", "两个模型的集成", "BM25 + CLIP", "R2D2", "hard negatives", "更长的训练", "larger batch"),
)
LINKS = ("https://example.org/paper", "https://example.org/code")

RULED_OUT = "A copy of another team's file / 与另一队的文件相同"
FAULT = "the process that scored it was killed by the system: out of memory"


class Sample(NamedTuple):
    """Files of a sample task.

    Attributes:
        gold: Name of the gold file.
        stem: Beginning of the names of its submissions.
        teams: The number of teams of the demo that take part.
        best: The highest level of a submission of the demo.

    """

    gold: str
    stem: str
    teams: int
    best: float


TASKS = {
    "retrieval": Sample("MR_sample_queries.jsonl", "MR_sample", 20, 2.7),
    "caption": Sample("IC_sample.jsonl", "IC_sample", 13, 1.7),
    "classification": Sample("CC_sample.jsonl", "CC_sample", 9, 2.8),
}
SYSTEMS = ("template", "base", "large")


def write_sample_board(
    folder: Path, *, quota: int | None = None, languages: Sequence[str] = LANGUAGES, zone: str = ZONE
) -> None:
    """Write the settings and the gold files of the sample tasks into a folder.

    Args:
        folder: The folder.
        quota: Valid submissions of a team for each task in 24 hours, 0 for no limit; None for 5.
        languages: Languages of the pages, the default first.
        zone: Zone of the board.

    Raises:
        SettingsError: The zone or a language cannot be used.
        OSError: The files cannot be written.

    """
    gold = {task: (task, SAMPLES / task / sample.gold) for task, sample in TASKS.items()}
    write_settings(folder, gold, quota=quota, zone=zone, languages=languages)


def fill_demo(board: Board, *, now: datetime | None = None) -> None:
    """Fill a board of the sample tasks with teams and two months of submissions, which are judged here.

    Args:
        board: The board, with registered tasks and without teams.
        now: The end of the two months; None for an hour ago.

    """
    if now is None:
        with board.database.read() as connection:
            now = board.database.now(connection) - timedelta(hours=1)
    clock = Clock(_beginning(now, board.settings.zone))
    # A demo that a loss of power damages is made again, so it is synchronized once, not at each of a thousand steps.
    with _unsynchronized(board) as blobs:
        database = Database(board.database.engine, clock=clock)
        demo = Demo(replace(board, database=database, blobs=blobs), clock)
        demo.found_teams()
        for planned in plan(clock.now, now):
            demo.go_to(planned.at)
            demo.submit(planned)
        demo.go_to(now)
    os.sync()


@contextmanager
def _unsynchronized(board: Board) -> Iterator[Blobs]:
    """Yield the files of a board. Within the block, they and its database are not synchronized, on this machine."""
    blobs = board.blobs
    fast = LocalBlobs(blobs.folder, synchronized=False) if isinstance(blobs, LocalBlobs) else blobs
    engine = board.database.engine
    if not board.database.is_sqlite:
        yield fast
        return
    # Connections are made again before and after.
    event.listen(engine, "connect", _do_not_wait)
    engine.dispose()
    try:
        yield fast
    finally:
        event.remove(engine, "connect", _do_not_wait)
        engine.dispose()


def _do_not_wait(connection: DBAPIConnection, record: object) -> None:
    del record
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.close()


def _beginning(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the demo: that of a month, about two months ago."""
    return month_start(month_of(now - timedelta(days=45), zone), zone)


class Clock:
    """A clock that stands still until it is moved forward.

    Args:
        now: The first time.

    """

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass(frozen=True)
class Planned:
    """A submission to come.

    Attributes:
        at: When it is accepted.
        task: The task.
        team: Name of the team.
        number: Its number among those of the team.
        level: Quality from 0, the sample system "template", to 3, the gold file.
        event: What happens to it: ``""``, ``"broken"``, ``"withdrawn"``, ``"ruled out"`` or ``"fault"``.
        copied: Team whose file it is; empty for its own file.

    """

    at: datetime
    task: str
    team: str
    number: int
    level: float
    event: str = ""
    copied: str = ""


# By task, team and number of the submission.
EVENTS = {
    ("retrieval", "豆浆油条", 2): "broken",
    ("retrieval", "Late Fusion", 2): "withdrawn",
    ("retrieval", "Cold Start", 2): "ruled out",
    ("retrieval", "Lotus", 2): "fault",
    ("caption", "拾光", 1): "broken",
    ("caption", "Team Panda", 2): "withdrawn",
    ("classification", "红裙子", 1): "broken",
}
# Teams that send the file of another, which ties with it.
COPIES = {("retrieval", "Cold Start", 2): "北斗七星"}


def _random(*parts: str) -> Random:
    """Return a generator that depends on its purpose alone, so that the same day gives the same board."""
    return Random(f"{SEED} {' '.join(parts)}")  # noqa: S311 - nothing is secret


def plan(begins: datetime, ends: datetime) -> list[Planned]:
    """Return the submissions of the demo, by time. Those of a team for a task are at least two days apart.

    Args:
        begins: The beginning.
        ends: The end.

    Returns:
        The submissions.

    """
    random = _random("plan")
    days = (ends - begins).days
    planned: list[Planned] = []
    for task, sample in TASKS.items():
        planned += [
            Planned(begins + timedelta(hours=2 + level), task, HOST, level + 1, float(level)) for level in range(2)
        ]
        for team in TEAMS[: sample.teams]:
            count = random.randint(2, 5)
            first = sorted(random.sample(range(1, max(days // 2, count + 2)), count))
            hours = timedelta(hours=random.uniform(0, 14), seconds=random.uniform(0, 60))
            strength = random.choices((0.2, 0.5, 0.85), (8, 9, 3))[0]
            level, gain = sample.best * (strength + random.uniform(-0.1, 0.1)), random.uniform(0.02, 0.2)
            for number, day in enumerate(first, 1):
                key = (task, team, number)
                at = begins + timedelta(days=2 * day - 1) + hours
                reached = min(level + gain * (number - 1), sample.best) + random.uniform(-0.15, 0.1)
                planned.append(Planned(at, task, team, number, reached, EVENTS.get(key, ""), COPIES.get(key, "")))
    return sorted((one for one in planned if one.at < ends), key=lambda one: (one.at, one.task, one.team))


class Demo:
    """Sends the submissions of a demo.

    Args:
        board: The board, whose database has the clock.
        clock: The clock.

    """

    def __init__(self, board: Board, clock: Clock) -> None:
        self.board = board
        self.clock = clock
        self.month = month_of(clock.now, board.settings.zone)
        self.accounts: dict[str, str] = {}
        self.files = {task: SampleFiles(task) for task in TASKS}
        self.prepared: dict[str, Scorer] = {}
        self.latest: dict[tuple[str, str], bytes] = {}

    def found_teams(self) -> None:
        """Make the teams, each with one account, and that of the host."""
        for index, name in enumerate((*TEAMS, HOST)):
            account = create_account(self.board.database, name=name, name_key=skeleton(name), actor=ACTOR)
            create_team(
                self.board.database,
                name=name,
                name_key=skeleton(name),
                founder=account,
                alias=f"Team {chr(ord('A') + index)}",
                host=name == HOST,
                actor=ACTOR,
            )
            self.accounts[name] = account

    def go_to(self, moment: datetime) -> None:
        """Move the clock, and close the months that end on the way.

        Args:
            moment: The time.

        """
        zone = self.board.settings.zone
        while (end := month_start(self.month.plus(1), zone)) <= moment:
            self.clock.now, self.month = max(self.clock.now, end), self.month.plus(1)
            close_due_months(self.board, actor=ACTOR)
        self.clock.now = max(self.clock.now, moment)

    def submit(self, planned: Planned) -> None:
        """Send a submission, and judge it.

        Args:
            planned: The submission.

        """
        content = self.latest.get((planned.task, planned.copied)) or self.files[planned.task].submission(planned)
        self.latest[planned.task, planned.team] = content
        accepted = self._accept(planned, content)
        if planned.event == "fault":
            self._fault(accepted)
        while judge_once(self.board, self.prepared):
            pass
        # An organizer or the team decides later.
        self.clock.now += timedelta(minutes=20)
        if planned.event == "withdrawn":
            withdraw(self.board.database, accepted.submission, actor=Actor(self.accounts[planned.team]))
        elif planned.event == "ruled out":
            rule_out(self.board.database, accepted.submission, reason=RULED_OUT, actor=ACTOR)

    def _accept(self, planned: Planned, content: bytes) -> Accepted:
        task, zone = self.board.settings.tasks[planned.task], self.board.settings.zone
        stored = self.board.blobs.put([content], max_bytes=task.max_bytes)
        random = _random("method", planned.task, planned.team)
        is_host = planned.team == HOST
        method = SYSTEMS[planned.number - 1] if is_host else random.sample(METHODS, 5)[planned.number - 1]
        new = NewSubmission(
            planned.task,
            self.accounts[planned.team],
            stored.sha256,
            stored.size,
            f"demo-{planned.task}-{planned.number}",
            method=method,
            links=() if is_host else LINKS[: random.choice((0, 0, 1, 2))],
        )
        return accept(self.board.database, new, admit=admission(task, zone))

    def _fault(self, accepted: Accepted) -> None:
        """Let each try of an evaluation fail, and queue it again as an organizer does."""
        database = self.board.database
        # Nothing else is queued.
        while (job := claim(database, "demo")) is not None:
            report_fault(database, job, FAULT)
            self.clock.now += max(RULES.backoff)
        self.clock.now += timedelta(hours=3)
        with database.read() as connection:
            (evaluation,) = evaluations_of(connection, accepted.submission)
        requeue(database, evaluation.id, actor=ACTOR)


class SampleFiles:
    """Rows of the sample systems and of the gold file of a task, from which submissions are made.

    Args:
        task: The task.

    """

    def __init__(self, task: str) -> None:
        sample = TASKS[task]
        self.task = task
        names = [f"{sample.stem}.pred.{system}.jsonl" for system in SYSTEMS]
        systems = [_read_rows(SAMPLES / task / name) for name in names]
        gold = _read_rows(SAMPLES / task / sample.gold)
        best = [_right(right, made) for right, made in zip(gold, systems[-1], strict=True)]
        self.levels = [*systems, best]

    def submission(self, planned: Planned) -> bytes:
        """Return the content of a file: for each item, the row of one of two neighboring levels.

        Args:
            planned: The submission.

        Returns:
            JSON Lines.

        """
        items, own = _random("items", self.task), _random("items", self.task, planned.team)
        lines = []
        for choices in zip(*self.levels, strict=True):
            # Items that are difficult for one team are so for others.
            shift = (items.random() + own.random()) / 2
            level = min(max(int(planned.level + shift), 0), len(choices) - 1)
            lines.append(json.dumps(choices[level], ensure_ascii=False))
        if planned.event == "broken":
            # A line that is cut off, one that is missing, and one that occurs twice.
            lines[4], lines[20] = lines[4][:25], lines[21]
        return ("\n".join(lines) + "\n").encode()


def _read_rows(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return sorted(rows, key=lambda row: str(row.get("query_id", row.get("image_id"))))


def _right(gold: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a submission that has the right answer."""
    row = dict(made)
    if "item_ids" in gold:
        others = [item for item in made["item_ids"] if item not in gold["item_ids"]]
        row["item_ids"] = [*gold["item_ids"], *others][: len(made["item_ids"])]
    elif "label" in gold:
        row["label"] = gold["label"]
    else:
        row["text"] = gold["text"][0]
    return row
