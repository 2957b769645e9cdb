"""Problems of a file grouped by kind, so that one mistake in all rows is one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from muge_fast._internal.display import format_id, printable
from muge_fast.datasets.problems import HINTS, LANGUAGES, MESSAGES, Problem, in_language

# Groups of at most this size are reported problem by problem, with the id and the line of each.
MAX_SINGLE = 3
# Lines and ids of a group that are kept.
MAX_EXAMPLES = 10
# Order of the groups that come after all others.
LAST = {"missing_id": 1, "stopped": 2}

# Sentences about several rows, after their lines. Details are those of the first problem; {least} and {most} are the
# smallest and largest number of items. Other kinds have the sentence of a single problem.
GROUP_MESSAGES: dict[str, tuple[str, str]] = {
    "long_line": (
        "the lines have more than {limit} bytes, the first {size}",
        "行长度超过上限 {limit} 字节，第一处为 {size} 字节",
    ),
    "not_utf8": ("invalid UTF-8, the first at byte {position}", "不是有效的 UTF-8，第一处在字节偏移 {position}"),
    "not_json": (
        "invalid JSON, the first at character {position}: {reason}",
        "不是有效的 JSON，第一处在字符偏移 {position}：{reason}",
    ),
    "nan": ("numbers that are not valid in JSON, the first is {value}", "含有无效的 JSON 数字，第一处为 {value}"),
    "not_object": ("expected a JSON object {{…}}, the first is {actual}", "应为 JSON 对象 {{…}}，第一处为：{actual}"),
    "repeated_field": ("a field occurs more than once, the first is {field}", "字段重复出现，第一处为 {field}"),
    "other_form": (
        "the fields are not {expected} as in the first line; the first of these rows has {actual}",
        "字段与第一行的 {expected} 不一致，其中第一处为 {actual}",
    ),
    "wrong_type": ("{field} is not {expected}, the first is {actual}", "{field} 应为{expected}，第一处为：{actual}"),
    "out_of_range": (
        "{field} is outside the range of 64-bit integers, the first is {value}",
        "{field} 超出 64 位整数范围，第一处为 {value}",
    ),
    "wrong_count": ("{field} has {items}, needs exactly {expected}", "{field} 有 {items}，应恰好为 {expected} 个"),
    "too_few": ("{field} is empty, needs at least one", "{field} 为空，至少需要一个"),
    "repeated_item": (
        "{field} has an item more than once, the first is {value}",
        "{field} 中有重复的项，第一处为 {value}",
    ),
    "empty_text": ("{field} is empty", "{field} 为空"),
    "not_unicode": (
        "{field} is not valid Unicode: it contains a lone surrogate",
        "{field} 不是有效的 Unicode 文本：含有孤立的代理码位",
    ),
    "broken_image": ("the images cannot be decoded, the first: {reason}", "图像无法解码，第一处：{reason}"),
    "repeated_id": (
        "the ids occur more than once, the first is {subject}, first in line {first}",
        "ID 重复出现，第一个为 {subject}，首次出现在第 {first} 行",
    ),
    "conflicting_id": (
        "the ids occur more than once with different values, the first is {subject}, first in line {first}",
        "ID 重复出现且内容不同，第一个为 {subject}，首次出现在第 {first} 行",
    ),
    "missing_id": ("{subject} and {more} more are missing", "缺少 {subject} 等 {count} 个"),
    "unknown_id": (
        "the ids are not in the gold file, the first is {subject}",
        "ID 不在标准答案文件中，第一个为 {subject}",
    ),
    "not_in_pool": (
        "{field} has items that are not in the pool, the first is {value}",
        "{field} 中有不在候选池中的项，第一处为 {value}",
    ),
}

# Hints that differ from those of a single problem.
GROUP_HINTS = {"row_has": ("; the first of these rows has {actual}", "，其中第一行的字段为 {actual}")}


@dataclass
class ProblemGroup:
    """All problems of one kind in a file.

    Attributes:
        first: The first problem.
        count: Number of problems.
        line_count: Number of lines that have such a problem.
        examples: The first problems, at most ten.
        least: Smallest number of items, for lists with a wrong number of them; else None.
        most: Largest number of items, as ``least``.

    Example:
        >>> from muge_fast.datasets.problem_groups import group_problems
        >>> from muge_fast.datasets.problems import Problem
        >>> details = {"actual": 1, "expected": 10}
        >>> problems = [Problem("wrong_count", line, "id", line, "item_ids", details) for line in range(3, 9)]
        >>> (group,) = group_problems(problems)
        >>> group.message()
        'line 3 and 5 more lines: item_ids has 1 item, needs exactly 10'

    """

    first: Problem
    count: int = 0
    line_count: int = 0
    examples: list[Problem] = field(default_factory=list)
    least: int | None = None
    most: int | None = None
    _last_line: int | None = None

    def add(self, problem: Problem) -> None:
        """Count a problem of this kind.

        Args:
            problem: The problem, not before those that were added.

        """
        self.count += 1
        if problem.line is not None and problem.line != self._last_line:
            self.line_count += 1
            self._last_line = problem.line
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(problem)
        actual = problem.details.get("actual")
        if type(actual) is int:
            self.least = actual if self.least is None else min(self.least, actual)
            self.most = actual if self.most is None else max(self.most, actual)

    @property
    def lines(self) -> list[int]:
        """Line numbers of the examples, each once."""
        return list(dict.fromkeys(problem.line for problem in self.examples if problem.line is not None))

    @property
    def ids(self) -> list[object]:
        """Ids of the examples that have one."""
        return [problem.id for problem in self.examples if problem.id is not None]

    def message(self, *, lang: str = "en") -> str:
        """Return one sentence about all problems of the group.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            One line of text: the message of the problem if there is only one.

        """
        if self.count <= 1:
            return self.first.message(lang=lang)
        problem, language = self.first, LANGUAGES.index(lang)
        details = {key: in_language(value, lang) for key, value in problem.details.items()}
        subject = problem.field if problem.id is None else f"{problem.id_field} {format_id(problem.id)}"
        template = GROUP_MESSAGES.get(problem.code, MESSAGES[problem.code])[language]
        field_name = f"{problem.field}[…]" if "index" in details else problem.field
        values = {"subject": subject, "field": field_name, "count": self.count, "more": self.count - 1}
        key = str(details["hint"]) if "hint" in details else None
        hint = "" if key is None else {**HINTS, **GROUP_HINTS}[key][language]
        text = (template + hint).format(**{**details, **values, "items": self._items(language)})
        return self._where(language) + printable(text)

    def messages(self, *, lang: str = "en") -> Iterator[str]:
        """Yield the messages for a report: each problem of a small group, or one sentence about a large one.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Yields:
            One line each.

        """
        if self.count <= MAX_SINGLE:
            yield from (problem.message(lang=lang) for problem in self.examples or [self.first])
        else:
            yield self.message(lang=lang)

    def _items(self, language: int) -> str:
        numbers = f"{self.least}"
        if self.least != self.most:
            numbers += (f" to {self.most}", f" 至 {self.most}")[language]
        return (f"{numbers} item" + ("" if numbers == "1" else "s"), f"{numbers} 个")[language]

    def _where(self, language: int) -> str:
        """Return the lines for the beginning of a message."""
        line, more = self.first.line, self.line_count - 1
        if line is None:
            return ""
        if more < 1:
            return (f"line {line}, {self.count} times: ", f"第 {line} 行（{self.count} 处）：")[language]
        more_lines = f"{more} more line{'s' if more > 1 else ''}"
        return (f"line {line} and {more_lines}: ", f"第 {line} 行及另外 {more} 行：")[language]


@dataclass
class ProblemGroups:
    """The problems of a file by kind. Their memory does not grow with the number of problems.

    Example:
        >>> from muge_fast.datasets.problem_groups import ProblemGroups
        >>> from muge_fast.datasets.problems import Problem
        >>> groups = ProblemGroups()
        >>> groups.add(Problem("empty"))
        >>> [group.message() for group in groups]
        ['the file has no rows']

    """

    _groups: dict[tuple[object, ...], ProblemGroup] = field(default_factory=dict)

    def add(self, problem: Problem, *, is_first: bool = False) -> None:
        """Add a problem to the group of its kind.

        Args:
            problem: The problem.
            is_first: Whether a new group comes before all others.

        """
        key = _key(problem)
        group = self._groups.get(key)
        if group is None:
            group = ProblemGroup(problem)
            self._groups = {key: group, **self._groups} if is_first else {**self._groups, key: group}
        group.add(problem)

    def __iter__(self) -> Iterator[ProblemGroup]:
        """Yield the groups in the order of their first problems, missing rows last."""
        return iter(sorted(self._groups.values(), key=lambda group: LAST.get(group.first.code, 0)))

    def __len__(self) -> int:
        return len(self._groups)


def group_problems(problems: Iterable[Problem]) -> list[ProblemGroup]:
    """Return problems grouped by kind.

    Args:
        problems: The problems, in the order of the file.

    Returns:
        The groups.

    Example:
        >>> from muge_fast.datasets.problem_groups import group_problems
        >>> from muge_fast.datasets.problems import Problem
        >>> len(group_problems([Problem("too_deep", 1), Problem("too_deep", 2), Problem("empty")]))
        2

    """
    groups = ProblemGroups()
    for problem in problems:
        groups.add(problem)
    return list(groups)


def format_groups(groups: Iterable[ProblemGroup], lang: str) -> list[str]:
    """Return the messages of all groups.

    Args:
        groups: The groups.
        lang: ``"en"`` or ``"zh"``.

    Returns:
        One line each.

    Example:
        >>> from muge_fast.datasets.problem_groups import format_groups, group_problems
        >>> from muge_fast.datasets.problems import Problem
        >>> format_groups(group_problems([Problem("too_deep", line) for line in range(1, 6)]), "en")
        ['line 1 and 4 more lines: lists or objects are nested too deeply']

    """
    return [message for group in groups for message in group.messages(lang=lang)]


def _key(problem: Problem) -> tuple[object, ...]:
    """Return the kind of a problem: nothing that an untrusted file determines, so that there are few kinds."""
    details = problem.details
    name = None if problem.code == "repeated_field" else problem.field
    return problem.code, name, "index" in details, details.get("expected"), details.get("hint")
