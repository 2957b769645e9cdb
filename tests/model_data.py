"""A data set of 50 items in the official formats, with images that differ, and models that need no network."""

import io
import json
from pathlib import Path

import numpy as np

from muge_fast.datasets import ImageTsv

ITEMS = 50
COLORS = ["红色", "黑色", "白色", "蓝色", "绿色"]
GOODS = ["连衣裙", "皮鞋", "毛衣", "外套", "帽子"]


def text_of(index: int) -> str:
    return f"{COLORS[index % 5]}{GOODS[index // 5 % 5]}{index}号"


def picture(index: int, *, size: int = 24, form: str = "PNG") -> bytes:
    """Return an image file whose mean grows with its index."""
    from PIL import Image  # noqa: PLC0415 - optional

    rng = np.random.default_rng(index)
    pixels = rng.integers(0, 4, (size, size + index % 3, 3)) + 4 * index
    data = io.BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(data, form)
    return data.getvalue()


def write_lines(path: Path, rows) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def make_data_set(folder: Path, *, items: int = ITEMS, size: int = 24) -> Path:
    """Write the files of all four tasks, as the benchmark names them."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [picture(index, size=size) for index in range(items)]
    names = [f"p{index:02}" for index in range(items)]
    ImageTsv.write(folder / "IC_valid.tsv", zip(names, pictures, strict=True))
    write_lines(
        folder / "IC_valid.jsonl",
        ({"image_id": name, "text": [text_of(index), text_of(index)[:-1]]} for index, name in enumerate(names)),
    )
    ImageTsv.write(folder / "MR_valid_imgs.tsv", zip(map(str, range(100, 100 + items)), pictures, strict=True))
    write_lines(
        folder / "MR_valid_queries.jsonl",
        ({"query_id": index, "query_text": text_of(index), "item_ids": [100 + index]} for index in range(0, items, 2)),
    )
    (folder / "T2I_val.text.tsv").write_text(
        "".join(f"{name}\t{text_of(index)}\n" for index, name in enumerate(names)), encoding="utf-8"
    )
    ImageTsv.write(folder / "T2I_val.img.tsv", zip(names, pictures, strict=True))
    ImageTsv.write(folder / "VQA_valid.tsv", zip(map(str, range(items)), pictures, strict=True))
    write_lines(
        folder / "VQA_valid.jsonl",
        (
            {
                "question_id": 1000 + index,
                "image_id": index,
                "question": "商品是什么颜色？",
                "answer": [COLORS[index % 5]] * 10,
            }
            for index in range(items)
        ),
    )
    return folder


def break_image(path: Path, key: str) -> None:
    """Replace an image of a TSV file by bytes that are not an image."""
    images = dict(ImageTsv(path).items())
    images[key] = b"not an image"
    ImageTsv.write(path, images)


class Brightness:
    """Read from an image its index in the data set; every method of the four protocols."""

    signature = "brightness"

    def __init__(self) -> None:
        self.batches = []

    def _indices(self, images):
        self.batches.append(len(images))
        return [int(image.min()) // 4 for image in images]

    def encode_images(self, images):
        indices = np.array(self._indices(images))
        return np.stack([np.cos(indices / 10), np.sin(indices / 10)], axis=1)

    def encode_texts(self, texts):
        self.batches.append(len(texts))
        indices = np.array([int("".join(filter(str.isdigit, text))) for text in texts])
        return np.stack([np.cos(indices / 10), np.sin(indices / 10)], axis=1)

    def caption(self, images):
        return [text_of(index) for index in self._indices(images)]

    def answer(self, images, questions):
        assert len(images) == len(questions)
        return [COLORS[index % 5] for index in self._indices(images)]

    def generate(self, texts, seeds):
        self.batches.append(len(texts))
        return [np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype="uint8") for seed in seeds]
