"""Pairs of texts for METEOR: Chinese, English, mixed, repetitive, and of characters with rules of their own."""

import random

CHINESE = (
    "一个穿着红色连衣裙的女人在公园里骑自行车，旁边有一只白色的小狗。",
    "夏季新款男士纯棉短袖T恤，宽松大码，3件装只要99.9元！",
    "桌子上放着一台笔记本电脑、一杯咖啡和两本书；窗外是高楼。",
    "两个男孩在草地上踢足球，他们穿着蓝色和白色的球衣。",
    "2024年新款运动鞋，透气网面，轻便舒适的的的跑步鞋running shoes",
    "“约翰·史密斯”说：这条牛仔裤的颜色很好看，但是价格有点贵……",
)
ENGLISH = (
    "A man in a red shirt is riding his bicycle down the street.",
    "The price of the two computers has increased by 3.5 percent, Mr. Smith said.",
    "In order to reach an agreement, the European Union must act quickly; others disagreed.",
    "Two young boys are playing soccer on a large green field near the river.",
    "It isn't easy to find U.S.-based companies that don't sell cars, e.g. in the 1990's.",
    "The children were happily running through the fields... No. 5 of them fell down!",
)
WORDS = (
    "a the of dog dogs cat big large running run ran quickly quick in order to so as , . 2 two car automobile began "
    "start wonderful beautiful said stated not n't he they children child buses bus handful"
).split()  # noqa: SIM905 - words
PIECES = (
    *"abcsSABZM019.,'`-‘’“”\"–—…!?:;$%#&()[]{}<>/\\@*+=~^_ \t\v\f\x01\x1f\x7f\xa0　 \u2028\x85\u200béŠİßЖжԧꙮᴀΣσς",
    *"的红色裙，。、！👗🇨🇳é",
    *[
        "DOTMULTI",
        "DOTMULTI.",
        "DOT",
        "MULTI",
        "..",
        "...",
        "n't",
        "'s",
        "Mr.",
        "U.S.",
        "No.",
        "e.g.",
        "--",
        "''",
        "``",
    ],
    *[" ", " ", " ", " ", "a.b", "1,000", "dogs", "dog", "run", "running", "of the", "in order to"],
)


def mutated(rng: random.Random, parts: list[str]) -> list[str]:
    """Delete, exchange and repeat some parts."""
    parts = list(parts)
    for _ in range(rng.randrange(max(2, len(parts) // 2))):
        if not parts:
            break
        kind, first, second = rng.random(), rng.randrange(len(parts)), rng.randrange(len(parts))
        if kind < 0.4:
            del parts[first]
        elif kind < 0.7:
            parts[first], parts[second] = parts[second], parts[first]
        else:
            parts.insert(first, parts[second])
    return parts


def pairs(kind: str, count: int, seed: int = 1) -> tuple[list[str], list[list[str]]]:
    """Return predictions and references of one kind, without line breaks and "|||"."""
    rng = random.Random(f"{kind} {seed}")
    makers = {
        "chinese": of_sentences,
        "english": of_words,
        "mixed": of_mixed,
        "repetitive": of_few,
        "pieces": of_pieces,
    }
    items = [makers[kind](rng) for _ in range(count)]
    return [item[0] for item in items], [item[1] for item in items]


def of_sentences(rng):
    text = list(rng.choice(CHINESE) + rng.choice(["", rng.choice(CHINESE)]))
    return "".join(mutated(rng, text)), ["".join(mutated(rng, text)) for _ in range(rng.randrange(1, 4))]


def of_words(rng):
    words = rng.choice(ENGLISH).split(" ") + rng.sample(WORDS, 6)
    return " ".join(mutated(rng, words)), [" ".join(mutated(rng, words)) for _ in range(rng.randrange(1, 4))]


def of_mixed(rng):
    parts = [*rng.choice(CHINESE), *(f" {word} " for word in rng.choice(ENGLISH).split(" "))]
    return "".join(mutated(rng, parts)), ["".join(mutated(rng, parts)) for _ in range(rng.randrange(1, 3))]


def of_few(rng):
    words = rng.sample(WORDS, rng.randrange(1, 8))
    text = lambda: " ".join(rng.choice(words) for _ in range(rng.randrange(50)))  # noqa: E731
    return text(), [text() for _ in range(rng.randrange(1, 4))]


def of_pieces(rng):
    pieces = rng.sample(PIECES, rng.randrange(2, 25))
    text = lambda: "".join(rng.choice(pieces) for _ in range(rng.randrange(30)))  # noqa: E731
    prediction = text()
    references = [text() if rng.random() < 0.5 else "".join(mutated(rng, list(prediction))) for _ in range(2)]
    return prediction, references
