"""Chinese translations of the reasons for which an image is broken, which decoders give in English."""

from muge_fast._internal.templates import Templates

IMAGE_REASONS = {
    "not an image of the formats {formats}": "不是 {formats} 格式的图像",
    "has too many blocks of data for its size": "数据块过多，与其大小不符",
    "has tags of {count} numbers, at most {limit} are allowed": "标签含 {count} 个数字，上限为 {limit}",
    "has more than {limit} tags": "标签超过 {limit} 个",
    "has more than {limit} segments of tags": "含标签的数据段超过 {limit} 个",
    "has LZMA data with a dictionary of {size} bytes, at most {limit} are allowed": (
        "LZMA 数据的字典为 {size} 字节，上限为 {limit}"
    ),
    "has more bytes in tags than in the file": "标签的字节数多于文件的字节数",
    "has {width} x {height} pixels, the longer side may be at most {ratio} times the shorter": (
        "为 {width} x {height} 像素，长边不得超过短边的 {ratio} 倍"
    ),
    "has tiles of {width} x {height} pixels, at most {limit} are allowed": (
        "图块为 {width} x {height} 像素，上限为 {limit}"
    ),
    "has {scans} scans of {width} x {height} pixels, more than are allowed": (
        "有 {scans} 次 {width} x {height} 像素的扫描，超过上限"
    ),
    "has {width} x {height} pixels, at most {limit} are allowed": "为 {width} x {height} 像素，上限为 {limit}",
    "image {key} is not base64": "图像 {key} 不是 base64",
    # Reasons of Pillow
    "Truncated File Read": "文件不完整",
    "image file is truncated ({bytes} bytes not processed)": "图像文件不完整（有 {bytes} 字节未处理）",
    "image file is truncated": "图像文件不完整",
    "broken data stream when reading image file": "图像数据流损坏",
    "unrecognized data stream contents when reading image file": "图像数据流无法识别",
    "broken PNG file (chunk {chunk})": "PNG 文件损坏（数据块 {chunk}）",
    "buffer is not large enough": "数据不足",
}

_TEMPLATES = Templates(IMAGE_REASONS)


def chinese_reason(reason: str) -> str | None:
    """Return a reason in Chinese.

    Args:
        reason: Message of :func:`muge_fast.datasets.decoding.decode`, or of a decoder.

    Returns:
        The reason in Chinese; None if it has no translation.

    Example:
        >>> from muge_fast.datasets.image_reasons import chinese_reason
        >>> chinese_reason("has 3 x 2 pixels, at most 5 are allowed")
        '为 3 x 2 像素，上限为 5'

    """
    return _TEMPLATES.translated(reason)
