"""Notes about the registration of tasks, in the language of the user."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import click

from muge_fast._internal.display import format_path, printable
from muge_fast._internal.templates import Templates
from muge_fast.cli.language import language, translate

NOTES = {
    "the gold file of {task} changed: {advice}": "{task} 的标准答案文件已更改：{advice}",
    "the options of {task} changed: {advice}": "{task} 的选项已更改：{advice}",
    "the gold file and the options of {task} changed: {advice}": "{task} 的标准答案文件和选项已更改：{advice}",
    "{task} is scored by version {old} of muge-fast on the board, this is {new}: {advice}": (
        "排行榜上 {task} 的评分使用 muge-fast {old} 版，当前为 {new} 版：{advice}"
    ),
    "preview a new evaluation with `{command}`": "请用 `{command}` 预览新的评测",
    "the database has the task {task}, which board.toml lacks: it is hidden and takes no submissions": (
        "数据库中有任务 {task}，但 board.toml 中没有：该任务不显示，也不接收提交"
    ),
}


@cache
def _templates() -> Templates:
    return Templates(NOTES)


def print_notes(notes: Iterable[str], folder: Path) -> None:
    """Print the notes of a registration on stderr.

    Args:
        notes: Notes of :func:`muge_fast.leaderboard.registration.register_tasks`.
        folder: Folder of the board, to complete the commands in them.

    """
    for note in notes:
        text = _in_chinese(note) if language() == "zh" else note
        shown = printable(text.replace(" DIR ", f" {format_path(folder)} "))
        click.echo(click.style(translate("Note: "), fg="yellow") + shown, err=True)


def _in_chinese(text: str) -> str:
    return _templates().translated(text, _in_chinese) or text
