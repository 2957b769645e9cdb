"""The program of a scoring process: it prepares one evaluator, and scores the files that its worker names.

It is started as ``python -m muge_fast.leaderboard.worker.scoring_process FD PARENT``, with a new interpreter: it has no
connection to the database, no password of it, and nothing of other tasks. For tasks of lines of text it forks a process
for each file, which enters the sandbox before it opens the file. The networks of image tasks do not survive a fork, so
such a process enters the sandbox itself, and may read one folder in which its worker puts one file at a time.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import os
import pickle
import pkgutil
import signal
import site
import socket
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.worker.evaluators import Scorer, prepare_scorer
from muge_fast.leaderboard.worker.faults import describe_fault
from muge_fast.leaderboard.worker.report_verdict import write_judged
from muge_fast.leaderboard.worker.sandbox import SandboxLimits, end_with_parent, enter_sandbox
from muge_fast.leaderboard.worker.scoring_messages import (
    FAULT,
    READY,
    VERDICT,
    EndedError,
    LateError,
    Message,
    receive_message,
    send_message,
)
from muge_fast.tasks import BUILT_IN

# Packages whose modules a scorer may import while it scores; in the sandbox they could not be read.
PRELOADED = ("_internal", "caption", "datasets", "evaluation", "retrieval", "significance", "tasks", "text")
# In the sandbox, torch finds none of its libraries. Importing it starts no thread, which the sandbox would not hold.
PRELOADED_FOR_IMAGES = ("image",)
# The ones that import torch, which takes seconds. No task of lines needs them.
WITH_TORCH = ("_torch", ".torch_dataset", ".matmul_precision", "_internal.distributed")
# Encodings that files are tried in, to say which one they have.
ENCODINGS = (
    *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "ascii"),
    *("gb18030", "gbk", "gb2312", "big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"),
    *("cp1252", "idna", "unicode_escape"),
)


@dataclass(frozen=True)
class Setup:
    """What a scoring process prepares.

    Attributes:
        task: Settings of the task by which it scores.
        gold: The gold file.
        gold_sha256: Its hash by the evaluator.
        folder: Folder of the board.
        limits: Limits of memory and processor time.
        seconds: Seconds that a file may take.
        inbox: Folder of the files of an image task; None for tasks of lines.

    """

    task: TaskSettings
    gold: Path
    gold_sha256: str
    folder: Path
    limits: SandboxLimits
    seconds: float
    inbox: Path | None = None


@dataclass(frozen=True)
class Request:
    """A file to score.

    Attributes:
        path: The file.
        sha256: Its hash.

    """

    path: Path
    sha256: str


def main(arguments: Sequence[str]) -> None:
    """Prepare an evaluator, and score files until the worker closes the connection.

    Args:
        arguments: Number of the connection, and the id of the worker's process.

    """
    # Ctrl-C is for the worker, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(int(arguments[1]))
    with socket.socket(fileno=int(arguments[0])) as connection, suppress(EndedError):
        setup: Setup = pickle.loads(receive_message(connection).content)  # noqa: S301 - our own worker sends it
        skipped = WITH_TORCH if setup.inbox is None else ()
        try:
            scorer = prepare_scorer(setup.task, setup.gold, setup.gold_sha256, setup.folder)
            _preload(PRELOADED if setup.inbox is None else (*PRELOADED, *PRELOADED_FOR_IMAGES), skipped)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to learn of it
            send_message(connection, Message(FAULT, describe_fault(error).encode()))
            return
        # Pages that are never written again stay shared with the processes that are forked.
        gc.freeze()
        if setup.inbox is not None:
            readable = [setup.inbox, setup.gold, *module_folders(setup.folder), *_files_of_options(scorer)]
            enter_sandbox([path for path in readable if path.exists()], setup.limits)
        send_message(connection, Message(READY, b""))
        while True:
            request: Request = pickle.loads(receive_message(connection).content)  # noqa: S301 - our own worker
            answer = (
                _score_in_fork(connection, scorer, setup, request) if setup.inbox is None else _score(scorer, request)
            )
            send_message(connection, answer)


def _score(scorer: Scorer, request: Request) -> Message:
    try:
        return Message(VERDICT, write_judged(scorer.judge(request.path, sha256=request.sha256)))
    except Exception as error:  # noqa: BLE001 - any error is a fault of the site
        return Message(FAULT, describe_fault(error).encode())


# A process for each file


def _score_in_fork(connection: socket.socket, scorer: Scorer, setup: Setup, request: Request) -> Message:
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        # Whatever happens, this process ends here, and not in the loop of its parent.
        try:
            connection.close()
            ours.close()
            _score_forked(theirs, parent, scorer, setup, request)
        finally:
            os._exit(1)
    theirs.close()
    with ours:
        try:
            message = receive_message(ours, seconds=setup.seconds)
        except LateError:
            message = Message(FAULT, f"the file took longer than {setup.seconds:g} s".encode())
        except EndedError:
            message = None
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return message or Message(FAULT, _cause(status).encode())


def _score_forked(connection: socket.socket, parent: int, scorer: Scorer, setup: Setup, request: Request) -> None:
    end_with_parent(parent)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    # A task of another package may import what is not known here.
    modules = [] if setup.task.scorer in BUILT_IN else module_folders(setup.folder)
    enter_sandbox([request.path, *modules], setup.limits)
    try:
        message = _score(scorer, request)
    except MemoryError:
        message = Message(FAULT, b"MemoryError")
    send_message(connection, message)
    os._exit(0)


def _cause(status: int) -> str:
    """Return why a process ended without an answer."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in signal.valid_signals() else str(number)
        return f"the scoring process was ended by {name}"
    return f"the scoring process ended with code {os.waitstatus_to_exitcode(status)}"


def _preload(packages: Sequence[str], skipped: tuple[str, ...]) -> None:
    """Import what a scorer may need, since the sandbox has no files to import."""
    for package in packages:
        parent = importlib.import_module(f"muge_fast.{package}")
        for module in pkgutil.walk_packages(parent.__path__, f"{parent.__name__}."):
            if not module.name.endswith(skipped):
                with suppress(ImportError):
                    importlib.import_module(module.name)
    for name in ENCODINGS:
        codecs.lookup(name)
    for name in ("zipfile", "zlib", "csv", "tempfile", "unicodedata", "hashlib", "numpy.lib.format", "socket"):
        importlib.import_module(name)


def module_folders(board: Path) -> list[Path]:
    """Return the folders of installed modules, but for those that have the folder of the board in them.

    Args:
        board: Folder of the board.

    Returns:
        The folders.

    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    named = {*sysconfig.get_paths().values(), *site.getsitepackages(), *filter(None, given)}
    # The folder of the package itself, where it is not installed but a link leads to it.
    folders = {Path(name).resolve() for name in named} | {Path(__file__).resolve().parents[2]}
    return [folder for folder in folders if folder.is_dir() and not board.resolve().is_relative_to(folder)]


def _files_of_options(scorer: Scorer) -> list[Path]:
    """Return the files that the options of an image task name, and the usual folders of weights."""
    named = [Path(value) for value in scorer.options.values() if isinstance(value, (str, os.PathLike))]
    named += [Path(os.environ[name]) for name in ("TORCH_HOME", "HF_HOME") if os.environ.get(name)]
    named += [Path(value) for name, value in os.environ.items() if name.startswith("MUGE_FAST_INCEPTION")]
    devices = [Path(name) for name in ("/dev/null", "/dev/urandom", "/proc", "/sys/devices/system/cpu")]
    return [*named, Path.home() / ".cache" / "torch", *devices]


if __name__ == "__main__":
    main(sys.argv[1:])
