"""``muge-fast count`` and ``muge-fast merge``: document frequencies and states of shards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_id, format_path, json_text, printable
from muge_fast._internal.metric_names import metric_title
from muge_fast._internal.states import kind_of
from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.cli.errors import usage_errors
from muge_fast.cli.input_files import InputFile
from muge_fast.cli.language import counted, translate
from muge_fast.cli.options import FILES, OUTPUT, WRITTEN, json_option, option, print_written, threads_option
from muge_fast.cli.parameter_types import Name
from muge_fast.cli.program import Command
from muge_fast.datasets.jsonl import read_captions
from muge_fast.image.statistics import Statistics
from muge_fast.retrieval.top_k_embeddings import TopK
from muge_fast.scores import Scores
from muge_fast.text.tokenizers import TOKENIZERS, TokenizerName

# click keeps the line breaks after \b.
EXAMPLE = """
\b
Example:
  muge-fast merge shard1.state shard2.state --output all.state
"""

State = Scores | DocumentFrequency | Statistics | TopK
KINDS: dict[str, type[State]] = {
    "Scores": Scores,
    "DocumentFrequency": DocumentFrequency,
    "Statistics": Statistics,
    "TopK": TopK,
}


@click.command(cls=Command)
@option(
    "-g", "--gold", required=True, type=InputFile(), section=FILES, help="Gold file of captions, or a shard of one."
)
@option(
    "--output", required=True, type=WRITTEN, section=FILES, help="State to write, for merge or --document-frequency."
)
@click.option(
    "--tokenizer",
    type=Name("tokenizer", TOKENIZERS),
    default="muge",
    help=f"{', '.join(TOKENIZERS)}.  [default: muge]",
)
@threads_option
def count(*, gold: Path, output: Path, tokenizer: TokenizerName, threads: int | None) -> None:
    """Count in how many items of a gold file each n-gram occurs, for CIDEr of shards."""
    with usage_errors():
        references = read_captions(gold, kind="references")
        frequency = DocumentFrequency.from_references(references, tokenizer=tokenizer, threads=threads)
        write_state(output, frequency)
        click.echo(repr(frequency))


@click.command(cls=Command, epilog=EXAMPLE)
@click.argument("states", nargs=-1, required=True, type=InputFile(), metavar="STATE…")
@option("--output", type=WRITTEN, section=OUTPUT, help="Write the merged state.")
@json_option
def merge(*, states: tuple[Path, ...], output: Path | None, as_json: bool) -> None:
    """Merge states of shards: scores of score --state, document frequencies of count, or states of a program.

    The result is that of all items at once, to the last bit, in any order of the shards but for the order of items.
    """
    with usage_errors():
        loaded = [_read(path) for path in states]
        merged = merge_states(states, loaded)
        if output is not None:
            write_state(output, merged)
        click.echo(json_text(_to_dict(merged), indent=2) if as_json else "\n".join(_lines(merged)))


def write_state(path: Path, state: State) -> None:
    """Write a state to a file, and print its name.

    Args:
        path: The file.
        state: Scores, document frequencies, statistics or a search.

    """
    data = state.to_bytes()
    with replacing(path) as file:
        file.write(data)
    print_written(path)


def merge_states(paths: Sequence[Path], states: Sequence[State]) -> State:
    """Return the merged state of files.

    Args:
        paths: The files, for errors.
        states: Their states.

    Returns:
        The state of all items.

    Raises:
        ValueError: The states are of different kinds or options, or items are in two of them; the message names the
            first such file.

    """
    first = states[0]
    for path, state in zip(paths, states, strict=True):
        if type(state) is not type(first):
            message = translate("{path}: has {kind}, but {first} has {other}")
            values = {"kind": type(state).__name__, "other": type(first).__name__}
            raise ValueError(message.format(path=format_path(path), first=format_path(paths[0]), **values))
    if isinstance(first, Scores):
        _refuse_shared_ids(paths, states)
    try:
        if isinstance(first, (Scores, DocumentFrequency)):
            return type(first).merge(states)  # type: ignore[arg-type]
        for path, state in zip(paths[1:], states[1:], strict=True):
            with _named(path):
                first.merge(state)  # type: ignore[arg-type]
    except ValueError as error:
        text = re.sub(r"shards\[(\d+)\]", lambda match: format_path(paths[int(match[1])]), str(error))
        raise ValueError(text) from error
    return first


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the name of a file before the message of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{format_path(path)}: {error}") from error


def _refuse_shared_ids(paths: Sequence[Path], states: Sequence[Any]) -> None:
    """Raise if an id is in two files; scores without ids are numbered in each."""
    if all(state._ids is None for state in states):  # noqa: SLF001 - of this package
        return
    found: dict[Any, Path] = {}
    for path, state in zip(paths, states, strict=True):
        for key in dict.fromkeys(state.ids):
            if key in found:
                message = translate("{path}: id {id} is in {other} too")
                names = {"path": format_path(path), "other": format_path(found[key])}
                raise ValueError(message.format(id=format_id(key), **names))
            found[key] = path


def _read(path: Path) -> State:
    data = path.read_bytes()
    with _named(path):
        kind = kind_of(data)
        if kind not in KINDS:
            raise ValueError(f"it is a state of {kind}, which this command does not know")
        return KINDS[kind].from_bytes(data)


def _lines(state: State) -> list[str]:
    if not isinstance(state, Scores):
        return [repr(state)]
    width = max((len(metric_title(name)) for name in state), default=0)
    lines = [counted(len(state.ids), "item"), ""]
    lines += [f"{metric_title(name):<{width}}  {score.value:.6f}" for name, score in state.items()]
    return [*lines, "", translate("Signatures"), *(f"  {printable(score.signature)}" for score in state.values())]


def _to_dict(state: State) -> dict[str, object]:
    if not isinstance(state, Scores):
        return {"kind": type(state).__name__, "description": repr(state)}
    return {"kind": "Scores", "items": len(state.ids), "scores": [score.to_dict() for score in state.values()]}
