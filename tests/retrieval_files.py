"""Random files of the retrieval task, valid and broken in every way that a reader may treat differently."""

import contextlib
import json
import random

from muge_fast._internal.field_names import IMAGE_TO_TEXT, QUERY, TEXT_TO_IMAGE

FORMS = (QUERY, TEXT_TO_IMAGE, IMAGE_TO_TEXT)

# White space for Python, for JSON, for neither.
SPACES = ["", " ", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u2029", "\u3000"]
SPACES += ["\ufeff", "\x00", "\u200b"]
LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n", "\n \n", "\u2028", "\x85", "\x0c", ""]
CONSTANTS = ["true", "false", "null", "NaN", "Infinity", "-Infinity"]
NUMBERS = ["1.0", "1e0", "-0", "-0.0", "1e400", "9" * 30, "-" + "9" * 30, "9" * 4300, "9" * 4301]
NUMBERS += [str(2**61 - 1), str(2**63), "01", "+1", "0x1", "1_0"]
OTHERS = ['"1"', '""', "[]", "{}", "[1]", '{"a": 1}', "[[1]]", '"\\ud800"', '"裙"', "[" * 60 + "]" * 60, "[" * 20_000]
VALUES = CONSTANTS + NUMBERS + OTHERS
LISTS = ["[]", "null", "5", '"0123456789"', '{"0": 1}', "[NaN]", '["1"]', "[1.0, 2.0]", "[true]", "[null]", "[[1]]"]
LISTS += ["[{}]", "[1, 1, 1]", f"[{'9' * 30}]", "[1e400]", '[1, "x", null, 2.5]', "true", '""', "{}"]
WHOLE_LINES = ["", "{}", "[]", "null", "5", '"query_id item_ids"', '["query_id", "item_ids"]', "{", "#"]


class Row(list):
    """Pairs of a name and a JSON text."""

    def set(self, name, value):
        self[:] = [(key, value if key == name else old) for key, old in self]

    def get(self, name):
        return dict(self).get(name, "1")

    def items_of(self, names):
        return [str(item) for item in json.loads(self.get(names.value))]

    def text(self, rng):
        gap = rng.choice(["", " "])
        return "{" + f",{gap}".join(f"{json.dumps(name)}:{gap}{value}" for name, value in self) + "}"


def listed(items):
    return f"[{', '.join(items)}]"


def rows_of(rng, queries, names, counts):
    rows = []
    for query in queries:
        items = rng.sample(range(25), rng.choice(counts))
        row = Row([(names.id, str(query)), (names.value, json.dumps(items))])
        if rng.random() < 0.1:
            row.append(("query_text", '"连衣裙"'))
        rng.shuffle(row)
        rows.append(row)
    return rows


# Changes of a row


def change_id(rng, _, row, names):
    row.set(names.id, rng.choice([*VALUES, row.get(names.id) + ".0", f'"{row.get(names.id)}"', "true", "false"]))


def change_items(rng, _, row, names):
    row.set(names.value, rng.choice(VALUES + LISTS))


def change_item(rng, _, row, names):
    items = row.items_of(names)
    items[rng.randrange(len(items))] = rng.choice([*VALUES, "true", "false", "1", "0"])
    row.set(names.value, listed(items))


def change_count(rng, _, row, names):
    items = row.items_of(names)
    row.set(names.value, listed(rng.choice([items[:9], [*items, "77"], [*items[:9], items[0]], items * 2])))


def add_field(rng, _, row, __):
    row.append((rng.choice(["score", "text", "query_text", "item_id", ""]), rng.choice(VALUES)))


def drop_field(rng, _, row, __):
    row.pop(rng.randrange(len(row)))


def repeat_field(rng, _, row, names):
    name = rng.choice([names.id, names.value])
    row.insert(rng.randrange(len(row) + 1), (name, rng.choice([row.get(name), *VALUES])))


def rename_fields(rng, _, row, names):
    other = rng.choice(FORMS)
    renamed = {names.id: other.id, names.value: other.value}
    if rng.random() < 0.3:
        renamed.popitem()
    row[:] = [(renamed.get(key, key), value) for key, value in row]


def add_other_form(rng, _, row, __):
    other = rng.choice(FORMS)
    row += [(other.id, "1"), (other.value, "[1, 2]")]


def repeat_row(rng, rows, row, names):
    again = Row(row)
    if rng.random() < 0.7:
        again.set(names.value, rng.choice([*LISTS, *[json.dumps(rng.sample(range(25), 10))] * 40]))
    rows.insert(rng.randrange(len(rows) + 1), again)


def add_unknown_query(rng, rows, _, names):
    rows += rows_of(rng, [rng.choice([5000, -3, 2**70])], names, rng.choice([[10], [10], [3]]))


def drop_row(_, rows, row, __):
    rows.remove(row)


def drop_all(_, rows, __, ___):
    rows.clear()


CHANGES = [change_id, change_items, change_item, change_count, add_field, drop_field, repeat_field, rename_fields]
CHANGES += [add_other_form, repeat_row, repeat_row, add_unknown_query, drop_row]
GOLD_CHANGES = [change_id, change_items, change_items, drop_field, repeat_field, repeat_row, repeat_row, drop_all]


def change(rng, rows, names, changes):
    # A row that has been changed before may lack what the next change needs.
    with contextlib.suppress(ValueError, TypeError, IndexError, RecursionError):
        rng.choice(changes)(rng, rows, rng.choice(rows), names)


# Changes of lines and bytes


def change_line(rng, line):
    position = rng.randrange(len(line) + 1)
    inserted = rng.choice([*SPACES, "\r", "\n", '"', "\\", "1", "裙"])
    return rng.choice(
        [
            rng.choice(SPACES) + line,
            line + rng.choice([*SPACES, ",", "x", "}", line]),
            rng.choice(WHOLE_LINES),
            line[:position] + inserted + line[position:],
        ]
    )


def change_bytes(rng, data):
    position = rng.randrange(len(data) + 1)
    start = rng.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b" ", b"\n", b"\r"])
    broken = data[:position] + b"\xff" + data[position:]
    return rng.choice([data[:position], broken, start + data, data + b"\xe8", data + b" ", b""])


def encoded(rng, rows, changes):
    """Return the bytes of a file, with a number of changes of its lines and their ends."""
    lines = [row.text(rng) for row in rows]
    ends = [rng.choice(["\n", "\n", "\n", "\r\n", "\r"])] * len(lines)
    for _ in range(changes if lines else 0):
        index = rng.randrange(len(lines))
        if rng.random() < 0.6:
            lines[index] = change_line(rng, lines[index])
        else:
            ends[index] = rng.choice(LINE_ENDS)
    data = "".join(map("".join, zip(lines, ends, strict=True))).encode()
    return change_bytes(rng, data) if changes and rng.random() < 0.2 else data


def random_files(folder, count):
    """Yield a seed, the paths of a gold file and of a submission; about a third of the submissions are unchanged."""
    for seed in range(count):
        rng = random.Random(seed)
        names = rng.choice([QUERY, QUERY, TEXT_TO_IMAGE, TEXT_TO_IMAGE, IMAGE_TO_TEXT])
        queries = rng.sample(range(40), rng.randrange(1, 7))
        gold = rows_of(rng, queries, names, [1, 1, 2, 3])
        submission = rows_of(rng, rng.sample(queries, len(queries)), names, [10])
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            if submission:
                change(rng, submission, names, CHANGES)
        if rng.random() < 0.15:
            change(rng, gold, names, GOLD_CHANGES)
        paths = folder / "gold.jsonl", folder / "pred.jsonl"
        for path in paths:
            # Writing a new file is faster than writing to one that exists.
            path.unlink(missing_ok=True)
        paths[0].write_bytes(encoded(rng, gold, rng.random() < 0.05))
        paths[1].write_bytes(encoded(rng, submission, rng.choice([0, 0, 0, 1, 1, 2])))
        yield seed, *paths
