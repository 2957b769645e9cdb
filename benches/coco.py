"""English captions of COCO: the PTB tokenizer and the whole evaluation, against pycocoevalcap with Java."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import statistics
import sys
import zipfile
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from benches.timing import Row, check, clock, show, times
from muge_fast._internal.coco_files import coco_file
from muge_fast.compat import pycocoevalcap as ours
from muge_fast.text.ptb import ptb_tokenizer

Captions = dict[int, list[dict[str, str]]]
METRICS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr")


def coco(images: int | None = None) -> Iterable[Row]:
    """Yield all comparisons.

    Args:
        images: Number of images; None for all of val2014, and for as many as the original evaluates in about a minute.

    """
    if shutil.which("java") is None:
        print("there is no java, so pycocoevalcap cannot be measured", file=sys.stderr)
        return
    captions = captions_of_val2014()
    yield from tokens(first(captions, images))
    yield from evaluation(first(captions, images or 8_000))
    if images is None:
        seconds = statistics.median(evaluated(ours.COCOEvalCap, captions)[0] for _ in range(3))
        yield f"The same, all {len(captions):,} images", "", show(seconds), ""


def tokens(captions: Captions) -> Iterator[Row]:
    """Compare the PTB tokenizer, in one call for all captions."""
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # noqa: PLC0415 - not for a run without Java

    expected: dict[int, list[str]] = {}
    with contextlib.redirect_stderr(io.StringIO()):
        rival = clock(lambda: expected.update(PTBTokenizer().tokenize(captions)))
    seconds = []
    for _ in range(5):
        ptb_tokenizer.cache_clear()
        made: dict[int, list[str]] = {}
        seconds.append(clock(lambda made=made: made.update(ours.PTBTokenizer().tokenize(captions))))
        check("PTB", sum(made[image] != lines for image, lines in expected.items()), 0)
    count = sum(map(len, captions.values()))
    name = f"PTB tokens of {count:,} captions of COCO, start-up and reading of the rules included"
    yield name, f"pycocoevalcap {show(rival)}", show(statistics.median(seconds)), times([rival / s for s in seconds])


def evaluation(captions: Captions) -> Iterator[Row]:
    """Compare the evaluation without SPICE, which cannot run without a download."""
    import pycocoevalcap.eval as module  # noqa: PLC0415 - not for a run without Java

    module.Spice = _NoSpice
    rival, expected = evaluated(module.COCOEvalCap, captions)
    seconds = []
    for _ in range(3):
        taken, found = evaluated(ours.COCOEvalCap, captions)
        seconds.append(taken)
        for name in METRICS:
            check(name, abs(expected[name] - found[name]), 1e-15 if name == "METEOR" else 0)
    yield (
        f"COCOEvalCap without SPICE, {len(captions):,} images of val2014",
        f"pycocoevalcap {show(rival)}",
        show(statistics.median(seconds)),
        times([rival / s for s in seconds]),
    )


def evaluated(kind: Any, captions: Captions) -> tuple[float, dict[str, float]]:  # noqa: ANN401 - of either package
    """Return the time and the scores of an evaluation of the first caption of each image."""
    references, predictions = (
        SimpleNamespace(
            imgToAnns={image: rows[part] for image, rows in captions.items()}, getImgIds=lambda: list(captions)
        )
        for part in (slice(1, None), slice(0, 1))
    )
    evaluation = kind(references, predictions)
    with contextlib.redirect_stdout(io.StringIO()):
        seconds = clock(evaluation.evaluate)
    return seconds, evaluation.eval


class _NoSpice:
    """Takes the place of SPICE, whose models are a download of 384 MB."""

    def compute_score(self, gts: dict[int, list[str]], _: object) -> tuple[float, list[float]]:
        return 0.0, [0.0] * len(gts)

    def method(self) -> str:
        return "SPICE"


def captions_of_val2014() -> Captions:
    """Return the captions of each image of COCO val2014, which the package of SPICE in pycocoevalcap has."""
    with zipfile.ZipFile(coco_file("spice/spice-1.0.jar", purpose="COCO's captions")) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("captions_val2014.json")]
        rows = json.loads(archive.read(name))["annotations"]
    images: Captions = {}
    for row in sorted(rows, key=lambda row: (row["image_id"], row["id"])):
        images.setdefault(row["image_id"], []).append({"caption": row["caption"]})
    return images


def first(captions: Captions, count: int | None) -> Captions:
    """Return the captions of the first images."""
    return dict(list(captions.items())[:count])
