"""The worker's side of a scoring process: starting it, giving it files, ending it."""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.registration import gold_file
from muge_fast.leaderboard.worker.evaluators import scoring_settings
from muge_fast.leaderboard.worker.report_verdict import Judged, read_judged
from muge_fast.leaderboard.worker.sandbox import SandboxLimits
from muge_fast.leaderboard.worker.scoring_messages import (
    FAULT,
    READY,
    REQUEST,
    VERDICT,
    EndedError,
    LateError,
    Message,
    receive_message,
    send_message,
)
from muge_fast.leaderboard.worker.scoring_process import Request, Setup
from muge_fast.tasks import get

MODULE = "muge_fast.leaderboard.worker.scoring_process"
# Seconds that a file may take, and that a gold file may take to be prepared.
LINE_SECONDS, IMAGE_SECONDS, PREPARE_SECONDS = 120.0, 4 * 3600.0, 600.0
# Seconds beyond those, after which the process itself is ended.
GRACE = 10.0
IMAGE_LIMITS = SandboxLimits(memory=0, cpu_seconds=0)
# What a scoring process gets of the environment: no passwords, no addresses.
KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES")
KEPT_PREFIXES = ("MUGE_FAST_INCEPTION", "MUGE_FAST_CPU", "TORCH_HOME", "HF_HOME", "COVERAGE_")


class ScoringFaultError(Exception):
    """Raised when a file could not be scored by a fault of the site. The message quotes no file."""


def is_image_task(scorer: str) -> bool:
    """Return whether a task needs a separate slot, because it scores images.

    Args:
        scorer: Name of the scorer.

    Returns:
        Whether its files are images.

    Example:
        >>> from muge_fast.leaderboard.worker.scoring_client import is_image_task
        >>> is_image_task("t2i"), is_image_task("caption")
        (True, False)

    """
    return get(scorer).file_type == "images"


class ScoringProcess:
    """A process that has one evaluator prepared. One thread uses it; any thread may end it.

    It starts preparing at once; the first :meth:`score` waits for it.

    Args:
        board: The board.
        evaluator_id: The evaluator.
        limits: Limits of memory and processor time of a file; None for the defaults.
        seconds: Seconds that a file may take; None for the defaults.

    Raises:
        NotFoundError: There is no such evaluator, or ``board.toml`` lacks its task.
        OSError: The gold file cannot be read, or the process not be started.

    """

    def __init__(
        self, board: Board, evaluator_id: str, *, limits: SandboxLimits | None = None, seconds: float | None = None
    ) -> None:
        task, evaluator = scoring_settings(board, evaluator_id)
        has_images = is_image_task(task.scorer)
        self._seconds = seconds or (IMAGE_SECONDS if has_images else LINE_SECONDS)
        self._is_ready = False
        self._inbox: Path | None = None
        with ExitStack() as stack:
            if has_images:
                self._inbox = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muge-inbox-")))
            gold = stack.enter_context(gold_file(board, evaluator))
            limits = limits or (IMAGE_LIMITS if has_images else SandboxLimits())
            setup = Setup(task, gold, evaluator.gold_sha256, board.folder, limits, self._seconds, self._inbox)
            self._connection, self._process = _start()
            stack.callback(self._connection.close)
            stack.callback(self._end)
            send_message(self._connection, Message(REQUEST, pickle.dumps(setup)))
            self._stack = stack.pop_all()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process exists."""
        return self._process.poll() is None

    def score(self, path: Path, sha256: str) -> Judged:
        """Score a file.

        Args:
            path: The file.
            sha256: Its hash.

        Returns:
            Its verdict.

        Raises:
            ScoringFaultError: The process or the scorer has a fault. The process may have ended.

        """
        try:
            self._wait_until_ready()
            if self._inbox is None:
                return self._ask(Request(path, sha256))
            return self._ask_in_inbox(path, sha256, self._inbox)
        except EndedError as error:
            self.end()
            raise ScoringFaultError(
                f"the process of the evaluator ended with code {self._process.returncode}"
            ) from error
        except LateError as error:
            self.end()
            raise ScoringFaultError("the process of the evaluator did not answer in time") from error
        except ValueError as error:
            self.end()
            raise ScoringFaultError("the process of the evaluator sent something else than a verdict") from error

    def _ask(self, request: Request) -> Judged:
        send_message(self._connection, Message(REQUEST, pickle.dumps(request)))
        answer = receive_message(self._connection, seconds=self._seconds + GRACE)
        if answer.kind == FAULT:
            raise ScoringFaultError(answer.content.decode("utf-8", "replace"))
        if answer.kind != VERDICT:
            raise EndedError
        return read_judged(answer.content)

    def _ask_in_inbox(self, path: Path, sha256: str, inbox: Path) -> Judged:
        """Score a file through the one folder that the process may read."""
        entered = inbox / sha256
        try:
            entered.hardlink_to(path)
        except OSError:
            # Another file system.
            shutil.copyfile(path, entered)
        try:
            return self._ask(Request(entered, sha256))
        finally:
            entered.unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        if self._is_ready:
            return
        answer = receive_message(self._connection, seconds=PREPARE_SECONDS)
        if answer.kind == FAULT:
            text = answer.content.decode("utf-8", "replace")
            self.end()
            raise ScoringFaultError(f"the evaluator cannot be prepared: {text}")
        if answer.kind != READY:
            raise EndedError
        self._is_ready = True

    def end(self) -> None:
        """End the process, and with it what it scores."""
        self._end()
        self._stack.close()

    def kill(self) -> None:
        """End the process from another thread; the one that waits for it gets an error."""
        self._process.kill()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()


def _start() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", MODULE, str(theirs.fileno()), str(os.getpid())]
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=_environment(),
        )
    return ours, process


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
    # One thread of BLAS: its work is small here, and its threads would not survive a fork.
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
