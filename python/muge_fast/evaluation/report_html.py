"""A report as one HTML page: all text of the submission is escaped, and nothing is loaded from other sources."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muge_fast import _core
from muge_fast._internal.display import escape_surrogates
from muge_fast.evaluation.html_elements import Markup, element, join
from muge_fast.scores import Score, Scores
from muge_fast.tasks.task import Task

# Numbers of best and of worst items, and of the values, images and characters that each of them shows.
SHOWN_ITEMS = 8
SHOWN_VALUES = 12
SHOWN_IMAGES = 5
SHOWN_CHARACTERS = 400

# Histograms, in pixels of the drawing.
BINS = 24
WIDTH, HEIGHT, AXIS_HEIGHT, HEADROOM = 320, 110, 16, 14

# Nothing in a submission can make a browser load or run anything.
POLICY = Markup("default-src 'none'; style-src 'unsafe-inline'; img-src data:")

# First bytes of the image formats that browsers show.
IMAGE_TYPES = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"GI": "gif", b"RI": "webp"}

WORDS = {
    "en": {
        "valid": "valid",
        "invalid": "invalid",
        "rows": "{} rows in {:.0f} ms",
        "scores": "Scores",
        "score": "score",
        "factor": "times {:g}",
        "value": "value",
        "signature": "signature",
        "distribution": "Distribution of item scores",
        "mean": "mean",
        "best": "Best items",
        "worst": "Worst items",
        "prediction": "submission",
        "reference": "gold",
        "errors": "Errors",
    },
    "zh": {
        "valid": "有效",
        "invalid": "无效",
        "rows": "{} 行，用时 {:.0f} 毫秒",
        "scores": "得分",
        "score": "指标",
        "factor": "×{:g}",
        "value": "数值",
        "signature": "签名",
        "distribution": "各条目得分分布",
        "mean": "均值",
        "best": "得分最高的条目",
        "worst": "得分最低的条目",
        "prediction": "提交内容",
        "reference": "标准答案",
        "errors": "错误",
    },
}

STYLE = Markup("""
:root { color-scheme: light dark; --line: #8884; --accent: #2f6fed; --good: #1a7f4b; --bad: #c0362c; }
body { font: 16px/1.55 system-ui, "Noto Sans SC", "PingFang SC", sans-serif; margin: 0 auto; max-width: 64rem;
  padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
.badge { border-radius: 1rem; color: #fff; font-size: .8rem; padding: .15rem .7rem; vertical-align: middle; }
.good { background: var(--good); } .bad { background: var(--bad); }
.warning { border-left: .25rem solid #d29922; padding-left: .75rem; }
.muted { opacity: .7; font-size: .9rem; }
.main { font-size: 3rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2; margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; }
td.number, th.number { font-variant-numeric: tabular-nums; text-align: right; }
code { font-size: .8rem; overflow-wrap: anywhere; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
.card img { border-radius: .4rem; max-height: 9rem; max-width: 100%; }
.card h3 { font-size: .95rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
.card dd img { height: 3.5rem; margin: .15rem; }
dl { margin: 0; } dt { font-size: .75rem; opacity: .65; margin-top: .35rem; } dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; width: 100%; } svg rect { fill: var(--accent); } svg line { stroke: var(--bad); }
svg text { fill: currentColor; font-size: 11px; }
.hit { color: var(--good); font-weight: 650; }
li { overflow-wrap: anywhere; }
""")


@dataclass(frozen=True, kw_only=True)
class Page:
    """The content of a page.

    Attributes:
        title: Title of the page.
        lang: Language of the headings, ``"en"`` or ``"zh"``.
        rows: Number of rows of the submission.
        seconds: Time for reading and scoring, in seconds.
        warnings: Warnings, one line each.
        errors: Errors, one line each; empty for a valid submission.
        error_count: Number of all errors.
        task: The task, for the names and factors of scores.
        scores: Scores by name; None for a page without scores.
        predictions: Predictions by id.
        references: Content of the gold file by id.
        texts: Text for human readers by id.
        images: Bytes of image files by id.

    """

    title: str
    lang: str
    rows: int
    seconds: float
    warnings: Sequence[str]
    errors: Sequence[str]
    error_count: int
    task: Task
    scores: Scores | None
    predictions: Mapping[Any, Any]
    references: Mapping[Any, Any]
    texts: Mapping[Any, str]
    images: Mapping[str, bytes]

    def to_html(self) -> str:
        """Return the page."""
        head = [
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=POLICY),
            element("title", self.title),
            element("style", STYLE),
        ]
        page = element("html", element("head", *head), element("body", join(self._body(), "\n")), lang=self.lang)
        return f"<!doctype html>\n{page}\n"

    def _body(self) -> Iterator[Markup]:
        yield self._heading()
        rows = self._word("rows").format(f"{self.rows:,}", self.seconds * 1000)
        yield element("div", f"{rows} · muge_fast {_core.__version__}", class_="muted")
        for warning in self.warnings:
            yield element("p", _shorten(warning), class_="warning")
        if self.scores is not None:
            yield from self._score_table(self.scores)
            # Metrics of whole sets, such as FID, have no scores of items.
            if all(len(score.per_item) for score in self.scores.values()):
                yield self._histograms(self.scores)
                yield from self._extremes(self.scores)
        if self.errors:
            yield element("h2", f"{self._word('errors')} ({self.error_count:,})")
            yield element("ul", *(element("li", _shorten(error)) for error in self.errors))

    def _word(self, key: str) -> str:
        return WORDS[self.lang][key]

    def _heading(self) -> Markup:
        state, color = ("invalid", "bad") if self.errors else ("valid", "good")
        return element("h1", f"{self.title} ", element("span", self._word(state), class_=f"badge {color}"))

    # Scores

    def _score_table(self, scores: Scores) -> Iterator[Markup]:
        main, scale = scores[self.task.main], self.task.score_scale
        unit = self._word("value") if scale == 1 else self._word("factor").format(scale)
        yield element("div", self._format_score(main), class_="main")
        yield element("div", f"{main.name} {unit}", class_="muted")
        yield element("h2", self._word("scores"))
        titles = (
            element("th", self._word("score")),
            element("th", unit, class_="number"),
            element("th", self._word("signature")),
        )
        rows = (
            element(
                "tr",
                element("td", self.task.label(name)),
                element("td", self._format_score(score), class_="number"),
                element("td", element("code", score.signature)),
            )
            for name, score in scores.items()
        )
        yield element("table", element("tr", *titles), *rows)

    def _format_score(self, score: Score) -> str:
        return f"{self.task.official_value(score.name, score.value):.2f}"

    def _histograms(self, scores: Scores) -> Markup:
        cards = (
            element("div", element("h3", score.name), _histogram(score, self._word("mean")), class_="card")
            for score in scores.values()
        )
        return join([element("h2", self._word("distribution")), element("div", *cards, class_="grid")])

    # Items

    def _extremes(self, scores: Scores) -> Iterator[Markup]:
        """Yield the best and the worst items by the main score."""
        main = scores[self.task.main]
        order = np.argsort(-main.per_item if main.higher_is_better else main.per_item, kind="stable")
        shown = min(SHOWN_ITEMS, (len(order) + 1) // 2)
        for title, indices in (("best", order[:shown]), ("worst", order[::-1][:shown])):
            cards = (
                self._card(scores.ids[index], f"{main.name} {main.per_item[index]:.3f}") for index in indices.tolist()
            )
            yield join([element("h2", self._word(title)), element("div", *cards, class_="grid")])

    def _card(self, key: object, score: str) -> Markup:
        prediction, reference = self.predictions[key], self.references[key]
        text = [element("dd", _shorten(self.texts[key]))] if key in self.texts else []
        values = element(
            "dl",
            *text,
            element("dt", self._word("prediction")),
            *self._values(prediction, reference),
            element("dt", self._word("reference")),
            *self._values(reference, prediction),
        )
        title, subtitle = element("h3", _shorten(key)), element("div", score, class_="muted")
        return element("div", title, subtitle, self._image(key), values, class_="card")

    def _values(self, values: object, compared: object) -> Iterator[Markup]:
        """Yield a text, a list of texts, or a list of ids, in which those that are also in ``compared`` are marked."""
        if not isinstance(values, list):
            yield element("dd", _shorten(values))
        elif values and isinstance(values[0], int):
            hits = set(compared) if isinstance(compared, list) else set()
            ids = (
                element("span", str(item), class_="hit") if item in hits else Markup(item)
                for item in values[:SHOWN_VALUES]
            )
            yield element("dd", join(ids, ", "), " …" if len(values) > SHOWN_VALUES else "")
            yield element("dd", *map(self._image, values[:SHOWN_IMAGES]))
        else:
            yield from (element("dd", _shorten(value)) for value in values[:SHOWN_VALUES])

    def _image(self, key: object) -> Markup:
        data = self.images.get(str(key), b"")
        image_type = IMAGE_TYPES.get(data[:2])
        if image_type is None:
            return Markup()
        source = f"data:image/{image_type};base64,{base64.b64encode(data).decode()}"
        return element("img", alt="", src=source)


def _shorten(value: object) -> str:
    """Return the first characters of a value of a file, in valid Unicode."""
    text = escape_surrogates(str(value))
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _histogram(score: Score, mean_label: str) -> Markup:
    """Return a drawing of the distribution of the scores of items, with a line at their mean."""
    values = score.per_item
    low, high = min(0.0, float(values.min())), max(float(values.max()), 1e-9)
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    bars = (
        _bar(index, count, int(counts.max()), f"{edges[index]:.3f}–{edges[index + 1]:.3f}: {count:,}")
        for index, count in enumerate(counts.tolist())
    )
    mean = float(values.mean())
    x = (mean - low) / (high - low) * WIDTH
    # The label is on the side with more room.
    anchor, offset = ("end", -4) if x > WIDTH / 2 else ("start", 4)
    line = element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1="0", y2=str(HEIGHT), stroke_dasharray="3 3")
    label = element("text", f"{mean_label} {mean:.3f}", x=f"{x + offset:.1f}", y="10", text_anchor=anchor)
    bottom = str(HEIGHT + AXIS_HEIGHT - 3)
    least = element("text", f"{low:.2f}", x="0", y=bottom)
    largest = element("text", f"{high:.2f}", x=str(WIDTH), y=bottom, text_anchor="end")
    view = f"0 0 {WIDTH} {HEIGHT + AXIS_HEIGHT}"
    return element("svg", *bars, line, label, least, largest, viewBox=view, role="img", aria_label=score.name)


def _bar(index: int, count: int, largest: int, title: str) -> Markup:
    height = max(1.0, (HEIGHT - HEADROOM) * count / largest) if count else 0.0
    return element(
        "rect",
        element("title", title),
        x=f"{index * WIDTH / BINS:.1f}",
        y=f"{HEIGHT - height:.1f}",
        width=f"{WIDTH / BINS - 1.5:.1f}",
        height=f"{height:.1f}",
    )
