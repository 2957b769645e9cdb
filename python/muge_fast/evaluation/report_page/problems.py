"""Problems of a submission, grouped by kind, and what was checked of a valid one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from muge_fast._internal.display import format_id
from muge_fast._internal.ids import count_distinct
from muge_fast.datasets.problem_groups import ProblemGroup, group_problems
from muge_fast.datasets.problems import Problem
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.problem_kinds import problem_hint, problem_title

MESSAGE_LENGTH = 600


def problem_section(content: PageContent) -> Markup:
    """Return the problems of a submission by kind, those that explain others first.

    Args:
        content: The content of the page.

    Returns:
        The section.

    """
    title = element("h2", f"{content.word('problems')} ({content.problem_count:,})")
    groups = content.problem_groups or group_problems(content.problems)
    return element("section", title, *(_group(content, group) for group in groups))


def _group(content: PageContent, group: ProblemGroup) -> Markup:
    code = group.first.code
    parts = [element("h3", f"{problem_title(code, content.lang)} ({group.count:,})")]
    if group.count > 1:
        parts.append(element("p", format_id(group.message(lang=content.lang), MESSAGE_LENGTH)))
    hint = problem_hint(code, content.lang)
    # Messages with a hint for the value are more precise than that for the kind.
    if hint and "hint" not in group.first.details:
        parts.append(element("p", element("b", content.word("hint")), " ", hint, class_="hint"))
    parts.append(element("ul", *(_problem(content, problem) for problem in group.examples), class_="problems"))
    if group.count > len(group.examples):
        parts.append(element("p", content.word("further").format(f"{group.count - len(group.examples):,}")))
    return element("div", *parts, class_="card")


def _problem(content: PageContent, problem: Problem) -> Markup:
    message = element("span", format_id(problem.message(lang=content.lang), MESSAGE_LENGTH), class_="message")
    excerpt = content.excerpts.get(problem.line or 0)
    return element("li", message, *([element("code", excerpt, class_="excerpt")] if excerpt else []))


# Valid submissions


def check_section(content: PageContent) -> Markup:
    """Return what was found in a valid submission that was only checked, and what was not checked.

    Args:
        content: The content of the page.

    Returns:
        The section.

    """
    done = element("ul", *(element("li", text) for text in _checked(content)), class_="checks")
    missing = [element("li", text) for text in _unchecked(content)]
    skipped = [element("h3", content.word("not_checked")), element("ul", *missing)] if missing else []
    return element("section", element("h2", content.word("checked")), done, *skipped)


def _checked(content: PageContent) -> Iterator[str]:
    word, values = content.word, list(content.predictions.values())
    yield word("checked_rows").format(f"{content.rows:,}")
    yield word("checked_ids").format(*_range(list(content.predictions)))
    lists = [value for value in values if isinstance(value, list)]
    texts = [value for value in values if isinstance(value, str)]
    if lists:
        lengths = [len(value) for value in lists]
        yield word("checked_lists").format(min(lengths), max(lengths))
        items = list(chain.from_iterable(lists))
        distinct = count_distinct(items) if set(map(type, items)) <= {int} else len(set(items))
        yield word("checked_items").format(f"{distinct:,}", *_range(items))
    if texts:
        lengths = [len(text) for text in texts]
        mean = sum(lengths) / len(lengths)
        yield word("checked_texts").format(min(lengths), f"{mean:.1f}", max(lengths), f"{len(set(texts)):,}")
    if content.task.file_type == "images":
        yield word("checked_images")
    if content.references:
        yield word("checked_gold").format(f"{len(content.references):,}")
    if "pool" in content.options:
        yield word("checked_pool")


def _range(ids: list[object]) -> tuple[str, str]:
    """Return the smallest and the largest id."""
    try:
        return format_id(min(ids)), format_id(max(ids))  # type: ignore[type-var]
    except TypeError:
        return format_id(ids[0]), format_id(ids[-1])


def _unchecked(content: PageContent) -> Iterator[str]:
    if not content.references:
        yield content.word("no_gold")
    if content.task.has_pool and "pool" not in content.options:
        yield content.word("no_pool")
    yield content.word("no_scores")
