"""``muge-fast board backup``, ``restore``, ``verify``, ``export`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from muge_fast._internal.display import format_path, json_text, printable
from muge_fast.cli.errors import Ended
from muge_fast.cli.language import counted, language, translate
from muge_fast.cli.options import PATH, option
from muge_fast.cli.program import Command
from muge_fast.cli.report_text import encodable
from muge_fast.leaderboard.blobs.addresses import open_blobs
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.options import folder_argument, json_option, note, opened_board, storage_options
from muge_fast.leaderboard.operations.messages import Message, OperationError
from muge_fast.leaderboard.operations.sweep import sweep_blobs

if TYPE_CHECKING:
    from muge_fast.leaderboard.operations.doctor import Finding
    from muge_fast.leaderboard.operations.verify import Verification

FAULTY = 1
COLORS = {"ok": "green", "note": "cyan", "warning": "yellow", "fault": "red"}

target_argument = click.argument("target", type=PATH, metavar="TARGET")
name_option = option("--name", metavar="NAME", help="Name of a backup.  [default: the newest]")


@click.command("backup", cls=Command)
@folder_argument
@target_argument
@option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="Then remove old backups, but for the N newest whole ones."
)
@storage_options
def backup(*, folder: Path, target: Path, keep: int | None, database: str | None, blobs: str | None) -> None:
    """Write a backup of a board, while it runs, into the folder TARGET.

    Files that an earlier backup in the folder has are not copied again. The name of the backup is the last line of
    standard output.

    With --keep, every hash of the new backup is verified before an old one is removed. What is not a backup is left
    alone.

    Exit code 0: the backup is complete. 1: files of the board are missing or damaged, and are not in it, or the backup
    itself is damaged. 2: there is no backup.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        from muge_fast.leaderboard.operations.backup import back_up

        made = back_up(board, target)
        note(
            "{rows} and {files}, of which {copied} new",
            rows=counted(made.rows, "row"),
            files=counted(made.files, "file"),
            copied=made.copied,
        )
        _print_messages(made.damaged, "fault", err=True)
        click.echo(made.name)
        if made.damaged:
            raise Ended(FAULTY)
        if keep is not None:
            _prune(target, made.name, keep)


def _prune(target: Path, newest: str, keep: int) -> None:
    from muge_fast.leaderboard.operations.prune import prune

    try:
        done = prune(target, newest=newest, keep=keep)
    except OperationError as error:
        _print_messages([error.message], "fault", err=True)
        raise Ended(FAULTY) from error
    _print_messages(done.left, "warning", err=True)
    note("kept {kept}, removed {removed}", kept=counted(len(done.kept), "backup"), removed=len(done.removed))


@click.command("restore", cls=Command)
@click.argument("source", type=PATH, metavar="SOURCE")
@folder_argument
@name_option
@option("--allow-damaged", is_flag=True, help="Restore the rest if submitted files are missing or damaged.")
@storage_options
def restore(
    *, source: Path, folder: Path, name: str | None, allow_damaged: bool, database: str | None, blobs: str | None
) -> None:
    """Restore a board from the backups in the folder SOURCE, into a new folder and an empty database.

    Every hash, the audit log and the board are verified.
    """
    with board_errors():
        from muge_fast.leaderboard.operations.restore import restore as restore_board

        storage = open_blobs(blobs) if blobs else None
        made = restore_board(source, folder, name=name, database=database, blobs=storage, allow_damaged=allow_damaged)
        _print_messages(made.damaged, "fault", err=True)
        note(
            "restored the backup {name}: {rows} and {files}",
            name=made.name,
            rows=counted(made.rows, "row"),
            files=counted(made.files, "file"),
        )
        note("serve it:   muge-fast board serve {folder}", folder=format_path(folder))


@click.command("verify", cls=Command)
@folder_argument
@option("--quick", is_flag=True, help="Do not read the submitted files, only look whether they exist.")
@option("--backups", is_flag=True, help="DIR is a folder of backups: verify one of them.")
@name_option
@storage_options
def verify(
    *,
    folder: Path,
    quick: bool,
    backups: bool,
    name: str | None,
    database: str | None,
    blobs: str | None,
) -> None:
    """Check that nothing of a board was lost or changed: files, rows, verdicts, months and the audit log.

    Exit code 0: it is whole. 1: it has faults, which are printed. 2: it cannot be opened.
    """
    with board_errors():
        from muge_fast.leaderboard.operations.verify import verify as verify_board
        from muge_fast.leaderboard.operations.verify import verify_backup

        if name is not None and not backups:
            message = translate("{option} needs {other} too").format(option="--name", other="--backups")
            raise click.UsageError(message, click.get_current_context())
        if backups:
            result = verify_backup(folder, name=name)
        else:
            with opened_board(folder, database=database, blobs=blobs) as board:
                result = verify_board(board, read_files=not quick)
        _print_verification(result)
        if not result.ok:
            raise Ended(FAULTY)


def _print_verification(result: Verification) -> None:
    for unit, count in result.checked.items():
        click.echo(counted(count, unit))
    _print_messages(result.notes, "note")
    _print_messages(result.faults, "fault")
    if result.ok:
        click.echo(click.style(translate("no faults"), fg="green"))


def _print_messages(messages: Iterable[Message], level: str, *, err: bool = False) -> None:
    for message in messages:
        mark = click.style(f"{translate(level)}: ", fg=COLORS[level])
        click.echo(mark + encodable(printable(message.text(language()))), err=err)


@click.command("sweep", cls=Command)
@folder_argument
@storage_options
def sweep(*, folder: Path, database: str | None, blobs: str | None) -> None:
    """Remove what uploads that broke off left behind: parts of files, and files without a row, after a day.

    Nothing that was acknowledged is removed. `serve` does the same when it starts.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        removed = sweep_blobs(board)
        note("removed {files}", files=counted(removed.parts + removed.orphans, "file"))


@click.command("export", cls=Command)
@folder_argument
@target_argument
@option("--static", is_flag=True, help="As plain HTML, CSV and JSON that need no server; there is no other form.")
@storage_options
def export(*, folder: Path, target: Path, static: bool, database: str | None, blobs: str | None) -> None:
    """Write the board as plain files that every visitor may see, into the folder TARGET.

    The folder must be missing, empty, or an earlier export, which is replaced.
    """
    del static
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        from muge_fast.leaderboard.operations.export_static import export_static

        made = export_static(board, target)
        note("wrote {files} to {folder}", files=counted(made.files, "file"), folder=format_path(target))


@click.command("doctor", cls=Command)
@folder_argument
@json_option
@storage_options
def doctor(*, folder: Path, as_json: bool, database: str | None, blobs: str | None) -> None:
    """Diagnose a board and its machine: what could lose data, leak references or hold up the queue.

    Exit code 0: no fault. 1: there are faults, which are printed.
    """
    with board_errors():
        from muge_fast.leaderboard.operations.doctor import examine

        findings = examine(folder, database=database, blobs=open_blobs(blobs) if blobs else None)
        if as_json:
            made = [{**one._asdict(), "message": one.message._asdict()} for one in findings]
            click.echo(json_text(made, indent=2))
        else:
            _print_findings(findings)
        if any(one.level == "fault" for one in findings):
            raise Ended(FAULTY)


def _print_findings(findings: Iterable[Finding]) -> None:
    for one in findings:
        mark = click.style(f"{translate(one.level):<8}", fg=COLORS[one.level])
        click.echo(f"{mark} {encodable(printable(one.message.text(language())))}")
