"""Generate the samples of retrieval and classification from the sample captions: ``python scripts/task_samples.py``.

Retrieval: the query of a product is the first clause of its second reference. A system ranks products by the fraction
of the query's character bigrams that occur in the caption it gives them. Classification: the label of a product is the
category with most keyword occurrences in its references, and a system's label the one of the system's caption.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "python" / "muge_fast" / "samples"
SYSTEMS = ("template", "base", "large")
FIRST_ITEM = 10_000
KEYWORDS = {
    "服饰": "裙 裤 衣 衫 领 袖 腰 鞋 靴 西装 面料 版型 显瘦 帽 外套 羽绒 跟",
    "家居": "床 被 枕 灯 收纳 沙发 地毯 窗帘 桌 椅 毛巾 锅 杯 厨房 刀 碗 陶瓷",
    "数码家电": "续航 充电 蓝牙 屏 功率 静音 智能 键盘 耳机 电机 W 风扇 加湿 电饭",
    "美妆": "肌肤 保湿 唇 妆 精华 面膜 洁面 香水 防晒 洗发 补水",
    "食品": "口感 香脆 零食 茶 咖啡 坚果 果干 辣 甜 营养 牛奶 糕",
}


def main() -> None:
    """Write all files."""
    gold = read("IC_sample")
    captions = {system: read(f"IC_sample.pred.{system}") for system in SYSTEMS}
    queries = {key: texts[1].split("，")[0] for key, texts in gold.items()}
    items = {key: FIRST_ITEM + index for index, key in enumerate(gold)}
    rows = [query_row(index, queries[key], [items[key]]) for index, key in enumerate(gold)]
    write("retrieval/MR_sample_queries", rows)
    write("classification/CC_sample", [{"image_id": key, "label": label("".join(gold[key]))} for key in gold])
    for system, texts in captions.items():
        rows = []
        for index, key in enumerate(gold):
            ranked = sorted(gold, key=lambda item, key=key, texts=texts: -overlap(queries[key], texts[item]))
            rows.append(query_row(index, queries[key], [items[item] for item in ranked[:10]]))
        write(f"retrieval/MR_sample.pred.{system}", rows)
        rows = [{"image_id": key, "label": label(texts[key])} for key in gold]
        write(f"classification/CC_sample.pred.{system}", rows)


def read(name: str) -> dict:
    """Return the texts of a caption file by id."""
    lines = (FOLDER / "caption" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["image_id"]: row["text"] for row in map(json.loads, lines)}


def write(name: str, rows: list[dict]) -> None:
    """Write rows as JSON Lines."""
    path = FOLDER / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def query_row(query: int, text: str, items: list[int]) -> dict:
    """Return a row of the retrieval task."""
    return {"query_id": query, "query_text": text, "item_ids": items}


def overlap(query: str, text: str) -> float:
    """Return the fraction of the query's character bigrams that occur in the text."""
    bigrams = {query[index : index + 2] for index in range(len(query) - 1)}
    return sum(bigram in text for bigram in bigrams) / max(len(bigrams), 1)


def label(text: str) -> str:
    """Return the category with most keyword occurrences in the text."""
    counts = {name: sum(text.count(word) for word in words.split()) for name, words in KEYWORDS.items()}
    return max(counts, key=counts.__getitem__) if any(counts.values()) else "其他"


if __name__ == "__main__":
    main()
