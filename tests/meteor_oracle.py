"""METEOR in plain Python: slow and short. Words are given, and what is known of them."""

import re
from dataclasses import dataclass, field, replace

ALPHA_CLASS = "A-Za-zÀ-ÖØ-öø-žЀ-ӿԀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ"
ALNUM_CLASS = "0-9" + ALPHA_CLASS
WEIGHTS = (1.0, 0.6, 0.8, 0.6)


def normalize(text: str, prefixes: dict[str, bool]) -> list[str]:
    """Return the words of a text; a prefix is true if it keeps its dot before numbers alone."""
    line = " " + text.strip("".join(map(chr, range(33)))) + " "
    line = re.sub(rf"([^{ALNUM_CLASS} \t\n\v\f\r.'`,\-‘’])", r" \1 ", line)
    line = re.sub(r"\.(\.+)", r" DOTMULTI\1", line)
    while "DOTMULTI." in line:
        line = re.sub(r"DOTMULTI\.([^.])", r"DOTDOTMULTI \1", line, flags=re.DOTALL)
        line = line.replace("DOTMULTI.", "DOTDOTMULTI")
    for pattern in ("([^0-9]),([^0-9])", "([0-9]),([^0-9])", "([^0-9]),([0-9])"):
        line = re.sub(pattern, r"\1 , \2", line)
    line = re.sub("“|”|''", ' " ', re.sub("[`‘’]", "'", line))
    line = line.replace("–", "-").replace("--", "-")
    line = re.sub(rf"([{ALNUM_CLASS}.])-([{ALNUM_CLASS}])", r"\1 \2", line)
    for pattern, replacement in (
        (rf"([^{ALPHA_CLASS}])'([^{ALPHA_CLASS}])", r"\1 ' \2"),
        (rf"([^{ALNUM_CLASS}])'([{ALPHA_CLASS}])", r"\1 ' \2"),
        (rf"([{ALPHA_CLASS}])'([^{ALPHA_CLASS}])", r"\1 ' \2"),
        (rf"([{ALPHA_CLASS}])'([{ALPHA_CLASS}])", r"\1 '\2"),
        ("([0-9])'(s)", r"\1 '\2"),
    ):
        line = re.sub(pattern, replacement, line)
    words = [word for word in re.split("[ \t\n\r\f]", line) if word]
    line = "".join(with_dot(word, after, prefixes) + " " for word, after in zip(words, [*words, ""][1:], strict=True))
    while "DOTDOTMULTI" in line:
        line = line.replace("DOTDOTMULTI", "DOTMULTI.")
    line = re.sub("[ \xa0\u2000-\u200a\u202f\u205f\u3000]+", " ", line.replace("DOTMULTI", "."))
    line = "".join(char.lower() for char in line.strip("".join(map(chr, range(33)))))
    return [word for word in re.split("[ \t\n\r\f]", line) if word]


def with_dot(word: str, after: str, prefixes: dict[str, bool]) -> str:
    if len(word) < 2 or not word.endswith("."):
        return word
    before = word[:-1]
    if "." in before and re.search(f"[{ALPHA_CLASS}]", before):
        return word.replace(".", "")
    keeps = prefixes.get(before) is False or re.match("[a-z]", after)
    return word if keeps or (prefixes.get(before) and re.match("[0-9]", after)) else before + " ."


@dataclass(frozen=True)
class Match:
    module: int
    start: int
    length: int
    prediction_start: int
    prediction_length: int


@dataclass
class Path:
    words: int = 0
    chunks: int = 0
    distance: int = 0
    next: int = 0
    last_end: int = -1
    taken: dict[int, Match] = field(default_factory=dict)
    used: frozenset = frozenset()

    def rank(self):
        return -self.words, self.chunks, self.distance

    def take(self, match: Match):
        half = [length if match.module == 0 else length // 2 for length in (match.length, match.prediction_length)]
        self.words += sum(half)
        self.chunks += self.last_end not in (-1, match.prediction_start)
        self.next = match.start + match.length
        self.last_end = match.prediction_start + match.prediction_length
        self.taken = self.taken | {match.start: match}
        self.used = self.used | covered(match)

    def skip(self):
        self.chunks += self.last_end != -1
        self.last_end = -1
        self.next += 1


def covered(match: Match) -> frozenset:
    """Return the words of both texts that a match covers."""
    reference = {("reference", match.start + offset) for offset in range(match.length)}
    return frozenset(reference | {("prediction", match.prediction_start + n) for n in range(match.prediction_length)})


def align(length: int, matches: list[Match]) -> list[Match]:
    """Return the matches that the original's search takes, from their list in the order in which they are found."""
    at = [[match for match in matches if match.start == index] for index in range(length)]
    count = {word: sum(word in covered(match) for match in matches) for match in matches for word in covered(match)}
    fixed = {i: m[0] for i, m in enumerate(at) if len(m) == 1 and all(count[word] == 1 for word in covered(m[0]))}
    paths = [Path(used=frozenset().union(*map(covered, fixed.values())))]
    for index in range(length):
        after = []
        for path in sorted(paths, key=Path.rank)[:40]:
            if path.next > index:
                after.append(path)
            elif index in fixed:
                path.take(fixed[index])
                path.distance += abs(fixed[index].start - fixed[index].prediction_start)
                after.append(path)
            else:
                for match in at[index]:
                    if not covered(match) & path.used:
                        longer = replace(path)
                        longer.take(match)
                        # Counts for what is made from the path later, and not for the copy.
                        path.distance += abs(match.start - match.prediction_start)
                        after.append(longer)
                path.skip()
                after.append(path)
        paths = after
    paths = sorted(paths, key=Path.rank)[:40]
    for path in paths:
        path.chunks += path.last_end != -1
    return sorted(min(paths, key=Path.rank).taken.values(), key=lambda match: match.start)


Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """What is known of words: function words, stems, sets of synonyms, and paraphrases in the order of their file."""

    functions: frozenset[str]
    stems: dict[str, str]
    sets: dict[str, set[int]]
    paraphrases: list[tuple[Phrase, Phrase]]


def find_matches(prediction: list[str], reference: list[str], language: Language) -> list[Match]:
    """Return all matches in the order in which the original finds them."""

    def single(module, holds):
        pairs = [(start, place) for start in range(len(reference)) for place in range(len(prediction))]
        words = [(start, place, reference[start], prediction[place]) for start, place in pairs]
        return [Match(module, start, 1, place, 1) for start, place, one, other in words if holds(one, other)]

    stem = lambda word: language.stems.get(word, word)  # noqa: E731
    known = lambda word: language.sets.get(word, set())  # noqa: E731
    matches = single(0, lambda one, other: one == other)
    if prediction == reference:
        return matches
    matches += single(1, lambda one, other: one != other and stem(one) == stem(other))
    matches += single(2, lambda one, other: one != other and bool(known(one) & known(other)))
    matches += [Match(3, *found, *other) for found, other in find_phrases(reference, prediction, language)]
    return matches + [Match(3, *found, *other) for other, found in find_phrases(prediction, reference, language)]


def find_phrases(source: list[str], target: list[str], language: Language) -> list[tuple[tuple[int, int], ...]]:
    """Return start and length of each phrase of one text, and of each place of its paraphrases in the other one."""
    found = []
    for start in range(len(source)):
        for length in range(1, len(source) - start + 1):
            phrase = tuple(source[start : start + length])
            for other in [other for known, other in language.paraphrases if known == phrase]:
                places = [place for place in range(len(target)) if tuple(target[place : place + len(other)]) == other]
                found += [((start, length), (place, len(other))) for place in places]
    return found


def row(prediction: list[str], reference: list[str], language: Language) -> list[float]:
    """Return the row of two texts."""
    taken = align(len(reference), find_matches(prediction, reference, language))
    is_function = lambda words: [word in language.functions for word in words]  # noqa: E731
    counts = [0] * 16
    chunks, end = 0, None
    for match in taken:
        sides = (prediction, match.prediction_start, match.prediction_length), (reference, match.start, match.length)
        for side, (words, start, length) in enumerate(sides):
            of_function = sum(is_function(words[start : start + length]))
            counts[4 * match.module + side] += length - of_function
            counts[4 * match.module + 2 + side] += of_function
        chunks += end != (match.start, match.prediction_start)
        end = match.start + match.length, match.prediction_start + match.prediction_length
    sums = [sum(counts[side::2]) for side in (0, 1)]
    functions = [sum(is_function(words)) for words in (prediction, reference)]
    return [len(prediction), len(reference), *functions, *counts, chunks, *sums]


def exact_row(prediction: list[str], reference: list[str], functions: set[str]) -> list[float]:
    """Return the row of two texts in which words match if they are equal."""
    matches = [
        Match(0, start, 1, place, 1)
        for start, word in enumerate(reference)
        for place, other in enumerate(prediction)
        if word == other
    ]
    taken = align(len(reference), matches)
    function = sum(reference[match.start] in functions for match in taken)
    content = len(taken) - function
    follows = {(match.start + 1, match.prediction_start + 1) for match in taken}
    chunks = sum((match.start, match.prediction_start) not in follows for match in taken)
    counts = [sum(word in functions for word in text) for text in (prediction, reference)]
    lengths = [len(prediction), len(reference), *counts]
    return [*lengths, content, content, function, function, *[0] * 12, chunks, len(taken), len(taken)]


def score(row: list[float]) -> float:
    """Return METEOR of a row."""
    sides = []
    for side in (0, 1):
        length = 0.75 * (row[side] - row[2 + side]) + (1 - 0.75) * row[2 + side]
        content = [row[4 + 4 * module + side] * weight * 0.75 for module, weight in enumerate(WEIGHTS)]
        function = [row[6 + 4 * module + side] * weight * (1 - 0.75) for module, weight in enumerate(WEIGHTS)]
        matched = 0.0
        for value in content + function:
            matched += value
        sides.append((matched, length, sum(row[4 + 4 * m + side] + row[6 + 4 * m + side] for m in range(4))))
    (precise, length, all_words), (recalled, reference_length, all_reference) = sides
    if not precise or not recalled:
        return 0.0
    mean = 1.0 / ((1.0 - 0.85) / (precise / length) + 0.85 / (recalled / reference_length))
    perfect = all_words == row[0] and all_reference == row[1] and row[20] == 1
    fragmentation = 0 if perfect else row[20] / ((row[21] + row[22]) / 2)
    return mean * (1.0 - 0.6 * fragmentation**0.2)
