"""What the runs of all tasks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfileobj
from typing import Any, ClassVar, NamedTuple

from muge_fast._internal.atomic import replacing
from muge_fast.models.data_folder import DataFiles
from muge_fast.models.image_store import ImageStore, Prepare
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.stages import Stage


class Missing(NamedTuple):
    """An item without a result.

    Attributes:
        id: Id of the item, or the line of an image file that has none.
        reason: Why it has no result.

    Example:
        >>> from muge_fast.models import Missing
        >>> Missing("a1b2", "image 'a1b2' is broken: it is empty").id
        'a1b2'

    """

    id: int | str
    reason: str


class TaskRun(ABC):
    """What a run does for one task.

    Args:
        files: The files of the data set.
        model: The model, which has the methods of the task.
        seed: Seed of what is random.

    Attributes:
        batch_size: Number of items of a batch by default.
        submission: Name of the submission's file.
        files: The files of the data set.
        prepare: Method of the model that prepares an image; None if it has none.
        images: Images of the data set by id; None for a task without.

    """

    batch_size: ClassVar[int]
    submission: ClassVar[str] = "submission.jsonl"

    def __init__(self, files: DataFiles, model: object, *, seed: int) -> None:
        self.files = files
        self.seed = seed
        self.prepare: Prepare | None = getattr(model, "prepare", None)
        self.images: ImageStore | None = None

    @property
    def pictures(self) -> Mapping[Any, bytes] | None:
        """Images to show in the report, by the ids that it has; None for a task without."""
        return self.images

    @property
    @abstractmethod
    def stages(self) -> list[Stage]:
        """The stages of the run, in their order."""

    @property
    def gold(self) -> Path | None:
        """The gold file; None if the split has none."""
        return self.files.gold

    def scoring_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the evaluation.

        Args:
            given: Those that the caller gave.

        Returns:
            These, and those that follow from the data set.

        """
        return dict(given)

    def check_scoring(self, options: Mapping[str, Any]) -> None:  # noqa: B027 - most tasks lack nothing
        """Raise before the run for what the evaluation would lack after it.

        Args:
            options: Options of the evaluation.

        """

    def write_submission(self, folder: Path, results: Mapping[str, KeptResults]) -> dict[str, str]:
        """Write the submission, and other files that the results are kept in.

        Args:
            folder: Folder of the run.
            results: Results by name of the stage. Those of a task with one stage are the lines of the submission.

        Returns:
            Names of the files by what they are, such as ``{"submission": "submission.jsonl"}``.

        """
        (stage,) = self.stages
        with replacing(folder / self.submission) as target, results[stage.name].path.open("rb") as source:
            copyfileobj(source, target)
        return {"submission": self.submission}

    def missing(self, results: Mapping[str, KeptResults]) -> Iterator[Missing]:
        """Yield the items that have no result.

        Args:
            results: Results by name of the stage.

        Yields:
            The items, with reasons.

        """
        if self.images is not None:
            yield from (Missing(name, reason) for name, reason in self.images.problems())
        for stage in self.stages:
            yield from (Missing(key, reason) for key, reason in stage.remaining(results[stage.name]).items())
