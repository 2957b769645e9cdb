"""The result of comparing systems by several metrics."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muge_fast import _core
from muge_fast._internal.atomic import save_text
from muge_fast._internal.checks import check_choice, suggest, whole_number
from muge_fast._internal.display import json_text, plain_markdown
from muge_fast._internal.paths import PathLike
from muge_fast.comparison.metric_comparison import MetricComparison, main_metric
from muge_fast.comparison.tables import MetricTable, closing_notes, markdown_table, metric_table, text_table
from muge_fast.comparison.words import WORDS
from muge_fast.datasets.problems import LANGUAGES
from muge_fast.evaluation.report import Report
from muge_fast.tasks.task import signature_options

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Comparison"]


PAIR_COLUMNS = ("metric", "first", "second", "difference", "low", "high", "p", "adjusted_p")
"""First columns of the table of all pairs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison(Mapping[str, MetricComparison]):
    """The result of :func:`muge_fast.compare`: a mapping from the name of each metric to its comparison.

    A comparison of reports keeps them, so that :meth:`to_html` can show predictions and references.

    Attributes:
        metrics: The comparison by each metric, as the mapping has them.
        systems: Names of the systems, in the order given.
        item_count: Number of items.
        ids: Ids of the items, in the order of the first system; None if items have no ids.
        baseline: Name of the system that the others were compared with; None if all pairs were compared.
        level: Confidence level of intervals and rank ranges.
        signature: How the comparison was made: test, correction, resamples, seed, level, number of systems.
        left_out: Why metrics that all systems have were not compared, by name.
        scales: Factor of a metric in tables and pages, such as 100 for the official scores of captions; 1 for others.
        missing: Number of items for which a run of a model has no result, by the names of the systems that are runs;
            tables and pages have a column for it if there are any.

    Example:
        >>> import muge_fast as mf
        >>> hits = {"base": [1, 0, 0, 1, 0, 0, 0, 1], "large": [1, 1, 1, 1, 1, 1, 1, 1]}
        >>> c = mf.compare(hits)
        >>> list(c), c["mean"]["large", "base"].p
        (['mean'], 0.0625)
        >>> print(c.table())
        mean ↑ (8 items)
        <BLANKLINE>
        rank    system      score    95 % interval    vs large    95 % interval    adjusted p
        ------  --------  -------  ---------------  ----------  ---------------  ------------
        1–2     large        1.00     [1.00, 1.00]
        1–2 =   base         0.38     [0.12, 0.75]       -0.62   [-0.88, -0.25]        0.0625
        <BLANKLINE>
        Test: sign flips.
        These items show a true difference of 0.48 in four of five cases.
        <BLANKLINE>
        <BLANKLINE>
        = tied with the first: not significantly worse at 95 %.
        The rank ranges of a table hold at once at 95 %.
        <BLANKLINE>

    """

    metrics: Mapping[str, MetricComparison] = field(repr=False)
    systems: Sequence[str]
    item_count: int
    ids: Sequence[Hashable] | None = field(repr=False)
    baseline: str | None
    level: float
    signature: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    _reports: Mapping[str, Report] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> MetricComparison:
        try:
            return self.metrics[name]
        except KeyError:
            reason = f"; it is left out: {self.left_out[name]}" if name in self.left_out else ""
            hint = reason or (suggest(name, self.metrics) if isinstance(name, str) else "")
            raise KeyError(f"no metric {name!r}, this comparison has {', '.join(self.metrics)}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def scale(self, metric: str) -> float:
        """Return the factor of a metric in tables and pages.

        Args:
            metric: Name of the metric.

        Returns:
            The factor, 1 if it has none.

        """
        return self.scales.get(metric, 1.0)

    def table(self, *, lang: str = "en") -> str:
        """Return a table for each metric, as text for a terminal.

        Scores are shown with two significant digits of their standard error.

        Args:
            lang: Language, ``"en"`` or ``"zh"``.

        Returns:
            The text.

        Raises:
            ValueError: An unknown language.

        """
        check_choice("lang", lang, LANGUAGES)
        tables = [text_table(table) for table in self._tables(lang).values()]
        notes, left_out = self._notes(lang)
        return "\n\n\n".join([*tables, "\n".join([*notes, *left_out])]).rstrip("\n") + "\n"

    def to_markdown(self, *, path: PathLike | None = None, lang: str = "en") -> str:
        """Return a Markdown table for each metric, and write them to a file if there is a path.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.
            lang: Language, ``"en"`` or ``"zh"``.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written.
            ValueError: An unknown language.

        """
        words = WORDS[check_choice("lang", lang, LANGUAGES)]
        tables = [markdown_table(table, lang) for table in self._tables(lang).values()]
        title = f"# {words['title'].format(count=len(self.systems))}"
        notes, left_out = self._notes(lang)
        parts = [title, *tables, words["space"].join(notes), *map(plain_markdown, left_out), f"`{self.signature}`"]
        return save_text("\n\n".join(filter(None, parts)) + "\n", path)

    def to_html(
        self, *, path: PathLike | None = None, lang: str = "en", date: str | None = None, items: int | None = None
    ) -> str:
        """Return one self-contained HTML page, and write it to a file if there is a path.

        For each metric the page has intervals of the differences to the first system, or to the baseline, rank ranges,
        a table, and adjusted p-values of all pairs of up to 30 systems. Then come the items where two systems differ
        most: side by side with what they share with the gold file if the systems are reports, else by their values. The
        page loads nothing and can be read without scripts; its own script sorts tables and chooses the pair of systems.
        The same comparison gives the same bytes.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.
            lang: Language, ``"en"`` or ``"zh"``.
            date: Date to show on the page, if any.
            items: Number of items to show for each pair, half of them in favour of either system; None for 20. Items
                are left out when those shown take 3 MB.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written.
            TypeError: ``items`` is not an integer.
            ValueError: An unknown language, or a negative number of items.

        Example:
            >>> import muge_fast as mf
            >>> page = mf.compare({"a": [1, 0, 1, 1], "b": [1, 0, 0, 0]}).to_html(lang="zh")
            >>> page.count("<svg"), "<script src" in page
            (6, False)

        """
        from muge_fast.comparison.page.content import ITEMS, ComparisonContent  # noqa: PLC0415 - few need a page
        from muge_fast.comparison.page.page import render_comparison  # noqa: PLC0415

        check_choice("lang", lang, LANGUAGES)
        content = ComparisonContent(
            metrics=self.metrics,
            tables=self._tables(lang),
            systems=self.systems,
            item_count=self.item_count,
            ids=self.ids,
            baseline=self.baseline,
            level=self.level,
            signature=self.signature,
            left_out=self.left_out,
            scales=self.scales,
            correction=self._correction,
            missing=self.missing,
            reports=self._reports,
            lang=lang,
            date=date,
            items=ITEMS if items is None else whole_number("items", items, 0),
        )
        return save_text(render_comparison(content), path)

    def plot(self, metric: str | None = None, *, ax: Axes | None = None) -> tuple[Figure, Axes]:
        """Plot the difference of each system to the first one, or to the baseline, with intervals and rank ranges.

        Needs matplotlib, the extra ``plot``; no display.

        Args:
            metric: Name of the metric; None for the main one of the task, or else the first.
            ax: Axes to draw into; None for a new figure.

        Returns:
            The figure and the axes, as torchmetrics returns them. Ranks are at the right side.

        Raises:
            ImportError: matplotlib is not installed.
            KeyError: The metric was not compared.

        Example:
            >>> import muge_fast as mf
            >>> c = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})
            >>> figure, ax = c.plot()  # doctest: +SKIP

        """
        from muge_fast.comparison.plot import plot_metric  # noqa: PLC0415 - needs matplotlib

        compared = self[main_metric(self.metrics, self._reports) if metric is None else metric]
        return plot_metric(compared, baseline=self.baseline, scale=self.scale(compared.name), ax=ax)

    @property
    def _correction(self) -> str:
        return signature_options(self.signature)["correction"]

    def _tables(self, lang: str) -> dict[str, MetricTable]:
        return {
            name: metric_table(
                metric,
                lang,
                baseline=self.baseline,
                item_count=self.item_count,
                scale=self.scale(name),
                correction=self._correction,
                missing=self.missing,
            )
            for name, metric in self.metrics.items()
        }

    def _notes(self, lang: str) -> tuple[list[str], list[str]]:
        """Return what holds for all tables, and why metrics are left out."""
        metrics, text = list(self.metrics.values()), WORDS[lang]["left_out"]
        notes = closing_notes(metrics, lang, baseline=self.baseline, level=self.level, correction=self._correction)
        return notes, [text.format(name=name, reason=reason) for name, reason in self.left_out.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as a dictionary of plain Python objects, which JSON can represent.

        Returns:
            ``"systems"``, ``"items"``, ``"baseline"``, ``"level"``, ``"signature"``, ``"left_out"``, ``"version"`` and
            ``"metrics"``, the dictionary of :meth:`MetricComparison.to_dict` for each. Scores are in the unit of their
            metric.

        """
        return {
            "systems": list(self.systems),
            "items": self.item_count,
            "baseline": self.baseline,
            "level": self.level,
            "signature": self.signature,
            "left_out": dict(self.left_out),
            "version": _core.__version__,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
        }

    def to_json(self, *, path: PathLike | None = None) -> str:
        """Return the dictionary of :meth:`to_dict` as JSON, and write it to a file if there is a path.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written.

        """
        return save_text(json_text(self.to_dict(), indent=2) + "\n", path)

    def to_pandas(self) -> pd.DataFrame:
        """Return all pairs as a pandas DataFrame.

        Returns:
            A frame with a row for each metric and pair, and the columns ``"metric"``, ``"first"``, ``"second"``,
            ``"difference"``, ``"low"``, ``"high"``, ``"p"``, ``"adjusted_p"`` and the others of
            :class:`PairComparison`.

        Raises:
            ImportError: pandas is not installed.

        Example:
            >>> import muge_fast as mf
            >>> c = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})
            >>> c.to_pandas()[["metric", "first", "second"]].values.tolist()  # doctest: +SKIP
            [['mean', 'a', 'b']]

        """
        from muge_fast._internal.output_tables import pandas_frame  # noqa: PLC0415 - few results become tables

        return pandas_frame(self._columns())

    def to_arrow(self) -> pa.Table:
        """Return all pairs as a table of Arrow, with the rows and columns of :meth:`to_pandas`.

        Returns:
            The table.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        Example:
            >>> import muge_fast as mf
            >>> c = mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]})
            >>> c.to_arrow().column("second").to_pylist()  # doctest: +SKIP
            ['b']

        """
        from muge_fast._internal.output_tables import arrow_table  # noqa: PLC0415 - few results become tables

        return arrow_table(self._columns())

    def _columns(self) -> dict[str, list[Any]]:
        """Return the columns of the table of all pairs."""
        rows: list[dict[str, Any]] = []
        for name, metric in self.metrics.items():
            for pair in metric.values():
                values = pair.to_dict()
                low, high = values.pop("interval")
                rows.append({"metric": name, **values, "low": low, "high": high})
        names = [*PAIR_COLUMNS, *(name for name in rows[0] if name not in PAIR_COLUMNS)] if rows else PAIR_COLUMNS
        return {name: [row[name] for row in rows] for name in names}
