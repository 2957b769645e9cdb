"""Make the samples of retrieval and classification from the sample captions: ``python scripts/task_samples.py``.

Retrieval: the query of a product is the first clause of its second reference; a system finds products by the share of
pairs of characters that the query has in common with the captions that the system gives them. Classification: the label
of a product is the kind that most words of its references belong to, and a system's label that of its own caption.
"""

import json
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "python" / "muge_fast" / "samples"
SYSTEMS = ("template", "base", "large")
FIRST = 10_000
KINDS = {
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
    items = {key: FIRST + place for place, key in enumerate(gold)}
    write("retrieval/MR_sample_queries", [line(n, queries[key], [items[key]]) for n, key in enumerate(gold)])
    write("classification/CC_sample", [{"image_id": key, "label": label("".join(gold[key]))} for key in gold])
    for system, texts in captions.items():
        ranked = []
        for number, key in enumerate(gold):
            order = sorted(gold, key=lambda other, key=key, texts=texts: -overlap(queries[key], texts[other]))
            ranked.append(line(number, queries[key], [items[other] for other in order[:10]]))
        write(f"retrieval/MR_sample.pred.{system}", ranked)
        rows = [{"image_id": key, "label": label(texts[key])} for key in gold]
        write(f"classification/CC_sample.pred.{system}", rows)


def read(name: str) -> dict:
    """Texts by id."""
    lines = (FOLDER / "caption" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["image_id"]: row["text"] for row in map(json.loads, lines)}


def write(name: str, rows: list[dict]) -> None:
    """Write JSON lines."""
    path = FOLDER / f"{name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def line(number: int, text: str, items: list[int]) -> dict:
    """A row of the retrieval task."""
    return {"query_id": number, "query_text": text, "item_ids": items}


def overlap(query: str, text: str) -> float:
    """How many of the query's pairs of characters the text has."""
    pairs = {query[place : place + 2] for place in range(len(query) - 1)}
    return sum(pair in text for pair in pairs) / max(len(pairs), 1)


def label(text: str) -> str:
    """The kind with most of its words in the text."""
    counts = {kind: sum(text.count(word) for word in words.split()) for kind, words in KINDS.items()}
    return max(counts, key=counts.__getitem__) if any(counts.values()) else "其他"


if __name__ == "__main__":
    main()
