"""What queries of boards read: as much for thousands of submissions as for hundreds."""

from datetime import timedelta

import pytest
from sqlalchemy import event, insert

from leaderboard_boards import ADMIN, START, Board, digest, make_sqlite_template
from muge_fast.leaderboard.store.boards import baseline_entries, best_entries, submission_counts
from muge_fast.leaderboard.store.months import close_month
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import blob, evaluation, submission, verdict
from muge_fast.leaderboard.store.teams import create_team

TEAMS, HOST_FILES = 5, 3


def many(tmp_path, each: int) -> Board:
    """Return a board whose teams have sent this many files, every third one with errors, and its host three."""
    board = Board(str(make_sqlite_template(tmp_path).rename(tmp_path / f"{each}.sqlite")))
    for name in ("green", "gray", "gold"):
        board.new_team(name)
    founder = board.new_account("host")
    board.teams["host"] = create_team(
        board.database, name="host", name_key="host", founder=founder, host=True, actor=ADMIN
    )
    submissions, evaluations, verdicts = [], [], []
    for number in range(1, each + 1):
        for name, team in board.teams.items():
            if name == "host" and number > HOST_FILES:
                continue
            at = START + timedelta(minutes=len(submissions))
            ids = {"submission": new_id(), "evaluation": new_id()}
            common = {"team": team, "accepted_at": at}
            published = None if number % 3 == 0 else 50.0 + number % 7
            submissions.append(
                common
                | {"id": ids["submission"], "task": "retrieval", "account": board.accounts[name], "number": number}
                | {"blob": digest("x"), "client_key": ids["submission"], "method": "", "links": [], "visible": True}
            )
            times = dict.fromkeys(("not_before", "created_at", "started_at", "finished_at"), at)
            evaluations.append(
                {"id": ids["evaluation"], "submission": ids["submission"], "evaluator": board.evaluator, "attempt": 1}
                | {"original": True, "waived": False, "state": "scored" if published else "invalid", **times}
            )
            scores = {"mean_recall": published.hex()} if published else {}
            verdicts.append(
                {**ids, **common, "evaluator": board.evaluator, "ok": published is not None, "published": published}
                | {"order_key": published and -published, "report": {}, "scores": scores, "seconds": 0.1}
                | {"package_version": "0.2.0", "created_at": at}
            )
    with board.database.write() as connection:
        connection.execute(insert(blob).values(sha256=digest("x"), size=1, created_at=START))
        for table, rows in ((submission, submissions), (evaluation, evaluations), (verdict, verdicts)):
            connection.execute(insert(table), rows)
    board.clock.now = START + timedelta(days=60)
    return board


class Steps:
    """Counts the steps of SQLite's machine, in hundreds."""

    def __init__(self, board: Board) -> None:
        self.count = 0
        board.database.engine.dispose()
        event.listen(board.database.engine, "connect", self._listen)

    def _listen(self, connection, record) -> None:
        del record
        connection.set_progress_handler(self._count, 100)

    def _count(self) -> int:
        self.count += 1
        return 0


def steps_of(board: Board, query) -> int:
    steps = Steps(board)
    with board.database.read() as connection:
        query(connection)
    return steps.count


QUERIES = {
    "board": lambda connection: best_entries(connection, "retrieval"),
    "board before a moment": lambda connection: best_entries(
        connection, "retrieval", before=START + timedelta(minutes=50)
    ),
    "baselines": lambda connection: baseline_entries(connection, "retrieval"),
    "numbers of files": lambda connection: submission_counts(connection, "retrieval"),
}


@pytest.fixture(scope="module")
def boards(tmp_path_factory):
    """Open a board of some files, and one of ten times as many."""
    made = [many(tmp_path_factory.mktemp("boards"), each) for each in (60, 600)]
    yield made
    for board in made:
        board.database.close()


@pytest.mark.parametrize("name", ["board", "baselines", "numbers of files"])
def test_a_board_reads_as_much_of_many_files_as_of_few(boards, name):
    few, ten_times = (steps_of(board, QUERIES[name]) for board in boards)
    assert ten_times <= 1.2 * few + 2


def test_a_board_of_a_window_goes_through_an_index(boards):
    few, ten_times = (steps_of(board, QUERIES["board before a moment"]) for board in boards)
    # Better files after the window are passed over in the index: some steps each, for those without errors.
    assert (ten_times - few) * 100 <= 20 * TEAMS * (600 - 60)


def test_a_month_is_closed_without_reading_every_file(boards):
    board = boards[1]
    steps = Steps(board)
    options = {"start": START, "boundary": START + timedelta(minutes=500), "actor": ADMIN}
    close_month(
        board.database, "retrieval", "2026-11", select_rows=lambda rows: [row.published for row in rows], **options
    )
    assert steps.count * 100 <= 60 * TEAMS * 600
