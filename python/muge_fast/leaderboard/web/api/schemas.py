"""Shapes of the answers, for the description of the API. Fields that a viewer may not see are missing."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class ProblemDetails(BaseModel):
    """An error, of the type ``application/problem+json``."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str


class Verdict(BaseModel):
    """The result of an evaluation."""

    model_config = ConfigDict(extra="allow")

    ok: bool
    published: str | None = None
    evaluator: str
    version: str
    signature: str
    problems: list[object] = []


class Submission(BaseModel):
    """A submission. Those of other teams have the fields of the board only."""

    model_config = ConfigDict(extra="allow")

    id: str
    task: str
    team: str | None = None
    number: int
    state: Literal["queued", "running", "scored", "invalid", "faulted", "cancelled"]
    accepted_at: datetime
    queue_position: int | None = None
    verdict: Verdict | None = None


class SubmissionList(BaseModel):
    """Submissions of a team, the newest first."""

    submissions: list[Submission]


class Limit(BaseModel):
    """A limit of a team, and what it has used. 0 stands for no limit."""

    name: str
    limit: int
    used: int


class Quota(BaseModel):
    """The limits of a team for a task."""

    task: str
    left: int | None
    next_free: datetime
    limits: list[Limit]


class Task(BaseModel):
    """A task."""

    model_config = ConfigDict(extra="allow")

    slug: str
    title: str
    title_zh: str
    main: str
    higher_is_better: bool
    opens: datetime | None
    closes: datetime | None
    max_bytes: int


class TaskList(BaseModel):
    """The board and its tasks."""

    title: str
    title_zh: str
    zone: str
    tasks: list[Task]


class BoardRow(BaseModel):
    """A row of a board."""

    model_config = ConfigDict(extra="allow")

    rank: int | None
    team: str | None
    published: float
    submission: str
    submissions: int
    accepted_at: datetime


class Board(BaseModel):
    """The board of a task."""

    model_config = ConfigDict(extra="allow")

    task: str
    version: int
    rows: list[BoardRow]


class Months(BaseModel):
    """The closed months of a task, the newest first."""

    task: str
    months: list[str]


class Me(BaseModel):
    """The account of a request."""

    account: str
    role: str
    scopes: list[str] | None
    team: str | None
    team_id: str | None
    members: list[str]


class Token(BaseModel):
    """An API token. The secret is in the answer that makes it, and never again."""

    model_config = ConfigDict(extra="allow")

    id: str
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenList(BaseModel):
    """The tokens of an account."""

    tokens: list[Token]


class Secret(BaseModel):
    """A secret that is shown once."""

    secret: str


class Named(BaseModel):
    """The id of what was made."""

    id: str
