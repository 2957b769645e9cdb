"""The data of a task: the format of its files, sample rows, and how to check them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import islice
from pathlib import Path

from starlette.requests import Request

from muge_fast.datasets.fields import IntegerList, Kind
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.store.tasks import active_evaluator
from muge_fast.leaderboard.web.pages.commands import check_command, file_name
from muge_fast.leaderboard.web.pages.numbers import size_text
from muge_fast.leaderboard.web.pages.task_parts import task_parts
from muge_fast.leaderboard.web.pages.words import WORDS, Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer
from muge_fast.tasks import Task, get

SAMPLES = Path(str(files("muge_fast"))) / "samples"
SAMPLE_ROWS = 3
IMAGE_SAMPLE = "0\tiVBORw0KGgoAAAANSUhEUgAA…\n1\t/9j/4AAQSkZJRgABAQAAAQAB…"


def data(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the data of a task.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the task in its path.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such task.

    """
    task, words = site.task(request.path_params["task"]), Words(viewer.language)
    scorer = get(task.scorer)
    with site.board.database.read() as connection:
        evaluator = active_evaluator(connection, task.slug)
    about = f"about_{task.scorer}"
    is_public = task.disclosure.references_public
    return {
        "task": task_parts(task, words, "data", now=site.now()),
        "about": words(about) if about in WORDS else words("about_other", task.scorer),
        "direction": words("data_higher" if task.ranking.higher_is_better else "data_lower"),
        "items": words("data_items_text"),
        "file_kind": words(f"data_{scorer.file_type}"),
        "max_size": size_text(task.max_bytes),
        "options": ", ".join(f"{name}={value!r}" for name, value in task.options.items()),
        "references": words("data_references_public" if is_public else "data_references_hidden"),
        "fields": list(_fields(scorer, words)),
        "sample": _sample(scorer),
        "commands": _commands(task),
        "signature": evaluator.signature if evaluator else "",
    }


def _fields(scorer: Task, words: Words) -> Iterator[dict[str, object]]:
    if scorer.file_type == "images":
        yield {"name": "1", "kind": _kind(scorer.id, words), "others": []}
        yield {"name": "2", "kind": words("kind_image"), "others": []}
        return
    first, *others = scorer.fields
    for name, kind in (("id", scorer.id), ("value", scorer.submission)):
        names = [getattr(one, name) for one in others]
        yield {"name": getattr(first, name), "kind": _kind(kind, words), "others": list(dict.fromkeys(names))}


def _kind(kind: Kind, words: Words) -> str:
    name = type(kind).__name__
    if isinstance(kind, IntegerList) and (count := getattr(kind, "count", None)):
        return words("kind_IntegerList_count", count)
    key = f"kind_{name}"
    return words(key) if key in WORDS else name


def _sample(scorer: Task) -> str:
    """Return the first rows of a sample of the package, or of images as they look."""
    if scorer.file_type == "images":
        return IMAGE_SAMPLE
    for path in sorted(SAMPLES.glob(f"{scorer.name}/*.pred.large.jsonl")):
        with path.open(encoding="utf-8") as lines:
            return "".join(islice(lines, SAMPLE_ROWS)).rstrip()
    return ""


def _commands(task: TaskSettings) -> str:
    file = file_name(task)
    score = f"muge-fast score {task.scorer} --gold valid.jsonl --submission {file} --html report.html"
    return f"pip install muge-fast\n{check_command(task)}\n{score}"
