"""Running a model through a task of the benchmark."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from muge_fast import tasks
from muge_fast._internal.atomic import save_text
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.checks import check_choice, whole_number
from muge_fast._internal.display import format_path, json_text
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.problems import LANGUAGES
from muge_fast.evaluation._evaluate import check
from muge_fast.evaluation.prepared import prepare
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.report_page.intervals import score_intervals
from muge_fast.models.data_folder import find_data
from muge_fast.models.interface import PROTOCOLS, Model
from muge_fast.models.manifest import make_manifest, read_manifest
from muge_fast.models.options import ModelOptions
from muge_fast.models.run_folder import RunFolder
from muge_fast.models.stages import run_stage
from muge_fast.models.task_runs.caption import CaptionRun
from muge_fast.models.task_runs.retrieval import RetrievalRun
from muge_fast.models.task_runs.t2i import GenerationRun
from muge_fast.models.task_runs.task_run import Missing, TaskRun
from muge_fast.models.task_runs.vqa import AnswerRun
from muge_fast.scores import Scores

TaskName = Literal["retrieval", "caption", "t2i", "vqa"]
"""Names of the tasks that models run through, for type checkers."""

TASK_RUNS: Mapping[str, type[TaskRun]] = {
    "retrieval": RetrievalRun,
    "caption": CaptionRun,
    "t2i": GenerationRun,
    "vqa": AnswerRun,
}
"""Class of the run of each task, by the name of the task."""

PAGE, REPORT = "report.html", "report.json"


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of :func:`run`.

    Attributes:
        output: Folder of the run.
        report: Report on the submission: its scores, or only whether it is valid if the split has no gold file.
        missing: Items without a result, such as broken images.
        manifest: Content of ``run.json``.

    Example:
        >>> from muge_fast.models import Run
        >>> Run.__name__
        'Run'

    """

    output: Path
    report: Report
    missing: list[Missing]
    manifest: dict[str, Any] = field(repr=False)


def run(
    task: TaskName,
    model: PathLike | Model,
    data: PathLike,
    *,
    split: str = "valid",
    output: PathLike,
    options: ModelOptions | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: bool | None = None,
    lang: str = "en",
    scoring: Mapping[str, Any] | None = None,
) -> Run:
    """Run a model through a task: from a data set to a submission, its scores and a report.

    What is done is kept batch by batch. The same call continues a run that was interrupted in any way, and has the same
    results as one that was not. Out of memory, it goes on with half of the batch.

    Args:
        task: ``"retrieval"``, ``"caption"``, ``"t2i"`` or ``"vqa"``.
        model: Folder of a model of transformers or diffusers, or the name of one that is on this machine; or an object
            with the methods of :class:`muge_fast.models.DualEncoder`, :class:`muge_fast.models.Captioner`,
            :class:`muge_fast.models.ImageGenerator` or :class:`muge_fast.models.QuestionAnswerer`.
        data: Folder of the data set, with files as the benchmark names them:
            ``MR_valid_imgs.tsv`` and ``MR_valid_queries.jsonl``; ``IC_valid.tsv`` and ``IC_valid.jsonl``;
            ``T2I_val.text.tsv`` and ``T2I_val.img.tsv``; ``VQA_valid.tsv`` and ``VQA_valid.jsonl``.
        split: Name of the split in the names of the files.
        output: Folder of the run, which gets the submission, ``report.html``, ``report.json`` and the manifest
            ``run.json``; features of retrieval, too.
        options: How a model is opened by its name, and how it generates; None for the defaults.
        batch_size: Number of items of a batch; None for 32 in retrieval, 8 for captions and answers, 4 for generated
            images.
        seed: Seed of generated images. The seed of each follows from this one and its id.
        threads: Number of threads that decode images ahead of the model; None for the number of cores.
        progress: Whether to show progress bars; None to show them on a terminal.
        lang: Language of the report, ``"en"`` or ``"zh"``.
        scoring: Options of :func:`muge_fast.evaluate`, such as ``{"weights": …}`` of text-to-image.

    Returns:
        The run. Items without a result, such as broken images, do not end it: they are in ``missing``, and in the
        report's errors if the submission needs them.

    Raises:
        FileNotFoundError: There is no such model or data set, or a file of it is missing.
        OSError: A file cannot be read or written.
        ValueError: An option is invalid, a file of the data set is broken, all images of the first batch are broken,
            the model returns something that cannot be used, or ``output`` has another run or other files.
        TypeError: An option of the wrong type or of another kind of model, or an object without the task's methods.
        ImportError: The model needs a package that is not installed.
        MemoryError: There is too little memory for a single item.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> class Greeter:
        ...     def caption(self, images):
        ...         return ["红色长裙" for image in images]
        >>> picture = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
        ...                         "789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082")
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     mf.datasets.ImageTsv.write(folder / "IC_valid.tsv", {"a": picture, "b": picture})
        ...     mf.write_captions(folder / "IC_valid.jsonl", {"a": ["红色长裙"], "b": ["黑皮鞋"]})
        ...     result = mf.models.run("caption", Greeter(), folder, output=folder / "run")
        ...     (folder / "run" / "submission.jsonl").read_text(encoding="utf-8").splitlines()[0]
        '{"image_id": "a", "text": "红色长裙"}'
        >>> result.report.scores["rouge_l"].value
        0.5

    """
    check_choice("task", task, TASK_RUNS)
    check_choice("lang", lang, LANGUAGES)
    kind = TASK_RUNS[task]
    numbers = {
        "batch_size": kind.batch_size if batch_size is None else whole_number("batch_size", batch_size),
        "seed": whole_number("seed", seed, 0),
    }
    workers = whole_number("threads", (os.cpu_count() or 1) if threads is None else threads)
    tasks.get(task).check_options(dict(scoring or {}))
    files = find_data(task, data, split)
    opened, described = _open_model(task, model, options)
    task_run = kind(files, opened, seed=numbers["seed"])
    _refuse_empty_stages(task_run)
    used = task_run.scoring_options(scoring or {})
    task_run.check_scoring(used)
    # Errors of the gold file are found before the run.
    judge = None if task_run.gold is None else prepare(tasks.get(task), task_run.gold, lang=lang, **used)
    manifest = make_manifest(task, split, model=described, data=files.given(), gold=task_run.gold, options=numbers)
    with RunFolder(output) as folder:
        folder.begin(manifest)
        before = read_manifest(folder.path)
        if folder.is_complete():
            done = _Done(before["files"], [Missing(*pair) for pair in before["missing"]])
            _check_files(folder.path, done.files)
        else:
            _warn_without_signature(folder, task_run, opened)
            done = _work(folder, task_run, numbers["batch_size"], threads=workers, progress=progress)
        submission = folder.path / done.files["submission"]
        report = (
            check(tasks.get(task), submission, lang=lang) if judge is None else judge.evaluate(submission, lang=lang)
        )
        _write_report(folder.path, report, task_run)
        manifest = {**manifest, **_results(done, report)}
        folder.finish(manifest)
    return Run(output=folder.path, report=report, missing=done.missing, manifest=read_manifest(folder.path))


class _Done(NamedTuple):
    """What a run has done: names of its files by what they are, and the items without a result."""

    files: dict[str, str]
    missing: list[Missing]


def _open_model(task: str, model: object, options: ModelOptions | None) -> tuple[Any, dict[str, Any]]:
    """Return a model, and what the manifest says of it."""
    if isinstance(model, (str, os.PathLike)):
        from muge_fast.models.adapters.opening import open_model  # noqa: PLC0415 - imports torch, optional

        chosen = options or ModelOptions()
        opened = open_model(task, model, chosen)
        name = Path(model).name or Path(model).resolve().name
        return opened, _described(opened, name, {**asdict(chosen), "download": False})
    if isinstance(model, type):
        raise TypeError(f"model is the class {model.__name__}, needs an object of it: {model.__name__}()")
    if not isinstance(model, PROTOCOLS[task]):
        methods = sorted(name for name in vars(PROTOCOLS[task]) if not name.startswith("_"))
        raise TypeError(
            f"model is {type(model).__name__}, and the task {task!r} needs the name of a model or an object with the "
            f"methods {', '.join(methods)}"
        )
    if options is not None:
        raise ValueError("options are those of models that are opened by their names, and model is an object")
    return model, _described(model, type(model).__name__, {})


def _described(model: object, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest says of a model."""
    signature, description = getattr(model, "signature", None), getattr(model, "description", {})
    if not isinstance(signature, (str, type(None))):
        raise TypeError(f"signature of the model is {type(signature).__name__}, needs a string")
    if not isinstance(description, Mapping):
        raise TypeError(f"description of the model is {type(description).__name__}, needs a mapping of plain values")
    try:
        json.dumps(dict(description), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"description of the model needs plain values, for JSON: {error}") from None
    return {"name": name, "signature": signature, "description": dict(description), "options": dict(options)}


def _work(folder: RunFolder, task_run: TaskRun, batch_size: int, *, threads: int, progress: bool | None) -> _Done:
    """Run all stages, and write the submission."""
    results = {stage.name: folder.results(stage.name) for stage in task_run.stages}
    for stage in task_run.stages:
        run_stage(stage, results[stage.name], batch_size=batch_size, threads=threads, progress=progress)
    return _Done(task_run.write_submission(folder.path, results), list(task_run.missing(results)))


def _refuse_empty_stages(task_run: TaskRun) -> None:
    empty = next((stage for stage in task_run.stages if not stage.items), None)
    if empty is not None:
        names = " and ".join(path.name for path in task_run.files.given().values())
        raise ValueError(f"there is no {empty.unit} in {names}")


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Raise if a file of a complete run is gone or empty."""
    for name in files.values():
        path = folder / name
        if not path.is_file() or not path.stat().st_size:
            raise ValueError(f"output: {format_path(path)} was removed or emptied after the run: pass a new folder")


def _warn_without_signature(folder: RunFolder, task_run: TaskRun, model: object) -> None:
    if getattr(model, "signature", None) is None and any(folder.results(one.name).items for one in task_run.stages):
        warn_caller("the run goes on with a model without signature: nothing shows whether it is the same model")


def _write_report(folder: Path, report: Report, task_run: TaskRun) -> None:
    report.to_html(path=folder / PAGE, images=task_run.pictures)
    # Without the time, which differs from run to run.
    values = {key: value for key, value in report.to_dict().items() if key != "seconds"}
    save_text(json_text(values, indent=2) + "\n", folder / REPORT)


def _results(done: _Done, report: Report) -> dict[str, Any]:
    """Return what the manifest says of the results of a run."""
    scores = report.scores if report.scores is not None else Scores({})
    intervals = score_intervals(scores)
    return {
        "files": done.files,
        "missing": [list(item) for item in done.missing],
        "ok": report.ok,
        "scoring": dict(report.options),
        "scores": {
            name: {
                "value": score.value,
                "interval": [intervals[name].low, intervals[name].high] if name in intervals else None,
                "signature": score.signature,
            }
            for name, score in scores.items()
        },
    }
