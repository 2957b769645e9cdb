"""The PTB tokenizer of pycocoevalcap in plain Python: the automaton of `PTBLexer.class`, and its 54 actions."""

import re
import struct
from functools import cache
from itertools import accumulate

from muge_fast._internal.coco_files import coco_file, jar_entries

ARCHIVE = "tokenizer/stanford-corenlp-3.4.1.jar"
CLASS_FILE = "edu/stanford/nlp/process/PTBLexer.class"

PUNCTUATION = {"''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", *".?!,:-;", "--", "..."}
LOOKAHEAD = {24: (13, 14), 30: (3, 4), 40: (5, 6), 41: (16, 17), 43: (15, 14), 44: (9, 10), 47: (7, 8), 49: (11, 12)}
GIVEN_BACK = {**dict.fromkeys([25, 26, 32, 33, 34, 36, 46, 47, 49, 51], 1), 42: 2, 48: 2, 50: 3, 53: 4}
FIXED = {2: "<", 10: ">", 11: "--", 13: "...", 5: "*NL*"}
FIXED |= {16: "-RCB-", 17: "-LRB-", 18: "-RRB-", 20: "-LCB-", 21: "-RSB-", 22: "-LSB-"}
PARENTHESES = {"(": "-LRB-", ")": "-RRB-"}
FRACTIONS = {"¼": "1/4", "½": "1/2", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
CURRENCIES = {"¢": "cents", "£": "#", "\x80": "$", "¤": "$", "\u20a0": "$", "€": "$"}
TABLES = {14: FRACTIONS, 15: CURRENCIES, 28: PARENTHESES, 34: PARENTHESES, 54: PARENTHESES}
SIZES = {1: None, 3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 18: 4}


def packed_strings(data):
    """Return the string of each static field that has one."""
    (count,), position, pool, index = struct.unpack_from(">H", data, 8), 10, {}, 1
    while index < count:
        tag, start = data[position], position + 1
        if tag == 1:
            (length,) = struct.unpack_from(">H", data, start)
            pool[index], position = data[start + 2 : start + 2 + length], start + 2 + length
        else:
            pool[index], position = (tag, struct.unpack_from(">H", data, start)[0]), start + SIZES[tag]
        index += 2 if tag in {5, 6} else 1
    (interfaces,) = struct.unpack_from(">H", data, position + 6)
    position += 8 + 2 * interfaces
    (fields,) = struct.unpack_from(">H", data, position)
    position, strings = position + 2, {}
    for _ in range(fields):
        _, name, _, attributes = struct.unpack_from(">4H", data, position)
        position += 8
        for _ in range(attributes):
            kind, length = struct.unpack_from(">HI", data, position)
            (value,) = struct.unpack_from(">H", data, position + 6)
            if pool[kind] == b"ConstantValue" and isinstance(pool[value], tuple) and pool[value][0] == 8:
                text = pool[pool[value][1]].replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
                strings[pool[name].decode()] = [ord(character) for character in text]
            position += 6 + length
    return strings


def runs(packed):
    return [value for count, value in zip(packed[::2], packed[1::2], strict=True) for _ in range(count)]


@cache
def automaton():
    (data,) = jar_entries(coco_file(ARCHIVE, purpose="the oracle"), [CLASS_FILE])
    strings = packed_strings(data)
    rows = strings["ZZ_ROWMAP_PACKED_0"]
    transitions = [unit for part in range(9) for unit in strings[f"ZZ_TRANS_PACKED_{part}"]]
    return (
        runs(strings["ZZ_CMAP_PACKED"]),
        [high << 16 | low for high, low in zip(rows[::2], rows[1::2], strict=True)],
        [value - 1 for value in runs(transitions)],
        runs(strings["ZZ_ACTION_PACKED_0"]),
        runs(strings["ZZ_ATTRIBUTE_PACKED_0"]),
    )


def units(text):
    """Return a text as one character for each UTF-16 unit, as Java has it."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(data) // 2}H", data)))


def characters(text):
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\ufffd", "?")


def step(state, unit):
    classes, rows, transitions, _, _ = automaton()
    return transitions[rows[state] + classes[ord(unit)]]


def accepts(state):
    return state >= 0 and automaton()[4][state] & 1 == 1


def longest(text, start):
    state, found = 2, None
    for end in range(start, len(text)):
        state = step(state, text[end])
        if state < 0:
            break
        if accepts(state):
            found = automaton()[3][state], end + 1
    return found


def split_lookahead(matched, forward, backward):
    run = lambda state, unit: step(state, unit) if state >= 0 else -1  # noqa: E731
    ends = list(accumulate(matched, run, initial=forward))
    length = len(matched)
    while not (accepts(ends[length]) and accepts(backward)):
        length -= 1
        backward = step(backward, matched[length])
    return length


def replaced(text, table):
    return "".join(table.get(character, character) for character in text)


def quotes(text, *, left):
    text = text.replace("&apos;", "'").replace("'", "`" if left else "'")
    text = text.replace("&quot;", '"').replace('"', "``" if left else "''")
    for pattern, mark in (("[\x91‘‛‹]", "`"), ("[\x92’›]", "'"), ("[\x93“«]", "``"), ("[\x94”»]", "''")):
        text = re.sub(pattern, mark, text)
    return text


def token_at(text, start):
    """Return the token at a position, None for none, and where the next match begins."""
    action, end = longest(text, start)
    if action in LOOKAHEAD:
        end = start + split_lookahead(text[start:end], *LOOKAHEAD[action])
        if action in {44, 47}:
            end = start + len(text[start:end].rstrip(" \t\n\v\f\r\x85"))
    if action == 35:
        end = start + 1
    matched = text[start:end]
    end -= GIVEN_BACK.get(action, 0)
    if action in {1, 7, 23}:
        return None, end
    if action in {33, 49} or (action == 47 and len(matched) != 2):
        return matched, end
    return token_text(action, text[start:end]), end


def token_text(action, text):
    if action in FIXED or (action == 4 and len(text) in {3, 4}):
        return FIXED.get(action, "--")
    if action in {6, 12, 29, 30, 32, 40, 46}:
        return text.replace("\xad", "") or "-"
    if action in {8, 36, 26, 35}:
        return quotes(text, left=action in {26, 35})
    if action in {37, 51}:
        return re.sub("(?i)&amp;", "&", text)
    text = replaced(text, TABLES.get(action, {}))
    return text.replace(" ", "\xa0") if action in {27, 38, 39, 54} else text


def tokens(text):
    text, position = units(text), 0
    while position < len(text):
        token, position = token_at(text, position)
        if token is not None:
            yield characters(token)


def lower(text):
    """Return lower case as in Java, where digits and some punctuation between letters belong to the word of a sigma."""
    part = r"(?:[^\W_]|[\u0300-\u036f\u0483-\u0489\u1dc0-\u1dff\u200b-\u200f\u20d0-\u20ff\ufe00-\ufe0f\ufeff])+"
    words = re.compile(rf"{part}(?:(?<!\d)[-_\"'.\xad\u2010-\u2015](?!\d){part})*")
    cased = lambda part: any(character.islower() or character.isupper() for character in part)  # noqa: E731
    result = "".join(character if character == "Σ" else character.lower() for character in text)
    for word in words.finditer(text):
        for index in [index for index in range(word.start(), word.end()) if text[index] == "Σ"]:
            is_final = cased(text[word.start() : index]) and not cased(text[index + 1 : word.end()])
            result = result.replace("Σ", "ς" if is_final else "σ", 1)
    return result


def printed(text):
    """Return what the program in Java prints for a text."""
    words = [*tokens(text)]
    gaps = ["" if before == "*NL*" else " " for before in ["*NL*", *words]]
    return "".join("\n" if word == "*NL*" else gap + lower(word) for gap, word in zip(gaps, words, strict=False))


def caption_lines(captions):
    """Return the lines that pycocoevalcap has for captions."""
    lines = printed("\n".join(caption.replace("\n", " ") for caption in captions)).split("\n")
    return [" ".join(word for word in line.rstrip().split(" ") if word not in PUNCTUATION) for line in lines]


def caption_tokens(caption):
    """Return the tokens of one caption alone, on one line."""
    found = [lower(word) for word in tokens(caption.replace("\n", " ")) if word != "*NL*"]
    return [word for word in found if word not in PUNCTUATION]
