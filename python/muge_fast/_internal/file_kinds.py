"""Recognition of files that are not what a reader expects, by their first bytes, for all readers.

A reader first asks :func:`binary_kind` and, if it expects JSON Lines and cannot read them, :func:`text_kind`. Both
return a code, for which :func:`kind_message` has one sentence: what the file is, and what to do.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection

from muge_fast._internal.json_text import is_json_prefix, parse_json

HEAD_BYTES = 1 << 16
"""Number of bytes at the beginning of a file that are enough to recognize it."""

PANDAS = "df.to_json(path, orient='records', lines=True, force_ascii=False)"

# Messages in English and Chinese: text instead of JSON Lines, then all files. Placeholders: {row} is an example of a
# row, {jq} a program for the command jq.
TEXT_KINDS: dict[str, tuple[str, str]] = {
    "json_array": (
        "the file is a JSON array, expected JSON Lines: write one object per line, for example with jq -c '{jq}'",
        "文件是 JSON 数组，应为 JSON Lines：每行写一个对象，例如使用 jq -c '{jq}'",
    ),
    "json_mapping": (
        "the file is one JSON object, perhaps with ids as keys, expected one per line: convert it with jq -c '{jq}'",
        "文件是单个 JSON 对象（可能以 ID 为键），应为 JSON Lines：每行写一个对象，例如使用 jq -c '{jq}'",
    ),
    "json_columns": (
        f"the file is one JSON object of columns, expected one object per row: {PANDAS} of pandas writes them",
        f"文件是按列组织的单个 JSON 对象，应每行写一个对象：pandas 可用 {PANDAS}",
    ),
    "json_wrapper": (
        "the rows are in a list inside of one JSON object, expected one per line: convert the file with jq -c '{jq}'",
        "各行位于单个 JSON 对象内的列表中，应每行写一个对象：请用 jq -c '{jq}' 转换文件",
    ),
    "json_strings": (
        "the lines are JSON strings, expected objects: json.dumps was applied twice, apply it once",
        "各行是 JSON 字符串，应为对象：请勿重复使用 json.dumps",
    ),
    "prefixed_rows": (
        "the lines have text before the JSON object, such as a number or a time; write the object alone",
        "各行的 JSON 对象前有其他文本（如行号或时间），请只写对象本身",
    ),
    "pretty_json": (
        "each JSON object takes several lines, expected one per line: convert the file with jq -c '{jq}'",
        "每个 JSON 对象占用多行，应为 JSON Lines：每行写一个对象，例如使用 jq -c '{jq}'",
    ),
    "coco": (
        "the file is a COCO annotation file, expected JSON Lines: write one object per line, {row}",
        "文件是 COCO 标注文件，应为 JSON Lines：每行写一个对象 {row}",
    ),
    "one_line": (
        "several JSON objects are in one line, expected one per line: convert the file with jq -c '{jq}'",
        "多个 JSON 对象写在同一行，应每行一个：请用 jq -c '{jq}' 转换文件",
    ),
    "comma_lines": (
        "the lines end in commas, as in a JSON array; write one JSON object per line, without commas",
        "各行以逗号结尾（如同 JSON 数组），应每行写一个 JSON 对象，不加逗号",
    ),
    "carriage_returns": (
        "the lines end in carriage returns alone; save the file with line feeds, for example with tr '\\r' '\\n'",
        "各行仅以回车符结尾，请改用换行符，例如使用 tr '\\r' '\\n'",
    ),
    "markdown": (
        "the file starts with a code fence of Markdown; remove the lines with ```",
        "文件以 Markdown 代码块标记开头，请删除含有 ``` 的行",
    ),
    "python_rows": (
        "the rows are Python dictionaries, expected JSON: write each with json.dumps(row, ensure_ascii=False)",
        "各行是 Python 字典，应为 JSON：请用 json.dumps(row, ensure_ascii=False) 写出每行",
    ),
    "csv": (
        "the file looks like CSV, expected JSON Lines: write one object per line, {row}",
        "文件看起来是 CSV，应为 JSON Lines：每行写一个对象 {row}",
    ),
    "tsv": (
        "the file looks like a TSV of ids and texts, expected JSON Lines: write one object per line, {row}",
        "文件看起来是 ID 与文本的 TSV，应为 JSON Lines：每行写一个对象 {row}",
    ),
    "image_tsv": (
        "the file looks like a TSV of images in base64, expected JSON Lines: write one object per line, {row}",
        "文件看起来是 base64 图像的 TSV，应为 JSON Lines：每行写一个对象 {row}",
    ),
    "trec": (
        "the file looks like a TREC run, expected JSON Lines: write one object per line, {row}",
        "文件看起来是 TREC 格式的结果，应为 JSON Lines：每行写一个对象 {row}",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **TEXT_KINDS,
    # Encodings
    "utf16": (
        "the file is encoded in UTF-16; save it as UTF-8, for example with iconv -f UTF-16 -t UTF-8 (or -f UTF-16BE)",
        "文件采用 UTF-16 编码，请另存为 UTF-8，例如使用 iconv -f UTF-16 -t UTF-8（或 -f UTF-16LE、UTF-16BE）",
    ),
    "utf32": (
        "the file is encoded in UTF-32; save it as UTF-8, for example with iconv -f UTF-32 -t UTF-8",
        "文件采用 UTF-32 编码，请另存为 UTF-8，例如使用 iconv -f UTF-32 -t UTF-8",
    ),
    "bom": (
        "the file starts with a byte order mark; save it as UTF-8 without BOM",
        "文件以字节顺序标记（BOM）开头，请另存为不带 BOM 的 UTF-8",
    ),
    "gbk": (
        "the file is not UTF-8, maybe GBK; convert it with iconv -f GB18030 -t UTF-8 (or iconv -f GBK)",
        "文件不是 UTF-8，可能是 GBK 编码，请用 iconv -f GB18030 -t UTF-8（或 iconv -f GBK）转换",
    ),
    "big5": (
        "the file is not UTF-8, maybe Big5; convert it with iconv -f BIG5 -t UTF-8 (or iconv -f BIG5-HKSCS)",
        "文件不是 UTF-8，可能是 Big5 编码，请用 iconv -f BIG5 -t UTF-8（或 iconv -f BIG5-HKSCS）转换",
    ),
    "gbk_or_big5": (
        "the file is not UTF-8, maybe GBK or Big5; convert it with iconv -f GB18030 -t UTF-8, or iconv -f BIG5",
        "文件不是 UTF-8，可能是 GBK 或 Big5 编码，请用 iconv -f GB18030 -t UTF-8 或 iconv -f BIG5 转换",
    ),
    "shift_jis": (
        "the file is not UTF-8, maybe Shift-JIS; convert it with iconv -f CP932 -t UTF-8",
        "文件不是 UTF-8，可能是 Shift-JIS 编码，请用 iconv -f CP932 -t UTF-8 转换",
    ),
    "euc_jp": (
        "the file is not UTF-8, maybe EUC-JP; convert it with iconv -f EUC-JP -t UTF-8",
        "文件不是 UTF-8，可能是 EUC-JP 编码，请用 iconv -f EUC-JP -t UTF-8 转换",
    ),
    "euc_kr": (
        "the file is not UTF-8, maybe EUC-KR; convert it with iconv -f CP949 -t UTF-8",
        "文件不是 UTF-8，可能是 EUC-KR 编码，请用 iconv -f CP949 -t UTF-8 转换",
    ),
    # Compressed files and archives
    "gzip": ("the file is compressed with gzip; decompress it first", "文件经过 gzip 压缩，请先解压"),
    "zstd": ("the file is compressed with Zstandard; decompress it first", "文件经过 Zstandard 压缩，请先解压"),
    "bz2": ("the file is compressed with bzip2; decompress it first", "文件经过 bzip2 压缩，请先解压"),
    "xz": ("the file is compressed with xz; decompress it first", "文件经过 xz 压缩，请先解压"),
    "lz4": ("the file is compressed with LZ4; decompress it first", "文件经过 LZ4 压缩，请先解压"),
    "zip": ("the file is a zip archive; unpack it first", "文件是 zip 压缩包，请先解压"),
    "7z": ("the file is a 7z archive; unpack it first", "文件是 7z 压缩包，请先解压"),
    "rar": ("the file is a RAR archive; unpack it first", "文件是 RAR 压缩包，请先解压"),
    "tar": ("the file is a tar archive; unpack it first", "文件是 tar 归档，请先解包"),
    # Files of other programs
    "pickle": (
        "the file is a Python pickle, not text; write its content as text",
        "文件是 Python pickle，不是文本，请将内容写成文本",
    ),
    "torch": (
        "the file was written by torch.save, it is not text; write its content as text",
        "文件由 torch.save 写出，不是文本，请将内容写成文本",
    ),
    "safetensors": ("the file is a safetensors file of tensors, not text", "文件是 safetensors 张量文件，不是文本"),
    "npy": ("the file is a NumPy array (.npy), not text", "文件是 NumPy 数组（.npy），不是文本"),
    "npz": ("the file is an archive of NumPy arrays (.npz), not text", "文件是 NumPy 数组归档（.npz），不是文本"),
    "hdf5": ("the file is an HDF5 file, not text", "文件是 HDF5 文件，不是文本"),
    "parquet": ("the file is a Parquet file, not text", "文件是 Parquet 文件，不是文本"),
    "arrow": ("the file is an Arrow or Feather file, not text", "文件是 Arrow 或 Feather 文件，不是文本"),
    "sqlite": ("the file is an SQLite database, not text", "文件是 SQLite 数据库，不是文本"),
    "office": (
        "the file is an Office document, not text; export it as text",
        "文件是 Office 文档，不是文本，请导出为文本",
    ),
    "pdf": ("the file is a PDF document, not text", "文件是 PDF 文档，不是文本"),
    "picture": ("the file is a picture, not text", "文件是图片，不是文本"),
    "html": (
        "the file is an HTML page, perhaps saved instead of the file that it links to",
        "文件是 HTML 网页，可能误存了网页而非其链接的文件",
    ),
    "xml": ("the file is an XML document", "文件是 XML 文档"),
    "lfs": (
        "the file is a pointer of Git LFS, without the content; fetch it with git lfs pull",
        "文件是 Git LFS 指针，没有实际内容，请用 git lfs pull 获取",
    ),
    "binary": ("the file is binary, not text", "文件是二进制文件，不是文本"),
}

# First bytes of files, with their codes; longer ones before their prefixes. No start is longer than the length below.
MAGIC_LENGTH = 32
MAGIC_BYTES = {
    b"\xff\xfe\x00\x00": "utf32",
    b"\x00\x00\xfe\xff": "utf32",
    b"\xff\xfe": "utf16",
    b"\xfe\xff": "utf16",
    codecs.BOM_UTF8: "bom",
    b"\x841\x953": "gbk",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19": "torch",
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
    b"(dp": "pickle",
    b"(lp": "pickle",
    b"ccopy_reg\n": "pickle",
    b"\x93NUMPY": "npy",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    # With the byte that follows: an id may begin with these letters.
    b"PAR1\x15": "parquet",
    b"PAR1\x00": "parquet",
    b"ARROW1\x00": "arrow",
    b"FEA1\x00": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"SQLite format 3\x00": "sqlite",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "office",
    b"%PDF-": "pdf",
    b"\xff\xd8\xff": "picture",
    b"\x89PNG\r\n\x1a\n": "picture",
    b"GIF87a": "picture",
    b"GIF89a": "picture",
    b"version https://git-lfs": "lfs",
}

TAR = slice(257, 262)
BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
# Where the name of the first member of a zip archive is.
ZIP_NAME_LENGTH, ZIP_NAME = slice(26, 28), 30
# Control characters that text files lack; a file with more than this proportion of them is binary.
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0b\x0c\x1b\x1c\x1d\x1e\x1f")
MAX_CONTROLS = 0.02
# Proportion of zero bytes in UTF-16 and UTF-32 text that is partly ASCII.
MIN_ZEROS = 0.1
# Largest proportion of low bytes that are zero, of all characters or of those in ASCII.
MAX_LOW_ZEROS = 0.2
MARKUP = re.compile(rb"\s*<(?:(!doctype html|html|head|body|table|div|meta|title|script)\b|[?!a-z])", re.IGNORECASE)
# Rows of Python, or a list of them; an integer cannot be a key in JSON.
PYTHON_ROW = re.compile(rb"(?:\[\s*)?\{\s*(?:'|\d+\s*:)")
# A list of JSON, not a section of another format, such as [model].
ARRAY = re.compile(rb'\[\s*(?:[\[{"\d\]-]|$)')
PREFIXED_ROW = re.compile(rb'[^{]+\{\s*"\w+"\s*:.*\}\s*$')
# An id that is an object or a list, as in a table that is written by columns.
COLUMNS = re.compile(rb'\s*\{\s*"\w+_id"\s*:\s*[\[{]')
COLUMN_KEYS = ({"columns", "data"}, {"schema", "data"})
WRAPPER = re.compile(rb'"([A-Za-z_]\w*)"\s*:\s*\[\s*\{\s*"(\w+)"')
DELIMITERS = b",", b";", b"|"
# The end of an object and the beginning of the next, whose name is that of a field.
SEVERAL_OBJECTS = re.compile(rb'\}\s*\{\s*"\w+"\s*:')
COMMA_LINES = re.compile(rb"\s*\{[^\n]*\},[ \t\r]*\n[ \t]*\{[^\n]*\},?[ \t\r]*(?:\n|\Z)")
COCO_KEYS = {"annotations", "images", "info", "licenses", "categories", "type"}
# Fields of rows; other objects may have ids as keys.
ROW_KEYS = {"id", "text", "label", "feature", "caption"}
ROW_SUFFIXES = ("_id", "_ids", "_text")
BASE64 = re.compile(rb"[^\t]+\t[A-Za-z0-9+/_=-]{33,}\s*$")
TREC = re.compile(rb"\S+\s+\S+\s+\S+\s+\d+\s+-?[\d.]+(?:[eE][+-]?\d+)?\s+\S+\s*$")
KEY = rb'"([^"\\]*(?:\\.[^"\\]*)*)"\s*:'
FIRST_KEY = re.compile(rb"\s*\{\s*" + KEY)
DETAILS = {"jq": ".[]", "row": "{…}"}
# Programs for jq where nothing is known about the rows that are expected.
PROGRAMS = {"json_mapping": "to_entries[]", "json_wrapper": ".[] | arrays | .[]", "pretty_json": ".", "one_line": "."}


def kind_message(code: str, *, lang: str = "en", **details: str) -> str:
    """Return the sentence for a code of this module.

    Args:
        code: A key of ``MESSAGES``.
        lang: ``"en"`` or ``"zh"``.
        details: Values of placeholders that differ from the defaults, ``jq`` and ``row``.

    Returns:
        One line of text.

    Example:
        >>> from muge_fast._internal.file_kinds import kind_message
        >>> kind_message("gzip")
        'the file is compressed with gzip; decompress it first'

    """
    return MESSAGES[code][lang == "zh"].format(**{**DETAILS, "jq": PROGRAMS.get(code, DETAILS["jq"]), **details})


def binary_kind(head: bytes) -> str | None:
    r"""Return the code of a file that is not plain UTF-8 text, by its first bytes, or None.

    Args:
        head: The first bytes of the file; ``HEAD_BYTES`` of them are enough.

    Returns:
        A key of ``MESSAGES``, such as ``"gzip"``, ``"utf16"``, ``"bom"``, ``"gbk"``, ``"pickle"`` or ``"html"``; None
        for text that may be UTF-8.

    Example:
        >>> from muge_fast._internal.file_kinds import binary_kind
        >>> binary_kind(b"\x1f\x8b\x08"), binary_kind("裙".encode("utf-16")), binary_kind(b"{}")
        ('gzip', 'utf16', None)

    """
    code = magic_kind(head)
    if code == "zip":
        return _zip_kind(head)
    if code := code or _format_kind(head) or _wide_kind(head):
        return code
    from muge_fast._internal.text_encodings import encoding_kind  # noqa: PLC0415 - few files are not UTF-8

    return encoding_kind(head[:HEAD_BYTES]) or _controls_kind(head)


def magic_kind(head: bytes) -> str | None:
    r"""Return the code of a file by the few bytes that all files of its kind begin with, or None.

    Args:
        head: The first bytes of the file; 32 of them are enough.

    Returns:
        A key of ``MESSAGES``; None for text, and for other files that are recognized by more of their content.

    Example:
        >>> from muge_fast._internal.file_kinds import magic_kind
        >>> magic_kind(b"\x1f\x8b\x08"), magic_kind(b"PAR1\x15\x04"), magic_kind(b"PAR1001\t/9j/")
        ('gzip', 'parquet', None)

    """
    return next((code for start, code in MAGIC_BYTES.items() if head.startswith(start)), None)


def text_kind(head: bytes, fields: Collection[str] = ()) -> str | None:
    """Return the code of a text file that is not JSON Lines, by its first bytes, or None.

    Args:
        head: The first bytes of the file, without a byte order mark; ``HEAD_BYTES`` of them are enough.
        fields: Names of fields of rows, in addition to those of the benchmark.

    Returns:
        A key of ``TEXT_KINDS``; None for a file that may be JSON Lines or anything else.

    Example:
        >>> from muge_fast._internal.file_kinds import text_kind
        >>> text_kind(b'[{"image_id": "a"}]'), text_kind(b'{"image_id": "a"}'), text_kind(b"id,text")
        ('json_array', None, None)

    """
    lines = [line for line in head[:HEAD_BYTES].split(b"\n") if line.strip()]
    first = lines[0].strip(b" \t\r") if lines else b""
    if first[:3] == b"```":
        return "markdown"
    if PYTHON_ROW.match(first):
        return "python_rows"
    if first[:1] == b"[":
        return "json_array" if _is_array(first, lines) else None
    if first[:1] == b"{":
        return _object_kind(head, first, lines, {*ROW_KEYS, *fields})
    return _wrapped_row_kind(first, lines) or _table_kind(first, lines)


def _is_array(first: bytes, lines: list[bytes]) -> bool:
    """Return whether one list begins in the first line; a complete one in each line is another mistake."""
    others = [line for line in lines[1:] if line.lstrip()[:1] != b"["]
    return bool(ARRAY.match(first)) and (len(lines) == 1 or (bool(others) and not first.endswith(b"]")))


def _wrapped_row_kind(first: bytes, lines: list[bytes]) -> str | None:
    """Return the code of lines that hold objects within something else."""
    if first[:3] == b'"{\\' and first.endswith(b'"'):
        return "json_strings"
    is_prefixed = bool(lines) and all(PREFIXED_ROW.match(line) for line in lines[:2])
    return "prefixed_rows" if is_prefixed else None


def wrapper_key(head: bytes, fields: Collection[str] = ()) -> str | None:
    """Return the key of a list of rows inside of one object, or None.

    Args:
        head: The first bytes of the file.
        fields: Names of fields of rows, in addition to those of the benchmark.

    Returns:
        The key of the first list whose objects begin with the name of a field.

    Example:
        >>> from muge_fast._internal.file_kinds import wrapper_key
        >>> wrapper_key(b'{"version": 1, "results": [{"image_id": "a"}]}')
        'results'

    """
    known = {*ROW_KEYS, *fields}
    found = ((match[1].decode(), match[2].decode("utf-8", "replace")) for match in WRAPPER.finditer(head[:HEAD_BYTES]))
    return next((key for key, name in found if name in known or name.endswith(ROW_SUFFIXES)), None)


def _object_kind(head: bytes, first: bytes, lines: list[bytes], fields: set[str]) -> str | None:
    """Return the code of a file that begins with an object that is not a row, or not alone in its line."""
    if code := _separator_kind(head, first, lines):
        return code
    is_pretty = len(lines) > 1 and is_json_prefix(first) and is_json_prefix(b"\n".join(lines[:2]))
    keys = _keys_of_lines(lines) if is_pretty else _keys_of_object(first) if len(lines) == 1 else set()
    if not keys:
        return None
    if keys & COCO_KEYS and not keys & fields and (b'"annotations"' in head or b'"images"' in head):
        return "coco"
    if code := _container_kind(head, keys, fields):
        return code
    if any(key in fields or key.endswith(ROW_SUFFIXES) for key in keys):
        return "pretty_json" if is_pretty else None
    is_long = len(first) >= HEAD_BYTES
    return "json_mapping" if is_pretty or is_long or len(keys) > 1 else None


def _container_kind(head: bytes, keys: set[str], fields: set[str]) -> str | None:
    """Return the code of an object that holds a table by columns, or a list of rows."""
    if COLUMNS.match(head) or any(names <= keys for names in COLUMN_KEYS):
        return "json_columns"
    return "json_wrapper" if not keys & fields and wrapper_key(head, fields) is not None else None


def _separator_kind(head: bytes, first: bytes, lines: list[bytes]) -> str | None:
    """Return the code of rows in another notation, or with something else between them than line feeds."""
    if len(lines) == 1 and SEVERAL_OBJECTS.search(first):
        return "carriage_returns" if b"}\r{" in first else "one_line"
    return "comma_lines" if COMMA_LINES.match(head) else None


def _keys_of_object(line: bytes) -> set[str]:
    """Return the keys of an object; of one that is longer than the head, the first key."""
    try:
        value = parse_json(line)
    except (ValueError, RecursionError):
        key = FIRST_KEY.match(line)
        return {key[1].decode("utf-8", "replace")} if key and is_json_prefix(line) else set()
    return set(value) if isinstance(value, dict) else set()


def _keys_of_lines(lines: list[bytes]) -> set[str]:
    """Return the keys of an object that takes several lines: those with the indentation of the first."""
    first = FIRST_KEY.match(b"\n".join(lines))
    if first is None:
        return set()
    indented = next((line for line in lines if b'"%b"' % first[1] in line), b"")
    indent = indented[: len(indented) - len(indented.lstrip(b" \t"))]
    keys = {match[1] for line in lines if (match := re.match(re.escape(indent) + KEY, line))}
    return {key.decode("utf-8", "replace") for key in {first[1], *keys}}


def _table_kind(first: bytes, lines: list[bytes]) -> str | None:
    if b"\t" in first:
        return "image_tsv" if BASE64.match(first) else "tsv"
    if TREC.match(first):
        return "trec"
    if not lines[1:] or lines[1].lstrip()[:1] in {b"{", b"["}:
        return None
    counts = [min(line.count(delimiter) for line in lines[:2]) for delimiter in DELIMITERS]
    return "csv" if max(counts) > 0 else None


def _format_kind(head: bytes) -> str | None:
    """Return the code of a format whose mark is not simply the first bytes."""
    if markup := MARKUP.match(head):
        return "html" if markup[1] else "xml"
    if BZIP2.match(head):
        return "bz2"
    if head[TAR] == b"ustar":
        return "tar"
    if head[8:10] == b'{"' and head[4:8] == bytes(4):
        return "safetensors"
    return "picture" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _zip_kind(head: bytes) -> str:
    length = int.from_bytes(head[ZIP_NAME_LENGTH], "little")
    name = head[ZIP_NAME : ZIP_NAME + length]
    if name.endswith(b".npy"):
        return "npz"
    if name.endswith(b"/data.pkl"):
        return "torch"
    return "office" if name == b"[Content_Types].xml" else "zip"


def _wide_kind(head: bytes) -> str | None:
    """Return the code of UTF-16 or UTF-32 without a byte order mark: ASCII in it has zero bytes at fixed offsets."""
    head = head[: min(len(head), 4096) // 4 * 4]
    quarter = len(head) // 4
    zeros = [head[start::4].count(0) for start in range(4)]
    if not quarter or sum(zeros) < MIN_ZEROS * len(head):
        return None
    # Some characters have a low byte of zero, such as U+4E00.
    for first, second, _, last in (zeros, zeros[::-1]):
        if first == quarter and second * 2 > quarter and last <= MAX_LOW_ZEROS * quarter:
            return "utf32"
    low, high = sorted([zeros[0] + zeros[2], zeros[1] + zeros[3]])
    return "utf16" if low <= MAX_LOW_ZEROS * high else None


def _controls_kind(head: bytes) -> str | None:
    controls = len(head) - len(head.translate(None, CONTROLS))
    return "binary" if controls > MAX_CONTROLS * len(head) else None
