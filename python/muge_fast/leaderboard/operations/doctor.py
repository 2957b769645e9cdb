"""Diagnosis of a board and its machine: what could lose data, leak references or hold up the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from muge_fast._core import __version__
from muge_fast._internal.display import format_path
from muge_fast.leaderboard.blobs.interface import Blobs
from muge_fast.leaderboard.board import Board, open_board
from muge_fast.leaderboard.operations.board_checks import board_findings
from muge_fast.leaderboard.operations.findings import Finding, finding
from muge_fast.leaderboard.operations.machine_checks import machine_findings
from muge_fast.leaderboard.operations.row_checks import database_faults
from muge_fast.leaderboard.rules.settings import Settings, SettingsError, read_settings
from muge_fast.leaderboard.store.errors import StoreError
from muge_fast.leaderboard.worker.sandbox import sandbox_state

__all__ = ["Finding", "examine"]

# What the parts of the sandbox prevent. Without a barrier, a file that breaks the scorer can reach others.
SANDBOX = {
    "no_new_privileges": ("no more privileges", "不能获得更多权限"),
    "files": ("no other files", "不能访问其他文件"),
    "network": ("no network", "不能访问网络"),
    "memory": ("a limit of memory", "限制内存"),
    "cpu_time": ("a limit of processor time", "限制处理器时间"),
    "open_files": ("a limit of open files", "限制打开的文件数"),
    "written_bytes": ("nothing is written", "不能写入文件"),
    "no_core_dumps": ("no memory is shown to other processes", "其他进程不能读取内存"),
    "core_size": ("no memory dumps", "不产生内存转储"),
    "processes": ("a limit of processes", "限制进程数"),
}
BARRIERS = ("no_new_privileges", "files", "network")


def examine(folder: Path, *, database: str | None = None, blobs: Blobs | None = None) -> list[Finding]:
    """Diagnose a board and its machine. No error is raised for a broken board.

    Nothing is changed, but for a temporary file that measures the disk.

    Args:
        folder: Folder of the board.
        database: Address of the database; None for the file in the folder.
        blobs: The submitted files; None for the folder ``blobs``.

    Returns:
        The findings.

    """
    return list(_findings(folder, database, blobs))


def _findings(folder: Path, database: str | None, blobs: Blobs | None) -> Iterator[Finding]:
    if not folder.is_dir():
        shown = format_path(folder)
        yield finding("folder", "fault", f"there is no folder {shown}", f"没有目录 {shown}")
        return
    settings, problems = _settings(folder)
    yield from problems
    largest = max((task.max_bytes for task in settings.tasks.values()), default=0) if settings else 0
    has_sqlite = database is None or "://" not in database
    yield from machine_findings(folder, has_sqlite=has_sqlite, largest_file=largest)
    if settings is None:
        return
    try:
        board = open_board(folder, database=database, blobs=blobs)
    except (OSError, StoreError, SQLAlchemyError, ValueError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        yield finding("database", "fault", f"the board cannot be opened: {reason}", f"无法打开排行榜：{reason}")
        return
    with closing(board):
        yield from _open_findings(board)


def _settings(folder: Path) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = read_settings(folder)
    except SettingsError as error:
        return None, [
            finding("settings", "fault", f"board.toml: {problem}", f"board.toml：{problem}")
            for problem in error.problems
        ]
    except OSError as error:
        return None, [finding("settings", "fault", str(error), f"无法读取 board.toml：{error}")]
    count = len(settings.tasks)
    en = f"board.toml has {count} task{'s'[: count != 1]}, muge-fast {__version__}"
    return settings, [finding("settings", "ok", en, f"board.toml 有 {count} 个任务，muge-fast {__version__}")]


def _open_findings(board: Board) -> Iterator[Finding]:
    kind = "SQLite" if board.database.is_sqlite else "PostgreSQL"
    with board.database.snapshot() as connection:
        faults = list(database_faults(connection))
    yield from (Finding("database", "fault", fault) for fault in faults)
    if not faults:
        yield finding(
            "database", "ok", f"the database of {kind} is intact, with its triggers", f"{kind} 数据库完好，触发器齐全"
        )
    yield _storage(board.blobs)
    yield from board_findings(board)
    yield from sandbox_findings()


def _storage(blobs: Blobs) -> Finding:
    try:
        next(iter(blobs.hashes()), None)
    except OSError as error:
        reason = str(error).partition("\n")[0]
        return finding(
            "blobs", "fault", f"the submitted files cannot be reached: {reason}", f"无法访问提交的文件：{reason}"
        )
    return finding("blobs", "ok", "the submitted files can be reached", "可以访问提交的文件")


def sandbox_findings() -> Iterator[Finding]:
    """Yield which parts of the isolation of evaluations are active on this machine.

    Yields:
        The findings.

    """
    for part in sandbox_state():
        en, zh = SANDBOX.get(part.name, (part.name.replace("_", " "), part.name))
        if part.is_active:
            yield finding("sandbox", "ok", f"evaluations are isolated: {en}", f"评测已隔离：{zh}")
        else:
            yield finding(
                "sandbox",
                "warning" if part.name in BARRIERS else "note",
                f"evaluations are not isolated: {en} ({part.reason})",
                f"评测未隔离：{zh}（{part.reason}）",
            )
