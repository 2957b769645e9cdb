"""The page: its head with the security policy, and the sections that its content has."""

from __future__ import annotations

from collections.abc import Iterator

from muge_fast import _core
from muge_fast._internal.display import format_id
from muge_fast.datasets.fields import IntegerList, Text, TextList
from muge_fast.evaluation.report_page.captions import caption_items
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.document import html_document
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.histograms import histogram_section
from muge_fast.evaluation.report_page.inputs import inputs_section
from muge_fast.evaluation.report_page.items import item_section
from muge_fast.evaluation.report_page.labels import classification_items, classification_sections
from muge_fast.evaluation.report_page.other_tasks import other_items
from muge_fast.evaluation.report_page.problems import check_section, problem_section
from muge_fast.evaluation.report_page.retrieval import hit_section, retrieval_items
from muge_fast.evaluation.report_page.scales import Scales
from muge_fast.evaluation.report_page.score_table import main_score, score_section
from muge_fast.evaluation.report_page.script import SCRIPT
from muge_fast.evaluation.report_page.style import BROKEN_PICTURE, BROKEN_PICTURE_STYLE
from muge_fast.evaluation.report_page.text_to_image import image_items
from muge_fast.scores import Scores

WARNING_LENGTH = 600


def render_page(content: PageContent) -> str:
    """Return the page of a report.

    Nothing in a submission can make a browser load or run anything: text is escaped, and the policy of the page allows
    only the style and the script with the hashes in it, and pictures inside the page.

    Args:
        content: The content of the page.

    Returns:
        The HTML, with the same bytes for the same content.

    """
    sections = list(_sections(content))
    script = SCRIPT if any('id="data"' in section for section in sections) else ""
    style = BROKEN_PICTURE_STYLE if any(BROKEN_PICTURE in section for section in sections) else ""
    return html_document(_title(content), [_heading(content), *sections], lang=content.lang, script=script, style=style)


def _title(content: PageContent) -> str:
    """Return the title of the window, which names the submission to distinguish the pages of several."""
    file = content.files.get("submission")
    return content.title if file is None else f"{file.name} · {content.title}"


def _heading(content: PageContent) -> Markup:
    state, color = ("invalid", "bad") if content.problem_count else ("valid", "good")
    facts = [content.word("rows").format(f"{content.rows:,}"), f"muge_fast {_core.__version__}"]
    facts += [] if content.seconds is None else [content.word("seconds").format(content.seconds)]
    facts += [] if content.date is None else [format_id(content.date)]
    file = content.files.get("submission")
    name = [element("p", element("bdi", file.name), class_="file")] if file is not None else []
    badge = element("span", content.word(state), class_=f"badge {color}")
    return element(
        "header", element("h1", f"{content.title} ", badge), *name, element("p", " · ".join(facts), class_="muted")
    )


def _sections(content: PageContent) -> Iterator[Markup]:
    if content.warnings:
        warnings = (element("li", format_id(warning, WARNING_LENGTH)) for warning in content.warnings)
        title = element("h2", content.word("warnings"))
        yield element("section", title, element("ul", *warnings), class_="warning")
    if content.problem_count:
        yield problem_section(content)
        yield inputs_section(content)
    elif content.scores is None:
        yield check_section(content)
        yield inputs_section(content)
    else:
        yield from _scored(content, content.scores)


def _scored(content: PageContent, scores: Scores) -> Iterator[Markup]:
    scales = Scales(content.task)
    yield main_score(content, scores, scales)
    yield score_section(content, scores, scales)
    yield inputs_section(content)
    has_items = len(scores[content.task.main].per_item) > 0
    task = content.task
    if task.file_type == "images":
        yield item_section(content, image_items(content, scores, scales), scales)
    elif has_items:
        yield histogram_section(content, scores, scales)
        yield from _task_sections(content, scores, scales)


def _task_sections(content: PageContent, scores: Scores, scales: Scales) -> Iterator[Markup]:
    """Yield the sections for the kind of values that the task has, also of a task of another package."""
    gold, submission = content.task.gold, content.task.submission
    if isinstance(gold, TextList) and isinstance(submission, Text):
        yield item_section(content, caption_items(content, scores, scales), scales)
    elif isinstance(gold, IntegerList) and isinstance(submission, IntegerList):
        yield hit_section(content, scores)
        yield item_section(content, retrieval_items(content, scores, scales), scales)
    elif isinstance(gold, Text) and isinstance(submission, Text):
        yield from classification_sections(content, scores, scales)
        yield item_section(content, classification_items(content, scores, scales), scales)
    else:
        yield item_section(content, other_items(content, scores, scales), scales)
