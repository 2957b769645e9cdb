"""Visibility: what each role may see of a submission, a verdict, a row of a board or of a month.

Every page, file and answer of the site is made from the result of :func:`visible_to`. The tables below list what is
shown; a field that they do not name is refused, so that a new field cannot reach anyone by oversight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["visitor", "participant", "teammate", "organizer"]
Kind = Literal["submission", "verdict", "board_row"]

ROLES: tuple[Role, ...] = ("visitor", "participant", "teammate", "organizer")
"""From the least to the most: no account; an account; an account of the submission's team; the host."""

PUBLIC: dict[Kind, frozenset[str]] = {
    "submission": frozenset({"id", "task", "team", "number", "accepted_at", "method", "links", "state"}),
    "verdict": frozenset({"ok", "published", "interval", "evaluator", "version", "signature"}),
    "board_row": frozenset(
        {"rank", "rank_range", "team", "team_id", "published", "interval", "difference", "not_apart", "confirmed"}
        | {"submission", "number", "submissions", "accepted_at", "method", "links", "status", "prize", "history"}
    ),
}
"""Shown to everyone. Of submissions and verdicts only those that a board lists; others do not exist for strangers."""

TEAM: dict[Kind, frozenset[str]] = {
    "submission": frozenset(
        {"account", "sha256", "size", "file", "queue_position", "listed", "withdrawn_at", "ruled_out_at"}
        | {"ruled_out_reason", "attempt", "started_at", "finished_at"}
    ),
    "verdict": frozenset({"problems", "page"}),
    "board_row": frozenset(),
}
"""Shown to the team as well. ``page`` is a report without references and scores of items."""

HIDDEN: dict[Kind, frozenset[str]] = {
    "submission": frozenset(),
    "verdict": frozenset({"references", "item_scores", "full_page"}),
    "board_row": frozenset(),
}
"""Reveals the gold file. Shown to the team only where the references are public anyway, as for a validation set."""

ORGANIZER: dict[Kind, frozenset[str]] = {
    "submission": frozenset({"client_key", "address", "worker", "lease_until", "same_file_as", "fault"}),
    # The double and the seconds say more about the hidden references than the published number does.
    "verdict": frozenset({"exact", "rows", "seconds", "fault"}),
    "board_row": frozenset({"exact", "account", "team_name", "same_file_as"}),
}
"""Shown to organizers alone."""

KNOWN = {kind: PUBLIC[kind] | TEAM[kind] | HIDDEN[kind] | ORGANIZER[kind] for kind in PUBLIC}
"""All fields of each kind."""

IDENTIFYING = frozenset({"team", "team_id", "account", "method", "links"})
"""Fields that identify a team. In an anonymous task, strangers see the alias in place of ``team``, and no other."""


@dataclass(frozen=True)
class Viewer:
    """An account that is logged in.

    Attributes:
        teams: Ids of its teams.
        is_organizer: Whether it belongs to the host.

    """

    teams: frozenset[str] = frozenset()
    is_organizer: bool = False


@dataclass(frozen=True)
class Disclosure:
    """What a task reveals. The defaults are those of a hidden test set.

    Attributes:
        references_public: Whether everyone has the gold file, as of a validation set.
        anonymous: Whether teams are shown by their alias.

    """

    references_public: bool = False
    anonymous: bool = False


def role_of(viewer: Viewer | None, team: str | None) -> Role:
    """Return the role in which an account sees something of a team.

    Args:
        viewer: The account; None without a login.
        team: Id of the team that it belongs to; None for a row of the host.

    Returns:
        The role.

    Example:
        >>> from muge_fast.leaderboard.rules.visibility import Viewer, role_of
        >>> viewer = Viewer(frozenset({"red"}))
        >>> role_of(None, "red"), role_of(viewer, "red"), role_of(viewer, "blue")
        ('visitor', 'teammate', 'participant')

    """
    if viewer is None:
        return "visitor"
    if viewer.is_organizer:
        return "organizer"
    return "teammate" if team is not None and team in viewer.teams else "participant"


def visible_to(
    role: Role,
    kind: Kind,
    record: Mapping[str, object],
    *,
    disclosure: Disclosure,
    listed: bool = True,
    alias: str | None = None,
) -> dict[str, object] | None:
    """Return the fields of a record that a role may see.

    Args:
        role: Result of :func:`role_of`.
        kind: Kind of the record.
        record: The record; its fields are names of the tables in this module.
        disclosure: What the task reveals.
        listed: Whether a board lists the submission. If not, only its team and organizers may see it.
        alias: Name that an anonymous task shows in place of the team.

    Returns:
        The fields that may be shown; None where the role may not learn that the record exists, so answer 404.

    Raises:
        ValueError: The role or the kind is unknown, or the record has a field without a rule.

    Example:
        >>> from muge_fast.leaderboard.rules.visibility import Disclosure, visible_to
        >>> verdict = {"ok": True, "published": "66.12", "problems": [], "references": {"7": ["红裙"]}}
        >>> visible_to("teammate", "verdict", verdict, disclosure=Disclosure())
        {'ok': True, 'published': '66.12', 'problems': []}
        >>> visible_to("visitor", "verdict", verdict, disclosure=Disclosure())
        {'ok': True, 'published': '66.12'}
        >>> visible_to("participant", "verdict", verdict, disclosure=Disclosure(), listed=False) is None
        True

    """
    shown = visible_fields(role, kind, disclosure=disclosure, listed=listed)
    if not record.keys() <= known_fields(kind):
        unknown = sorted(record.keys() - known_fields(kind))
        raise ValueError(
            f"no rule says who may see {', '.join(unknown)} of a {kind}: add it to a table of visibility.py"
        )
    if not shown:
        return None
    visible = {name: value for name, value in record.items() if name in shown}
    if "team" in record and "team" not in shown and alias is not None:
        visible["team"] = alias
    return visible


def visible_fields(role: Role, kind: Kind, *, disclosure: Disclosure, listed: bool = True) -> frozenset[str]:
    """Return the names of the fields that a role may see.

    Args:
        role: Result of :func:`role_of`.
        kind: Kind of the record.
        disclosure: What the task reveals.
        listed: Whether a board lists the submission.

    Returns:
        The names; empty where the role may not learn that the record exists.

    Raises:
        ValueError: The role or the kind is unknown.

    Example:
        >>> from muge_fast.leaderboard.rules.visibility import Disclosure, visible_fields
        >>> "references" in visible_fields("teammate", "verdict", disclosure=Disclosure())
        False
        >>> "references" in visible_fields("teammate", "verdict", disclosure=Disclosure(references_public=True))
        True

    """
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}, choose one of {', '.join(ROLES)}")
    everything = known_fields(kind)
    if role == "organizer":
        return everything
    if role == "teammate":
        return PUBLIC[kind] | TEAM[kind] | (HIDDEN[kind] if disclosure.references_public else frozenset())
    if not listed:
        return frozenset()
    return PUBLIC[kind] - (IDENTIFYING if disclosure.anonymous else frozenset())


def known_fields(kind: Kind) -> frozenset[str]:
    """Return the names of all fields of a kind of record.

    Args:
        kind: Kind of the record.

    Returns:
        The names.

    Raises:
        ValueError: The kind is unknown.

    Example:
        >>> from muge_fast.leaderboard.rules.visibility import known_fields
        >>> "exact" in known_fields("verdict")
        True

    """
    if kind not in KNOWN:
        raise ValueError(f"unknown kind of record {kind!r}, choose one of {', '.join(PUBLIC)}")
    return KNOWN[kind]
