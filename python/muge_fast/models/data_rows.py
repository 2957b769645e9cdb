"""Rows of the files of a data set that a model needs: queries and questions, with or without their answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast._internal.display import format_id, format_path, format_value
from muge_fast._internal.field_names import QUERY, QUERY_TEXTS, RETRIEVAL, TEXT_TO_IMAGE, FieldNames
from muge_fast._internal.file_kinds import HEAD_BYTES, binary_kind, kind_message
from muge_fast._internal.json_text import parse_json
from muge_fast._internal.paths import each_line, read_whole
from muge_fast.datasets.writers import LIMIT


class Queries(NamedTuple):
    """Queries of a retrieval data set.

    Attributes:
        texts: Text of each query, by its id.
        names: Names of the fields of a submission.
        has_items: Whether the relevant items of each query are known.

    Example:
        >>> from muge_fast._internal.field_names import QUERY
        >>> from muge_fast.models.data_rows import Queries
        >>> Queries({7: "连衣裙"}, QUERY, has_items=False).names.id
        'query_id'

    """

    texts: dict[int, str]
    names: FieldNames
    has_items: bool


class Question(NamedTuple):
    """A question about an image.

    Attributes:
        image: Id of the image, as a string.
        text: The question.

    Example:
        >>> from muge_fast.models.data_rows import Question
        >>> Question("42", "商品是什么颜色？").image
        '42'

    """

    image: str
    text: str


def read_query_texts(path: Path) -> Queries:
    """Read the queries of a retrieval data set, those of a test set included, which have no items.

    Args:
        path: JSON Lines with ``query_id`` and ``query_text``, or ``text_id`` and ``text`` as Chinese-CLIP has them.

    Returns:
        The queries, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line is not such a row, an id occurs twice or a text is empty, with the line; there are no rows.

    Example:
        >>> from importlib.resources import files
        >>> from muge_fast.models.data_rows import read_query_texts
        >>> path = files("muge_fast") / "samples" / "retrieval" / "MR_sample_queries.jsonl"
        >>> queries = read_query_texts(path)
        >>> queries.texts[2], queries.has_items
        ('一件简单的纯色T恤最考验品质', True)

    """
    rows = _rows_by_id(path, (QUERY.id, TEXT_TO_IMAGE.id))
    texts = {key: _text(row, QUERY_TEXTS, f"{format_path(path)}, id {key}") for key, row in rows.items()}
    first = next(iter(rows.values()))
    names = TEXT_TO_IMAGE if TEXT_TO_IMAGE.id in first else QUERY
    without = [key for key, row in rows.items() if not any(row.get(one.value) for one in RETRIEVAL)]
    if without and len(without) < len(rows):
        raise ValueError(f"{format_path(path)}: id {without[0]} has no items, and others have: add them, or remove all")
    return Queries(texts, names, has_items=not without)


class Questions(NamedTuple):
    """Questions about images.

    Attributes:
        by_id: The questions, by their ids.
        have_answers: Whether the file has answers, too.

    Example:
        >>> from muge_fast.models.data_rows import Questions
        >>> Questions({}, have_answers=False).by_id
        {}

    """

    by_id: dict[int, Question]
    have_answers: bool


def read_questions(path: Path) -> Questions:
    """Read questions about images.

    Args:
        path: JSON Lines with ``question_id``, ``image_id`` and ``question``; or a JSON file of VQA with
            ``"questions"``, a list of such objects.

    Returns:
        The questions, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: An object is not such a row, an id occurs twice or a question is empty; there are no rows.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.data_rows import read_questions
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "questions.jsonl"
        ...     _ = path.write_text('{"question_id": 1, "image_id": 42, "question": "什么颜色？"}')
        ...     read_questions(path).by_id
        {1: Question(image='42', text='什么颜色？')}

    """
    rows = _rows_by_id(path, ("question_id",))
    questions = {}
    for key, row in rows.items():
        where = f"{format_path(path)}, id {key}"
        if isinstance(row.get("image_id"), bool) or not isinstance(row.get("image_id"), (int, str)):
            raise ValueError(f"{where}: image_id is {format_value(row.get('image_id'))}, needs the id of its image")
        questions[key] = Question(str(row["image_id"]), _text(row, ("question",), where))
    return Questions(questions, have_answers=any("answer" in row for row in rows.values()))


def _rows_by_id(path: Path, id_fields: Sequence[str]) -> dict[int, Mapping[str, Any]]:
    rows: dict[int, Mapping[str, Any]] = {}

    def take(row: object) -> None:
        key = _id(row, id_fields)
        if key in rows:
            raise ValueError(f"id {format_id(key)} occurs a second time")
        rows[key] = row  # type: ignore[assignment] # a mapping, or it has no id

    data = read_whole(path)
    if code := binary_kind(data[:HEAD_BYTES]):
        raise ValueError(f"{format_path(path)}: {kind_message(code)}")
    document = _list_of_questions(data) if path.suffix.lower() == ".json" else None
    if document is None:
        each_line(data, path, lambda _, line: take(parse_json(line)))
    else:
        for index, row in enumerate(document):
            _take_listed(take, row, f"{format_path(path)}: questions[{index}]")
    if not rows:
        raise ValueError(f"{format_path(path)}: there are no rows")
    return rows


def _take_listed(take: Callable[[object], None], row: object, where: str) -> None:
    try:
        take(row)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _list_of_questions(data: bytes) -> list[object] | None:
    try:
        document = parse_json(data)
    except ValueError:
        return None
    rows = document.get("questions") if isinstance(document, dict) else None
    return rows if isinstance(rows, list) else None


def _id(row: object, names: Sequence[str]) -> int:
    needed = f"needs an object with {' or '.join(names)}"
    if not isinstance(row, dict):
        raise ValueError(f"{format_value(row)} is not a row, {needed}")
    name = next((name for name in names if name in row), None)
    if name is None:
        raise ValueError(f"there is no id, {needed}")
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, int) or not -LIMIT <= value < LIMIT:
        raise ValueError(f"{name} is {format_value(value)}, needs an integer of 64 bits")
    return value


def _text(row: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    value = next((row[name] for name in names if name in row), None)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: {' or '.join(names)} is {format_value(value)}, needs a text")
    return value
