"""Months: boundaries in zones with every kind of change, closing, records and corrections."""

import pickle
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muge_fast.leaderboard.rules.calendar_months import Month, month_of, month_start, parse_month
from muge_fast.leaderboard.rules.months import check_closable, close_month, is_provisional, revise_month
from muge_fast.leaderboard.rules.ranking import Entry, RankingRule, rank_entries, select_finalists
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.states import STATES, TERMINAL

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOVEMBER = Month(2026, 11)
END = datetime(2026, 12, 1, tzinfo=SHANGHAI)
SECOND = timedelta(microseconds=1)
RULE = RankingRule()

# Zones whose clocks were changed at the midnight of a first, over it, by half an hour, or by a day.
ZONES = ["Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Asuncion"]
ZONES += ["America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati"]
zones = st.sampled_from(ZONES).map(ZoneInfo)
months = st.builds(Month, st.integers(1971, 2100), st.integers(1, 12))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001


# Boundaries


@given(moments, zones)
def test_every_moment_is_in_exactly_one_month(moment, zone):
    month = month_of(moment, zone)
    assert month_start(month, zone) <= moment < month_start(month.plus(1), zone)


@given(months, zones, st.integers(-2000, 2000))
def test_months_near_their_boundary_too(month, zone, minutes):
    start = month_start(month, zone)
    assert month_of(start, zone) == month
    assert month_of(start - SECOND, zone) == month.plus(-1)
    near = start + timedelta(minutes=minutes)
    assert (near >= start) == (month_of(near, zone) >= month)


@given(months, zones)
def test_a_month_begins_at_midnight_or_where_clocks_jump_over_it(month, zone):
    local = month_start(month, zone).astimezone(zone)
    assert local.date() == date(month.year, month.number, 1)
    before = (month_start(month, zone) - SECOND).astimezone(zone)
    assert before.date() < local.date()
    jumped = local.utcoffset() > before.utcoffset()
    assert (local.hour, local.minute) == (0, 0) or jumped


@pytest.mark.parametrize(
    ("zone", "month", "start"),
    [
        ("Asia/Shanghai", "2026-12", "2026-11-30T16:00:00+00:00"),
        ("Asia/Shanghai", "2024-03", "2024-02-29T16:00:00+00:00"),
        ("Asia/Shanghai", "1986-06", "1986-05-31T15:00:00+00:00"),  # China had summer time
        ("UTC", "2026-12", "2026-12-01T00:00:00+00:00"),
        ("America/New_York", "2026-11", "2026-11-01T04:00:00+00:00"),  # two hours before clocks are put back
        ("America/New_York", "2026-12", "2026-12-01T05:00:00+00:00"),
        ("America/Asuncion", "2017-10", "2017-10-01T04:00:00+00:00"),  # midnight was skipped
        ("America/Havana", "2026-11", "2026-11-01T04:00:00+00:00"),  # midnight comes twice: the first
        ("America/St_Johns", "2009-11", "2009-11-01T02:30:00+00:00"),  # clocks went back to the evening before
    ],
)
def test_boundaries_of_zones(zone, month, start):
    assert month_start(parse_month(month), ZoneInfo(zone)).isoformat() == start


def test_an_evening_that_comes_twice_belongs_to_the_month_that_has_begun():
    zone = ZoneInfo("America/St_Johns")
    again = datetime(2009, 10, 31, 23, 30, fold=1, tzinfo=zone)
    assert month_of(again, zone) == Month(2009, 11)
    assert month_of(again.replace(fold=0), zone) == Month(2009, 10)


# Names


@given(months)
def test_months_are_read_back(month):
    assert parse_month(str(month)) == month
    assert len(str(month)) == 7


@given(months, months)
def test_months_are_ordered_as_their_names(left, right):
    assert (left < right) == (str(left) < str(right))


@given(months, st.integers(-11, 200))
def test_adding_months_is_undone_by_subtracting_them(month, count):
    assert month.plus(count).plus(-count) == month


BAD = ["", "2026", "2026-1", "2026-00", "2026-13", "2026-11-01", "26-11", " 2026-11", "2026-11\n", "2026/11", "-026-11"]
BAD += ["٢٠٢٦-١١", "２０２６-１１", "0000-01", "9999-12", "2026-1a", "latest", "x" * 10_000, "2026-11\0"]


@pytest.mark.parametrize("text", BAD)
def test_texts_that_are_not_months_are_refused(text):
    with pytest.raises(RefusalError, match="is not a month: write it as yyyy-mm, such as 2026-11") as caught:
        parse_month(text)
    assert caught.value.code == "not_a_month"
    assert len(str(caught.value)) < 200


@given(st.text(max_size=8))
def test_any_text_is_a_month_or_refused(text):
    try:
        month = parse_month(text)
    except RefusalError:
        return
    assert str(month) == text


# Closing


def test_a_month_closes_only_after_its_end():
    check_closable([], NOVEMBER, zone=SHANGHAI, now=END)
    with pytest.raises(RefusalError, match=r"2026-11 cannot be closed yet: it ends at 2026-12-01 00:00:00\+08:00"):
        check_closable([], NOVEMBER, zone=SHANGHAI, now=END - SECOND)
    with pytest.raises(RefusalError) as caught:
        close_month([], NOVEMBER, RULE, zone=SHANGHAI, evaluator="e1", now=END - SECOND)
    assert caught.value.code == "month_not_over"
    assert "尚不能结算" in caught.value.message("zh")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("accepted_at", [END - timedelta(days=90), END - SECOND, END, END + SECOND])
def test_a_month_closes_only_after_every_verdict_of_a_submission_before_its_end(state, accepted_at):
    submissions = [(END - timedelta(days=1), "scored"), (accepted_at, state)]
    if state in TERMINAL or accepted_at >= END:
        check_closable(submissions, NOVEMBER, zone=SHANGHAI, now=END)
    else:
        with pytest.raises(RefusalError, match=r"evaluations of it or of earlier months are pending \(1\)") as caught:
            check_closable(submissions, NOVEMBER, zone=SHANGHAI, now=END)
        assert caught.value.code == "month_pending"


scores = st.sampled_from([None, float("nan"), 0.1, 0.2, 0.5, 0.50001, 0.9])
hours = st.integers(-1500, 100).map(lambda count: END + timedelta(hours=count))
entries = st.lists(st.tuples(st.sampled_from("abcdefghijklm"), scores, hours), max_size=30).map(
    lambda rows: [Entry(f"s{index:02d}", *row) for index, row in enumerate(rows)]
)


@given(entries)
def test_a_record_has_the_board_at_the_boundary_and_the_best_of_the_month(made):
    record = close_month(made, NOVEMBER, RULE, zone=SHANGHAI, evaluator="e1", now=END + timedelta(days=3))
    before = [entry for entry in made if entry.accepted_at < END]
    inside = [entry for entry in before if entry.accepted_at >= datetime(2026, 11, 1, tzinfo=SHANGHAI)]
    assert record.board == select_finalists(rank_entries(before, RULE), 8)
    assert record.of_month == select_finalists(rank_entries(inside, RULE), 8)
    assert (record.boundary, record.revision, record.reason) == (END.astimezone(timezone.utc), 1, "")


@given(entries)
def test_submissions_after_the_boundary_change_nothing(made):
    options = {"zone": SHANGHAI, "evaluator": "e1", "now": END + timedelta(days=30)}
    later = [entry for entry in made if entry.accepted_at < END]
    assert close_month(made, NOVEMBER, RULE, **options) == close_month(later, NOVEMBER, RULE, **options)


def entry(name, score, *, days, status="counted"):
    return Entry(name, name, score, END - timedelta(days=days), status)


def record_of(made):
    return close_month(made, NOVEMBER, RULE, zone=SHANGHAI, evaluator="e1", now=END)


def test_the_boundary_itself_belongs_to_the_next_month():
    record = record_of([entry("a", 0.5, days=0), replace(entry("b", 0.4, days=0), accepted_at=END - SECOND)])
    assert [finalist.row.entry.team for finalist in record.board] == ["b"]


def test_the_first_moment_of_the_month_belongs_to_it():
    start = datetime(2026, 11, 1, tzinfo=SHANGHAI)
    made = [
        replace(entry("a", 0.5, days=0), accepted_at=start),
        replace(entry("b", 0.9, days=0), accepted_at=start - SECOND),
    ]
    assert [finalist.row.entry.team for finalist in record_of(made).of_month] == ["a"]


def test_a_correction_is_a_new_revision_and_the_record_stays():
    made = [entry("a", 0.9, days=1), entry("b", 0.8, days=40), entry("c", 0.7, days=2)]
    record = record_of(made)
    kept = pickle.dumps(record)
    made[0] = replace(made[0], status="ruled_out")
    options = {"evaluator": "e1", "now": END + timedelta(days=2)}
    revised = revise_month(record, [*made, entry("d", 1.0, days=-1)], RULE, reason=" a copied file ", **options)
    assert [finalist.row.entry.team for finalist in revised.board] == ["b", "c"]
    assert [finalist.row.entry.team for finalist in revised.of_month] == ["c"]
    assert (revised.revision, revised.reason, revised.boundary) == (2, "a copied file", record.boundary)
    assert pickle.dumps(record) == kept
    third = revise_month(revised, made, RULE, reason="a name", **options)
    assert third.revision == 3


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_correction_needs_a_reason(reason):
    with pytest.raises(RefusalError, match="a correction of 2026-11 needs a reason") as caught:
        revise_month(record_of([]), [], RULE, reason=reason, evaluator="e1", now=END)
    assert caught.value.code == "reason_missing"


def test_a_record_is_provisional_for_the_days_of_vetting():
    record = record_of([])
    assert is_provisional(record, now=END, vetting_days=10)
    assert is_provisional(record, now=END + timedelta(days=10) - SECOND, vetting_days=10)
    assert not is_provisional(record, now=END + timedelta(days=10), vetting_days=10)
    assert not is_provisional(record, now=END, vetting_days=0)


def test_months_outside_the_calendar_are_refused():
    for year, number in [(1969, 12), (9999, 1), (2026, 0), (2026, 13)]:
        with pytest.raises(ValueError, match="there is no month"):
            Month(year, number)
