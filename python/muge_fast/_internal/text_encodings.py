"""Recognition of East Asian encodings other than UTF-8, by trial decoding and the frequency of characters.

Text in one of these encodings can often be decoded with the others as well, but to rare characters. The most probable
encoding is therefore the one that gives the most common characters.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import NamedTuple

# The 500 most common characters of Chinese texts and product descriptions, and the traditional forms of those that have
# another one.
SIMPLIFIED = frozenset(
    "一万三上下不与专世业东两个中为主举么义之也书买了争事二于五些交产京亲人什今从他代以们件任休众优会传但位住体何作"
    "你使便保信值做儿元先光克党入全公共关兵其具内再军农冬决几出分利别到制前力加务动包化北区十华单南即却历厚原去县又"
    "及双反发取受变口古只叫可台史号司各合同名后向听吸员命和品商四回因团国图土在地场型城基增士声处备夏外多大天太头女"
    "她好如始委子季学它安完官定实家宽对导将小少尔尚就层居展山州工己已市布师带常帽干平年并广应底府度建开式张强当形很"
    "得德心必思性总情想意感成我或战所手才打技把报拉持指据接提搭收改放政教数文料斯新方族无日时明春是显更最月有服朝期"
    "本术机权李材条来松林果柔样根格次款正此步武死每比毛民气水求汉江没河治法活流济海清温游湖滑满潮灰点热然片版物特王"
    "现理生用由电男界瘦白百的皇目直相省看真眼着知短石研磨社神秋种科称程空穿立童笑第等简管米类粉精系紫红级线组细经绒"
    "结给统绿美老考者而耐职联肤肩能脚腰腿自至舒色花英蓝行衣表衫袖袜被装裙裤西要见规解言计认让议记论设话该说调质购资"
    "走起路身车转软轻较边达过运近还这进连适选透通造道那部都配采里重量金长门问闲间队防阳际院难集非面革鞋韩领题颜风饰"
    "首香马高黄黑"
)
TRADITIONAL = frozenset(
    "並來個們備傳優兒內兩別動務區卻員問單國圖團報場學實寬將專對導層師帶幹幾廣張強後從應戰採據數於時書會東條業樣機權"
    "歷氣決沒溫滿漢濟為無熱爭爲爾現產當發種稱簡紅級細組結給絨統經綠線縣總義聯聲職聽腳膚臺與舉華萬藍處號衆術裏裝裡褲"
    "襪見規親計記設話該認說調論議變讓買資質購車軍軟較輕轉農這連進遊運過達適選還邊長門開閒間關陽隊際雙難電韓領頭題顏"
    "類顯風飾馬體麼黃點黨"
)
CHINESE = SIMPLIFIED | TRADITIONAL | frozenset("，。、；：？！（）《》【】“”‘’「」『』…—·～０１２３４５６７８９")
# The most common syllables of Korean.
KOREAN = frozenset("이다는을의에가고하은를한지로기도사해어자아서리그나인시대있수라일여스만부정상보주면원장어과전")
HIRAGANA_TO_KATAKANA, HANGUL, IDEOGRAPHS = (0x3041, 0x30FE), (0xAC00, 0xD7A3), (0x4E00, 0x9FFF)

# Fewest letters beyond ASCII that are evidence of an encoding.
MIN_LETTERS = 2
# Least mean weight of the letters of a text in the right encoding.
MIN_WEIGHT = 0.45
# Least difference of the mean weights by which GBK and Big5 can be distinguished.
MIN_MARGIN = 0.15
# Least proportion of kana among the letters of Japanese text, which usually has far more.
MIN_KANA = 0.15


class _Encoding(NamedTuple):
    """An encoding.

    Attributes:
        codec: Name of Python's codec.
        weight: Function of a character and its bytes that returns how common the character is, from 0 to 1.
        min_kana: Least proportion of kana among the letters.

    """

    codec: str
    weight: Callable[[str, bytes], float]
    min_kana: float = 0.0


def _in(letter: str, limits: tuple[int, int]) -> bool:
    return limits[0] <= ord(letter) <= limits[1]


def _chinese_weight(first: int, last: int, least_trail: int) -> Callable[[str, bytes], float]:
    """Return the weight of an encoding whose more common characters have lead bytes from first to last."""

    def weight(letter: str, code: bytes) -> float:
        if letter in CHINESE:
            return 1.0
        is_level_1 = len(code) == 2 and first <= code[0] <= last and code[1] >= least_trail  # noqa: PLR2004
        return 0.5 if is_level_1 else 0.0

    return weight


def _japanese_weight(letter: str, code: bytes) -> float:
    if _in(letter, HIRAGANA_TO_KATAKANA):
        return 1.0
    # Of kanji, in Shift-JIS or EUC-JP.
    is_level_1 = 0x88 <= code[0] <= 0x97 or 0xB0 <= code[0] <= 0xCF  # noqa: PLR2004
    return 0.5 if is_level_1 and _in(letter, IDEOGRAPHS) else 0.0


def _korean_weight(letter: str, code: bytes) -> float:
    if letter in KOREAN:
        return 1.0
    # CP949 has 8,822 rare syllables besides those of KS X 1001.
    is_in_standard = _in(letter, HANGUL) and code[0] >= 0xB0 and code[1] >= 0xA1  # noqa: PLR2004
    return 0.7 if is_in_standard else 0.0


ENCODINGS: Mapping[str, _Encoding] = {
    "gbk": _Encoding("gb18030", _chinese_weight(0xB0, 0xD7, 0xA1)),
    "big5": _Encoding("big5hkscs", _chinese_weight(0xA4, 0xC6, 0x40)),
    "shift_jis": _Encoding("cp932", _japanese_weight, MIN_KANA),
    "euc_jp": _Encoding("euc_jp", _japanese_weight, MIN_KANA),
    "euc_kr": _Encoding("cp949", _korean_weight),
}


def encoding_kind(sample: bytes) -> str | None:
    r"""Return the probable encoding of text that is not UTF-8, or None.

    Args:
        sample: Part of a file, which may be cut off in the middle of a character.

    Returns:
        ``"gbk"`` for GBK and GB18030, ``"big5"``, ``"gbk_or_big5"`` if it may be either, ``"shift_jis"``,
        ``"euc_jp"`` or ``"euc_kr"``; None for another encoding, and for UTF-8 with a few broken bytes.

    Example:
        >>> from muge_fast._internal.text_encodings import encoding_kind
        >>> encoding_kind("红色连衣裙".encode("gbk")), encoding_kind("紅色連衣裙".encode("big5"))
        ('gbk', 'big5')
        >>> encoding_kind("红色连衣裙".encode()) is None
        True

    """
    if _decoded(sample, "utf-8") is not None:
        return None
    as_utf8 = [letter for letter in sample.decode("utf-8", "replace") if not letter.isascii()]
    if as_utf8.count("\ufffd") * 2 < len(as_utf8):
        return None
    weights = {kind: _mean_weight(sample, encoding) for kind, encoding in ENCODINGS.items()}
    best, second = sorted(weights, key=lambda kind: -weights[kind])[:2]
    if weights[best] < MIN_WEIGHT:
        return None
    is_close = weights[best] - weights[second] < MIN_MARGIN
    return "gbk_or_big5" if is_close and {best, second} == {"gbk", "big5"} else best


def _decoded(sample: bytes, codec: str) -> str | None:
    """Return a sample as text, without a character that is cut off at its end; None if it is in another encoding."""
    try:
        return codecs.getincrementaldecoder(codec)().decode(sample)
    except UnicodeDecodeError:
        return None


def _mean_weight(sample: bytes, encoding: _Encoding) -> float:
    """Return the mean weight of the letters beyond ASCII, 0 if they cannot be in this encoding."""
    letters = [letter for letter in _decoded(sample, encoding.codec) or "" if not letter.isascii()]
    if len(letters) < MIN_LETTERS:
        return 0.0
    kana = sum(_in(letter, HIRAGANA_TO_KATAKANA) for letter in letters)
    if kana / len(letters) < encoding.min_kana:
        return 0.0
    weights = {letter: encoding.weight(letter, letter.encode(encoding.codec, "replace")) for letter in set(letters)}
    return sum(weights[letter] for letter in letters) / len(letters)
