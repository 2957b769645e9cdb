"""The folder of a board, opened: settings, database and submitted files.

A folder has ``board.toml``, the gold files in ``gold/``, and, unless they are on other machines, the database
``board.sqlite`` and the submitted files in ``blobs/``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.blobs.local import LocalBlobs
from muge_fast.leaderboard.rules.settings import Settings, TaskSettings, read_settings
from muge_fast.leaderboard.store.database import Database, open_database
from muge_fast.leaderboard.store.errors import UnknownTaskError

DATABASE = "board.sqlite"
BLOBS = "blobs"
GOLD = "gold"


@dataclass(frozen=True)
class Board:
    """A board that is open.

    Attributes:
        folder: The folder.
        settings: The settings of ``board.toml``.
        database: The database.
        blobs: The submitted files.

    """

    folder: Path
    settings: Settings
    database: Database
    blobs: Blobs

    def task(self, slug: str) -> TaskSettings:
        """Return the settings of a task.

        Args:
            slug: Name of the task in addresses.

        Returns:
            The settings.

        Raises:
            NotFoundError: There is no such task.

        """
        task = self.settings.tasks.get(slug)
        if task is None:
            raise UnknownTaskError(slug)
        return task

    def close(self) -> None:
        """Close the connections of the database."""
        self.database.close()


def open_board(
    folder: Path,
    *,
    database: str | None = None,
    blobs: Blobs | None = None,
    create: bool = False,
    migrate: bool = False,
    clock: Callable[[], datetime] | None = None,
) -> Board:
    r"""Open the folder of a board.

    Args:
        folder: The folder.
        database: Address of the database, ``postgresql://…``; None for the file in the folder.
        blobs: The submitted files; None for the folder ``blobs``.
        create: Make the tables, or migrate them from an older version.
        migrate: Migrate tables from an older version, but make none.
        clock: Function that returns the time, for tests.

    Returns:
        The board, which must be closed.

    Raises:
        FileNotFoundError: The folder has no ``board.toml``, or no database and ``create`` is false.
        SettingsError: ``board.toml`` cannot be used.
        UnsafeDatabaseError: The library, the file system or the version of the tables is refused.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.leaderboard.board import open_board
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     _ = (folder / "gold.jsonl").write_text('{"image_id": "a", "text": ["红裙"]}')
        ...     _ = (folder / "board.toml").write_text('[tasks.caption]\ngold = "gold.jsonl"')
        ...     board = open_board(folder, create=True)
        ...     list(board.settings.tasks)
        ...     board.close()
        ['caption']

    """
    settings = read_settings(folder)
    opened = open_database(database or folder / DATABASE, create=create, migrate=migrate, clock=clock)
    return Board(folder, settings, opened, blobs or LocalBlobs(folder / BLOBS))
