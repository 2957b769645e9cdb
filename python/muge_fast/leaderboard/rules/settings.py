"""``board.toml``: the settings of a board, read and checked as a whole.

The file holds the zone, the languages, and a table for each task with its gold file and limits. Every problem is
reported, not only the first, with the key and what to do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from muge_fast._internal.checks import suggest
from muge_fast._internal.display import format_argument, format_id
from muge_fast.leaderboard.rules.months import VETTING_DAYS
from muge_fast.leaderboard.rules.quotas import LIMIT_NAMES, Limits
from muge_fast.leaderboard.rules.ranking import PRIZES, RankingRule
from muge_fast.leaderboard.rules.settings_table import Table
from muge_fast.leaderboard.rules.visibility import Disclosure
from muge_fast.tasks import Task, get
from muge_fast.tasks import names as task_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "board.toml"
LANGUAGES = ("zh", "en")
REGISTRATIONS = ("open", "invitation", "closed")
ZONE = "Asia/Shanghai"

# By the type of file: lines of text, or images.
MAX_MEGABYTES = {"lines": 128, "images": 8192}

# Files with errors that a team may send for each one without.
ALL_PER_VALID = 5


@dataclass(frozen=True)
class TaskSettings:
    """Settings of a task of the board.

    Attributes:
        slug: Name in addresses: the name of the table, ``tasks.<slug>``.
        scorer: Name of a task of :func:`muge_fast.tasks.names`.
        gold: Path of the gold file.
        title: Title in English.
        title_zh: Title in Chinese.
        main: Name of the score that ranks.
        options: Options of the scorer.
        ranking: How scores are published and compared.
        limits: Limits of a team.
        max_bytes: Largest size of a file.
        opens: Start of the task in UTC; None for no start.
        closes: End of the task in UTC; None for no end.
        disclosure: Whether the references are public, and teams anonymous.

    """

    slug: str
    scorer: str
    gold: Path
    title: str
    title_zh: str
    main: str
    options: Mapping[str, object]
    ranking: RankingRule
    limits: Limits
    max_bytes: int
    opens: datetime | None
    closes: datetime | None
    disclosure: Disclosure


@dataclass(frozen=True)
class Settings:
    """Settings of a board.

    Attributes:
        title: Title of the board in English.
        title_zh: Title in Chinese.
        zone: Zone whose midnight ends a month.
        languages: Languages of the pages, the default first.
        prizes: Number of winners of a month.
        vetting_days: Days in which the result of a month is provisional.
        tasks: The tasks by slug.
        registration: Whether everyone may make an account, only those whom a team invites, or only the host.

    """

    title: str
    title_zh: str
    zone: ZoneInfo
    languages: tuple[str, ...]
    prizes: int
    vetting_days: int
    tasks: Mapping[str, TaskSettings] = field(default_factory=dict)
    registration: str = REGISTRATIONS[0]


class SettingsError(ValueError):
    """Raised for a file of settings that cannot be used; the message has a line for each problem.

    Attributes:
        problems: The problems, each with its key and what to do.

    Example:
        >>> from pathlib import Path
        >>> from muge_fast.leaderboard.rules.settings import SettingsError, parse_settings
        >>> try:
        ...     parse_settings('zone = "Asia/Beijing"', folder=Path("board"))
        ... except SettingsError as error:
        ...     print(error)
        board.toml: 2 problems
        - zone: there is no zone 'Asia/Beijing'; did you mean 'Asia/Shanghai'?
        - tasks: missing: add a table such as [tasks.retrieval] with gold = "gold/retrieval.jsonl"

    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        return "\n- ".join([f"{FILE_NAME}: {count}", *self.problems])


def read_settings(folder: Path) -> Settings:
    r"""Read ``board.toml`` of a board's folder, and check that its gold files exist.

    Args:
        folder: The folder.

    Returns:
        The settings; paths of gold files begin with the folder.

    Raises:
        FileNotFoundError: The folder has no ``board.toml``.
        SettingsError: The file cannot be used.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from muge_fast.leaderboard.rules.settings import read_settings
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "gold.jsonl").write_text("")
        >>> _ = (folder / "board.toml").write_text('[tasks.caption]\ngold = "gold.jsonl"')
        >>> settings = read_settings(folder)
        >>> settings.zone.key, settings.tasks["caption"].limits.all_per_day
        ('Asia/Shanghai', 25)

    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {FILE_NAME} in {format_id(folder)}: make a board with `muge-fast board init`"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError((f"the file is not in UTF-8 (byte {error.start}): save it as UTF-8",)) from None
    settings = parse_settings(text, folder=folder)
    missing = tuple(
        f"tasks.{slug}.gold: there is no file {format_id(task.gold.relative_to(folder), 200)} in the folder: "
        "copy it there"
        for slug, task in settings.tasks.items()
        if not task.gold.is_file()
    )
    if missing:
        raise SettingsError(missing)
    return settings


def parse_settings(text: str, *, folder: Path) -> Settings:
    """Return the settings of a text of ``board.toml``. No file is read.

    Args:
        text: TOML.
        folder: Folder that paths are relative to.

    Returns:
        The settings.

    Raises:
        SettingsError: The text is not TOML, or keys are missing, unknown or have values that cannot be used.

    Example:
        >>> from pathlib import Path
        >>> from muge_fast.leaderboard.rules.settings import parse_settings
        >>> text = '''
        ... [limits]
        ... valid_per_day = 3
        ... [tasks.t2i]
        ... gold = "gold/t2i.img.tsv"
        ... '''
        >>> task = parse_settings(text, folder=Path("board")).tasks["t2i"]
        >>> task.limits.valid_per_day, task.limits.all_per_day, task.gold.as_posix()
        (3, 15, 'board/gold/t2i.img.tsv')
        >>> task.main, task.ranking.higher_is_better
        ('fid', False)

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError((f"the file is not TOML: {error}",)) from None
    table = Table("", data, [])
    return _read_board(table, folder)


def _read_board(table: Table, folder: Path) -> Settings:
    title, title_zh = table.text("title", "MUGE"), table.text("title_zh", "MUGE")
    zone = table.zone("zone", ZONE)
    languages = table.choices("languages", LANGUAGES)
    prizes = table.whole("prizes", PRIZES, least=1)
    vetting_days = table.whole("vetting_days", VETTING_DAYS, most=3650)
    registration = table.choice("registration", REGISTRATIONS)
    limits = _read_limits(table.table("limits"), {})
    tables = table.tables("tasks")
    if not tables:
        table.problem("tasks", 'missing: add a table such as [tasks.retrieval] with gold = "gold/retrieval.jsonl"')
    read = {slug: _read_task(slug, made, folder, limits, zone or timezone.utc) for slug, made in tables.items()}
    table.finish()
    tasks = {slug: task for slug, task in read.items() if task is not None}
    if zone is None or table.problems:
        raise SettingsError(tuple(table.problems))
    return Settings(title, title_zh, zone, languages, prizes, vetting_days, tasks, registration)


def _read_task(slug: str, table: Table, folder: Path, limits: Mapping[str, int], zone: tzinfo) -> TaskSettings | None:
    """Read the table of a task; None after a problem of the scorer."""
    scorer = _read_scorer(table, table.slug(slug))
    if scorer is None:
        return None
    opens, closes = table.moment("opens", zone), table.moment("closes", zone)
    if opens and closes and closes <= opens:
        table.problem("closes", "is not after opens: give a later date")
    main = table.choice("main", [scorer.main, *(name for name in scorer.official.values() if name != scorer.main)])
    settings = TaskSettings(
        slug=slug,
        scorer=scorer.name,
        gold=table.path("gold", folder),
        title=table.text("title", scorer.title),
        title_zh=table.text("title_zh", scorer.title_zh),
        main=main,
        options=_read_options(table, scorer),
        ranking=_read_ranking(table, scorer, main),
        limits=Limits(**_with_defaults(_read_limits(table.table("limits"), limits))),
        max_bytes=table.whole("max_megabytes", MAX_MEGABYTES[scorer.file_type], least=1) * 1_000_000,
        opens=opens,
        closes=closes,
        disclosure=Disclosure(
            references_public=table.flag("references_public", default=False),
            anonymous=table.flag("anonymous", default=False),
        ),
    )
    table.finish()
    return settings


def _read_scorer(table: Table, slug: str) -> Task | None:
    name = table.text("scorer", slug)
    if name not in task_names():
        hint = f"write scorer = with one of {', '.join(task_names())}{suggest(name, task_names())}"
        table.problem("scorer", f"there is no scorer {format_argument(name)}: {hint}")
        return None
    try:
        return get(name)
    except (TypeError, ImportError) as error:  # of another package
        table.problem("scorer", f"cannot be loaded: {error}")
        return None


def _read_ranking(table: Table, scorer: Task, main: str) -> RankingRule:
    known = scorer.higher_is_better(main)
    higher_is_better = table.flag("higher_is_better", default=known is not False)
    # A mistake would put the worst first, so nothing is assumed of tasks of other packages.
    if known is None and "higher_is_better" not in table.data:
        hint = f"write true if a larger {main} is better, or false"
        table.problem("higher_is_better", f"missing, and the scorer does not declare lower_is_better: {hint}")
    if known is not None and higher_is_better is not known:
        table.problem("higher_is_better", f"a {'larger' if known else 'smaller'} {main} is better: remove the key")
    return RankingRule(
        higher_is_better=higher_is_better,
        digits=table.whole("digits", 2, most=6),
        scale=scorer.official_value(main, 1.0),
    )


def _read_options(table: Table, scorer: Task) -> dict[str, object]:
    options = table.values("options")
    try:
        scorer.check_options(options)
    except (TypeError, ValueError, ImportError) as error:
        table.problem("options", f"cannot be used: {error}")
    return options


def _read_limits(table: Table, given: Mapping[str, int]) -> dict[str, int]:
    """Return the limits that are given here or above; those of the table come first."""
    limits = {**given, **table.wholes(LIMIT_NAMES)}
    complete = _with_defaults(limits)
    for period in ("day", "month"):
        valid, both = complete[f"valid_per_{period}"], complete[f"all_per_{period}"]
        if table.data and 0 < both < valid:
            hint = f"write at least {valid}, or 0 for no limit"
            table.problem(f"all_per_{period}", f"{both} is less than valid_per_{period}, {valid}: {hint}")
    table.finish()
    return limits


def _with_defaults(given: Mapping[str, int]) -> dict[str, int]:
    """Return all limits; a limit of all files follows from that of valid files."""
    limits: dict[str, int] = {}
    for period in ("day", "month"):
        valid, both = f"valid_per_{period}", f"all_per_{period}"
        limits[valid] = given.get(valid, int(getattr(Limits, valid)))
        limits[both] = given.get(both, limits[valid] * ALL_PER_VALID)
    return limits
