"""A report as one page: everything in it is text, and nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast import _core
from muge_fast._internal.display import escape_surrogates
from muge_fast.scores import FloatArray, Score

if TYPE_CHECKING:
    from muge_fast.evaluation.report import Report

BINS = 24
# How many of the best and of the worst items are shown, and of what each item has.
ITEMS = 8
LISTED = 12
PICTURES = 5
TEXT = 400

# Nothing in a submission may make the reader's browser fetch or run anything.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

WORDS = {
    "en": {
        "valid": "valid",
        "invalid": "invalid",
        "rows": "{} rows in {:.0f} ms",
        "scores": "Scores",
        "score": "score",
        "value": "times {:g}",
        "plain": "value",
        "signature": "signature",
        "spread": "How items are spread",
        "items": "items",
        "mean": "mean",
        "best": "Best items",
        "worst": "Worst items",
        "prediction": "submitted",
        "reference": "gold",
        "errors": "What is wrong",
    },
    "zh": {
        "valid": "有效",
        "invalid": "无效",
        "rows": "{} 行，用时 {:.0f} 毫秒",
        "scores": "得分",
        "score": "指标",
        "value": "×{:g}",
        "plain": "数值",
        "signature": "签名",
        "spread": "单项得分分布",
        "items": "项",
        "mean": "均值",
        "best": "得分最高",
        "worst": "得分最低",
        "prediction": "提交",
        "reference": "参考",
        "errors": "问题列表",
    },
}

STYLE = """
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
"""


def page(report: Report, images: Mapping[str, bytes] | None = None) -> str:
    """Make the page of a report.

    Args:
        report: The report.
        images: Bytes of images by id, to be shown with items.

    Example:
        >>> import pathlib
        >>> from importlib.resources import files
        >>> import muge_fast as mf
        >>> from muge_fast.evaluation.report_html import page
        >>> folder = pathlib.Path(str(files("muge_fast"))) / "samples" / "caption"
        >>> report = mf.evaluate("caption", folder / "IC_sample.jsonl", folder / "IC_sample.pred.base.jsonl")
        >>> page(report).startswith("<!doctype html>")
        True

    """
    words = WORDS[report.lang]
    title = report.task.title_zh if report.lang == "zh" else report.task.title
    badge = f'<span class="badge {"good" if report.ok else "bad"}">{words["valid" if report.ok else "invalid"]}</span>'
    rows = words["rows"].format(f"{report.rows:,}", report.seconds * 1000)
    parts = [
        "<!doctype html>",
        f'<html lang="{report.lang}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(title)} {badge}</h1>",
        f'<div class="muted">{rows} · muge_fast {_core.__version__}</div>',
    ]
    if report.scores is not None:
        parts += _scores(report, words)
        # Of images, the set has scores and no single one.
        if next(report.items(), None) is not None:
            parts += [*_spread(report, words), *_extremes(report, words, images or {})]
    parts[7:7] = [f'<p class="warning">{_text(warning)}</p>' for warning in report.warnings]
    if not report.ok:
        parts += [f"<h2>{words['errors']} ({report.problem_count:,})</h2><ul>"]
        parts += [f"<li>{_text(error)}</li>" for error in report.errors]
        parts += ["</ul>"]
    return "\n".join([*parts, "</body></html>", ""])


def _text(value: object) -> str:
    """Text of a hostile file, cut short and without markup."""
    text = escape_surrogates(str(value))
    return escape(text if len(text) <= TEXT else text[:TEXT] + "…")


def _scores(report: Report, words: Mapping[str, str]) -> Iterator[str]:
    scores: Mapping[str, Score] = report.scores or {}
    main, task = scores[report.task.main], report.task
    unit = words["plain"] if task.scale == 1 else words["value"].format(task.scale)
    value = task.official_value(main.name, main.value)
    yield f'<div class="main">{value:.2f}</div><div class="muted">{main.name} {unit}</div>'
    yield f'<h2>{words["scores"]}</h2><table><tr><th>{words["score"]}</th><th class="number">{unit}</th>'
    yield f"<th>{words['signature']}</th></tr>"
    for name, score in scores.items():
        value = task.official_value(name, score.value)
        yield f'<tr><td>{escape(task.label(name))}</td><td class="number">{value:.2f}</td>'
        yield f"<td><code>{escape(score.signature)}</code></td></tr>"
    yield "</table>"


def _spread(report: Report, words: Mapping[str, str]) -> Iterator[str]:
    yield f'<h2>{words["spread"]}</h2><div class="grid">'
    for score in (report.scores or {}).values():
        yield f'<div class="card"><h3>{escape(score.name)}</h3>{_histogram(score, words)}</div>'
    yield "</div>"


def _histogram(score: Score, words: Mapping[str, str]) -> str:
    """Bars of how many items have which score, and a line at their mean."""
    values: FloatArray = score.per_item
    low, high = min(0.0, float(values.min())), max(float(values.max()), 1e-9)
    counts, _ = np.histogram(values, bins=BINS, range=(low, high))
    width, height, foot = 320, 110, 16
    bars = []
    for place, count in enumerate(counts.tolist()):
        tall = 0 if not count else max(1.0, (height - 14) * count / counts.max())
        x, bar = place * width / BINS, width / BINS - 1.5
        title = f"{low + place * (high - low) / BINS:.3f}–{low + (place + 1) * (high - low) / BINS:.3f}: {count:,}"
        y = height - tall
        bars.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar:.1f}" height="{tall:.1f}"><title>{title}</title></rect>'
        )
    mean = float(values.mean())
    at = (mean - low) / (high - low) * width
    anchor, side = ("end", -4) if at > width / 2 else ("start", 4)
    return (
        f'<svg viewBox="0 0 {width} {height + foot}" role="img" aria-label="{escape(score.name)}">{"".join(bars)}'
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}" stroke-dasharray="3 3"/>'
        f'<text x="{at + side:.1f}" y="10" text-anchor="{anchor}">{words["mean"]} {mean:.3f}</text>'
        f'<text x="0" y="{height + 13}">{low:.2f}</text>'
        f'<text x="{width}" y="{height + 13}" text-anchor="end">{high:.2f}</text></svg>'
    )


def _extremes(report: Report, words: Mapping[str, str], images: Mapping[str, bytes]) -> Iterator[str]:
    scores: Mapping[str, Score] = report.scores or {}
    main = scores[report.task.main]
    order = np.argsort(-main.per_item, kind="stable")
    shown = min(ITEMS, (len(order) + 1) // 2)
    ids: Sequence[Any] = report.scores.ids if report.scores is not None else []
    for title, places in (("best", order[:shown]), ("worst", order[::-1][:shown])):
        yield f'<h2>{words[title]}</h2><div class="grid">'
        for place in places.tolist():
            yield _card(report, words, ids[place], f"{main.name} {main.per_item[place]:.3f}", images)
        yield "</div>"


def _card(report: Report, words: Mapping[str, str], key: object, score: str, images: Mapping[str, bytes]) -> str:
    prediction, reference = report.predictions[key], report.references[key]
    text = f"<dd>{_text(report.texts[key])}</dd>" if key in report.texts else ""
    return (
        f'<div class="card"><h3>{_text(key)}</h3><div class="muted">{escape(score)}</div>'
        f"{_image(key, images)}<dl>{text}"
        f"<dt>{words['prediction']}</dt>{_values(prediction, reference, images)}"
        f"<dt>{words['reference']}</dt>{_values(reference, prediction, images)}</dl></div>"
    )


def _values(values: Any, others: Any, images: Mapping[str, bytes]) -> str:  # noqa: ANN401 - what the task has
    if not isinstance(values, list):
        return f"<dd>{_text(values)}</dd>"
    if values and isinstance(values[0], int):
        known = set(others) if isinstance(others, list) else set()
        marked = (f'<span class="hit">{item}</span>' if item in known else str(item) for item in values[:LISTED])
        pictures = "".join(_image(item, images) for item in values[:PICTURES])
        return f"<dd>{', '.join(marked)}{' …' if len(values) > LISTED else ''}</dd><dd>{pictures}</dd>"
    return "".join(f"<dd>{_text(value)}</dd>" for value in values[:LISTED])


def _image(key: object, images: Mapping[str, bytes]) -> str:
    data = images.get(str(key), b"")
    kind = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"GI": "gif", b"RI": "webp"}.get(data[:2])
    if kind is None:
        return ""
    return f'<img alt="" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
