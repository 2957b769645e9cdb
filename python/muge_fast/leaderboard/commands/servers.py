"""``muge-fast board serve``, ``web`` and ``worker``."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click

from muge_fast.cli.errors import Ended
from muge_fast.cli.language import KEY, counted, translate
from muge_fast.cli.options import AT_LEAST_1, option
from muge_fast.cli.parameter_types import AtLeast
from muge_fast.cli.program import Command
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.notes import print_notes
from muge_fast.leaderboard.commands.options import (
    BLOBS_VARIABLE,
    DATABASE_VARIABLE,
    SERVER,
    actor,
    folder_argument,
    note,
    opened_board,
    storage_options,
)
from muge_fast.leaderboard.operations.sweep import sweep_blobs
from muge_fast.leaderboard.registration import register_tasks
from muge_fast.leaderboard.supervisor import Supervised, end_with_supervisor, supervise

HOST, PORT, WORKERS = "127.0.0.1", 8000, 2
BACKLOG = 2048

Function = TypeVar("Function", bound=Callable[..., Any])


def web_options(command: Function) -> Function:
    """Add the options of the web server to a command.

    Args:
        command: The function of the command.

    Returns:
        The function.

    """
    for add in (
        option(
            "--proxy",
            "proxies",
            multiple=True,
            metavar="ADDRESS",
            section=SERVER,
            help="Address or network of a proxy whose X-Forwarded-For counts. May be repeated.",
        ),
        option(
            "--address",
            default="",
            metavar="URL",
            section=SERVER,
            help="Address that browsers use, such as https://muge.example: with https, cookies need TLS.",
        ),
        option(
            "--port",
            type=AtLeast(0),
            default=PORT,
            show_default=True,
            metavar="N",
            section=SERVER,
            help="Port to listen at, 0 for any free one.",
        ),
        option("--host", default=HOST, show_default=True, metavar="HOST", section=SERVER, help="Host to listen at."),
    ):
        command = add(command)
    return command


@click.command("serve", cls=Command)
@folder_argument
@web_options
@option(
    "--workers",
    type=AtLeast(0),
    default=WORKERS,
    show_default=True,
    metavar="N",
    section=SERVER,
    help="Number of workers, each of which scores one submission at a time.",
)
@storage_options
def serve(
    *,
    folder: Path,
    host: str,
    port: int,
    address: str,
    proxies: tuple[str, ...],
    workers: int,
    database: str | None,
    blobs: str | None,
) -> None:
    """Serve a board: its pages, its API and its workers, until Ctrl-C or SIGTERM.

    The first line of standard output is the address. Processes that end are started again, and what a worker held is
    scored again. Tables of an older version are brought up to date, and remains of broken uploads are removed.
    """
    with board_errors():
        with opened_board(folder, database=database, blobs=blobs, migrate=True) as board:
            print_notes(register_tasks(board, actor=actor("serve")), folder)
            if not blobs:  # A list of an object storage takes long.
                sweep_blobs(board)
        with _listening(host, port) as listener:
            children = [_web(folder, listener, address, proxies), *_workers(folder, workers)]
            os.environ.update(_environment(database, blobs))
            click.echo(address or _address(listener))
            sys.stdout.flush()
            note("{workers}; end with Ctrl-C", workers=counted(workers, "worker"))
            if code := supervise(children, report=_report):
                raise Ended(code)


def _web(folder: Path, listener: socket.socket, address: str, proxies: tuple[str, ...]) -> Supervised:
    arguments = ["--fd", str(listener.fileno()), *(["--address", address] if address else [])]
    for proxy in proxies:
        arguments += ["--proxy", proxy]
    return Supervised("web", _command("web", folder, arguments), (listener.fileno(),))


def _workers(folder: Path, count: int) -> list[Supervised]:
    return [Supervised(f"worker {number}", _command("worker", folder, [])) for number in range(1, count + 1)]


def _command(name: str, folder: Path, arguments: list[str]) -> list[str]:
    """Return the command of a process of the board, in the language of this one."""
    language = click.get_current_context().meta.get(KEY)
    shown = ["--lang", language] if language else []
    return [sys.executable, "-m", "muge_fast", "board", name, *shown, *arguments, "--", str(folder)]


def _environment(database: str | None, blobs: str | None) -> dict[str, str]:
    """Return the variables that the processes need besides those of this one."""
    # Arguments are visible to other users of the machine, and the address may have a password.
    given = {DATABASE_VARIABLE: database, BLOBS_VARIABLE: blobs}
    # With -m, Python would import modules of the present folder first.
    is_safe = not {"", str(Path.cwd())} & set(sys.path)
    return {name: value for name, value in given.items() if value} | ({"PYTHONSAFEPATH": "1"} if is_safe else {})


def _report(child: Supervised, code: int, delay: float) -> None:
    text = "{name} ended with code {code}, it starts again in {delay} s"
    note(text, name=child.name, code=code, delay=f"{delay:.1f}")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens, so that connections wait while the web process starts."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        listener = socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        message = translate("cannot listen at {host}, port {port}: {reason}")
        # Python adds the address to the words of the system.
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else error
        raise ValueError(message.format(host=host, port=port, reason=reason)) from error
    with listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@click.command("web", cls=Command)
@folder_argument
@web_options
@click.option("--fd", type=int, hidden=True)
@storage_options
def web(
    *,
    folder: Path,
    host: str,
    port: int,
    address: str,
    proxies: tuple[str, ...],
    fd: int | None,
    database: str | None,
    blobs: str | None,
) -> None:
    """Serve the pages and the API without workers, for a board on several machines.

    The first line of standard output is the address.
    """
    with board_errors():
        from muge_fast.leaderboard.web.server import run_web
        from muge_fast.leaderboard.web.site import WebOptions

        end_with_supervisor()
        options = WebOptions(address=address, trusted_proxies=proxies)
        with opened_board(folder, database=database, blobs=blobs) as board:
            if fd is not None:
                with socket.socket(fileno=fd) as listener:
                    run_web(board, options=options, listener=listener)
                return
            print_notes(register_tasks(board, actor=actor("web")), folder)
            with _listening(host, port) as listener:
                click.echo(address or _address(listener))
                sys.stdout.flush()
                run_web(board, options=options, listener=listener)


@click.command("worker", cls=Command)
@folder_argument
@option(
    "--slots",
    type=AT_LEAST_1,
    default=1,
    show_default=True,
    metavar="N",
    section=SERVER,
    help="Submissions that are scored at the same time.",
)
@storage_options
def worker(*, folder: Path, slots: int, database: str | None, blobs: str | None) -> None:
    """Score submissions without a web server, for a board on several machines, until Ctrl-C or SIGTERM."""
    with board_errors():
        from muge_fast.leaderboard.worker.loop import run_worker

        end_with_supervisor()
        with opened_board(folder, database=database, blobs=blobs) as board, _stop_event() as stop:
            run_worker(board, slots=slots, stop=stop)


@contextmanager
def _stop_event() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set, so that a worker returns what it holds."""
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command("migrate", cls=Command)
@folder_argument
@storage_options
def migrate(*, folder: Path, database: str | None, blobs: str | None) -> None:
    """Bring the tables of an older version up to date, as `serve` does. Make a backup first.

    Run it once while no web server and no worker runs, if the board is on several machines.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs, migrate=True):
        note("the tables are up to date")
