"""Pictures on pages of reports: where they come from, how large they are, what stands for broken ones."""

import base64
import io
import json
import re
import sys
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.datasets import ImageTsv
from muge_fast.evaluation.report_page.picture_files import open_pictures
from muge_fast.evaluation.report_page.pictures import LARGE, Pictures
from pages import Page

Image = pytest.importorskip("PIL.Image")

from image_data import encoded, pictures  # noqa: E402 - needs Pillow

BROKEN = {"en": "This image is broken.", "zh": "图像已损坏。"}


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def captions(tmp_path):
    """Return reports of four captions by language."""
    gold = write(tmp_path / "IC_valid.jsonl", [{"image_id": key, "text": ["红色长裙"]} for key in "abcd"])
    rows = [
        {"image_id": key, "text": text} for key, text in zip("abcd", ["红色长裙", "红裙", "黑鞋", "鞋"], strict=True)
    ]
    submission = write(tmp_path / "pred.jsonl", rows)
    return {lang: mf.evaluate("caption", gold, submission, lang=lang) for lang in ("en", "zh")}


@pytest.fixture
def images():
    return {key: encoded(image) for key, image in zip("abc", pictures(3, size=(40, 30)), strict=True)}


# Sources


def test_a_path_shows_what_a_mapping_shows(captions, images, tmp_path):
    ImageTsv.write(tmp_path / "images.tsv", images)
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "images.ZIP", "w", zipfile.ZIP_DEFLATED) as archive:
        for key, data in images.items():
            (folder / "deep" / f"{key}.png").write_bytes(data)
            archive.writestr(f"deep/{key}.png", data)
    page = captions["en"].to_html(images=images)
    assert page.count("data:image/png") == 3
    for path in (tmp_path / "images.tsv", folder, str(tmp_path / "images.ZIP")):
        assert captions["en"].to_html(images=path) == page
    assert captions["en"].to_html(images=images) == page
    assert "<img" not in captions["en"].to_html(images={}) == captions["en"].to_html()


def test_sources_that_have_no_images_are_refused(images, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    for suffix in ("png", "jpg"):
        (tmp_path / "two" / f"a.{suffix}").write_bytes(images["a"])
    (tmp_path / "one.png").write_bytes(images["a"])
    (tmp_path / "bad.zip").write_bytes(b"PK")
    for path, error, message in [
        (tmp_path / "none.tsv", FileNotFoundError, "none.tsv"),
        (tmp_path / "empty", ValueError, "empty: no images"),
        (tmp_path / "two", ValueError, "a.jpg and a.png have the same id, 'a'"),
        (tmp_path / "one.png", ValueError, "one image, expected an image TSV, a folder or a zip"),
        (tmp_path / "bad.zip", ValueError, "bad.zip: "),
        (5, TypeError, "images must be a mapping of ids to bytes, or the path"),
    ]:
        with pytest.raises(error, match=message):
            open_pictures(path)


def test_without_pillow_the_error_says_what_to_install(captions, images, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'muge-fast[images]'")):
        captions["en"].to_html(images=images)
    assert captions["en"].to_html()


def test_the_command_takes_a_folder_and_warns_about_other_ids(captions, images, tmp_path):
    del captions
    folder, page = tmp_path / "folder", tmp_path / "page.html"
    folder.mkdir()
    (folder / "a.png").write_bytes(images["a"])
    files = ["--gold", str(tmp_path / "IC_valid.jsonl"), "--submission", str(tmp_path / "pred.jsonl")]
    command = ["score", "caption", *files, "--html", str(page), "--images"]
    result = CliRunner().invoke(main, [*command, str(folder)])
    assert (result.exit_code, result.stderr) == (0, f"wrote {page} (4 rows)\n")
    assert page.read_text(encoding="utf-8").count("data:image/png") == 1
    (folder / "a.png").rename(folder / "x.png")
    result = CliRunner().invoke(main, [*command, str(folder)])
    assert "none of the 1 image of --images has an id of the submission or the gold file" in result.stderr
    result = CliRunner().invoke(main, [*command, str(tmp_path / "none")])
    assert (result.exit_code, result.stderr) == (2, f"Error: --images {tmp_path / 'none'}: no such file\n")


def test_the_command_needs_pillow_for_images_before_it_scores(captions, tmp_path, monkeypatch):
    del captions
    monkeypatch.setitem(sys.modules, "PIL", None)
    files = ["--gold", str(tmp_path / "IC_valid.jsonl"), "--submission", str(tmp_path / "pred.jsonl")]
    page = tmp_path / "page.html"
    result = CliRunner().invoke(main, ["score", "caption", *files, "--html", str(page), "--images", str(tmp_path)])
    assert result.exit_code == 2
    assert "PIL is required for images: pip install 'muge-fast[images]'" in result.stderr
    assert not page.exists()


# Pictures


def shown(data, size=LARGE):
    """Return the image in a page."""
    source = re.search(r'src="data:image/(\w+);base64,([^"]*)"', Pictures({"a": data}, size=size).image("a"))
    return source[1], base64.b64decode(source[2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_a_large_image_becomes_a_small_jpeg_that_looks_the_same(kind):
    image = pictures(1, size=(900, 600))[0]
    smooth = np.asarray(Image.fromarray(image).resize((60, 90)).resize((600, 900)))
    name, data = shown(encoded(smooth, kind))
    assert (name, len(data) < 16_000) == ("jpeg", True)
    thumbnail = Image.open(io.BytesIO(data))
    assert thumbnail.size == (171, 256)
    expected = np.asarray(Image.fromarray(smooth).resize(thumbnail.size, Image.Resampling.BOX), dtype=float)
    assert abs(np.asarray(thumbnail) - expected).mean() < 4


def test_small_images_keep_their_bytes_unless_browsers_cannot_show_them():
    image = pictures(1, size=(9, 9))[0]
    for kind in ("PNG", "GIF", "JPEG", "WEBP"):
        assert shown(encoded(image, kind)) == (kind.lower(), encoded(image, kind))
    for kind in ("BMP", "TIFF"):
        assert shown(encoded(image, kind))[0] == "jpeg"


def test_transparent_pixels_of_a_thumbnail_are_white():
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 4)).astype("uint8")
    noise[:150, :, 3] = 0
    name, data = shown(encoded(noise))
    thumbnail = np.asarray(Image.open(io.BytesIO(data)))
    assert (name, thumbnail.shape) == ("jpeg", (256, 256, 3))
    assert thumbnail[:120].min() > 240
    assert thumbnail[136:].mean() < 240


@pytest.mark.parametrize("lang", BROKEN)
def test_words_stand_for_broken_images_and_nothing_for_missing_ones(captions, images, lang):
    page = captions[lang].to_html(images={**images, "b": images["b"][:60], "c": b"no image"})
    assert Page(page).find("span", "broken-picture") == [BROKEN[lang]] * 2
    assert page.count("data:image/") == 1
    assert ".broken-picture {" in page
    assert ".broken-picture" not in captions[lang].to_html(images=images)


def test_words_stand_for_broken_base64_and_damaged_members(captions, images, tmp_path):
    (tmp_path / "images.tsv").write_text(f"a\t{base64.b64encode(images['a']).decode()}\nb\t****\n")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for key in "ab":
            archive.writestr(f"{key}.png", images[key])
    damaged = (tmp_path / "images.zip").read_bytes().replace(images["b"], images["b"][:-9] + b"x" * 9)
    (tmp_path / "images.zip").write_bytes(damaged)
    for name in ("images.tsv", "images.zip"):
        page = captions["en"].to_html(images=tmp_path / name)
        assert (page.count("data:image/png"), page.count('class="broken-picture"')) == (1, 1)


def test_pictures_are_decoded_where_they_come_into_view_and_described(captions, images):
    nodes = Page(captions["en"].to_html(images=images)).select("img")
    assert sorted(node["attributes"]["alt"] for node in nodes) == ["a", "b", "c"]
    assert all(node["attributes"]["loading"] == "lazy" for node in nodes)


def test_the_policy_of_a_page_with_pictures_allows_its_style_and_data_alone(captions, images):
    page = captions["en"].to_html(images={**images, "b": b"no image"})
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "img-src data:; base-uri 'none'; form-action 'none'" in policy
    assert not re.search(r'(?:src|href)="(?!data:image/|#)', page)
    assert " style=" not in page


def test_pictures_are_those_of_items_that_the_page_shows_without_scripts(tmp_path, images):
    count = 2_001
    rows = [{"image_id": str(key), "text": "红裙" if key % 2 else "黑鞋"} for key in range(count)]
    submission = write(tmp_path / "pred.jsonl", rows)
    gold = write(tmp_path / "gold.jsonl", [{"image_id": str(key), "text": ["红裙"]} for key in range(count)])
    page = mf.evaluate("caption", gold, submission).to_html(images=dict.fromkeys(map(str, range(count)), images["a"]))
    assert page.count("data:image/png") == 100


def test_a_page_that_is_full_says_so(captions, images, monkeypatch):
    monkeypatch.setattr("muge_fast.evaluation.report_page.pictures.Pictures.__init__.__defaults__", (9_000, LARGE))
    page = captions["en"].to_html(images=images)
    assert "Pictures are shown until they take 16 MB; further ones are left out." in page
    assert 0 < page.count("data:image/") < 3
