"""The rules of published evaluations of answers, restated in plain Python from their sources.

- ``vqa_v2``: ``vqaEval.py`` of github.com/GT-Vision-Lab/VQA, a013f00.
- ``evalai``: ``m4c_evaluators.py`` of github.com/facebookresearch/mmf, 2dc099a.
- ``vlmevalkit``, ``anls_inclusive``, ``exact`` and ``contains``: ``vqa_eval.py``, ``misc.py`` and ``image_vqa.py`` of
  github.com/open-compass/VLMEvalKit.
- ``char_f1``: ``mlqa_evaluation_v1.py`` of github.com/facebookresearch/MLQA, 5ef5c73, for Chinese.
- ``anls``: the package anls 0.0.2.

Contractions are read from the table of the package, which a test compares with a recorded hash.
"""

import re
import string
import sys
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

MARKS = ';/[]"{}()=+\\_-><@`,?!'
NUMBERS = dict(
    zip(
        ["none", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        [0, *range(11)],
        strict=True,
    )
)
TABLE = Path(__file__).parent.parent / "rust" / "src" / "vqa" / "contractions.rs"
CONTRACTIONS = dict(re.findall(r'^    \("(.*)", "(.*)"\),$', TABLE.read_text(encoding="utf-8"), re.MULTILINE))


def without_marks(text: str, points: str, commas: str = r"\d,\d") -> str:
    result = text
    for mark in MARKS:
        is_removed = f"{mark} " in text or f" {mark}" in text or re.search(commas, text) is not None
        result = result.replace(mark, "" if is_removed else " ")
    return re.sub(points, "", result, count=32)


def words(text: str) -> str:
    kept = [str(NUMBERS.get(word, word)) for word in text.lower().split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in kept if word not in {"a", "an", "the"})


def one_line(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def normalize_vqa(text: str) -> str:
    return words(without_marks(one_line(text), r"\.(?!\d)"))


def normalize_evalai(text: str) -> str:
    text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return words(without_marks(one_line(text), r"\.(?!\d)"))


def normalize_vlmevalkit(text: str) -> str:
    return words(without_marks(one_line(text), r"(?<!\d)\.(?!\d)"))


def agreement(prediction: str, answers: list[str]) -> float:
    accuracies = []
    for index in range(len(answers)):
        others = answers[:index] + answers[index + 1 :]
        accuracies.append(min(1, others.count(prediction) / 3))
    total = 0.0
    for accuracy in accuracies:
        total += accuracy
    return total / len(accuracies)


def vqa_v2(prediction: str, answers: list[str]) -> float:
    prediction, answers = one_line(prediction), [one_line(answer) for answer in answers]
    if len(set(answers)) > 1:
        prediction, answers = normalize_vqa(prediction), [normalize_vqa(answer) for answer in answers]
    return agreement(prediction, answers)


def evalai(prediction: str, answers: list[str]) -> float:
    assert len(answers) == 10
    return agreement(normalize_evalai(prediction), [normalize_evalai(answer) for answer in answers])


def vlmevalkit(prediction: str, answers: list[str]) -> float:
    return agreement(normalize_vlmevalkit(prediction), [normalize_vlmevalkit(answer) for answer in answers])


def levenshtein(left: str, right: str) -> int:
    above = list(range(len(right) + 1))
    for row, a in enumerate(left, 1):
        current = [row]
        for column, b in enumerate(right, 1):
            current.append(min(above[column - 1] + (a != b), above[column] + 1, current[-1] + 1))
        above = current
    return above[-1]


def collapsed(text: str) -> str:
    return " ".join(text.strip().lower().split())


def anls(prediction: str, answers: list[str]) -> float:
    best = 0.0
    for answer in map(collapsed, answers):
        length = max(len(collapsed(prediction).upper()), len(answer.upper()))
        distance = levenshtein(collapsed(prediction), answer) / length if length else 0.0
        best = max(best, 1 - distance if distance < 0.5 else 0.0)
    return best


def anls_inclusive(prediction: str, answers: list[str]) -> float:
    distances = []
    for answer in map(collapsed, answers):
        length = max(len(collapsed(prediction)), len(answer))
        distances.append(levenshtein(collapsed(prediction), answer) / length if length else 0.0)
    similarity = 1 - min(distances)
    return 0.0 if similarity < 0.5 else similarity


def exact(prediction: str, answers: list[str]) -> float:
    return float(any(answer.strip().lower() == prediction.strip().lower() for answer in answers))


def contains(prediction: str, answers: list[str]) -> float:
    def prepared(text: str) -> str:
        return text.strip().lower().replace(".", "")

    return float(any(prepared(answer) in prepared(prediction) for answer in answers))


@cache
def punctuation() -> frozenset[str]:
    every = (chr(point) for point in range(sys.maxunicode))
    return frozenset(c for c in every if unicodedata.category(c).startswith("P")) | set(string.punctuation)


def tokens(text: str) -> list[str]:
    plain = "".join(c for c in text.lower() if c not in punctuation())
    return re.sub(r"([\u4e00-\u9fa5])", r" \1 ", plain).split()


def char_f1(prediction: str, answers: list[str]) -> float:
    best = 0.0
    for answer in answers:
        predicted, expected = tokens(prediction), tokens(answer)
        common = sum((Counter(predicted) & Counter(expected)).values())
        if common:
            precision, recall = common / len(predicted), common / len(expected)
            best = max(best, (2 * precision * recall) / (precision + recall))
    return best


ORIGINALS = {
    "vqa-v2": vqa_v2,
    "evalai": evalai,
    "vlmevalkit": vlmevalkit,
    "anls": anls,
    "anls-inclusive": anls_inclusive,
    "exact": exact,
    "contains": contains,
    "char-f1": char_f1,
}
