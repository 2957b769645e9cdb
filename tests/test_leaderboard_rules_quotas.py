"""Quotas: limits hold whatever the sequence of actions and clocks; refusals say when the next file is possible."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muge_fast.leaderboard.rules.calendar_months import month_of
from muge_fast.leaderboard.rules.moments import acceptance_time
from muge_fast.leaderboard.rules.quotas import (
    LIMIT_NAMES,
    Limits,
    Use,
    charged_uses,
    check_merger,
    check_open,
    check_quota,
    measure_quota,
)
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.states import ACTIONS, STATES

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
VALID = ("queued", "running", "scored")

limits = st.builds(Limits, *[st.integers(0, 4)] * 4)
zones = st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "America/Havana"]).map(ZoneInfo)
# A day or more, some hours, a second; steps back too. The end of the month is near.
steps = st.sampled_from([-30, -3, -1, 0, 0, 1, 3, 8, 23, 24, 25, 100]).map(lambda hours: hours * HOUR)
actions = st.sampled_from([*["submit"] * len(ACTIONS), *ACTIONS])
sequences = st.lists(st.tuples(steps, actions, st.integers(0, 30)), min_size=6, max_size=40)


def play(sequence, limit, zone):
    """Play a sequence as a store does: yield the uses after each step, and the quota at each try to submit."""
    uses, clock = [], NOON
    for step, action, pick in sequence:
        clock += step
        if action == "submit":
            quota = measure_quota(uses, limit, now=clock, zone=zone)
            if quota.is_free:
                uses.append(Use(quota.at, "queued"))
            yield uses, quota
        elif uses:
            index = pick % len(uses)
            before, after = ACTIONS[action]
            if uses[index].state == before:
                uses[index] = replace(uses[index], state=after, waived=uses[index].waived or after == "faulted")
            yield uses, None


def counted(uses, name):
    states = VALID if name.startswith("valid") else (*VALID, "invalid")
    return [use.accepted_at for use in uses if use.state in states and not use.waived]


def most_in_a_period(uses, name, zone):
    """Count by brute force: the fullest 24 hours that end with an acceptance, or the fullest calendar month."""
    times = counted(uses, name)
    if name.endswith("day"):
        return max((sum(end - 24 * HOUR < time <= end for time in times) for end in times), default=0)
    months = [month_of(time, zone) for time in times]
    return max((months.count(month) for month in months), default=0)


@given(sequences, limits, zones)
def test_limits_are_never_exceeded_whatever_the_sequence_and_the_clock(sequence, limit, zone):
    for uses, _ in play(sequence, limit, zone):
        for name in LIMIT_NAMES:
            assert not limit.of(name) or most_in_a_period(uses, name, zone) <= limit.of(name)
        times = [use.accepted_at for use in uses]
        assert times == sorted(times)


@given(sequences, limits, zones)
def test_the_next_file_is_possible_at_the_time_that_is_given_and_not_before(sequence, limit, zone):
    for uses, quota in play(sequence, limit, zone):
        if quota is None or quota.is_free:
            assert quota is None or quota.next_free == quota.at
            continue
        assert quota.next_free > quota.at
        assert measure_quota(uses, limit, now=quota.next_free, zone=zone).is_free
        just_before = quota.next_free - timedelta(microseconds=1)
        assert not measure_quota(uses, limit, now=just_before, zone=zone).is_free


@given(sequences, limits, zones)
def test_faulted_and_cancelled_files_are_free(sequence, limit, zone):
    for uses, _ in play(sequence, limit, zone):
        # Their times still hold back a clock that steps back.
        now = acceptance_time(NOON, [use.accepted_at for use in uses])
        kept = [use for use in uses if use.state not in ("faulted", "cancelled") and not use.waived]
        assert measure_quota(kept, limit, now=now, zone=zone) == measure_quota(uses, limit, now=now, zone=zone)


@given(sequences, zones)
def test_zero_limits_nothing(sequence, zone):
    for _, quota in play(sequence, Limits(0, 0, 0, 0), zone):
        assert quota is None or (quota.is_free and quota.left is None)


@given(sequences, limits, zones)
def test_the_number_of_files_that_are_left_can_be_sent_and_no_more(sequence, limit, zone):
    for uses, quota in play(sequence, limit, zone):
        if quota is None or quota.left is None:
            continue
        sent = list(uses)
        before = measure_quota(sent, limit, now=quota.at, zone=zone)
        for _ in range(before.left):
            assert measure_quota(sent, limit, now=quota.at, zone=zone).is_free
            sent.append(Use(quota.at, "queued"))
        assert not measure_quota(sent, limit, now=quota.at, zone=zone).is_free


@pytest.mark.parametrize("state", STATES)
def test_each_state_counts_for_the_limits_that_it_should(state):
    use = Use(NOON, state)
    assert [use.counts(name) for name in ("valid_per_day", "all_per_day")] == [
        state in VALID,
        state in (*VALID, "invalid"),
    ]
    assert not any(replace(use, waived=True).counts(name) for name in LIMIT_NAMES)


def test_a_file_with_errors_takes_no_valid_file_but_one_of_all():
    limit = Limits(valid_per_day=1, all_per_day=2)
    uses = [Use(NOON, "invalid")]
    assert measure_quota(uses, limit, now=NOON, zone=SHANGHAI).is_free
    uses.append(Use(NOON, "invalid"))
    assert measure_quota(uses, limit, now=NOON, zone=SHANGHAI).reached == ("all_per_day",)


def test_a_day_is_24_hours_and_not_a_date_where_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")  # on 2026-03-29, clocks are put forward at 02:00, and the day has 23 hours
    sent = datetime(2026, 3, 28, 20, tzinfo=berlin)
    quota = measure_quota([Use(sent, "scored")], Limits(valid_per_day=1), now=sent + HOUR, zone=berlin)
    assert quota.next_free.astimezone(berlin).isoformat() == "2026-03-29T21:00:00+02:00"


def test_a_month_is_that_of_the_zone():
    limit = Limits(valid_per_day=0, all_per_day=0, valid_per_month=1)
    sent = datetime(2026, 11, 30, 23, 59, 59, tzinfo=SHANGHAI)
    quota = measure_quota([Use(sent, "scored")], limit, now=sent, zone=SHANGHAI)
    assert quota.next_free == datetime(2026, 12, 1, tzinfo=SHANGHAI)
    assert measure_quota([Use(sent, "scored")], limit, now=quota.next_free, zone=SHANGHAI).is_free
    assert not measure_quota([Use(sent, "scored")], limit, now=quota.next_free, zone=ZoneInfo("UTC")).is_free


def test_the_first_moment_of_a_month_counts_for_it():
    start = datetime(2026, 12, 1, tzinfo=SHANGHAI)
    monthly = Limits(0, 0, 1, 0)
    quota = measure_quota([Use(start, "scored")], monthly, now=start + 48 * HOUR, zone=SHANGHAI)
    assert (quota.is_free, quota.next_free) == (False, datetime(2027, 1, 1, tzinfo=SHANGHAI))
    before = Use(start - timedelta(microseconds=1), "scored")
    assert measure_quota([before], monthly, now=start + 48 * HOUR, zone=SHANGHAI).is_free


def test_of_two_limits_that_are_reached_the_later_time_is_given():
    daily_first = measure_quota([Use(NOON, "scored")], Limits(1, 0, 1, 0), now=NOON, zone=SHANGHAI)
    assert daily_first.next_free == datetime(2026, 12, 1, tzinfo=SHANGHAI)
    last_hour = datetime(2026, 11, 30, 23, tzinfo=SHANGHAI)
    monthly_first = measure_quota([Use(last_hour, "scored")], Limits(1, 0, 1, 0), now=last_hour, zone=SHANGHAI)
    assert monthly_first.next_free == last_hour + 24 * HOUR


def test_after_a_merger_or_a_lower_limit_the_excess_must_expire_first():
    uses = [Use(NOON + hour * HOUR, "scored") for hour in range(5)]
    quota = measure_quota(uses, Limits(valid_per_day=2), now=NOON + 5 * HOUR, zone=SHANGHAI)
    assert (quota.left, quota.used["valid_per_day"]) == (0, 5)
    assert quota.next_free == NOON + 27 * HOUR  # one of five is left


def test_a_clock_that_steps_back_frees_nothing():
    limit = Limits(valid_per_day=1)
    quota = measure_quota([Use(NOON, "scored")], limit, now=NOON - 100 * HOUR, zone=SHANGHAI)
    assert (quota.is_free, quota.at, quota.next_free) == (False, NOON, NOON + 24 * HOUR)


def test_a_faulted_file_stays_free_when_it_is_queued_again():
    limit = Limits(valid_per_day=1)
    uses = [Use(NOON, "scored", waived=True), Use(NOON, "scored")]
    assert measure_quota(uses[:1], limit, now=NOON, zone=SHANGHAI).is_free
    assert measure_quota(uses, limit, now=NOON, zone=SHANGHAI).used["valid_per_day"] == 1


def test_refusals_name_the_limits_and_the_time_in_the_zone_in_both_languages():
    late = NOON + timedelta(microseconds=1)
    quota = measure_quota([Use(late, "scored")], Limits(1, 1), now=late, zone=SHANGHAI)
    with pytest.raises(RefusalError) as caught:
        check_quota(quota, zone=SHANGHAI)
    assert caught.value.code == "quota_reached"
    assert str(caught.value) == (
        "limit reached: valid submissions in 24 hours (1), submissions in 24 hours, files with errors included (1); "
        "the next is possible at 2026-11-28 20:00:01 (UTC+08:00)"  # rounded up, or it would still be refused
    )
    assert "24 小时内最多 1 次有效提交" in caught.value.message("zh")
    assert "2026-11-28 20:00:01 (UTC+08:00)" in caught.value.message("zh")
    check_quota(measure_quota([], Limits(1, 1), now=late, zone=SHANGHAI), zone=SHANGHAI)


def test_leaving_or_founding_a_team_frees_nothing():
    uses = [
        Use(NOON, "scored", team="old", account="ann"),
        Use(NOON, "scored", team="old", account="bob"),
        Use(NOON, "scored", team="new", account="cat"),  # who has left
        Use(NOON, "scored", team="new", account="ann"),  # counts once
    ]
    assert charged_uses(uses, team="new", members=["ann"]) == (uses[0], uses[2], uses[3])
    assert charged_uses(uses, team="old", members=[]) == tuple(uses[:2])
    assert charged_uses(uses, team="third", members=["dan"]) == ()


@given(
    st.lists(st.lists(st.integers(0, 200), max_size=12), min_size=2, max_size=3), st.integers(1, 4), st.integers(1, 9)
)
def test_teams_merge_exactly_if_one_team_could_have_sent_their_files(teams, per_day, per_month):
    uses = [[Use(NOON + hours * HOUR, "scored") for hours in team] for team in teams]
    now = NOON + 201 * HOUR  # nine days have begun, of two months
    total = sum(map(len, teams))
    allowed = total <= 9 * per_day and total <= 2 * per_month
    options = {"opened_at": NOON, "now": now, "zone": SHANGHAI}
    with nullcontext() if allowed else pytest.raises(RefusalError, match="cannot merge yet"):
        check_merger(uses, Limits(per_day, 0, per_month, 0), **options)


def test_mergers_count_what_quotas_count():
    free = [Use(NOON, "faulted"), Use(NOON, "cancelled"), Use(NOON, "scored", waived=True), Use(NOON, "invalid")]
    check_merger([free, [Use(NOON, "scored")]], Limits(1, 2), opened_at=NOON, now=NOON, zone=SHANGHAI)
    with pytest.raises(RefusalError, match=r"3 of the 2 submissions possible so far \(all_per_day: 2\)"):
        check_merger([free, [Use(NOON, "invalid")] * 2], Limits(1, 2), opened_at=NOON, now=NOON, zone=SHANGHAI)


def test_a_task_is_open_from_its_start_and_before_its_end():
    times = {"opens": NOON, "closes": NOON + HOUR, "zone": SHANGHAI}
    check_open(now=NOON, **times)
    check_open(now=NOON + HOUR - timedelta(microseconds=1), **times)
    check_open(opens=None, closes=None, now=NOON, zone=SHANGHAI)
    with pytest.raises(RefusalError, match=r"it closed at 2026-11-27 21:00:00 \(UTC\+08:00\)"):
        check_open(now=NOON + HOUR, **times)
    with pytest.raises(RefusalError, match=r"it opens at 2026-11-27 20:00:00 \(UTC\+08:00\)"):
        check_open(now=NOON - timedelta(microseconds=1), **times)


def test_times_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="now must have a time zone"):
        measure_quota([], Limits(), now=datetime(2026, 11, 27), zone=SHANGHAI)  # noqa: DTZ001
    with pytest.raises(TypeError, match="now must be a datetime, got str"):
        measure_quota([], Limits(), now="2026-11-27", zone=SHANGHAI)
