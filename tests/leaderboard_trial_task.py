"""A task of another package whose scorer does what a submission says: what a file that breaks a parser could do."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import replace
from pathlib import Path

import muge_fast as mf
from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.fields import Text, TextList
from muge_fast.scores import Scores, mean_score
from muge_fast.tasks.task import Task

NAME = "trial"
HERE = Path(__file__).parent


def score(predictions, references):
    """Score 1 for each action that was possible, which is what an attacker wants."""
    acted = [act(text, references) for text in predictions.values()]
    return Scores(
        {"done": mean_score("done", f"done|version:{mf.__version__}", [float(one) for one in acted])}, 1, ["a"]
    )


def act(text, references):
    action, _, argument = text.partition(" ")
    if action == "tell":
        raise ValueError(f"the references are {references}")
    if action == "crash":
        os.abort()
    while action == "loop":
        pass
    if action == "forge":
        return forge()
    return float("nan") if action == "nan" else ACTIONS[action](argument)


def try_to(action):
    """Return whether an action of the system is possible."""
    try:
        action()
    except OSError:
        return False
    return True


def write(argument):
    with Path(argument).open("w", encoding="utf-8") as file:
        file.write("x" * 10_000)


ACTIONS = {
    "read": lambda argument: try_to(Path(argument).read_bytes),
    "list": lambda argument: try_to(lambda: list(Path(argument).iterdir())),
    "write": lambda argument: try_to(lambda: write(argument)),
    "connect": lambda argument: try_to(lambda: socket.create_connection(("127.0.0.1", int(argument)), timeout=2)),
    "run": lambda argument: try_to(lambda: os.posix_spawn(argument, [argument], {})),
    "memory": lambda argument: bool(bytearray(int(argument))),
    "exit": lambda argument: os._exit(int(argument)),
    "sleep": lambda argument: time.sleep(float(argument)) or True,
    "nothing": lambda argument: argument == "",
}


def forge():
    """Write nonsense to each descriptor, one of which leads to the worker."""
    for descriptor in range(3, 64):
        try_to(lambda descriptor=descriptor: os.write(descriptor, b"V" + (1 << 60).to_bytes(8, "big") + b"{}"))
    return True


TASK = Task(
    name=NAME,
    title="Trial",
    title_zh="试验",
    fields=(FieldNames("id", "text"),),
    id=Text(),
    gold=TextList(),
    submission=Text(),
    score=score,
    main="done",
    official={"done": "done"},
)


def score_images(predictions, references):
    """Score the part of the actions of an attacker that were possible."""
    inside = sum(len(image) for image in (*predictions.values(), *references.values())) > 0
    acted = [try_to(Path("/etc/passwd").read_bytes), try_to(lambda: write("/dev/shm/muge")), not inside]  # noqa: S108
    # An id may be the port of a server that waits outside.
    acted += [ACTIONS["connect"](port) for port in predictions if int(port) > 1023]
    return Scores({"done": mean_score("done", f"done|version:{mf.__version__}", [float(one) for one in acted])}, 3)


IMAGES = replace(
    TASK,
    name="trial-images",
    fields=(FieldNames("id", "image"),),
    gold=Text(),
    score=score_images,
    file_type="images",
)
