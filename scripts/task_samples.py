"""Generate the samples of all other tasks from the sample captions: ``python scripts/task_samples.py``.

Retrieval: the query of a product is the first clause of its second reference. A system ranks products by the fraction
of the query's character bigrams that occur in the caption it gives them. Classification: the label of a product is the
category with most keyword occurrences in its references, and a system's label the one of the system's caption. Visual
question answering: random answers of ten annotators who mostly agree, and of systems that are right more or less often.
Visual commonsense reasoning: random scores of choices, to which the right one adds more for a better system.
"""

import json
from pathlib import Path
from random import Random

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
ANNOTATORS, AGREEMENT = 10, 0.85
SKILLS = {"template": 0.2, "base": 0.55, "large": 0.85}
# For each type: a question, the type of its answers, and answers, each with other ways to write it.
QUESTIONS = {
    "颜色": (
        "商品是什么颜色？",
        "other",
        ("红色 红 大红色", "黑色 黑", "白色 白 米白色", "蓝色 蓝 浅蓝色", "粉色 粉红色"),
    ),
    "数量": ("图中有几件商品？", "number", ("1件 一件 1", "2件 两件 2", "3件 三件 3", "4件 四件 4")),
    "是否": ("模特戴了帽子吗？", "yes/no", ("是 戴了", "否 没有")),
    "材质": (
        "这件衣服是什么材质？",
        "other",
        ("棉 纯棉 棉布", "牛仔布 牛仔", "真丝 丝绸", "羊毛 毛呢", "皮革 皮 真皮"),
    ),
}
SITUATIONS = (
    "顾客为什么拿起这件连衣裙？",
    "店员接下来会做什么？",
    "两个人是什么关系？",
    "孩子为什么在笑？",
    "这个人刚刚去了哪里？",
    "她为什么打开了箱子？",
)
STRENGTHS = {"template": 0.0, "base": 0.4, "large": 0.9}


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
    write_questions()
    write_situations()


def write_questions() -> None:
    """Write the sample of visual question answering."""
    random = Random(2022)
    rows: list[dict] = []
    answers: dict[str, list[str]] = {system: [] for system in SKILLS}
    for _ in range(192):
        group, (question, answer_type, choices) = random.choice(list(QUESTIONS.items()))
        right = random.choice(choices).split()
        # An annotator may see something else, and people write the same answer in different ways.
        given = [
            random.choice(right if random.random() < AGREEMENT else random.choice(choices).split())
            for _ in range(ANNOTATORS)
        ]
        types = {"question": question, "question_type": group, "answer_type": answer_type}
        rows.append({"question_id": len(rows) + 1, "answer": given, **types})
        luck, other = random.random(), random.choice(choices).split()[0]
        for system, skill in SKILLS.items():
            answers[system].append(right[0] if luck < skill else other)
    write("vqa/VQA_sample", rows)
    for system, texts in answers.items():
        rows = [{"question_id": number + 1, "answer": text} for number, text in enumerate(texts)]
        write(f"vqa/VQA_sample.pred.{system}", rows)


def write_situations() -> None:
    """Write the sample of visual commonsense reasoning."""
    random = Random(2022)
    keys = [f"vcr-{number}" for number in range(60)]
    labels = {key: [random.randrange(4), random.randrange(4)] for key in keys}
    rows = [
        {"annot_id": key, "choice": labels[key], "question": SITUATIONS[index % len(SITUATIONS)]}
        for index, key in enumerate(keys)
    ]
    write("vcr/VCR_sample", rows)
    noise = {key: [[random.random() for _ in range(4)] for _ in range(5)] for key in keys}
    for system, strength in STRENGTHS.items():
        rows = []
        for key in keys:
            right = [labels[key][0], *[labels[key][1]] * 4]
            scores = [
                [round(value + strength * (choice == label), 2) for choice, value in enumerate(values)]
                for values, label in zip(noise[key], right, strict=True)
            ]
            rows.append({"annot_id": key, "choice": [scores[0], scores[1:]]})
        write(f"vcr/VCR_sample.pred.{system}", rows)


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
