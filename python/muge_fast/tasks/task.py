"""Declaration of a task: the fields of its files, its metrics, and the main one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from muge_fast._internal.checks import fold_name, suggest
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.fields import Kind, RowFormat
from muge_fast.scores import Scores


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of the benchmark. Readers, checks, reports and the command line work from this declaration.

    Attributes:
        name: Name in calls and on the command line.
        title: Title of reports in English.
        title_zh: Title of reports in Chinese.
        fields: Alternative names of the id and the value in a row; the first is the default.
        id: Kind of the ids.
        gold: Kind of the values in a gold file.
        submission: Kind of the values in a submission.
        score: Function of predictions and references, both mappings by id, and of keyword options; returns
            :class:`muge_fast.scores.Scores`.
        main: Name of the score that ranks submissions.
        official: Name of a score for each key of the official result's ``scoreJson``, apart from ``score``.
        main_metric: Name that ``score``'s option ``metrics`` must contain for the main score to be computed; None if
            it has no such option.
        text_fields: Names of optional fields with text for human readers.
        group_fields: Names of optional fields of the gold file with the group of an item, such as the type of its
            question. ``score`` gets them as the option ``groups``: the group of each id, by name of the field.
        convert_gold: Function of the content of a gold file that returns it as JSON Lines, or None for content that
            already is; None if the task has no other form.
        convert_submission: The same for submissions, which are untrusted: it does not raise.
        option_choices: Names of the values of options that have a fixed set of them, for the command line.
        has_pool: Whether values are ids of items that a pool may limit.
        file_type: ``"lines"`` for JSON Lines, ``"images"`` for a TSV of ids and base64.
        score_scale: Factor of scores in reports and in the official result.
        score_scales: Factors of scores that differ from ``score_scale``, by name.
        lower_is_better: Names of scores that are better when they are lower, ``()`` if none is. None if the task does
            not declare it, so that the settings of a leaderboard must.
        option_names: Function that returns the names of ``score``'s options, if its signature does not list them
            (``**options``). It may raise ImportError where they cannot be determined.
        strict_lines: Whether blank lines and carriage returns without line feeds are problems of a submission, because
            the script of the benchmark rejects them.
        unofficial: Function of scores and of a language, ``"en"`` or ``"zh"``, that yields why the scores are not
            official, one line each: an option that the benchmark does not use, weights that are not the published ones.
            ``functools.partial`` of ``muge_fast.tasks.task.unofficial_options`` makes one. None if all scores are
            official.
        check_values: Function of a mapping of options that raises for an invalid value, called before any file is read;
            None to leave that to ``score``. ``functools.partial`` of ``muge_fast.tasks.task.score_probe`` makes one.
        prepare: Function of references and of a mapping of options that returns a function of predictions, with the
            scores of ``score`` for these references and options, for :func:`muge_fast.evaluation.prepare`. It does once
            what does not depend on predictions. None if there is nothing of that kind.

    Example:
        >>> import muge_fast as mf
        >>> task = mf.tasks.get("retrieval")
        >>> task.main, task.official["r1"]
        ('mean_recall', 'recall@1')

    """

    name: str
    title: str
    title_zh: str
    fields: tuple[FieldNames, ...]
    id: Kind
    gold: Kind
    submission: Kind
    score: Callable[..., Scores] = field(repr=False)
    main: str
    official: Mapping[str, str]
    main_metric: str | None = None
    text_fields: tuple[str, ...] = ()
    group_fields: tuple[str, ...] = ()
    convert_gold: Callable[[bytes], bytes | None] | None = field(default=None, repr=False)
    convert_submission: Callable[[bytes], bytes | None] | None = field(default=None, repr=False)
    option_choices: Mapping[str, Collection[str]] = field(default_factory=dict)
    has_pool: bool = False
    file_type: Literal["lines", "images"] = "lines"
    score_scale: float = 100.0
    score_scales: Mapping[str, float] = field(default_factory=dict)
    lower_is_better: Collection[str] | None = None
    strict_lines: bool = False
    unofficial: Callable[[Scores, str], Iterable[str]] | None = field(default=None, repr=False)
    option_names: Callable[[], Iterable[str]] | None = field(default=None, repr=False)
    check_values: Callable[[Mapping[str, object]], object] | None = field(default=None, repr=False)
    prepare: Callable[[Any, Mapping[str, Any]], Callable[[Any], Scores]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check that names are not the letters of one text."""
        if isinstance(self.lower_is_better, str):
            raise TypeError(f"lower_is_better of task {self.name!r} must be a tuple of names, got a text")

    @property
    def gold_format(self) -> RowFormat:
        """Format of a row of a gold file."""
        return RowFormat(
            names=self.fields,
            id=self.id,
            value=self.gold,
            text_fields=self.text_fields,
            group_fields=self.group_fields,
            convert=self.convert_gold,
        )

    @property
    def submission_format(self) -> RowFormat:
        """Format of a row of a submission."""
        return RowFormat(
            names=self.fields,
            id=self.id,
            value=self.submission,
            text_fields=self.text_fields,
            convert=self.convert_submission,
            strict_lines=self.strict_lines,
        )

    def check_options(self, options: Mapping[str, object]) -> None:
        """Raise if the score function lacks or rejects one of the options, or would not compute the main score.

        Reads no submission, gold file or image, so that a mistake is reported before any work is done.

        Args:
            options: Keyword arguments for ``score``.

        Raises:
            TypeError: An option is unknown; the message names it, and the most similar one.
            ValueError: An option has an invalid value, or ``metrics`` lacks the metric of the main score.

        Example:
            >>> import muge_fast as mf
            >>> mf.tasks.get("caption").check_options({"tokenizr": "jieba"})
            Traceback (most recent call last):
            ...
            TypeError: task 'caption' has no option 'tokenizr'; did you mean 'tokenizer'?

        """
        names = self._option_names() if options else None
        for option in options:
            if names is not None and option not in names:
                hint = suggest(option, names) or f"; its options are {', '.join(names)}"
                raise TypeError(f"task {self.name!r} has no option {format_argument(option)}{hint}")
        if options and self.check_values is not None:
            self.check_values(options)
        metrics = options.get("metrics")
        if self.main_metric is None or not isinstance(metrics, Collection) or isinstance(metrics, str):
            return
        if fold_name(self.main_metric) not in [fold_name(name) for name in metrics if isinstance(name, str)]:
            raise ValueError(f"metrics lack {self.main_metric!r}, the main metric of task {self.name!r}")

    def has_option(self, name: str) -> bool:
        """Return whether the score function has a keyword option.

        Args:
            name: Name of the option.

        Returns:
            True also if the function takes any option, or if its options cannot be determined.

        Example:
            >>> import muge_fast as mf
            >>> task = mf.tasks.get("caption")
            >>> task.has_option("tokenizer"), task.has_option("weights")
            (True, False)

        """
        names = self._option_names()
        return names is None or name in names

    def official_value(self, name: str, value: float) -> float:
        """Return a score in the unit of the official result.

        Args:
            name: Name of the score.
            value: The score as the metric defines it.

        Returns:
            The score times its factor.

        Example:
            >>> import muge_fast as mf
            >>> task = mf.tasks.get("t2i")
            >>> task.official_value("fid", 17.5), task.official_value("r_precision", 0.5)
            (17.5, 50.0)

        """
        return self.score_scales.get(name, self.score_scale) * value

    def higher_is_better(self, name: str) -> bool | None:
        """Return whether a larger value of a score is better.

        Args:
            name: Name of the score.

        Returns:
            Whether it is; None if the task does not say.

        Example:
            >>> import muge_fast as mf
            >>> task = mf.tasks.get("t2i")
            >>> task.higher_is_better("fid"), task.higher_is_better("is")
            (False, True)

        """
        return None if self.lower_is_better is None else name not in self.lower_is_better

    def label(self, name: str) -> str:
        """Return the name of a score for a table, with its factor if it differs from ``score_scale``.

        Args:
            name: Name of the score.

        Returns:
            The label.

        Example:
            >>> import muge_fast as mf
            >>> mf.tasks.get("t2i").label("r_precision")
            'r_precision (times 100)'

        """
        return f"{name} (times {self.score_scales[name]:g})" if name in self.score_scales else name

    def _option_names(self) -> list[str] | None:
        """Return the names of the options; None if any name is accepted or they cannot be determined."""
        try:
            if self.option_names is not None:
                return list(self.option_names())
            # The first two are predictions and references.
            parameters = list(inspect.signature(self.score).parameters.values())[2:]
        except (ImportError, ValueError):
            # An optional package is missing, which scoring reports; or a built-in function has no signature.
            return None
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return None
        return [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]


def score_probe(
    score: Callable[..., Scores],
    predictions: Mapping[Any, object],
    references: Mapping[Any, object],
    options: Mapping[str, object],
) -> Scores:
    """Score a few made-up items, so that an invalid value of an option raises before any file is read.

    Args:
        score: The task's score function.
        predictions: Made-up predictions by id.
        references: Made-up references by id.
        options: Keyword options of ``score``.

    Returns:
        The scores, which mean nothing.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.tasks.task import score_probe
        >>> score_probe(mf.score_retrieval, {1: [2]}, {1: [2]}, {"ks": (0,)})
        Traceback (most recent call last):
        ...
        ValueError: ks[0] must be at least 1, got 0

    """
    return score(predictions, references, **options)


def unofficial_options(
    official: Mapping[str, str], scores: Scores, lang: str, names: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield each option of scores that differs from the official one, and each official score that is missing.

    Args:
        official: Options by name of score, in the form of signatures, such as ``"order:4|tokenizer:muge"``.
        scores: The scores; their signatures have their options.
        lang: ``"en"`` or ``"zh"``.
        names: Names of options that have another name in signatures; None if all have the same.

    Yields:
        One line each.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.tasks.task import unofficial_options
        >>> scores = mf.score_retrieval({1: [2]}, {1: [2]}, ks=(1, 3))
        >>> list(unofficial_options({"mean_recall": "ks:1,5,10"}, scores, "en"))
        ['ks is 1,3, officially 1,5,10']

    """
    # Several scores have the same options.
    yield from dict.fromkeys(_differences(official, scores, lang, names or {}))


def _differences(official: Mapping[str, str], scores: Scores, lang: str, names: Mapping[str, str]) -> Iterator[str]:
    for name, options in official.items():
        if name not in scores:
            yield f"缺少 {name}" if lang == "zh" else f"{name} is missing"
            continue
        actual = signature_options(scores[name].signature)
        for option, expected in signature_options(options).items():
            value = actual.get(option, "-")
            if value != expected:
                label, shown = names.get(option, option), format_id(value)
                chinese = f"{label} 为 {shown}，官方为 {expected}"
                yield chinese if lang == "zh" else f"{label} is {shown}, officially {expected}"


def signature_options(signature: str) -> dict[str, str]:
    """Return the options of a signature by name.

    Args:
        signature: The signature.

    Returns:
        Its options and its version; parts without a name are left out.

    Example:
        >>> from muge_fast.tasks.task import signature_options
        >>> signature_options("mean_recall|ks:1,5,10")
        {'ks': '1,5,10'}

    """
    pairs = (part.partition(":") for part in signature.split("|"))
    return {option: value for option, colon, value in pairs if colon}
