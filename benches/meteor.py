"""METEOR against the original program, meteor-1.5.jar of pycocoevalcap, which needs Java."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import zipfile
from collections.abc import Iterable
from typing import IO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from benches.data import CaptionSet, caption_set
from benches.timing import Row, check, clock, show
from muge_fast._internal.coco_files import coco_file
from muge_fast.caption import meteor_data
from muge_fast.caption.meteor import meteor_corpus, meteor_items, meteor_rows

COMMAND = ("java", "-jar", "-Xmx2G", "meteor-1.5.jar", "-", "-", "-stdio", "-l", "en", "-norm")
ROUNDS = 7
FloatArray = npt.NDArray[np.float64]


class Result(NamedTuple):
    """METEOR of captions.

    Attributes:
        rows: Statistics of each item.
        items: Scores of the items.
        corpus: Score of all.

    """

    rows: FloatArray
    items: FloatArray
    corpus: float


class Jar:
    """The original program."""

    def start(self) -> None:
        """Start the program and wait until it has read its data."""
        folder = coco_file("meteor/meteor-1.5.jar", purpose="METEOR").parent
        self._process = subprocess.Popen(  # noqa: S603
            COMMAND, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._input, self._output = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._ask("SCORE ||| a ||| a")

    def end(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.communicate()

    def score(self, texts: CaptionSet) -> Result:
        """Score captions as pycocoevalcap does: a line for each, then one for all."""
        pairs = zip(texts.predictions, texts.references, strict=True)
        rows = [self._ask(" ||| ".join(["SCORE", *references, prediction])) for prediction, references in pairs]
        items = [float(self._ask(" ||| ".join(["EVAL", *rows])))]
        items += [float(self._output.readline()) for _ in rows]
        return Result(np.array([row.split() for row in rows], dtype=float), np.array(items[:-1]), items[-1])

    def _ask(self, line: str) -> str:
        self._input.write(f"{line}\n".encode())
        self._input.flush()
        return self._output.readline().decode().strip()


def meteor(count: int = 2_000, equal_words: int = 400) -> Iterable[Row]:
    """Yield comparisons on Chinese and English captions, with and without the time to start, and on equal words."""
    if shutil.which("java") is None:
        yield "METEOR", "skipped, there is no Java", "", ""
        return
    # The tables are made once on a machine.
    meteor_data.load_data()
    jar = Jar()
    start = clock(jar.start)
    sets = {"Chinese, 5 references": caption_set(count), "English, 4 references": coco_captions(2 * count)}
    try:
        for name, texts in sets.items():
            yield from compare(jar, f"{len(texts.predictions):,} captions in {name}", texts, start)
        equal = CaptionSet(["的" * equal_words], [["的" * (equal_words - 1) + "红"]])
        yield from compare(jar, f"{equal_words} equal words", equal, None)
    finally:
        jar.end()
    longest = CaptionSet(["的" * 800], [["的" * 800]])
    seconds = statistics.median(clock(lambda: score(longest, 1)) for _ in range(ROUNDS))
    yield "METEOR of 800 equal words, one thread", "", show(seconds), ""


def compare(jar: Jar, name: str, texts: CaptionSet, start: float | None) -> Iterable[Row]:
    """Compare the time of scoring, and that with the time to start, which `start` is for the program."""
    results = []
    # The program compiles itself while it runs: its better time counts.
    rival = min(clock(lambda: results.append(jar.score(texts))) for _ in range(2))
    ours = score(texts, None)
    for part, (left, right) in enumerate(zip(ours, results[0], strict=True)):
        check(f"METEOR, {name}: {Result._fields[part]}", float(np.abs(np.subtract(left, right)).max()), 0)
    for threads in (1, None):
        # New strings: Python caches the UTF-8 form of a string after the first use.
        fresh = [copy(texts) for _ in range(ROUNDS)]
        seconds = statistics.median(clock(lambda new=new, threads=threads: score(new, threads)) for new in fresh)
        suffix = "one thread" if threads else "all threads"
        yield f"METEOR of {name}, {suffix}", f"jar {show(rival)}", show(seconds), f"{rival / seconds:.0f}x"
    if start is not None:
        rival += start
        seconds = statistics.median(clock(lambda: _score_in_new_process(texts)) for _ in range(3))
        name += ", with start, all threads"
        yield f"METEOR of {name}", f"jar {show(rival)}", show(seconds), f"{rival / seconds:.0f}x"


def score(texts: CaptionSet, threads: int | None) -> Result:
    """Return our answers."""
    rows = meteor_rows(texts.predictions, texts.references, threads=threads)
    return Result(rows, meteor_items(rows), meteor_corpus(rows))


def coco_captions(count: int) -> CaptionSet:
    """Return captions of COCO val2014, which the package of SPICE has: the first of each image against the others."""
    with zipfile.ZipFile(coco_file("spice/spice-1.0.jar", purpose="COCO's captions")) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("captions_val2014.json")]
        rows = json.loads(archive.read(name))["annotations"]
    images: dict[int, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["image_id"], row["id"])):
        images.setdefault(row["image_id"], []).append(row["caption"].replace("\n", " "))
    kept = list(images.values())[:count]
    return CaptionSet([texts[0] for texts in kept], [texts[1:5] for texts in kept])


def copy(texts: CaptionSet) -> CaptionSet:
    """Return the same captions as new strings."""
    new = lambda text: text.encode().decode()  # noqa: E731
    return CaptionSet(
        [new(text) for text in texts.predictions], [[new(text) for text in row] for row in texts.references]
    )


def _score_in_new_process(texts: CaptionSet) -> Result:
    """Score after reading the tables, as the first call of a process does."""
    meteor_data._State.data = None  # noqa: SLF001
    return score(texts, None)
