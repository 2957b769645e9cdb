"""Rows of a board with statistics, and the drawings of intervals and of the best number over time."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from muge_fast.comparison.pairs import RankRange
from muge_fast.leaderboard.standings.standing import ALL_TIME
from muge_fast.leaderboard.standings.visible import Difference, VisibleRow, VisibleStanding
from muge_fast.leaderboard.web.pages.drawings import MARGIN, Point, frontier_drawing, interval_axis, interval_drawing
from muge_fast.leaderboard.web.pages.numbers import bounds_text, level_text, link_parts, number_text, signed_text
from muge_fast.leaderboard.web.pages.row_parts import frontier, row_parts
from muge_fast.leaderboard.web.pages.times import span_text, time_text
from muge_fast.leaderboard.web.pages.words import Words

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 1, 4, tzinfo=timezone.utc)
EN = Words("en")


def row(rank, number, *, prize=None, width="1.00", **options) -> VisibleRow:
    published, half = Decimal(number), Decimal(width)
    given = {"interval": (published - half, published + half), "rank_range": RankRange(rank=rank or 1, low=1, high=3)}
    given |= {"team": f"team {rank}", "team_id": "t", "status": "counted", **options}
    identity = {"submission": f"s{number}", "number": 2, "submissions": 3, "accepted_at": START}
    return VisibleRow(rank=rank, prize=prize, published=published, **identity, **given)


def standing(*rows: VisibleRow, higher_is_better: bool = True) -> VisibleStanding:
    statistics = {"frontier": (), "level": 0.95, "items": 64, "resamples": 1000}
    named = {"task": "retrieval", "window": ALL_TIME, "version": 1, "stage": 2, "digits": 2}
    return VisibleStanding(rows=rows, higher_is_better=higher_is_better, **named, **statistics)


# Rows


def test_rows_show_intervals_differences_and_marks_as_text():
    difference = Difference(Decimal("-1.50"), Decimal("-3.00"), Decimal("0.10"))
    first = row(1, "60.00", difference=Difference(Decimal("0.00"), None, None), not_apart=False)
    second = row(2, "58.50", difference=difference, not_apart=True, confirmed=True, is_own=True)
    shown = row_parts(standing(first, second), EN, 8)
    assert shown[0]["bounds"] == "[59.00, 61.00]"
    assert (shown[0]["difference"], shown[0]["alike"]) == ("", False)
    assert shown[1]["difference"] == "\u22121.50"
    assert shown[1]["difference_bounds"] == "[\u22123.00, 0.10]"
    assert shown[1]["alike"]
    assert shown[1]["confirmed"]
    assert shown[1]["classes"] == "mine"
    assert shown[1]["rank_range"] == "1\u20133"


def test_the_first_submission_of_a_team_has_no_mark_of_an_improvement():
    only = row(1, "60.00", confirmed=True)
    assert not row_parts(standing(VisibleRow(**{**vars(only), "number": 1})), EN, 8)[0]["confirmed"]


def test_a_line_follows_the_last_prize_if_rows_follow():
    prizes = [row(1, "60.00", prize=1), row(2, "59.00", prize=2), row(3, "58.00")]
    classes = [one["classes"] for one in row_parts(standing(*prizes), EN, 2)]
    assert classes == ["", "prizes", ""]
    assert "prizes" not in [one["classes"] for one in row_parts(standing(*prizes[:2]), EN, 2)]


def test_rows_that_cannot_be_first_and_baselines_have_other_colors():
    apart = row(2, "50.00", rank_range=RankRange(rank=2, low=2, high=3))
    baseline = row(None, "40.00", status="baseline", rank_range=None)
    shown = row_parts(standing(row(1, "60.00"), apart, baseline), EN, 8)
    assert [one["classes"] for one in shown] == ["", "apart", "baseline"]


def test_a_team_without_a_name_is_called_anonymous():
    shown = row_parts(standing(row(1, "60.00", team=None, team_id=None)), Words("zh"), 8)[0]
    assert (shown["team"], shown["team_href"]) == ("匿名队伍", None)


def test_rows_without_intervals_have_no_drawing():
    shown = row_parts(standing(row(1, "60.00", interval=None, rank_range=None)), EN, 8)[0]
    assert (shown["drawing"], shown["bounds"], shown["rank_range"]) == ("", "", "")


# Intervals


def numbers(drawing: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf'\b{name}="(-?[\d.]+)%?"', drawing)]


def test_positions_of_an_interval_are_in_its_order_and_inside_the_drawing():
    axis = interval_axis([(59.0, 61.0), (40.0, 44.0)], higher_is_better=True)
    drawing = interval_drawing(42.0, (40.0, 44.0), 60.0, axis, "label")
    _, low = numbers(drawing, "x1")
    at_first, high = numbers(drawing, "x2")
    (dot,) = numbers(drawing, "cx")
    assert MARGIN == low < dot < high < at_first < 100 - MARGIN
    assert 'aria-label="label"' in drawing


def test_rows_far_below_do_not_squeeze_the_others_and_are_marked_at_the_edge():
    intervals = [(60.0 - index, 62.0 - index) for index in range(19)] + [(0.0, 0.2)]
    axis = interval_axis(intervals, higher_is_better=True)
    assert axis.low > 40
    assert "\u25c2" in interval_drawing(0.1, (0.0, 0.2), 61.0, axis, "")
    costs = [(10.0 + index, 12.0 + index) for index in range(19)] + [(900.0, 999.0)]
    axis = interval_axis(costs, higher_is_better=False)
    assert axis.high < 40
    assert "\u25b8" in interval_drawing(950.0, (900.0, 999.0), 11.0, axis, "")


def test_equal_numbers_without_width_can_be_drawn():
    axis = interval_axis([(50.0, 50.0)], higher_is_better=True)
    assert numbers(interval_drawing(50.0, (50.0, 50.0), 50.0, axis, ""), "cx") == [50.0]


# The best number over time


def drawing_of(values, *, days=1, end=None) -> str:
    points = [Point(START + timedelta(days=days * index), Decimal(value), value) for index, value in enumerate(values)]
    return frontier_drawing(points, end=end or points[-1].at, zone=SHANGHAI, label="line")


def test_the_line_goes_to_the_right_and_in_the_direction_of_better_numbers():
    drawing = drawing_of(["50.00", "55.00", "61.50"], end=START + timedelta(days=9))
    assert numbers(drawing, "cx") == sorted(numbers(drawing, "cx"))
    assert numbers(drawing, "cy") == sorted(numbers(drawing, "cy"), reverse=True)
    assert ">61.50</text>" in drawing
    falling = drawing_of(["30.00", "20.00"])
    assert numbers(falling, "cy") == sorted(numbers(falling, "cy"))


@pytest.mark.parametrize("values", [["50.00"], ["50.00", "50.01"], ["-3.00", "2.00"], ["0.00012", "0.00010"]])
@pytest.mark.parametrize("days", [0.001, 1, 200])
def test_everything_is_inside_the_drawing(values, days):
    drawing = drawing_of(values, days=days)
    for name in ("x1", "x2", "cx", "x"):
        assert all(0 <= value <= 100 for value in numbers(drawing, name))
    for name in ("y1", "y2", "cy", "y"):
        assert all(0 <= value <= 170 for value in numbers(drawing, name))


def test_long_times_have_the_starts_of_months_in_the_zone_of_the_board():
    drawing = drawing_of(["50.00", "60.00"], days=90)
    assert re.findall(r">(\d{4}-\d\d)</text>", drawing) == ["2026-12", "2027-01"]
    assert len(re.findall(r">\d{4}-\d\d</text>", drawing_of(["50.00", "60.00"], days=3000))) <= 8


def test_hostile_names_of_teams_are_escaped_in_drawings():
    point = Point(START, Decimal("1.00"), "</title><script>alert(1)</script>")
    assert "<script>" not in frontier_drawing([point], end=START, zone=SHANGHAI, label='"><script>')


def test_nothing_is_drawn_without_improvements():
    assert frontier((), EN, end=START, zone=SHANGHAI) is None
    assert frontier(None, EN, end=START, zone=SHANGHAI) is None


# Texts


def test_numbers_have_a_minus_sign_of_their_width_and_the_published_digits():
    assert number_text(Decimal("-0.50")) == "\u22120.50"
    assert number_text(Decimal("1E+3")) == "1000"
    assert signed_text(Decimal("-0.00")) == "0.00"
    assert signed_text(Decimal("0.50")) == "+0.50"
    assert bounds_text(Decimal("-1.0"), None) == ""
    assert (level_text(0.95, "en"), level_text(0.999, "zh")) == ("95 %", "99.9%")


def test_links_of_other_schemes_and_without_a_host_are_not_shown():
    assert link_parts(["javascript:alert(1)", "https://", "//evil.example", "data:text/html,x", "ftp://a"]) == []
    assert [link["host"] for link in link_parts(["http://A.example:8080/x"])] == ["a.example"]


def test_times_are_those_of_the_zone_with_its_offset():
    moment = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)
    assert time_text(moment, SHANGHAI) == "2026-12-01 00:00 (UTC+08:00)"
    assert time_text(moment, ZoneInfo("America/New_York")) == "2026-11-30 11:00 (UTC-05:00)"
    assert span_text(timedelta(hours=25), EN) == "1 day"
    assert span_text(timedelta(seconds=-5), Words("zh")) == "0 秒"
