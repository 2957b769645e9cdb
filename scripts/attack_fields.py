"""Files of which one field after the other is changed: lengths, offsets, counts, types, and the order of blocks.

Fields of a valid file get values at the limits of their width, values close to the old one, and those of other fields;
blocks are cut, repeated and exchanged. Checksums are made to fit, so that readers go on.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple


class Field(NamedTuple):
    """A number in a file."""

    start: int
    width: int
    order: str = "little"


def number(random: Random, old: int, width: int, others: list[int]) -> int:
    """Return another value for a field of some bytes."""
    most = (1 << 8 * width) - 1
    close = old + random.choice((-1, 1, 2, 7, -8, old, 255))
    limits = (0, 1, 2, most, most - 1, most >> 1, (most >> 1) + 1, most >> 8, 1 << random.randrange(8 * width), -old)
    drawn = (close, random.choice(others), random.randrange(256), random.randrange(most + 1))
    return random.choice((*limits, *drawn)) & most


def changed(random: Random, data: bytes, fields: list[Field]) -> bytes:
    """Return a file with one to three other fields, mostly one."""
    value = bytearray(data)
    numbers = [int.from_bytes(data[field.start : field.start + field.width], field.order) for field in fields]
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        index = random.randrange(len(fields))
        field = fields[index]
        new = number(random, numbers[index], field.width, [*numbers, len(data), len(data) - field.start])
        value[field.start : field.start + field.width] = new.to_bytes(field.width, field.order)
    return bytes(value)


def shuffled(random: Random, blocks: list[bytes]) -> list[bytes]:
    """Return blocks of which some are cut out, repeated, exchanged or shortened."""
    blocks = list(blocks)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        first, second = random.randrange(len(blocks)), random.randrange(len(blocks))
        kind = random.randrange(5)
        if kind == 0 and len(blocks) > 1:
            del blocks[first]
        elif kind == 1:
            blocks.insert(second % len(blocks), blocks[first % len(blocks)])
        elif kind == 2:
            blocks[first], blocks[second] = blocks[second], blocks[first]
        elif kind == 3:
            times = min(random.choice((2, 100, 3000)), 1 + (1 << 20) // (1 + len(blocks[first])))
            blocks[first : first + 1] = [blocks[first]] * times
        else:
            blocks[first] = blocks[first][: random.randrange(len(blocks[first]) + 1)]
        if not blocks:
            return [b""]
    return blocks


# Images


def png_blocks(data: bytes) -> list[bytes]:
    """Return the chunks of a PNG file without their lengths and checksums."""
    blocks, at = [], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        blocks.append(data[at + 4 : at + 8 + length])
        at += 12 + length
    return blocks


def png(random: Random, data: bytes) -> bytes:
    """Return a PNG file with other chunks, whose checksums fit."""
    blocks = png_blocks(data)
    extra = random.choice(
        (b"tRNS", b"PLTE", b"gAMA", b"cHRM", b"iCCP", b"sRGB", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"eXIf")
    )
    if random.random() < 0.4:
        body = random.randbytes(random.choice((0, 1, 2, 4, 8, 26, 32, 200, 768)))
        blocks.insert(random.randint(1, len(blocks) - 1), extra + random.choice((body, bytes(len(body)))))
    if random.random() < 0.6:
        # Mostly the header.
        index = random.choice((0, 0, random.randrange(len(blocks))))
        block = blocks[index]
        fields = [Field(at, 4, "big") for at in range(4, len(block) - 3, 4)]
        fields += [Field(at, 1) for at in range(4, min(len(block), 40))]
        if fields:
            blocks[index] = changed(random, block, fields)
    made = data[:8]
    for block in shuffled(random, blocks):
        length = len(block) - 4 if random.random() < 0.97 else random.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF))
        made += struct.pack(">I", max(0, length)) + block + struct.pack(">I", zlib.crc32(block))
    return made


def jpeg_blocks(data: bytes) -> list[bytes]:
    """Return the segments of a JPEG file; the last one has all that follows the first start of a scan."""
    blocks, at = [data[:2]], 2
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if data[at + 1] == 0xDA:
            end = len(data)
        blocks.append(data[at:end])
        at = end
    return blocks


def jpeg(random: Random, data: bytes) -> bytes:
    """Return a JPEG file with other segments."""
    blocks = jpeg_blocks(data)
    for _ in range(random.choice((0, 1, 1, 2))):
        index = random.randrange(len(blocks))
        block = blocks[index]
        fields = [Field(at, 1) for at in range(1, min(len(block), 24))]
        fields += [Field(at, 2, "big") for at in range(2, min(len(block), 24) - 1)]
        if fields:
            blocks[index] = changed(random, block, fields)
    return b"".join(shuffled(random, blocks))


def tiff_fields(data: bytes) -> list[Field]:
    """Return the fields of the directories of a TIFF file."""
    order = "big" if data[:2] == b"MM" else "little"
    fields, offset, seen = [Field(2, 2, order), Field(4, 4, order)], int.from_bytes(data[4:8], order), set()
    while 0 < offset < len(data) - 2 and offset not in seen:
        seen.add(offset)
        count = int.from_bytes(data[offset : offset + 2], order)
        fields.append(Field(offset, 2, order))
        for at in range(offset + 2, offset + 2 + 12 * count, 12):
            fields += [Field(at, 2, order), Field(at + 2, 2, order), Field(at + 4, 4, order), Field(at + 8, 4, order)]
        offset = int.from_bytes(data[offset + 2 + 12 * count :][:4], order)
    return fields


def tiff(random: Random, data: bytes) -> bytes:
    """Return a TIFF file with other fields."""
    return changed(random, data, tiff_fields(data))


def gif(random: Random, data: bytes) -> bytes:
    """Return a GIF file with other fields of its header, extensions and frames."""
    fields = [Field(6, 2), Field(8, 2), Field(10, 1), Field(11, 1)]
    for match in re.finditer(rb"[,!]", data):
        at = match.start()
        fields += [
            Field(at + 1, 1),
            *(Field(at + step, 2) for step in (1, 3, 5, 7)),
            Field(at + 9, 1),
            Field(at + 10, 1),
        ]
    return changed(random, data + bytes(12), fields)[: len(data)]


def webp_blocks(data: bytes) -> list[bytes]:
    """Return the chunks of a WebP file."""
    blocks, at = [], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        blocks.append(data[at : at + 8 + length + length % 2])
        at += 8 + length + length % 2
    return blocks


def webp(random: Random, data: bytes) -> bytes:
    """Return a WebP file with other chunks."""
    blocks = webp_blocks(data)
    if random.random() < 0.8:
        index = random.randrange(len(blocks))
        width = len(blocks[index])
        fields = [Field(at, 1) for at in range(min(width, 44))] + [Field(at, 3) for at in range(4, min(width, 40) - 2)]
        blocks[index] = changed(random, blocks[index], fields)
    body = b"".join(shuffled(random, blocks))
    size = len(body) + 4 if random.random() < 0.9 else random.choice((0, 1, 0xFFFFFFFF, 0xFFFFFFF6, len(body)))
    return b"RIFF" + struct.pack("<I", size) + b"WEBP" + body


def bmp(random: Random, data: bytes) -> bytes:
    """Return a BMP file with other fields of its headers."""
    fields = [Field(at, 4) for at in (2, 10, 14, 18, 22, 30, 34, 38, 42, 46, 50)] + [Field(26, 2), Field(28, 2)]
    made = bytearray(changed(random, data, fields))
    if random.random() < 0.5:
        struct.pack_into("<I", made, 14, random.choice((12, 16, 40, 52, 56, 64, 108, 124)))
        struct.pack_into("<H", made, 28, random.choice((0, 1, 2, 4, 8, 16, 24, 32)))
        struct.pack_into("<I", made, 30, random.choice((0, 1, 2, 3, 4, 5, 6)))
    return bytes(made)


IMAGES: dict[str, Callable[[Random, bytes], bytes]] = {
    "PNG": png,
    "JPEG": jpeg,
    "TIFF": tiff,
    "GIF": gif,
    "WEBP": webp,
    "BMP": bmp,
}
"""Changes of fields, by Pillow's names of formats."""

# Archives and arrays


def zip_fields(data: bytes) -> list[Field]:
    """Return the fields of the headers of a zip archive."""
    widths = {
        b"PK\3\4": (4, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2),
        b"PK\1\2": (4, 2, 2, 2, 2, 2, 2, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4),
        b"PK\5\6": (4, 2, 2, 2, 2, 4, 4, 2),
        b"PK\6\6": (4, 8, 2, 2, 4, 4, 8, 8, 8, 8),
        b"PK\6\7": (4, 4, 8, 4),
    }
    fields = []
    for match in re.finditer(rb"PK(\x03\x04|\x01\x02|\x05\x06|\x06\x06|\x06\x07)", data):
        at = match.start()
        for width in widths[match[0]]:
            fields.append(Field(at, width))
            at += width
    return [field for field in fields if field.start + field.width <= len(data)]


def archive(random: Random, data: bytes) -> bytes:
    """Return a zip archive with other fields."""
    return changed(random, data, zip_fields(data))


TYPES = (
    "<f4", ">f4", "<f8", "|b1", "|u1", "<i8", ">i8", "<U1", "<U0", "|S0", "|V0", "|V8", "<U1000000000", "|O", "<M8[s]",
    "<c16", "<f2", "<m8", "", "f", "<f4,<f4", "<f1000", "|S2147483647",
)  # fmt: skip
SHAPES = (
    "()", "(0,)", "(4,)", "(-1,)", "(4, -3)", "(-4, -3)", "(4, 3)", "(3, 4)", "(12,)", "(1, 12)", "(2, 2, 3)",
    "(9223372036854775807,)", "(18446744073709551616,)", "(4294967296, 4294967296)", "(0, 9223372036854775807)",
    "(1" + ", 1" * 40 + ", 12)", "(4.0, 3)", "(True, 12)", "4", "[4, 3]", "None", "(4, 3", "('4', 3)",
    "(1" + "0" * 4000 + ",)",
    "(" * 90 + ")" * 90,
)  # fmt: skip


def npy(random: Random, data: bytes) -> bytes:
    """Return an ``.npy`` file with another header."""
    size = int.from_bytes(data[8:10], "little")
    header, body = data[10 : 10 + size].decode(), data[10 + size :]
    kind = random.randrange(6)
    if kind == 0:
        header = re.sub("'descr': '[^']*'", lambda _: f"'descr': {random.choice(TYPES)!r}", header)
    elif kind == 1:
        header = re.sub(r"'shape': \([^)]*\)", lambda _: f"'shape': {random.choice(SHAPES)}", header)
    elif kind == 2:
        new = random.choice(("True", "1", "None", "'yes'", "[]", "-1"))
        header = re.sub("'fortran_order': False", f"'fortran_order': {new}", header)
    elif kind == 3:
        header = random.choice(
            ("{}", "[]", "1", "{" * 200, "'" * 9, header * 2, header + "x", header[:9], "\0" * 9, "(" * 9000)
        )
        header = random.choice((header, header.replace("'shape'", "'shape', 'more'"), header.replace("{", "{'x': 1, ")))
    elif kind == 4:
        body = random.choice((b"", body[:-1], body + b"x", body * 1000))
    encoded = header.encode()
    length = len(encoded) if random.random() < 0.9 else random.choice((0, 1, 65535, len(encoded) - 1))
    version = data[6:8] if random.random() < 0.9 else random.choice((b"\2\0", b"\3\0", b"\4\0", b"\0\0", b"\1\1"))
    width = "<I" if version >= b"\2\0" else "<H"
    return data[:6] + version + struct.pack(width, length & 0xFFFF) + encoded + body


# Tables


def varints(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the first byte, the end and the value of all that may be a number of variable length."""
    at = 0
    while at < len(data):
        end = at
        while end < len(data) - 1 and data[end] & 128:
            end += 1
        end += 1
        yield at, end, sum((byte & 127) << 7 * index for index, byte in enumerate(data[at:end]))
        at = end


def varint(value: int) -> bytes:
    """Return a number of variable length."""
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def thrift(random: Random, data: bytes) -> bytes:
    """Return a header in Thrift's format with another number, type or length."""
    spans = list(varints(data))
    for _ in range(random.choice((1, 1, 2))):
        start, end, old = random.choice(spans)
        width = random.choice((1, 2, 4, 8))
        new = number(random, old, width, [value for _, _, value in spans])
        if random.random() < 0.5:
            # Signed numbers have their sign in the lowest bit.
            new = (new << 1) ^ -random.randrange(2) & ((1 << 64) - 1)
        data = data[:start] + varint(new) + data[end:]
        spans = list(varints(data))
    return data


def parquet(random: Random, data: bytes) -> bytes:
    """Return a Parquet file with another number in its footer or in the header of a page."""
    length = int.from_bytes(data[-8:-4], "little")
    body, footer = data[: -8 - length], data[-8 - length : -8]
    if random.random() < 0.7:
        footer = thrift(random, footer)
    else:
        # Headers of pages begin with their type, the numbers of unpacked and packed bytes.
        starts = [match.start() for match in re.finditer(rb"\x15[\x00-\x06]\x15", body)] or [4]
        start = random.choice(starts)
        body = body[:start] + thrift(random, body[start : start + 24]) + body[start + 24 :]
    size = len(footer) if random.random() < 0.95 else number(random, len(footer), 4, [len(data)])
    return body + footer + struct.pack("<I", size) + b"PAR1"


def arrow(random: Random, data: bytes) -> bytes:
    """Return an Arrow file with another number in its footer or in the header of a message."""
    length = int.from_bytes(data[-10:-6], "little")
    spans = [(len(data) - 10 - length, len(data) - 6)]
    for match in re.finditer(rb"\xff\xff\xff\xff", data):
        size = int.from_bytes(data[match.end() : match.end() + 4], "little")
        if size < len(data):
            spans.append((match.start(), min(len(data), match.end() + 4 + size)))
    start, end = random.choice(spans)
    width = random.choice((1, 2, 4, 4, 8))
    fields = [Field(at, width) for at in range(start, end - width + 1, min(width, 4))]
    # Zeros fill most of a header.
    used = [field for field in fields if any(data[field.start : field.start + width])]
    return changed(random, data, used or fields)


# Weights


def weights(random: Random, data: bytes) -> bytes:
    """Return a file of ``torch.save`` with other numbers in its pickle, or in its archive."""
    import zipfile  # noqa: PLC0415 - only here

    if random.random() < 0.3:
        return archive(random, data)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename.endswith("data.pkl"):
                for _ in range(random.choice((1, 2, 3))):
                    # Small numbers, numbers of 4 bytes, and text.
                    places = [match.start() for match in re.finditer(rb"[KMJXq\x85\x86\x87tNR]", content[:-1])]
                    at = random.choice(places) + random.choice((0, 1, 1, 1, 2))
                    new = random.choice((b"\0", b"\xff", b"\x7f", b"\x80", bytes([random.randrange(256)])))
                    content = content[:at] + new * random.choice((1, 1, 4)) + content[at + 1 :]
            elif random.random() < 0.1:
                content = random.choice((b"", content[:-1], content * 2))
            target.writestr(member.filename if random.random() < 0.97 else "x/" + member.filename, content)
    return file.getvalue()
