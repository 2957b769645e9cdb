"""Visibility: a table of every field, kind, role and disclosure, written independently of the module's tables."""

from itertools import product

import pytest

from muge_fast.leaderboard.rules.visibility import (
    ROLES,
    Disclosure,
    Viewer,
    known_fields,
    role_of,
    visible_fields,
    visible_to,
)

# Who sees a field: "all"; "named", all but strangers of an anonymous task; "team"; "gold", the team where the
# references are public; "host".
TABLE = {
    "submission": {
        "all": "id task number accepted_at state",
        "named": "team method links",
        "team": "account sha256 size file queue_position listed withdrawn_at ruled_out_at ruled_out_reason attempt "
        "started_at finished_at",
        "gold": "",
        "host": "client_key address worker lease_until same_file_as fault",
    },
    "verdict": {
        "all": "ok published interval evaluator version signature",
        "named": "",
        "team": "problems page",
        "gold": "references item_scores full_page",
        "host": "exact rows seconds fault",
    },
    "board_row": {
        "all": "rank rank_range published interval difference not_apart confirmed submission number submissions "
        "accepted_at status prize history",
        "named": "team team_id method links",
        "team": "",
        "gold": "",
        "host": "exact account team_name same_file_as",
    },
}
FIELDS = [
    (kind, who, name) for kind, groups in TABLE.items() for who, names in groups.items() for name in names.split()
]
DISCLOSURES = [
    Disclosure(references_public=gold, anonymous=anonymous) for gold, anonymous in product([False, True], repeat=2)
]
GOLD = "红裙-the-gold"


def expected(who, role, disclosure, *, listed):
    if role == "organizer":
        return True
    if role == "teammate":
        return who in ("all", "named", "team") or (who == "gold" and disclosure.references_public)
    return listed and (who == "all" or (who == "named" and not disclosure.anonymous))


@pytest.mark.parametrize("kind", TABLE)
def test_the_table_has_every_field(kind):
    assert {name for made, _, name in FIELDS if made == kind} == known_fields(kind)


@pytest.mark.parametrize(("role", "disclosure", "listed"), list(product(ROLES, DISCLOSURES, [True, False])))
def test_each_role_sees_exactly_the_fields_of_the_table(role, disclosure, listed):
    for kind in TABLE:
        record = {name: f"{name}-value" for made, _, name in FIELDS if made == kind}
        names = {name for made, who, name in FIELDS if made == kind and expected(who, role, disclosure, listed=listed)}
        shown = visible_to(role, kind, record, disclosure=disclosure, listed=listed)
        assert shown == ({name: record[name] for name in record if name in names} if names else None)
        assert visible_fields(role, kind, disclosure=disclosure, listed=listed) == names


@pytest.mark.parametrize(("role", "listed", "anonymous"), list(product(ROLES[:3], [True, False], [True, False])))
def test_hidden_references_and_scores_of_items_never_reach_participants(role, listed, anonymous):
    verdict = dict.fromkeys(["references", "item_scores", "full_page", "rows", "fault", "exact"], GOLD)
    verdict |= {"published": "66.12", "problems": ["line 3: no value"], "page": "<html>"}
    shown = visible_to(role, "verdict", verdict, disclosure=Disclosure(anonymous=anonymous), listed=listed)
    assert GOLD not in str(shown)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_no_less_than_the_roles_before_it(role):
    before = ROLES[max(0, ROLES.index(role) - 1)]
    for kind, disclosure, listed in product(TABLE, DISCLOSURES, [True, False]):
        assert visible_fields(before, kind, disclosure=disclosure, listed=listed) <= visible_fields(
            role, kind, disclosure=disclosure, listed=listed
        )


@pytest.mark.parametrize(("kind", "role"), list(product(TABLE, ROLES)))
def test_a_field_without_a_rule_is_refused_for_every_role(kind, role):
    with pytest.raises(ValueError, match=f"no rule says who may see gold_text of a {kind}: add it to a table"):
        visible_to(role, kind, {"gold_text": GOLD}, disclosure=Disclosure())


def test_submissions_that_no_board_lists_do_not_exist_for_strangers():
    for role in ("visitor", "participant"):
        assert visible_to(role, "submission", {"id": "s1"}, disclosure=Disclosure(), listed=False) is None
    assert visible_to("teammate", "submission", {"id": "s1"}, disclosure=Disclosure(), listed=False) == {"id": "s1"}


def test_anonymous_tasks_show_the_alias_to_strangers_and_the_team_to_itself():
    row = {"team": "Red", "rank": 1, "links": ["https://red.example"], "method": "red net"}
    options = {"disclosure": Disclosure(anonymous=True), "alias": "Team 7"}
    assert visible_to("participant", "board_row", row, **options) == {"rank": 1, "team": "Team 7"}
    assert visible_to("teammate", "board_row", row, **options)["team"] == "Red"
    assert visible_to("organizer", "board_row", row, **options) == row
    assert visible_to("visitor", "board_row", row, disclosure=Disclosure(anonymous=True)) == {"rank": 1}
    named = visible_to("visitor", "board_row", row, disclosure=Disclosure(), alias="Team 7")
    assert named == row


@pytest.mark.parametrize(
    ("viewer", "team", "role"),
    [
        (None, "red", "visitor"),
        (None, None, "visitor"),
        (Viewer(), "red", "participant"),
        (Viewer(frozenset({"blue"})), "red", "participant"),
        (Viewer(frozenset({"blue", "red"})), "red", "teammate"),
        (Viewer(frozenset({"red"})), None, "participant"),
        (Viewer(frozenset({"red"}), is_organizer=True), "red", "organizer"),
        (Viewer(is_organizer=True), None, "organizer"),
    ],
)
def test_roles(viewer, team, role):
    assert role_of(viewer, team) == role


def test_unknown_roles_and_kinds_are_refused():
    with pytest.raises(
        ValueError, match="unknown role 'admin', choose one of visitor, participant, teammate, organizer"
    ):
        visible_to("admin", "verdict", {}, disclosure=Disclosure())
    with pytest.raises(ValueError, match="unknown kind of record 'page', choose one of submission, verdict, board_row"):
        visible_to("organizer", "page", {}, disclosure=Disclosure())
