"""Checks of the machine of a board: library, file system, disk, clock and limits."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pysqlite3.dbapi2 as sqlite

from muge_fast._internal.display import format_path
from muge_fast.leaderboard.operations.findings import Finding, finding
from muge_fast.leaderboard.store.sqlite import NETWORK_FILE_SYSTEMS, file_system, has_wal_reset_bug

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000

# Files of at most this many uploads should fit on the disk.
UPLOADS = 8
LEAST_FREE = GIGABYTE

VOLATILE = {"tmpfs", "ramfs"}
SYNCS = 15
# No disk confirms faster than this; a cache that forgets at a loss of power does.
FASTEST_SYNC, SLOW_SYNC = 20e-6, 50e-3
LEAST_OPEN_FILES = 1024

UNSYNCHRONIZED = 5
TIMEX_BYTES = 512


def machine_findings(folder: Path, *, has_sqlite: bool, largest_file: int) -> Iterator[Finding]:
    """Yield what is found about the machine.

    Args:
        folder: Folder of the board, which exists.
        has_sqlite: Whether the database is a file in it.
        largest_file: Largest size of a submission in bytes.

    Yields:
        The findings.

    """
    if has_sqlite:
        yield _sqlite_library()
    yield _file_system(folder, has_sqlite=has_sqlite)
    yield _free_disk(folder, largest_file)
    yield _synchronization(folder)
    yield _permissions(folder)
    yield _clock()
    yield _open_files()


def _sqlite_library() -> Finding:
    version = sqlite.sqlite_version
    if has_wal_reset_bug(sqlite.sqlite_version_info):
        return finding(
            "sqlite",
            "fault",
            f"SQLite {version} can damage databases (the WAL-reset bug): pip install --upgrade pysqlite3",
            f"SQLite {version} 可能损坏数据库（WAL 重置缺陷）：请运行 pip install --upgrade pysqlite3",
        )
    return finding("sqlite", "ok", f"SQLite {version} has no known fault", f"SQLite {version} 没有已知缺陷")


def _file_system(folder: Path, *, has_sqlite: bool) -> Finding:
    kind = file_system(folder)
    shown = format_path(folder)
    if kind in NETWORK_FILE_SYSTEMS and has_sqlite:
        return finding(
            "file_system",
            "fault",
            f"{shown} is on a network file system ({kind}), where SQLite can damage databases: use a local folder",
            f"{shown} 位于网络文件系统（{kind}），SQLite 可能损坏数据库：请使用本地目录",
        )
    if kind in VOLATILE:
        return finding(
            "file_system",
            "warning",
            f"{shown} is in memory ({kind}), and is lost when the machine restarts: use a folder on a disk",
            f"{shown} 位于内存文件系统（{kind}），重启后丢失：请使用磁盘上的目录",
        )
    return finding("file_system", "ok", f"the file system is {kind or 'unknown'}", f"文件系统为 {kind or '未知类型'}")


def _free_disk(folder: Path, largest_file: int) -> Finding:
    usage = shutil.disk_usage(folder)
    free, needed = usage.free, max(LEAST_FREE, UPLOADS * largest_file)
    shown = f"{free / GIGABYTE:,.1f} GB"
    if free < needed:
        least = f"{needed / GIGABYTE:,.1f} GB"
        return finding(
            "free_disk",
            "fault" if free < max(LEAST_FREE // 4, largest_file) else "warning",
            f"{shown} of the disk are free, less than {UPLOADS} of the largest uploads need ({least}): free some space",
            f"磁盘剩余 {shown}，不足以容纳 {UPLOADS} 个最大的上传文件（{least}）：请清理空间",
        )
    return finding("free_disk", "ok", f"{shown} of the disk are free", f"磁盘剩余 {shown}")


def _synchronization(folder: Path) -> Finding:
    """Measure how long the disk takes to confirm a small file, by a temporary one."""
    try:
        seconds = _sync_seconds(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        return finding(
            "fsync",
            "fault",
            f"no file can be written in {format_path(folder)} ({reason}): no upload can be stored",
            f"无法在 {format_path(folder)} 中写入文件（{reason}）：无法保存上传",
        )
    shown = f"{seconds * 1000:.2f} ms"
    if seconds < FASTEST_SYNC:
        return finding(
            "fsync",
            "warning",
            f"the disk confirms a file in {shown}, faster than a disk can be: it may lose what it confirmed",
            f"磁盘 {shown} 内即确认写入，快于真实磁盘：断电时已确认的内容可能丢失",
        )
    if seconds > SLOW_SYNC:
        return finding(
            "fsync",
            "warning",
            f"the disk takes {shown} to confirm a file, so few uploads a second are possible: use a faster disk",
            f"磁盘确认一次写入需 {shown}，每秒只能处理少量上传：请使用更快的磁盘",
        )
    return finding("fsync", "ok", f"the disk confirms a file in {shown}", f"磁盘 {shown} 内确认写入")


def _sync_seconds(folder: Path) -> float:
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return sorted(times)[SYNCS // 2]


def _permissions(folder: Path) -> Finding:
    mode = folder.stat().st_mode
    if mode & (stat.S_IROTH | stat.S_IXOTH):
        return finding(
            "permissions",
            "warning",
            f"other users of the machine may open {format_path(folder)}, which has references: chmod 700",
            f"本机其他用户可以打开 {format_path(folder)}，其中有标准答案：请执行 chmod 700",
        )
    return finding("permissions", "ok", "other users cannot open the folder", "其他用户无法打开该目录")


def _clock() -> Finding:
    if _is_unsynchronized():
        return finding(
            "clock",
            "warning",
            "the system does not synchronize its clock, and times decide ties and months: run a service of NTP",
            "系统时钟未同步，而受理时间决定并列与月份归属：请运行 NTP 服务",
        )
    return finding("clock", "ok", "the clock is synchronized", "系统时钟已同步")


def _is_unsynchronized() -> bool:
    """Return whether Linux knows that nothing adjusts its clock."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    # A structure of zeros asks for the state, and changes nothing.
    return bool(adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) == UNSYNCHRONIZED)


def _open_files() -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < LEAST_OPEN_FILES:
        return finding(
            "open_files",
            "warning",
            f"a process may open {limit} files, which many connections exceed: set LimitNOFILE={LEAST_OPEN_FILES}",
            f"每个进程最多打开 {limit} 个文件，连接较多时会超出：请设置 LimitNOFILE={LEAST_OPEN_FILES}",
        )
    return finding("open_files", "ok", f"a process may open {limit} files", f"每个进程最多打开 {limit} 个文件")
