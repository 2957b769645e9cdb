"""Making a board: its folder with settings and gold files, its database, and the account of the organizer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from muge_fast._internal.display import format_path
from muge_fast.evaluation.submission import read_gold
from muge_fast.leaderboard.board import GOLD
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.scopes import SCOPES
from muge_fast.leaderboard.rules.settings import FILE_NAME, LANGUAGES, ZONE, parse_settings
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.schema import account
from muge_fast.tasks import get

ADMIN = "admin"

# A team may send five valid files in 24 hours, unless the organizer says otherwise.
QUOTA = 5

SETTINGS = """\
# Settings of the board. Restart `muge-fast board serve` after a change.
title = "MUGE Challenge"
title_zh = "MUGE 挑战赛"
zone = "{zone}"        # midnight of the first in this zone ends a month
languages = [{languages}]      # the first is the default
registration = "open"         # who may make an account: open, invitation or closed
prizes = 8                    # winners of a month
vetting_days = 10             # days in which the result of a month is provisional

[limits]                      # of a team for each task; 0: no limit
valid_per_day = {quota}             # files without errors in 24 hours
# all_per_day = {all}            # files with errors included; five times the other unless it is set
# valid_per_month = 0
# all_per_month = 0
"""

TASK = """
[tasks.{slug}]
gold = "{gold}"
"""

NO_TASKS = """
# A table for each task: its name is part of addresses. Copy the gold file into the folder gold/.
# [tasks.retrieval]
# gold = "gold/MR_test_queries.jsonl"
#
# [tasks.captions]
# scorer = "caption"          # needed if the name is not that of a scorer
# gold = "gold/IC_test.jsonl"
"""


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, which gets its name at the end of the block; after an error, nothing is left.

    Args:
        folder: The folder, which must be missing or empty.

    Yields:
        A folder next to it, which only its owner may read.

    Raises:
        RefusalError: The folder has files (``folder_not_empty``).
        OSError: The folder cannot be made.

    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        shown = format_path(folder)
        raise RefusalError(
            "folder_not_empty",
            f"{shown} is not empty: name a new folder",
            f"{shown} 不是空目录：请指定新的目录",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    making.mkdir(mode=0o700)
    try:
        yield making
        making.replace(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def write_settings(
    folder: Path,
    gold: Mapping[str, tuple[str, Path]],
    *,
    quota: int | None = None,
    zone: str = ZONE,
    languages: Sequence[str] = LANGUAGES,
) -> None:
    """Write ``board.toml`` into a folder, and copy the gold files of its tasks.

    Args:
        folder: The folder.
        gold: Scorer and gold file of each task, by its name.
        quota: Valid submissions of a team for each task in 24 hours, 0 for no limit; None for 5.
        zone: Zone of the board.
        languages: Languages of the pages, the default first.

    Raises:
        SettingsError: A name of a task, the zone or a language cannot be used.
        GoldError: A gold file has problems.
        OSError: A gold file cannot be copied.

    """
    quota = QUOTA if quota is None else quota
    quoted = ", ".join(f'"{name}"' for name in languages)
    text = SETTINGS.format(zone=zone, languages=quoted, quota=quota, all=5 * quota)
    for slug, (scorer, path) in gold.items():
        text += TASK.format(slug=slug, gold=f"{GOLD}/{_file_name(slug, path)}")
        text += f'scorer = "{scorer}"\n' if scorer != slug else ""
    # Without a task, an example of one stands for it.
    parse_settings(text if gold else text + TASK.format(slug="caption", gold=GOLD), folder=folder)
    (folder / GOLD).mkdir(mode=0o700, exist_ok=True)
    for slug, (scorer, path) in gold.items():
        read_gold(get(scorer), path, "en")
        shutil.copyfile(path, folder / GOLD / _file_name(slug, path))
    (folder / FILE_NAME).write_text(text if gold else text + NO_TASKS, encoding="utf-8")


def _file_name(slug: str, path: Path) -> str:
    """Return the name of a copied gold file: that of the task, with the ending of the file."""
    return f"{slug}{''.join(path.suffixes[-2:])}"


def create_admin(database: Database, *, actor: Actor) -> str:
    """Create the account of the organizer.

    Args:
        database: The database, which must have no accounts.
        actor: Actor for the audit log.

    Returns:
        Its token, which is shown once.

    Raises:
        RefusalError: The database has accounts (``database_not_empty``).

    """
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(account)).scalar_one()
    if count:
        raise RefusalError(
            "database_not_empty",
            "the database has a board: name an empty one",
            "该数据库中已有评测平台：请指定空的数据库",
        )
    admin = create_account(database, name=ADMIN, name_key=skeleton(ADMIN), role="admin", actor=actor)
    return create_token(database, admin, label="board init", scopes=SCOPES, actor=actor)
