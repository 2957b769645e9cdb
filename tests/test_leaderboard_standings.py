"""Standings: ranking, intervals, possible ranks, differences, best over time, and what each viewer sees."""

import csv
import io
import json
import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

import muge_fast as mf
from leaderboard_boards import ADMIN, START, make_sqlite_template
from leaderboard_items import ItemBoard, hits_with_rate, scores_of_hits
from muge_fast.leaderboard.rules.ranking import RankingRule
from muge_fast.leaderboard.rules.visibility import Disclosure, Viewer
from muge_fast.leaderboard.standings.board_csv import COLUMNS, ORGANIZER_COLUMNS, standing_csv
from muge_fast.leaderboard.standings.board_json import standing_json
from muge_fast.leaderboard.standings.history import is_confirmed
from muge_fast.leaderboard.standings.item_rows import read_item_rows, write_item_rows
from muge_fast.leaderboard.standings.resampled import RESAMPLES, ResampledScores
from muge_fast.leaderboard.standings.standing import Window
from muge_fast.leaderboard.standings.statistics import standing_statistics
from muge_fast.leaderboard.standings.visible import visible_standing
from muge_fast.leaderboard.store.submissions import rule_out, set_visible, withdraw
from muge_fast.leaderboard.store.teams import change_team
from muge_fast.scores import Scores, mean_score, set_score

ORGANIZER = Viewer(is_organizer=True)


@pytest.fixture
def items(tmp_path):
    path = make_sqlite_template(tmp_path).rename(tmp_path / "board.sqlite")
    board = ItemBoard(tmp_path, str(path))
    yield board
    board.close()


@pytest.fixture
def both(tmp_path, address):
    """Open a board in each of the databases."""
    board = ItemBoard(tmp_path, address)
    yield board
    board.close()


def complete(board, **window):
    return board.standings.complete("retrieval", Window(**window))


def statistics_of(board, submission):
    return complete(board).statistics.rows[submission]


# Ranking


def test_a_standing_has_the_best_of_each_team_and_every_baseline(both):
    both.new_host()
    both.judge_hits("red", [1, 1, 0, 0])
    both.clock.advance(hours=1)
    both.judge_hits("red", [1, 1, 1, 0])
    both.judge("red", None)
    both.judge_hits("blue", [1, 1, 1, 0])
    both.judge_hits("green", [1, 0, 0, 0])
    both.judge_hits("baseline", [1, 1, 0, 0])
    both.judge_hits("baseline", [1, 1, 1, 1])
    standing = complete(both)
    assert [(row.rank, row.prize, row.team_name, str(row.number), row.submissions) for row in standing.rows] == [
        (None, None, "baseline", "100.00", 2),
        (1, 1, "red", "75.00", 3),
        (1, 2, "blue", "75.00", 1),
        (None, None, "baseline", "50.00", 2),
        (3, 3, "green", "25.00", 1),
    ]
    assert standing.first.team_name == "red"
    assert (standing.rows[1].submission_number, standing.rows[1].exact, standing.evaluator) == (2, 75.0, both.evaluator)


def test_a_window_counts_the_submissions_in_it(both):
    both.judge_hits("red", [1, 1, 1, 0])
    both.clock.advance(days=2)
    both.judge_hits("red", [1, 1, 0, 0])
    both.judge_hits("blue", [1, 0, 0, 0])

    def shown(**window):
        return [(row.team_name, str(row.number), row.submissions) for row in complete(both, **window).rows]

    second = START + timedelta(days=1)
    assert shown() == [("red", "75.00", 2), ("blue", "25.00", 1)]
    assert shown(since=second) == [("red", "50.00", 1), ("blue", "25.00", 1)]
    assert shown(before=second) == [("red", "75.00", 1)]
    assert [step.number for step in complete(both, since=second).history.frontier] == [Decimal("50.00")]


def test_a_task_without_submissions_has_an_empty_standing(items):
    standing = complete(items)
    assert (standing.rows, standing.first, standing.statistics.rows, standing.history.frontier) == ((), None, {}, ())
    assert standing_json(visible_standing(standing, None, Disclosure()))["rows"] == []


# Statistics


def test_statistics_are_those_of_compare(items):
    """The board needs the influence of items alone; the comparison of all scores is made here from the items."""
    hits = {"red": hits_with_rate(0.7), "blue": hits_with_rate(0.68, seed=2), "green": hits_with_rate(0.5, seed=3)}
    submissions = {name: items.judge_hits(name, found) for name, found in hits.items()}
    scores = {name: scores_of_hits(found)["mean_recall"] for name, found in hits.items()}
    compared = mf.compare(scores, resamples=RESAMPLES)["mean_recall"]
    found = complete(items).statistics
    assert (found.items, found.level, found.resamples) == (400, 0.95, RESAMPLES)
    for name, submission in submissions.items():
        row = found.rows[submission]
        assert row.interval == pytest.approx([100 * bound for bound in compared.intervals[name]], abs=1e-9)
        assert row.standard_error == pytest.approx(100 * compared.standard_errors[name])
        assert str(row.rank_range) == str(compared.ranks[name])
        if name == "red":
            assert (row.difference, row.difference_interval) == (0, None)
        else:
            pair = compared[name, "red"]
            assert row.difference == pytest.approx(100 * pair.difference)
            assert row.difference_interval == pytest.approx([100 * bound for bound in pair.interval], abs=1e-9)


def test_neighbours_that_the_items_do_not_separate_are_marked(items):
    rates = {"red": 0.9, "blue": 0.89, "green": 0.6, "gray": 0.3}
    submissions = [items.judge_hits(name, hits_with_rate(rate, seed=2)) for name, rate in rates.items()]
    rows = [complete(items).statistics.rows[submission] for submission in submissions]
    assert [row.not_apart for row in rows] == [None, True, False, False]
    assert [str(row.rank_range) for row in rows] == ["1–2", "1–2", "3", "4"]


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_ranks_follow_the_direction_of_the_score(items, higher_is_better):
    good, bad = hits_with_rate(0.9), hits_with_rate(0.4)
    first, last = items.judge_hits("red", good), items.judge_hits("blue", bad)
    if higher_is_better:
        rows = complete(items).statistics.rows
        assert (str(rows[first].rank_range), str(rows[last].rank_range)) == ("1", "2")
        assert rows[last].difference_interval[1] < 0
        return
    standing = complete(items)
    rows = tuple(replace(row, rank=3 - row.rank) for row in standing.rows[::-1])
    turned = replace(standing, rows=rows, rule=replace(standing.rule, higher_is_better=False))
    found = standing_statistics(turned, ResampledScores(items.opened.blobs)).rows
    assert (str(found[last].rank_range), str(found[first].rank_range)) == ("1", "2")
    assert found[first].difference_interval[0] > 0


def test_equal_files_are_not_apart_and_share_their_ranks(items):
    hits = hits_with_rate(0.6)
    first, second = items.judge_hits("red", hits), items.judge_hits("blue", hits)
    rows = complete(items).statistics.rows
    assert (str(rows[first].rank_range), str(rows[second].rank_range)) == ("1–2", "1–2")
    assert (rows[second].difference, rows[second].difference_interval, rows[second].not_apart) == (0, (0, 0), True)


def test_baselines_have_intervals_but_take_part_in_no_ranks(items):
    items.new_host()
    baseline = items.judge_hits("baseline", hits_with_rate(0.95))
    first, second = items.judge_hits("red", hits_with_rate(0.9)), items.judge_hits("blue", hits_with_rate(0.4))
    rows = complete(items).statistics.rows
    assert (rows[baseline].rank_range, rows[baseline].not_apart) == (None, None)
    assert rows[baseline].difference == pytest.approx(5)
    assert rows[baseline].difference_interval is not None
    assert (str(rows[first].rank_range), str(rows[second].rank_range)) == ("1", "2")


def test_a_team_without_scores_of_items_may_have_any_rank(items):
    known = [items.judge_hits(name, hits_with_rate(rate)) for name, rate in (("red", 0.9), ("blue", 0.3))]
    unknown = items.judge_scores("green", scores_of_hits(hits_with_rate(0.6)), with_rows=False)
    rows = complete(items).statistics.rows
    assert unknown not in rows
    assert [str(rows[submission].rank_range) for submission in known] == ["1–2", "2–3"]
    assert [rows[submission].not_apart for submission in known] == [None, None]


def test_statistics_need_no_scores_of_items(items):
    items.judge_scores("red", scores_of_hits([1, 0]), with_rows=False)
    standing = complete(items)
    assert (standing.stage, standing.statistics.rows) == (2, {})
    shown = visible_standing(standing, None, Disclosure())
    (row,) = shown.rows
    assert (row.interval, row.rank_range, row.confirmed, shown.level, shown.items) == (None, None, None, None, None)
    assert (standing_json(shown)["statistics"], standing_json(shown)["stage"]) == (None, 2)


def test_a_broken_file_leaves_its_row_without_statistics(items, caplog):
    good = items.judge_hits("red", hits_with_rate(0.9))
    items.judge_hits("blue", hits_with_rate(0.5))
    broken = items.standings.get("retrieval").rows[1].rows_blob
    with items.opened.blobs.local(broken) as path:
        path.chmod(0o600)
        path.write_bytes(b"broken")
    assert set(complete(items).statistics.rows) == {good}
    assert f"the scores of items in the file {broken} are broken" in caplog.text


def test_a_file_that_cannot_be_read_is_tried_again(items, caplog):
    """Object storage may fail for a moment."""
    items.judge_hits("red", hits_with_rate(0.5))
    items.judge_hits("red", hits_with_rate(0.9))
    items.judge_hits("blue", hits_with_rate(0.6))
    lost = items.standings.get("retrieval").rows[0].rows_blob
    with items.opened.blobs.local(lost) as path:
        away = path.rename(path.with_name("away"))
    first = complete(items)
    assert (len(first.statistics.rows), first.history.confirmed) == (1, {})
    assert f"the scores of items in the file {lost} cannot be read" in caplog.text
    away.rename(path)
    items.judge_hits("green", hits_with_rate(0.3))
    second = complete(items)
    assert (len(second.statistics.rows), list(second.history.confirmed.values())) == (3, [True])


def test_a_board_of_very_many_teams_has_intervals_alone(items, monkeypatch):
    monkeypatch.setattr("muge_fast.leaderboard.standings.statistics.MOST_TEAMS", 2)
    submissions = [items.judge_hits(name, hits_with_rate(0.9)) for name in ("red", "blue")]
    assert complete(items).statistics.rows[submissions[0]].rank_range is not None
    items.judge_hits("green", hits_with_rate(0.1))
    row = complete(items).statistics.rows[submissions[0]]
    assert (row.rank_range, row.not_apart, row.interval[0] < 90 < row.interval[1]) == (None, None, True)


def test_scores_of_other_items_are_not_compared(items):
    majority = [items.judge_hits(name, hits_with_rate(0.9, seed=k)) for k, name in enumerate(("red", "blue"))]
    other = items.judge_hits("green", hits_with_rate(0.5, items=300))
    assert set(complete(items).statistics.rows) == set(majority)
    assert other not in complete(items).statistics.rows


def test_ranges_hold_the_published_rank_of_numbers_that_are_equal_but_for_rounding(items):
    """Exact scores may differ significantly where published ones are equal: ranks are those that are published."""
    values = np.random.default_rng(0).random(100)
    for name, gain in (("blue", 0.0), ("red", 1e-7)):
        score = mean_score("mean_recall", "mean_recall|version:0", values + gain)
        items.judge_scores(name, Scores({"mean_recall": score}, 100), content=name)
    standing = complete(items)
    assert [row.rank for row in standing.rows] == [1, 1]
    blue, red = (standing.statistics.rows[row.submission] for row in standing.rows)
    # Each item of red is better, so blue is second at best.
    assert (str(blue.rank_range), str(red.rank_range), red.not_apart) == ("1–2", "1", True)


def test_fid_has_intervals_by_the_influence_of_generated_and_real_images(items):
    """The lower FID is better. Both sets of images are resampled, as ``compare`` does."""
    random = np.random.default_rng(0)
    real = random.normal(size=50)
    scores = {}
    for name, value in (("red", 17.0), ("blue", 17.5), ("green", 40.0)):
        influence = (random.normal(size=60), real + 0.1 * random.normal(size=50))
        centered = tuple(rows - rows.mean() for rows in influence)
        fid = set_score("fid", "fid|version:0", value, higher_is_better=False, influence=centered)
        scores[name] = Scores({"fid": fid}, 60, list(range(60)))
    blobs, rows = items.opened.blobs, []
    items.judge_hits("red", [1, 0])
    (shown,) = items.standings.get("retrieval").rows
    for rank, (name, given) in enumerate(scores.items(), 1):
        stored = blobs.put([write_item_rows(given, "fid")])
        number = Decimal(str(given["fid"].value))
        rows.append(replace(shown, rank=rank, number=number, submission=name, team=name, rows_blob=stored.sha256))
    rule = RankingRule(higher_is_better=False, scale=1)
    standing = replace(items.standings.get("retrieval"), rows=tuple(rows), rule=rule)
    found = standing_statistics(standing, ResampledScores(blobs))
    compared = mf.compare(scores, resamples=RESAMPLES, test="normal")["fid"]
    assert found.items == 60
    for name, row in found.rows.items():
        assert row.interval == pytest.approx(tuple(compared.intervals[name]))
        assert str(row.rank_range) == str(compared.ranks[name])
    assert [row.not_apart for row in found.rows.values()] == [None, False, False]


# Best over time


def test_history_has_the_steps_of_teams_and_of_the_board(both):
    both.new_host()
    for team, hits in (
        ("red", [1, 0, 0, 0]),
        ("baseline", [1, 1, 1, 1]),
        ("blue", [1, 1, 0, 0]),
        ("red", [1, 1, 0, 0]),
        ("red", [1, 0, 0, 0]),
        ("red", [1, 1, 1, 0]),
    ):
        both.judge_hits(team, hits)
        both.clock.advance(hours=1)
    history = complete(both).history
    red, blue = both.teams["red"], both.teams["blue"]
    assert [(step.team, str(step.number)) for step in history.frontier] == [
        (red, "25.00"),
        (blue, "50.00"),
        (red, "75.00"),
    ]
    assert {team: [str(step.number) for step in steps] for team, steps in history.teams.items()} == {
        red: ["25.00", "50.00", "75.00"],
        blue: ["50.00"],
    }
    assert history.teams[red][-1].accepted_at == START + timedelta(hours=5)


def test_submissions_that_are_not_shown_are_not_in_the_history(both):
    for hits in ([1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]):
        submission = both.judge_hits("red", hits)
        if sum(hits) == 2:
            withdraw(both.database, submission, actor=ADMIN)
        if sum(hits) == 3:
            rule_out(both.database, submission, reason="a copy", actor=ADMIN)
        if sum(hits) == 4:
            set_visible(both.database, submission, visible=False, actor=ADMIN)
    assert [str(step.number) for step in complete(both).history.frontier] == ["25.00"]


def test_an_improvement_is_confirmed_beyond_one_standard_error():
    old, new = scores_of_hits([1] * 50 + [0] * 50), scores_of_hits([1] * 51 + [0] * 49)
    rows = [read_item_rows(write_item_rows(scores, "mean_recall")) for scores in (old, new)]
    # One item of 100 differs, so the gain is exactly its standard error.
    assert not is_confirmed(*rows, higher_is_better=True)
    better = read_item_rows(write_item_rows(scores_of_hits([1] * 53 + [0] * 47), "mean_recall"))
    difference = np.array([0] * 50 + [1] * 3 + [0] * 47)
    assert difference.mean() > math.sqrt(difference.var(ddof=1) / 100)
    assert is_confirmed(rows[0], better, higher_is_better=True)
    assert not is_confirmed(better, rows[0], higher_is_better=True)
    assert is_confirmed(better, rows[0], higher_is_better=False)


def test_small_steps_are_confirmed_together(items):
    """Each of these steps is within the noise of the last one, but not within that of the last confirmed one."""
    made = [items.judge_hits("red", [1] * (50 + step) + [0] * (50 - step)) for step in range(5)]
    confirmed = complete(items).history.confirmed
    # The error of k items of 100 is about the root of k, the gain is k.
    assert {submission: confirmed.get(submission) for submission in made} == dict(
        zip(made, [None, False, True, False, True], strict=True)
    )


# What viewers see


def fields_of(standing, viewer, **disclosure):
    return visible_standing(standing, viewer, Disclosure(**disclosure))


def test_bounds_are_rounded_as_the_published_number_is(items):
    items.judge_hits("red", hits_with_rate(0.61, items=301))
    items.judge_hits("blue", hits_with_rate(0.47, items=301))
    shown = fields_of(complete(items), ORGANIZER)
    for row in shown.rows:
        bounds = [*row.interval, row.difference.value, *filter(None, (row.difference.low, row.difference.high))]
        assert all(bound == round(bound, 2) for bound in bounds)
        assert row.interval[0] < row.published < row.interval[1]
    assert shown.rows[1].difference.value == shown.rows[1].published - shown.rows[0].published


def test_anonymous_tasks_show_aliases_and_no_ids_of_teams(items):
    items.judge_hits("red", hits_with_rate(0.9), method="red net", links=("https://red.example",))
    items.judge_hits("blue", hits_with_rate(0.4))
    change_team(items.database, items.teams["red"], alias="Team 7", actor=ADMIN)
    standing = complete(items)
    text = json.dumps(standing_json(fields_of(standing, None, anonymous=True)))
    for secret in ("red", items.teams["red"], items.teams["blue"], "blue"):
        assert f'"{secret}' not in text
    shown = fields_of(standing, Viewer(frozenset([items.teams["blue"]])), anonymous=True)
    assert [(row.team, row.team_id, row.method, row.is_own) for row in shown.rows] == [
        ("Team 7", None, None, False),
        ("blue", items.teams["blue"], "", True),
    ]
    assert [step.team for step in shown.frontier] == ["Team 7"]
    assert [step.team for step in shown.rows[0].history] == ["Team 7"]
    named = fields_of(standing, ORGANIZER, anonymous=True)
    assert [(row.team, row.team_name) for row in named.rows] == [("red", "red"), ("blue", "blue")]


def test_a_team_may_hide_its_name_in_a_task_that_is_not_anonymous(items):
    items.judge_hits("red", [1, 0, 1, 0])
    items.judge_hits("blue", [1, 0, 0, 0])
    change_team(items.database, items.teams["red"], public=False, actor=ADMIN)
    assert [row.team for row in fields_of(complete(items), None).rows] == [None, "blue"]


def test_exact_scores_and_equal_files_are_for_organizers(items):
    first = items.judge_hits("red", [1, 0, 1, 0], content="same")
    second = items.judge_hits("blue", [1, 0, 1, 0], content="same")
    standing = complete(items)
    for viewer in (None, Viewer(), Viewer(frozenset([items.teams["red"]]))):
        for row in fields_of(standing, viewer).rows:
            assert (row.exact, row.team_name, row.same_file_as) == (None, None, None)
    rows = fields_of(standing, ORGANIZER).rows
    assert [(row.exact, row.same_file_as) for row in rows] == [(50.0, (second,)), (50.0, (first,))]


def test_before_statistics_are_ready_the_ranking_is_shown(items):
    items.judge_hits("red", [1, 0, 1, 0])
    shown = fields_of(items.standings.get("retrieval"), None)
    (row,) = shown.rows
    assert (shown.stage, shown.level, shown.frontier, row.interval, row.history) == (0, None, None, None, None)
    assert (row.rank, row.published, row.difference.value) == (1, Decimal("50.00"), 0)


def test_json_has_plain_numbers_and_times(items):
    submission = items.judge_hits("red", hits_with_rate(0.9), method="net", links=("https://red.example",))
    items.judge_hits("blue", hits_with_rate(0.2))
    found = json.loads(json.dumps(standing_json(fields_of(complete(items), None)), allow_nan=False))
    assert found["statistics"] == {"level": 0.95, "items": 400, "resamples": RESAMPLES}
    assert (found["since"], found["before"], found["digits"], found["higher_is_better"]) == (None, None, 2, True)
    first = found["rows"][0]
    assert (first["rank"], first["rank_range"], first["published"], first["team"]) == (1, [1, 1], 90.0, "red")
    assert (first["submission"], first["accepted_at"]) == (submission, START.isoformat())
    assert first["difference"] == {"value": 0.0, "interval": None}
    assert len(found["rows"][1]["difference"]["interval"]) == 2
    assert "exact" not in first
    assert [step["published"] for step in found["frontier"]] == [90.0]


def test_csv_has_a_line_for_each_row(items):
    items.judge_hits("red", hits_with_rate(0.9))
    items.judge_hits("blue", hits_with_rate(0.2))
    standing = complete(items)
    rows = list(csv.DictReader(io.StringIO(standing_csv(fields_of(standing, None)))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["rank"], row["team"], row["published"], row["rank_low"], row["not_apart"]) for row in rows] == [
        ("1", "red", "90.00", "1", ""),
        ("2", "blue", "20.00", "2", "no"),
    ]
    assert float(rows[1]["difference_low"]) < float(rows[1]["difference"]) == -70 < float(rows[1]["difference_high"])
    organizers = next(csv.reader(io.StringIO(standing_csv(fields_of(standing, ORGANIZER)))))
    assert tuple(organizers) == COLUMNS + ORGANIZER_COLUMNS


@pytest.mark.parametrize("text", ['=HYPERLINK("https://x")', "+1+1", "-1+1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_csv_has_no_formulas_of_strangers(items, text):
    items.judge_hits("red", [1, 0], method=text, links=(f"{text},",))
    (row,) = csv.DictReader(io.StringIO(standing_csv(fields_of(complete(items), None))))
    assert (row["method"], row["links"]) == (f"'{text}", f"'{text},")
    assert row["difference"] == "0.00"


def test_csv_keeps_lines_and_quotes_in_one_cell(items):
    text = 'a "quoted", method\r\nand, a, second line'
    items.judge_hits("red", [1, 0], method=text)
    (row,) = csv.DictReader(io.StringIO(standing_csv(fields_of(complete(items), None)), newline=""))
    assert row["method"] == text
