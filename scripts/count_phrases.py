"""Count phrases that the text of this repository avoids, in the working tree or in a revision of git.

    python scripts/count_phrases.py [REVISION]

Read are the comments, docstrings, messages and names of Python and Rust files, and whole documents.
``tests/test_structure_wording.py`` refuses the phrases of ``REFUSED``; those of ``WATCHED`` are counted only, because
they are right in some sentences.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tarfile
import tokenize
from collections import Counter
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parent.parent


class Phrase(NamedTuple):
    """A phrase to look for: its name, a regular expression, and what to write instead.

    A space in the expression matches a line end too.
    """

    name: str
    pattern: str
    instead: str


NOT_AFTER_IS_NO = "longer|more|less|larger|smaller|greater|other|different|better|worse|slower|faster|need|one"

REFUSED = [
    Phrase("told", "told", "reported, raised, named"),
    Phrase("tell", "tells?|telling", "report, say, name, distinguish"),
    Phrase("foretold", "foretold|foretells?", "predicted, extrapolated"),
    Phrase("whoever", "whoever|whomever", "the caller, code that"),
    Phrase("nobody", "nobody|nobodys", "no one, no caller, unused"),
    Phrase("is none", "(?-i:(?<!there )(?:is|are|was|were|be) none(?! of))", "is not a …"),
    Phrase("is no", rf"(?<!there )(?:is|are|was|were) no(?! (?:{NOT_AFTER_IS_NO})\b)", "is not a …"),
    Phrase("anew", "anew", "again"),
    Phrase("beside", "beside", "next to, besides"),
    Phrase("so many", "so many", "the number of, n"),
    Phrase("As for, As there", "(?-i:As for|As there|As in there)", "write it out"),
    Phrase("are had", "(?:is|are|was|were|be) had", "has"),
    Phrase("of its own", "of (?:its|their|our|his) own", "its own …, separate"),
    Phrase("for ever", "for ever", "forever"),
    Phrase("see there", "see there", "name the place, or write it out"),
]

WATCHED = [
    Phrase("place", "places?", "position, index, offset"),
    Phrase("own", "own", "self, predictions"),
    Phrase("others", "others", "references, the rest"),
    Phrase("found", "found", "a noun"),
    Phrase("whatever", "whatever", "any"),
    Phrase("share", "shares?", "probability, fraction"),
    Phrase("spread", "spread", "standard deviation"),
    Phrase("what is", "what is", "a noun"),
]

# First words of a function's docstring that are not a verb in the imperative.
NOT_VERBS = (
    "Give",
    "Gives",
    "What",
    "Tell",
    "Tells",
    "How",
    "Whether",
    "See",
    "As",
    "Where",
    "When",
    "Who",
    "Which",
    "If",
)
NOT_VERB_PHRASES = ("Make sure",)

SUFFIXES = {".py", ".pyi", ".rs", ".md", ".toml", ""}
WITHOUT_SUFFIX = {"Makefile", "run"}
THIS = "scripts/count_phrases.py"


def is_read(name: str) -> bool:
    """Return whether a file, named relative to the repository, holds text that is counted."""
    path = Path(name)
    return name != THIS and path.suffix in SUFFIXES and (path.suffix != "" or path.name in WITHOUT_SUFFIX)


def passages(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the prose of a file as passages with the line on which each begins.

    Of the Python files of ``tests``, string literals are left out: they hold inputs.
    """
    if name.endswith((".py", ".pyi")):
        yield from _comments(text)
        yield from _strings(text, docstrings_only=name.startswith("tests/"))
        yield from _names(text)
    elif name.endswith(".rs"):
        yield 1, re.sub(r"^[ \t]*//[/!]?", "", text, flags=re.MULTILINE)
    elif name.endswith((".toml", "Makefile", "run")):
        yield 1, re.sub(r"^[ \t]*#", "", text, flags=re.MULTILINE)
    else:
        yield 1, text


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield runs of comments on consecutive lines as one passage."""
    start, lines = 0, []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != start + len(lines):
            yield start, "\n".join(lines)
            lines = []
        if not lines:
            start = token.start[0]
        lines.append(token.string.lstrip("#"))
    if lines:
        yield start, "\n".join(lines)


@lru_cache(maxsize=1)
def _nodes(text: str) -> list[ast.AST]:
    """Return all nodes of a Python file, which several functions go through one after the other."""
    return list(ast.walk(ast.parse(text)))


def _strings(text: str, *, docstrings_only: bool) -> Iterator[tuple[int, str]]:
    for node in _nodes(text):
        if docstrings_only:
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
                yield node.body[0].lineno, node.body[0].value.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _names(text: str) -> Iterator[tuple[int, str]]:
    """Yield the names that a file defines, their words separated by spaces."""
    for node in _nodes(text):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name.replace("_", " ")
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg.replace("_", " ")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id.replace("_", " ")


def find(name: str, text: str, phrases: Iterable[Phrase]) -> Iterator[tuple[int, Phrase, str]]:
    """Yield each occurrence of a phrase in a file: its line, the phrase, and the words that matched."""
    compiled = {phrase: _compiled(phrase.pattern) for phrase in phrases}
    one_of_them = _compiled("|".join(phrase.pattern for phrase in compiled))
    for start, passage in passages(name, text):
        joined = re.sub(r"[ \t]*\n[ \t]*", "\n", passage)
        if one_of_them.search(joined) is None:
            continue
        for phrase, pattern in compiled.items():
            for match in pattern.finditer(joined):
                line = start + joined.count("\n", 0, match.start())
                yield line, phrase, " ".join(match.group().split())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b".replace(" ", "[ \n]"), re.IGNORECASE)


def first_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the first words of each function's docstring that does not begin with a verb."""
    for node in _nodes(text):
        if isinstance(node, ast.FunctionDef) and (documentation := ast.get_docstring(node)):
            if _is_property(node) and documentation.startswith("Whether"):
                continue
            word = re.match(r"\W*(\w*)", documentation)[1]
            phrase = next((phrase for phrase in NOT_VERB_PHRASES if documentation.startswith(phrase)), word)
            if phrase in (*NOT_VERBS, *NOT_VERB_PHRASES):
                yield node.lineno, phrase


def _is_property(function: ast.FunctionDef) -> bool:
    return any(getattr(decorator, "id", "") == "property" for decorator in function.decorator_list)


def files(revision: str | None) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file that is counted, of the working tree or of a revision."""
    if revision is None:
        names = _git("ls-files", "--cached", "--others", "--exclude-standard").decode().splitlines()
        pairs = ((name, (ROOT / name).read_bytes()) for name in names if (ROOT / name).is_file())
    else:
        archive = tarfile.open(fileobj=io.BytesIO(_git("archive", revision)))  # noqa: SIM115 - read to its end below
        pairs = ((member.name, archive.extractfile(member).read()) for member in archive if member.isfile())
    yield from ((name, data.decode("utf-8", "replace")) for name, data in pairs if is_read(name))


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603, S607


def count(revision: str | None) -> dict[str, Counter[str]]:
    """Count each phrase by kind of file; first words of docstrings are counted in Python outside the tests."""
    counts: dict[str, Counter[str]] = {}
    for name, text in files(revision):
        kind = {".py": "Python", ".pyi": "Python", ".rs": "Rust"}.get(Path(name).suffix, "documents")
        group = "tests" if name.startswith("tests/") and kind != "documents" else kind
        for _, phrase, _ in find(name, text, [*REFUSED, *WATCHED]):
            counts.setdefault(phrase.name, Counter())[group] += 1
        if group == "Python":
            for _, word in first_words(text):
                counts.setdefault(f"first word {word}", Counter())[group] += 1
    return counts


def main(revision: str | None) -> None:
    """Print a table of all phrases with their counts."""
    counts = count(revision)
    groups = ["Python", "Rust", "tests", "documents"]
    refused, watched = [phrase.name for phrase in REFUSED], [phrase.name for phrase in WATCHED]
    first = sorted(name for name in counts if name.startswith("first word"))
    print(f"| phrase in {revision or 'the working tree'} | {' | '.join(groups)} | all |")
    print(f"| --- |{' --- |' * (len(groups) + 1)}")
    for title, names in (("refused", refused), ("not a verb", first), ("watched", watched)):
        table = [counts.get(name, Counter()) for name in names]
        for name, row in [*zip(names, table, strict=True), (f"**{title}**", sum(table, Counter()))]:
            print(f"| {name} | {' | '.join(str(row[group]) for group in groups)} | {row.total()} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
