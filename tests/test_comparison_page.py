"""Pages and plots of comparisons: structure, numbers, hostile text, repeated bytes, sizes, both languages."""

import io
import itertools
import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import muge_fast as mf
from muge_fast._internal.display import printable
from muge_fast.comparison.numbers import format_p
from muge_fast.comparison.page import items
from muge_fast.comparison.page.script import SCRIPT
from muge_fast.comparison.page.words import WORDS
from pages import Page
from test_report_pages import HOSTILE, write

SAMPLES = Path(mf.__file__).parent / "samples"
FILES = {
    "caption": ("IC_sample.jsonl", "IC_sample.pred.{}.jsonl"),
    "retrieval": ("MR_sample_queries.jsonl", "MR_sample.pred.{}.jsonl"),
    "classification": ("CC_sample.jsonl", "CC_sample.pred.{}.jsonl"),
}
SYSTEMS = ("base", "large", "template")
TITLES = {"caption": "CIDEr-D\u00a0↑", "retrieval": "MeanRecall\u00a0↑", "classification": "Accuracy\u00a0↑"}


def reports(task, **options):
    gold, submission = FILES[task]
    folder = SAMPLES / task
    return {name: mf.evaluate(task, folder / gold, folder / submission.format(name), **options) for name in SYSTEMS}


@pytest.fixture(scope="module", params=FILES)
def compared(request):
    return mf.compare(reports(request.param))


@pytest.fixture(scope="module")
def captions():
    return mf.compare(reports("caption"))


def arrays(systems, number=50):
    random = np.random.default_rng(1)
    easy = random.normal(size=number)
    return {f"s{i}": easy + random.normal(size=number) + i / 4 for i in range(systems)}


# Structure


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_of_every_task_are_well_formed_and_load_nothing(compared, lang):
    html = compared.to_html(lang=lang)
    page = Page(html)
    assert page.select("html")[0]["attributes"]["lang"] == {"en": "en", "zh": "zh-CN"}[lang]
    assert "://" not in html
    assert re.search(r"\b(src|href|action|style)=", html.replace(SCRIPT, "")) is None
    assert page.find("script") == [SCRIPT]
    assert len(page.select("details", "metric")) == len(compared)
    opened = [node for node in page.select("details", "metric") if "open" in node["attributes"]]
    assert len(opened) == 1
    main = next(title for title in TITLES.values() if title in page.find("div", "name")[0])
    assert main.replace("\u00a0", " ") in "".join(opened[0]["text"])
    assert len(page.select("details", "pair")) == 3
    for key in ("limit_seeds", "limit_references", "limit_sets", "limit_repeats"):
        assert WORDS[lang][key] in page.text
    assert compared.signature in page.find("code")


def test_every_word_has_both_languages():
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        fields = sorted(set(re.findall(r"\{\d?\}", text)))
        other = sorted(set(re.findall(r"\{\d?\}", WORDS["zh"][key])))
        assert text.count("{") == WORDS["zh"][key].count("{"), key
        assert fields == other or all(field != "{}" for field in other), key


def test_the_same_comparison_gives_the_same_bytes(captions, tmp_path):
    html = captions.to_html(path=tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == html
    assert mf.compare(reports("caption")).to_html() == html
    assert pickle.loads(pickle.dumps(captions)).to_html() == html  # noqa: S301 - our own bytes
    assert "2026-01-31" in Page(captions.to_html(date="2026-01-31")).text
    assert re.search(r"\b20\d\d-", Page(html).text) is None


def test_options_are_checked(captions):
    with pytest.raises(ValueError, match="lang"):
        captions.to_html(lang="fr")
    with pytest.raises(ValueError, match="items"):
        captions.to_html(items=-1)
    with pytest.raises(TypeError, match="items"):
        captions.to_html(items=2.5)


# Numbers


def test_tables_have_the_numbers_of_the_comparison(captions):
    page = Page(captions.to_html())
    rows = [text for text in page.find("tr") if "large" in text or "base" in text or "template" in text]
    for line in captions.table().splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) > 5 and cells[1] in SYSTEMS:
            assert any(all(cell.removesuffix(" =") in row for cell in cells) for row in rows), line
    values = [node["attributes"]["data-value"] for node in page.select("td") if "data-value" in node["attributes"]]
    for metric in captions.values():
        assert {repr(value) for value in metric.scores.values()} <= set(values)
        assert {repr(metric.adjusted_p[name, metric.order[0]]) for name in metric.order[1:]} <= set(values)


def test_drawings_have_a_dot_at_each_difference_and_a_bar_over_the_ranks():
    metric = mf.compare(arrays(6))["mean"]
    page = Page(mf.compare(arrays(6)).to_html())
    drawings = [node for node in page.select("svg") if node["attributes"].get("role") == "img"]
    assert len(drawings) == 12
    circles = [float(node["attributes"]["cx"].rstrip("%")) for node in page.select("circle")]
    lines = {name: page.select("line", name) for name in ("interval", "range", "zero")}
    zero = float(lines["zero"][0]["attributes"]["x1"].rstrip("%"))
    first = metric.order[0]
    # All positions follow from two of them, because the axis is linear.
    differences = [metric.scores[name] - metric.scores[first] for name in metric.order]
    scale = (circles[-2] - zero) / differences[-1]
    assert circles[::2] == pytest.approx([zero + scale * difference for difference in differences], abs=0.02)
    for node, name in zip(lines["interval"], metric.order[1:], strict=True):
        bounds = [float(node["attributes"][key].rstrip("%")) for key in ("x1", "x2")]
        low, high = metric[name, first].interval
        assert bounds == pytest.approx([zero + scale * low, zero + scale * high], abs=0.02)
    for node, name in zip(lines["range"], metric.order, strict=True):
        bounds = [float(node["attributes"][key].rstrip("%")) for key in ("x1", "x2")]
        ranks = metric.ranks[name]
        assert bounds == pytest.approx([6 + 88 * (rank - 1) / 5 for rank in (ranks.low, ranks.high)], abs=0.01)


def test_the_matrix_has_the_adjusted_p_of_each_pair_with_its_sign():
    metric = mf.compare(arrays(4))["mean"]
    page = Page(mf.compare(arrays(4)).to_html())
    (text,) = [text for text in page.find("table") if "▲" in text]
    cells = re.findall(r"([▲▼]) (<?[\d.]+)", text)
    expected = []
    for row, column in itertools.product(metric.order, repeat=2):
        if row != column:
            sign = "▲" if metric.scores[row] > metric.scores[column] else "▼"
            expected.append((sign, format_p(metric[row, column].adjusted_p)))
    # Cells of a row follow each other without space, so numbers may be joined: compare what is unambiguous.
    found = page.find("td", "number")
    assert [f"{sign} {p}" for sign, p in expected] == [cell for cell in found if cell[:1] in "▲▼" and cell]
    assert len(cells) == len(expected)
    shaded = {text for node in page.select("td", "right") for text in ["".join(node["text"])]}
    significant = [pair for pair in metric if metric[pair].adjusted_p <= 0.05]
    assert bool(shaded) == bool(significant)


def test_systems_that_are_tied_with_the_first_are_marked():
    c = mf.compare(arrays(6))
    metric = c["mean"]
    tied = [name for name in metric.order[1:] if metric.ranks[name].tied_with_first]
    assert 0 < len(tied) < 5
    page = Page(c.to_html())
    assert page.find("span", "tied") == [WORDS["en"]["tied"]] * len(tied)
    assert f"Tied with the first at 95 %: {', '.join(tied)}." in page.text
    assert "与第一名无显著差异（95 % 水平）" in Page(c.to_html(lang="zh")).text


def test_a_page_with_a_baseline_counts_significant_differences():
    c = mf.compare(arrays(6), baseline="s3")
    page, metric = Page(c.to_html()), c["mean"]
    better = [pair for pair in metric.values() if pair.adjusted_p <= 0.05 and pair.difference > 0]
    worse = [pair for pair in metric.values() if pair.adjusted_p <= 0.05 and pair.difference < 0]
    counts = (len(better), len(worse), 5 - len(better) - len(worse))
    assert WORDS["en"]["against"].format("s3", *counts) in page.text
    assert page.find("span", "badge") == ["baseline"]
    assert len(page.select("svg", "better")) == 2 * len(better)
    assert page.select("table", "matrix") == []
    assert len(page.select("details", "pair")) == 5


def test_nothing_is_called_adjusted_or_simultaneous_that_is_not():
    texts = {}
    for correction in ("step_down", "bh", "none"):
        c = mf.compare(arrays(4), correction=correction)
        texts[correction] = Page(c.to_html()).text.partition("What was compared")[0], c.table(), c.to_markdown()
    for step_down, bh, none in zip(*texts.values(), strict=True):
        assert "hold at once at 95 %." in step_down
        assert "hold at once" not in bh + none
        assert "adjusted" in bh
        assert "adjusted p" not in none
        assert "not adjusted for the number of pairs" in none


def test_equal_systems_have_a_page():
    page = Page(mf.compare({"a": [1, 0, 1], "b": [1, 0, 1]}).to_html())
    assert "and 1 more with the same score" in page.text
    assert "a is better on 0 items, b on 0; 3 are equal." in page.text


# Items


def test_items_are_those_with_the_largest_differences(captions):
    page = Page(captions.to_html(items=10))
    metric, ids = captions["cider_d"], captions.ids
    difference = metric.item_scores[:, 1] - metric.item_scores[:, 0]
    order = np.argsort(-np.abs(difference), kind="stable")
    better = [ids[index] for index in order if difference[index] > 0]
    worse = [ids[index] for index in order if difference[index] < 0]
    shown = page.find("span", "id")[:10]
    # One item alone is better by base, so that nine are those of large.
    assert shown == better[: 10 - len(worse[:5])] + worse[:5]
    assert f"large is better on {len(better)} items, base on {len(worse)}" in page.text
    assert len(page.select("article")) <= 30


def test_captions_are_side_by_side_with_their_shared_ngrams(captions):
    page = Page(captions.to_html(items=2))
    article = page.find("article")[0]
    key = page.find("span", "id")[0]
    for report in (captions._reports["large"], captions._reports["base"]):
        assert report.predictions[key] in article
    for text in captions._reports["base"].references[key]:
        assert text in article
    assert page.find("span", "phrase") != []
    assert "Tokenizer: muge." in page.text


def test_rankings_and_labels_show_hits():
    c = mf.compare(reports("retrieval"))
    page = Page(c.to_html(items=4))
    key = int(page.find("span", "id")[0])
    hits = [set(report.predictions[key]) & set(report.references[key]) for report in c._reports.values()]
    assert len({len(found) for found in hits}) > 1
    assert len(page.find("ol", "chips")) == 2 * len(page.select("article"))
    assert page.find("li", "hit") != []
    page = Page(mf.compare(reports("classification")).to_html(items=4))
    assert page.find("span", "right") != []
    assert page.find("span", "wrong") != []


def test_arrays_and_scores_show_items_by_id_and_value():
    systems = {name: report.scores for name, report in reports("caption").items()}
    page = Page(mf.compare(systems).to_html())
    assert page.select("article") == []
    assert systems["base"].ids[0] in Page(mf.compare(systems).to_html(items=200)).find("td")
    values = {"a": [0.5, 1.0, 0.0, 0.25], "b": [0.5, 0.0, 0.75, 0.25]}
    cells = Page(mf.compare(values).to_html()).find("td")
    last = [cells.index("+1"), cells.index("-0.75")]
    assert [cells[index - 3 : index + 1] for index in last] == [["1", "1", "0", "+1"], ["2", "0", "0.75", "-0.75"]]


def test_no_items_on_request_or_for_metrics_of_a_whole_set(captions):
    page = Page(captions.to_html(items=0))
    assert page.select("details", "pair") == []
    assert page.select("select") == []
    random = np.random.default_rng(0)
    real = random.normal(size=(40, 3))
    systems = {
        name: mf.image.fid_from_features(real, random.normal(shift, size=(40, 3)), influence=True)
        for name, shift in (("a", 0.0), ("b", 0.5))
    }
    assert WORDS["en"]["no_items"] in Page(mf.compare(systems).to_html()).text


def test_images_are_side_by_side_with_the_real_ones(tmp_path):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    ids = [f"i{number}" for number in range(100)]

    def write_images(name):
        files = {}
        for key in ids:
            file = io.BytesIO()
            image.fromarray(random.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(file, "PNG")
            files[key] = file.getvalue()
        mf.datasets.ImageTsv.write(tmp_path / name, files)
        return tmp_path / name

    def mean_colors(images):
        return np.stack([np.asarray(one, dtype=np.float64).reshape(-1, 3).mean(axis=0) for one in images])

    gold, texts = write_images("gold.tsv"), random.normal(size=(100, 8))
    options = {"extractor": mean_colors, "metrics": ("fid",), "influence": True, "text_features": texts}
    systems = {
        name: mf.evaluate(
            "t2i", gold, write_images(name), image_features=texts + noise * random.normal(size=texts.shape), **options
        )
        for name, noise in (("a.tsv", 0.5), ("b.tsv", 2.0))
    }
    c = mf.compare(systems)
    page = Page(c.to_html(items=6))
    assert list(c) == ["fid", "r_precision"]
    assert "By R-precision." in page.text
    assert page.find("figcaption") == ["real", "a.tsv", "b.tsv"] * 6
    assert len(page.select("img")) == 18


# Hostile text and sizes


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_text_stays_text(lang, tmp_path):
    gold = write(tmp_path / "gold.jsonl", [{"image_id": text, "text": [text, "裙"]} for text in HOSTILE])
    systems = {}
    for index, name in enumerate(HOSTILE):
        rows = [{"image_id": text, "text": text + "裙" * (index + 1)} for text in HOSTILE]
        systems[name] = mf.evaluate("caption", gold, write(tmp_path / f"{index}.jsonl", rows))
    c = mf.compare(systems, resamples=100)
    page = Page(c.to_html(lang=lang, date=HOSTILE[0]))
    assert page.find("script") == [SCRIPT]
    assert page.select("img") == []
    assert "\u202e" not in "".join(page.find("h4") + page.find("option") + page.find("th"))
    for name in HOSTILE:
        assert printable(name, 60) in page.find("bdi")


def test_many_systems_and_items_give_a_page_of_bounded_size(monkeypatch):
    random = np.random.default_rng(0)
    metrics = ("a", "b", "c")
    systems = {f"system {i}": dict(zip(metrics, random.random((3, 300)), strict=True)) for i in range(100)}
    html = mf.compare(systems, resamples=200).to_html()
    assert len(html.encode()) < 2_000_000
    page = Page(html)
    assert "The first 30 of 100 systems." in page.text
    assert "The page has 15 of 4,950 pairs" in page.text
    assert len(page.select("table", "systems")) == 3
    assert [len(re.findall("system \\d+", table)) for table in page.find("table", "systems")] == [101] * 3
    monkeypatch.setattr(items, "MAX_BYTES", 2_000)
    smaller = Page(mf.compare(systems, ["a"], resamples=200).to_html())
    assert "further ones are left out" in smaller.text
    pairs = smaller.select("details", "pair")
    assert len(pairs) == len(smaller.find("option")) < 15


# Without and with scripts


def test_everything_is_there_without_scripts(captions):
    page = Page(captions.to_html())
    hidden = [node for node in page.nodes if "hidden" in node["attributes"]]
    # The choice of the pair alone, which needs the script; all pairs are on the page.
    assert [node["attributes"]["id"] for node in hidden] == ["controls"]
    assert page.find("option") == [f"\u2068{a}\u2069 and \u2068{b}\u2069" for a, b in _pairs(captions)]
    summaries = [text for text in page.find("summary") if " and " in text]
    assert summaries == [f"{a} and {b}" for a, b in _pairs(captions)]


def _pairs(c):
    order = c["cider_d"].order
    return [(order[0], order[1]), (order[0], order[2]), (order[1], order[2])]


def test_the_script_reads_no_text_as_markup():
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function\(|fetch|XMLHttp", SCRIPT
    )


# Plots


def test_plots_show_differences_intervals_and_ranks():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 - may be missing

    c = mf.compare(reports("caption"))
    figure, ax = c.plot()
    assert figure.axes[0] is ax
    metric = c["cider_d"]
    assert [label.get_text() for label in ax.get_yticklabels()] == metric.order
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    expected = [100 * (metric.scores[name] - metric.scores["large"]) for name in metric.order]
    assert dots == pytest.approx(expected)
    (right,) = ax.child_axes
    assert [label.get_text() for label in right.get_yticklabels()] == [str(metric.ranks[name]) for name in metric.order]
    assert "CIDEr-D ↑, times 100: difference to large, 95 % interval" in ax.get_xlabel()
    other, axes = plt.subplots()
    assert c.plot("bleu", ax=axes) == (other, axes)
    with pytest.raises(KeyError, match="no metric 'blue'"):
        c.plot("blue")
    plt.close("all")


def test_names_in_plots_are_not_formulas(tmp_path):
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415 - may be missing

    figure, ax = mf.compare({"$x^$": [1, 0, 1], "\u202e$\\frac$": [1, 0, 0]}, baseline="$x^$").plot()
    figure.savefig(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    assert [label.get_text() for label in ax.get_yticklabels()] == ["$x^$", "\\u202e$\\frac$"]
    plt.close("all")


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'muge-fast[plot]'")):
        mf.compare({"a": [1, 0, 1], "b": [1, 0, 0]}).plot()


def test_a_comparison_as_json_has_no_reports(captions):
    assert "_reports" not in json.loads(captions.to_json())
