"""Ranking: laws of boards and of lists of winners, against plain definitions."""

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from muge_fast.leaderboard.rules.ranking import (
    Entry,
    RankingRule,
    Row,
    published_number,
    rank_entries,
    select_finalists,
)

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
EXACT = Context(prec=2000, rounding=ROUND_HALF_EVEN)
PERCENT = RankingRule()
FID = RankingRule(higher_is_better=False, scale=1)

# Few values, so that many are equal, some of them only after rounding.
scores = st.one_of(
    st.none(),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 0.5, 0.50001, 0.50004, 0.50006, 0.65625, 0.66375, 1.0]),
    st.floats(allow_nan=True, allow_infinity=True),
)
moments = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
statuses = st.sampled_from(["counted", "counted", "counted", "baseline", "withdrawn", "ruled_out"])


@st.composite
def boards(draw, **fixed):
    size = draw(st.integers(0, 14))
    return [
        Entry(
            f"s{index:02d}",
            draw(st.sampled_from("ABCDEFGHIJ")),
            draw(scores),
            draw(moments),
            fixed.get("status") or draw(statuses),
        )
        for index in range(size)
    ]


rules = st.builds(
    RankingRule, higher_is_better=st.booleans(), digits=st.integers(0, 4), scale=st.sampled_from([1, 100])
)


def plain_number(score, rule):
    """Round with decimals of 2,000 digits, of which a double has at most 1,075."""
    if score is None or math.isnan(score) or math.isinf(score):
        return None
    scaled = EXACT.multiply(Decimal(score), Decimal(rule.scale))
    return scaled.quantize(Decimal(1).scaleb(-rule.digits), context=EXACT)


@given(st.floats(), rules)
def test_published_numbers_are_rounded_half_to_even_from_the_exact_value(score, rule):
    number = published_number(score, rule)
    assert number == plain_number(score, rule)
    if number is not None:
        assert -number.as_tuple().exponent == rule.digits


def test_published_numbers_have_no_negative_zero_and_keep_their_decimals():
    assert str(published_number(-0.00001, PERCENT)) == "0.00"
    assert str(published_number(0.5, PERCENT)) == "50.00"
    assert str(published_number(0.65625, PERCENT)) == "65.62"  # a tie: to the even digit
    assert str(published_number(0.285, PERCENT)) == "28.50"
    assert str(published_number(17.345, FID)) == "17.34"  # the double is below 17.345
    assert published_number(None, PERCENT) is None


def plain_ranks(entries, rule):
    """Define ranks by counting: 1 more than the number of teams whose best number is better."""
    best = {}
    for entry in entries:
        number = plain_number(entry.score, rule)
        if entry.status == "counted" and number is not None:
            value = number if rule.higher_is_better else number.copy_negate()
            best[entry.team] = max(best.get(entry.team, value), value)
    return {team: 1 + sum(other > value for other in best.values()) for team, value in best.items()}


@given(boards(), rules)
def test_ranks_are_standard_competition_ranks_of_published_numbers(entries, rule):
    rows = [row for row in rank_entries(entries, rule) if row.rank is not None]
    assert {row.entry.team: row.rank for row in rows} == plain_ranks(entries, rule)
    assert len({row.entry.team for row in rows}) == len(rows)
    ranks = [row.rank for row in rows]
    assert ranks == sorted(ranks)
    assert all(rank in (index, before) for index, (before, rank) in enumerate(zip([0, *ranks], ranks, strict=False), 1))


@given(boards(), rules, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(entries, rule, random):
    shuffled = random.sample(entries, len(entries))
    assert rank_entries(shuffled, rule) == rank_entries(entries, rule)


@given(boards(), rules)
def test_the_order_is_total_and_earlier_acceptance_stands_first(entries, rule):
    def key(row):
        number = row.number.copy_negate() if rule.higher_is_better else row.number
        return number, row.rank is None, row.entry.accepted_at, row.entry.submission

    rows = rank_entries(entries, rule)
    keys = [key(row) for row in rows]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(boards(), rules)
def test_missing_nan_and_infinite_scores_never_rank(entries, rule):
    rows = rank_entries(entries, rule)
    assert all(row.entry.score is not None and math.isfinite(row.entry.score) for row in rows)
    finite = [entry for entry in entries if entry.score is not None and math.isfinite(entry.score)]
    assert rank_entries(finite, rule) == rows


@given(boards(), st.integers(0, 4))
def test_lower_is_better_is_the_mirror(entries, digits):
    higher, lower = (RankingRule(higher_is_better=better, digits=digits) for better in (True, False))
    mirrored = [replace(entry, score=None if entry.score is None else -entry.score) for entry in entries]
    kept = [(row.rank, row.entry.submission, abs(row.number)) for row in rank_entries(entries, higher)]
    assert [(row.rank, row.entry.submission, abs(row.number)) for row in rank_entries(mirrored, lower)] == kept


@given(boards(), rules)
def test_withdrawn_and_ruled_out_entries_change_nothing(entries, rule):
    rows = rank_entries(entries, rule)
    assert all(row.entry.status in ("counted", "baseline") for row in rows)
    assert rank_entries([entry for entry in entries if entry.status in ("counted", "baseline")], rule) == rows


@given(boards(), rules)
def test_baselines_are_shown_and_take_no_rank(entries, rule):
    rows = rank_entries(entries, rule)
    without = rank_entries([entry for entry in entries if entry.status != "baseline"], rule)
    assert tuple(row for row in rows if row.rank is not None) == without
    shown = {row.entry.submission for row in rows if row.rank is None}
    numbers = {entry.submission: plain_number(entry.score, rule) for entry in entries if entry.status == "baseline"}
    assert shown == {submission for submission, number in numbers.items() if number is not None}


@given(boards(status="counted"), rules, scores, moments)
def test_a_new_submission_never_lowers_the_number_of_its_team(entries, rule, score, moment):
    assume(entries)
    team = entries[0].team
    before = {row.entry.team: row for row in rank_entries(entries, rule)}.get(team)
    later = Entry("zz", team, score, moment + timedelta(days=1))
    after = {row.entry.team: row for row in rank_entries([*entries, later], rule)}.get(team)
    if before is not None:
        assert after.rank <= before.rank
        # An equal number later does not take the time of the first.
        assert after.number != before.number or after.entry == before.entry


# Scores within a unit or two of the last digit, of any size.
steps = st.tuples(st.sampled_from([0.5, 50.0, 1e6, 1e15]), st.integers(-60, 60))


@given(st.lists(st.tuples(st.sampled_from("AB"), steps), max_size=12), rules)
def test_of_submissions_with_equal_numbers_the_first_counts_however_near_their_scores_are(rows, rule):
    unit = 1 / (rule.scale * 10**rule.digits)
    made = [
        Entry(f"s{index:02d}", team, base + step * unit / 20, START + timedelta(hours=index))
        for index, (team, (base, step)) in enumerate(rows)
    ]
    for row in rank_entries(made, rule):
        numbers = {entry.submission: plain_number(entry.score, rule) for entry in made if entry.team == row.entry.team}
        best = max(numbers.values()) if rule.higher_is_better else min(numbers.values())
        assert row.number == best
        assert row.entry.submission == min(submission for submission, number in numbers.items() if number == best)


@given(boards(), rules, st.integers(1, 8))
def test_prizes_go_to_different_teams_in_the_order_of_the_board(entries, rule, prizes):
    rows = [row for row in rank_entries(entries, rule) if row.rank is not None]
    finalists = select_finalists(rank_entries(entries, rule), prizes)
    given_prizes = [finalist.prize for finalist in finalists if finalist.prize is not None]
    assert given_prizes == list(range(1, min(prizes, len(rows)) + 1))
    assert [finalist.row for finalist in finalists] == rows[: len(finalists)]
    # Everyone with the rank of the last winner is listed, and no one behind.
    assert {finalist.row.rank for finalist in finalists} == {row.rank for row in rows if row.rank <= prizes}
    assert all(row.rank > prizes for row in rows[len(finalists) :])


def entry(team, score, hour=0, status="counted"):
    return Entry(team + str(hour), team, score, START + timedelta(hours=hour), status)


def test_equal_published_numbers_share_a_rank_and_the_next_rank_counts_them():
    entries = [entry("d", 0.3), entry("c", 0.50004, 2), entry("b", 0.5, 3), entry("a", 0.6)]
    assert [(row.rank, row.entry.team) for row in rank_entries(entries, PERCENT)] == [
        (1, "a"),
        (2, "c"),  # accepted an hour before b; their numbers are 50.00
        (2, "b"),
        (4, "d"),
    ]


def test_fewer_than_eight_teams_leave_prizes():
    finalists = select_finalists(rank_entries([entry(team, 0.5, hour) for hour, team in enumerate("abc")], PERCENT))
    assert [(finalist.prize, finalist.row.rank, finalist.row.entry.team) for finalist in finalists] == [
        (1, 1, "a"),
        (2, 1, "b"),
        (3, 1, "c"),
    ]
    assert select_finalists(()) == ()


def test_teams_that_share_rank_eight_are_listed_and_the_earliest_takes_the_prize():
    entries = [entry(team, 0.9 - index / 100) for index, team in enumerate("abcdefg")]
    entries += [entry("x", 0.5, 3), entry("y", 0.5, 1), entry("z", 0.5, 2), entry("last", 0.4)]
    finalists = select_finalists(rank_entries(entries, PERCENT))
    assert [(finalist.prize, finalist.row.rank, finalist.row.entry.team) for finalist in finalists[7:]] == [
        (8, 8, "y"),
        (None, 8, "z"),
        (None, 8, "x"),
    ]


def test_a_baseline_between_teams_takes_neither_rank_nor_prize():
    entries = [entry("a", 0.9), entry("host", 0.8, 0, "baseline"), entry("host", 0.9, 1, "baseline"), entry("b", 0.7)]
    rows = rank_entries(entries, PERCENT)
    assert [(row.rank, row.entry.team) for row in rows] == [(1, "a"), (None, "host"), (None, "host"), (2, "b")]
    assert [finalist.row.entry.team for finalist in select_finalists(rows)] == ["a", "b"]


def test_the_next_best_submission_counts_where_the_best_is_ruled_out():
    entries = [entry("a", 0.9, 0, "ruled_out"), entry("a", 0.6, 1), entry("b", 0.7), entry("c", 0.8, 0, "withdrawn")]
    assert [(row.rank, row.entry.team, row.entry.score) for row in rank_entries(entries, PERCENT)] == [
        (1, "b", 0.7),
        (2, "a", 0.6),
    ]


def test_of_equal_numbers_accepted_at_one_moment_the_smaller_id_stands_first():
    rows = rank_entries([replace(entry("a", 0.5), submission="2"), replace(entry("b", 0.5), submission="1")], PERCENT)
    assert [(row.rank, row.entry.submission) for row in rows] == [(1, "1"), (1, "2")]


def test_moments_in_different_zones_are_compared_as_moments():
    shanghai = timezone(timedelta(hours=8))
    later = Entry("1", "a", 0.5, datetime(2026, 11, 1, 9, tzinfo=shanghai))  # 01:00 in UTC
    earlier = Entry("2", "b", 0.5, START)
    assert [row.entry.team for row in rank_entries([later, earlier], PERCENT)] == ["b", "a"]


def test_mistakes_of_the_caller_are_named():
    with pytest.raises(ValueError, match="submission 'a0' occurs twice in one ranking"):
        rank_entries([entry("a", 0.5), entry("a", 0.6)], PERCENT)
    with pytest.raises(ValueError, match="accepted_at must have a time zone"):
        rank_entries([replace(entry("a", 0.5), accepted_at=datetime(2026, 11, 1))], PERCENT)  # noqa: DTZ001
    with pytest.raises(ValueError, match="unknown status 'hidden', choose one of counted"):
        rank_entries([entry("a", 0.5, 0, "hidden")], PERCENT)


def test_rows_are_frozen():
    with pytest.raises(AttributeError):
        Row(1, Decimal(1), entry("a", 0.5)).rank = 2
