"""The content of a page of a comparison."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

from muge_fast._internal.display import printable
from muge_fast.comparison.metric_comparison import MetricComparison, main_metric
from muge_fast.comparison.page.words import WORDS
from muge_fast.comparison.tables import NAME_WIDTH, MetricTable
from muge_fast.comparison.words import WORDS as TABLE_WORDS
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element

ITEMS = 20
"""Number of items that are shown for each pair of systems by default."""


@dataclass(frozen=True, kw_only=True)
class ComparisonContent:
    """The content of a page, collected from a comparison.

    Attributes:
        metrics: The comparisons by metric.
        tables: The table of each metric.
        systems: Names of the systems.
        item_count: Number of items.
        ids: Ids of the items; None if they have no ids.
        baseline: Name of the baseline, if there is one.
        level: Confidence level.
        signature: How the comparison was made.
        left_out: Why metrics were not compared, by name.
        scales: Factors of the metrics; 1 for those that are missing.
        correction: How p-values are adjusted.
        missing: Number of missing items of systems that are runs of models.
        reports: Reports by the names of their systems; empty if the systems are not reports.
        lang: Language of the page, ``"en"`` or ``"zh"``.
        date: Date to show, if any.
        items: Number of items to show for each pair of systems.

    """

    metrics: Mapping[str, MetricComparison]
    tables: Mapping[str, MetricTable]
    systems: Sequence[str]
    item_count: int
    ids: Sequence[Hashable] | None
    baseline: str | None
    level: float
    signature: str
    left_out: Mapping[str, str]
    scales: Mapping[str, float]
    correction: str
    missing: Mapping[str, int]
    reports: Mapping[str, Report]
    lang: str
    date: str | None
    items: int

    @cached_property
    def main(self) -> str:
        """Name of the metric that is shown first."""
        return main_metric(self.metrics, self.reports)

    @property
    def percent(self) -> str:
        """Confidence level in percent."""
        return f"{100 * self.level:g}"

    @property
    def space(self) -> str:
        """White space between sentences."""
        return TABLE_WORDS[self.lang]["space"]

    def scale(self, metric: str) -> float:
        """Return the factor of a metric."""
        return self.scales.get(metric, 1.0)

    def reference(self, metric: MetricComparison) -> str:
        """Return the system that the others are compared with: the baseline, or else the first by the metric."""
        return self.baseline or metric.order[0]

    def page_content(self, system: str) -> PageContent:
        """Return what the page of the report of a system would have.

        Args:
            system: Name of a system that is a report.

        Returns:
            The content, in the language of this page.

        """
        return replace(self.reports[system]._page_content(), lang=self.lang)  # noqa: SLF001 - made for pages

    def text(self, key: str, *values: str) -> str:
        """Return a word or a sentence in the language of the page as plain text.

        Args:
            key: Key of ``WORDS``.
            values: Values to put into it.

        Returns:
            The text.

        """
        return WORDS[self.lang][key].format(*values)

    def word(self, key: str, *values: str) -> Markup:
        """Return a word or a sentence in the language of the page.

        Args:
            key: Key of ``WORDS``.
            values: Values to put into it, escaped unless they are markup.

        Returns:
            Markup.

        """
        parts = [value if isinstance(value, Markup) else escape(value) for value in values]
        return Markup(escape(WORDS[self.lang][key]).format(*parts))


def system_name(name: str) -> Markup:
    """Return the name of a system in visible letters, isolated from the direction of the text around it.

    Args:
        name: The name, such as that of a file.

    Returns:
        The element.

    Example:
        >>> from muge_fast.comparison.page.content import system_name
        >>> system_name("<b>")
        '<bdi>&lt;b&gt;</bdi>'

    """
    return element("bdi", printable(name, NAME_WIDTH))
