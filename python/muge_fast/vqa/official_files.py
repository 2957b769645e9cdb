"""Files of VQA benchmarks in their published forms, for the readers of the tasks and for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast._internal.display import format_id, format_path
from muge_fast._internal.json_text import parse_json
from muge_fast._internal.paths import PathLike
from muge_fast.vqa.choices import CHOICES

# An entry of an array: an object without others in it, up to the comma or bracket after it.
ENTRY = re.compile(rb'[ \t\r\n]*(\{[^{}"]*(?:"[^"\\]*(?:\\.[^"\\]*)*"[^{}"]*)*\})[ \t\r\n]*([,\]])', re.DOTALL)
# The id of a question in results of DocVQA. Quotes in strings are escaped, so this is a name.
DOCVQA_ID = re.compile(rb'"questionId"(?=[ \t\r\n]*:)')

# The columns of a submission of VCR: the scores of answers, then those of rationales given each answer.
VCR_COLUMNS = (
    "annot_id",
    *(f"answer_{answer}" for answer in range(CHOICES)),
    *(f"rationale_conditioned_on_a{answer}_{rationale}" for answer in range(CHOICES) for rationale in range(CHOICES)),
)


class Annotations(NamedTuple):
    """Questions with the answers of annotators.

    Attributes:
        answers: Answers of each question, by its id.
        groups: ``"question_type"`` and ``"answer_type"`` of questions, where the file has them, for
            :func:`muge_fast.vqa.score_answers`.
        questions: Text of each question, where it is known.

    """

    answers: dict[int, list[str]]
    groups: dict[str, dict[int, str]]
    questions: dict[int, str]


def read_annotations(path: PathLike, *, questions: PathLike | None = None) -> Annotations:
    """Read annotations of VQA v1 and v2, or of ST-VQA, TextVQA, DocVQA and InfographicVQA.

    Args:
        path: A JSON file with ``"annotations"``, each with ``question_id``, ``answers`` and types; or with ``"data"``,
            each with ``question_id`` or ``questionId`` and ``answers``. It is trusted.
        questions: The JSON file with ``"questions"`` of VQA v1 and v2; None without texts.

    Returns:
        Answers, types and texts.

    Raises:
        OSError: A file cannot be read.
        ValueError: The file has another form, a question occurs twice or has no answers, or answers of VQA have no
            ``answer_id``, without which its script counts equal answers once.

    Example:
        >>> import json, pathlib, tempfile
        >>> import muge_fast as mf
        >>> answers = [{"answer_id": 1, "answer": "red"}, {"answer_id": 2, "answer": "blue"}]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "annotations.json"
        ...     _ = path.write_text(json.dumps({"annotations": [{"question_id": 7, "answers": answers}]}))
        ...     mf.vqa.read_annotations(path).answers
        {7: ['red', 'blue']}

    """
    found = Annotations({}, {}, {})
    try:
        for row in gold_rows(parse_json(Path(path).read_bytes())):
            key = row["question_id"]
            if key in found.answers:
                raise ValueError(f"question_id {format_id(key)} occurs more than once")
            found.answers[key] = row["answer"]
            for name in ("question_type", "answer_type"):
                if name in row:
                    found.groups.setdefault(name, {})[key] = row[name]
            if "question" in row:
                found.questions[key] = row["question"]
    except ValueError as error:
        raise ValueError(f"{format_path(path)}: {error}") from error
    if questions is not None:
        found.questions.update(_read_questions(questions))
    return found


def read_results(path: PathLike) -> dict[int, str]:
    """Read results in the form of VQA and EvalAI, or of DocVQA.

    Args:
        path: A JSON file with an array of objects with ``question_id`` or ``questionId``, and ``answer``.

    Returns:
        The answer to each question, by its id.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file has another form, or a question occurs twice; the message names the entry.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "results.json"
        ...     _ = path.write_text('[{"question_id": 7, "answer": "red"}]')
        ...     mf.vqa.read_results(path)
        {7: 'red'}

    """
    lines = convert_results(Path(path).read_bytes())
    if lines is None:
        raise ValueError(f"{format_path(path)}: not a JSON array of objects with question_id and answer")
    answers: dict[int, str] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        where = f"{format_path(path)}: entry {number}"
        try:
            row: Any = parse_json(line)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        key, answer = row.get("question_id"), row.get("answer")
        if type(key) is not int or type(answer) is not str:
            raise ValueError(f"{where}: needs an integer question_id and a string answer")
        if key in answers:
            raise ValueError(f"{where}: question_id {format_id(key)} occurs more than once")
        answers[key] = answer
    return answers


def convert_results(data: bytes) -> bytes | None:
    """Return the lines of an array of results, for the reader of the task.

    Args:
        data: The content of a file.

    Returns:
        A line for each object of the array, as it is written there; None if the file is not such an array.

    Example:
        >>> from muge_fast.vqa.official_files import convert_results
        >>> convert_results(b'[{"question_id": 1, "answer": "a"}, {"questionId": 2, "answer": "b"}]').splitlines()
        [b'{"question_id": 1, "answer": "a"}', b'{"question_id": 2, "answer": "b"}']

    """
    start = len(data) - len(data.lstrip(b" \t\r\n"))
    if data[start : start + 1] != b"[":
        return None
    lines, position, end = [], start + 1, b","
    while end == b",":
        match = ENTRY.match(data, position)
        if match is None:
            return None
        position, end = match.end(), match[2]
        lines.append(match[1].replace(b"\n", b" ").replace(b"\r", b" "))
    if data[position:].strip(b" \t\r\n"):
        return None
    text = b"\n".join(lines) + b"\n"
    return DOCVQA_ID.sub(b'"question_id"', text) if b'"questionId"' in text else text


def convert_annotations(data: bytes) -> bytes | None:
    r"""Return the lines of a gold file in a published form, for the reader of the task.

    Args:
        data: The content of a file, which is trusted.

    Returns:
        A line for each question; None if the file has no such form. The line of a broken entry has no answers, which
        the reader reports.

    Example:
        >>> from muge_fast.vqa.official_files import convert_annotations
        >>> convert_annotations(b'{"data": [{"questionId": 1, "question": "?", "answers": ["a"]}]}')
        b'{"question_id": 1, "answer": ["a"], "question": "?"}\n'

    """
    document = _document(data)
    if document is None:
        return None
    name = _list_name(document)
    return _lines(_row_or_id(entry) for entry in document[name])  # type: ignore[index]


def gold_rows(document: object) -> Iterator[dict[str, Any]]:
    """Yield the rows of a gold file in a published form.

    Args:
        document: The JSON document.

    Yields:
        Rows with ``question_id``, ``answer``, and ``question``, ``question_type`` and ``answer_type`` where they are
        known.

    Raises:
        ValueError: The document has another form, or an entry is broken.

    Example:
        >>> from muge_fast.vqa.official_files import gold_rows
        >>> next(gold_rows({"data": [{"question_id": 1, "answers": ["a"]}]}))
        {'question_id': 1, 'answer': ['a']}

    """
    name = _list_name(document)
    if name is None:
        raise ValueError('not a JSON object with a list "annotations" or "data" of questions')
    for index, entry in enumerate(document[name]):  # type: ignore[index]
        yield _row(entry, f"{name}[{index}]")


def _row(entry: object, where: str) -> dict[str, Any]:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("answers"), list) or not entry["answers"]:
        raise ValueError(f"{where} has no list answers; the test splits of most benchmarks have none")
    row = {"question_id": _question_id(entry), "answer": [_answer(answer, where) for answer in entry["answers"]]}
    row.update({field: entry[field] for field in ("question", "answer_type") if isinstance(entry.get(field), str)})
    types = entry.get("question_type", entry.get("question_types"))
    if isinstance(types, (str, list)) and types:
        row["question_type"] = types if isinstance(types, str) else "/".join(map(str, types))
    if type(row["question_id"]) is not int:
        raise ValueError(f"{where} has no integer question_id")
    return row


def _row_or_id(entry: object) -> dict[str, Any]:
    """Return the row of an entry, or one without answers if it is broken."""
    try:
        return _row(entry, "")
    except ValueError:
        return {"question_id": _question_id(entry) if isinstance(entry, Mapping) else None}


def _question_id(entry: Mapping[str, Any]) -> object:
    return entry.get("question_id", entry.get("questionId"))


def _answer(answer: object, where: str) -> str:
    if isinstance(answer, str):
        return answer
    if not isinstance(answer, Mapping) or not isinstance(answer.get("answer"), str):
        raise ValueError(f"{where} has an answer that is not a string")
    if "answer_id" not in answer:
        raise ValueError(
            f"{where} has an answer without answer_id, and the script of VQA counts equal answers without one once; "
            "number the answers of each question"
        )
    return str(answer["answer"])


def _list_name(document: object) -> str | None:
    if not isinstance(document, Mapping):
        return None
    return next((name for name in ("annotations", "data") if isinstance(document.get(name), list)), None)


def _document(data: bytes) -> object:
    """Return a document in a published form; None for anything else, such as the rows of the task."""
    if not data.lstrip(b" \t\r\n").startswith(b"{"):
        return None
    first = data.lstrip(b" \t\r\n").partition(b"\n")[0]
    try:
        document = parse_json(first)
    except ValueError:
        try:
            # The first line of a document on several lines.
            document = parse_json(data)
        except ValueError:
            return None
    return None if _list_name(document) is None else document


def _read_questions(path: PathLike) -> dict[int, str]:
    document = parse_json(Path(path).read_bytes())
    rows: Any = document.get("questions") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "question_id" in row for row in rows):
        raise ValueError(f'{format_path(path)}: not a JSON object with a list "questions" of question_id and question')
    return {row["question_id"]: str(row.get("question", "")) for row in rows}


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode("utf-8", "surrogatepass")


# VCR


def convert_vcr_labels(data: bytes) -> bytes | None:
    r"""Return the lines of the published annotations of VCR, for the reader of the task.

    Args:
        data: The content of a file, which is trusted: JSON Lines with ``annot_id``, ``answer_label`` and
            ``rationale_label``.

    Returns:
        A line for each question; None if the first line is not of that form, or one is not a JSON object.

    Example:
        >>> from muge_fast.vqa.official_files import convert_vcr_labels
        >>> convert_vcr_labels(b'{"annot_id": "val-0", "answer_label": 2, "rationale_label": 1, "img_id": "x"}')
        b'{"annot_id": "val-0", "choice": [2, 1]}\n'

    """
    if b'"answer_label"' not in data.lstrip().partition(b"\n")[0]:
        return None
    rows = []
    for line in filter(bytes.strip, data.split(b"\n")):
        try:
            row = parse_json(line)
        except ValueError:
            return None
        if not isinstance(row, dict):
            return None
        rows.append({"annot_id": row.get("annot_id"), "choice": [row.get("answer_label"), row.get("rationale_label")]})
    return _lines(rows)


def convert_vcr_scores(data: bytes) -> bytes | None:
    r"""Return the lines of a submission of VCR in CSV, for the reader of the task.

    Args:
        data: The content of a file. It is untrusted: what is not a number stays a string, which the reader refuses.

    Returns:
        A line for each row; None if the first line does not have the 21 columns, in any order.

    Example:
        >>> from muge_fast.vqa.official_files import VCR_COLUMNS, convert_vcr_scores
        >>> row = ["val-0", *"0100", *"1000" * 4]
        >>> lines = convert_vcr_scores(f"{','.join(VCR_COLUMNS)}\n{','.join(row)}".encode())
        >>> lines[:53]
        b'{"annot_id": "val-0", "choice": [[0.0, 1.0, 0.0, 0.0]'

    """
    head = data.partition(b"\n")[0].strip().removeprefix(b"\xef\xbb\xbf")
    names = head.decode("utf-8", "replace").replace('"', "").split(",")
    if sorted(names) != sorted(VCR_COLUMNS):
        return None
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    except (UnicodeDecodeError, csv.Error):
        return None
    return _lines(_vcr_row(names, row) for row in rows if row)


def _vcr_row(names: list[str], row: list[str]) -> dict[str, object]:
    cells = dict(zip(names, row, strict=False))
    values = [_number(cells.get(name)) for name in VCR_COLUMNS[1:]]
    groups = [values[start : start + CHOICES] for start in range(0, len(values), CHOICES)]
    extra = {"columns": len(row)} if len(row) != len(names) else {}
    return {"annot_id": cells["annot_id"], "choice": [groups[0], groups[1:]], **extra}


def _number(cell: str | None) -> float | str | None:
    try:
        return None if cell is None else float(cell)
    except ValueError:
        return cell
