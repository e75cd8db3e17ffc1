"""Sortable text of any value: bytes compare as people expect, the same on every database.

Numbers by size, text in natural order (1班 2班 10班) with Chinese by pinyin, dates by time. Two values have the same
key exactly where a filter for one should find the other (case and width are folded).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from pypinyin import Style, lazy_pinyin

LENGTH = 200  # characters of a key that are kept
_DIGITS = 18  # places before the point; no figure of a county is longer
_NINES = str.maketrans("0123456789", "9876543210")
_PARTS = re.compile(r"\d+|\D")
_DIGITS_OF = {character: value for value, character in enumerate("零一二三四五六七八九")}
# a Chinese numeral that counts something: 第二小学, 三年级, 七（2）班, 十班; the 一 of 统一 is none
_NUMERAL = re.compile(r"(?<=第)[零一二三四五六七八九十]{1,3}|[零一二三四五六七八九十]{1,3}(?=[(（年班级中小初高附])")


def number_key(value: int | str | Decimal) -> str:
    """Key of an exact number: compares like the number itself, negative ones included."""
    number = Decimal(value)
    digits = f"{abs(number):f}"
    whole, _, rest = digits.partition(".")
    body = f"{whole.zfill(_DIGITS)}.{rest.rstrip('0')}"
    if number < 0:
        return "-" + body.translate(_NINES) + "~"
    return "0" + body


@lru_cache(maxsize=65_536)
def text_key(value: str) -> str:
    """Key of a text: numbers by size (Chinese numerals that count too), Latin folded, Chinese by pinyin, then character."""
    folded = unicodedata.normalize("NFKC", value).casefold().strip()
    folded = _NUMERAL.sub(lambda found: str(_counted(found[0])), folded)
    made = []
    for part in _PARTS.findall(folded):
        if part.isdigit() and part.isascii():
            bare = part.lstrip("0") or "0"
            made.append(f"{len(bare):02d}{bare}")  # the longer number is the larger one
        else:
            made.append(_sound(part))
    return "".join(made)[:LENGTH]


def _counted(numeral: str) -> int:
    """九 → 9, 十 → 10, 十二 → 12, 二十 → 20, 二十一 → 21."""
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return int("".join(str(_DIGITS_OF[one]) for one in numeral))
    return (_DIGITS_OF[tens[-1]] if tens else 1) * 10 + (_DIGITS_OF[ones[0]] if ones else 0)


@lru_cache(maxsize=32_768)
def _sound(character: str) -> str:
    if "㐀" <= character <= "鿿":
        return str(lazy_pinyin(character, style=Style.TONE3)[0]) + character
    return character


@lru_cache(maxsize=32_768)
def initials(text: str) -> str:
    """Pinyin initials of the Chinese in a text, other letters and digits kept: 东镇二小 → dzex."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    made = []
    for character in folded:
        if "㐀" <= character <= "鿿":
            made.append(_initial(character))
        elif character.isalnum():
            made.append(character)
    return "".join(made)


@lru_cache(maxsize=32_768)
def _initial(character: str) -> str:
    return str(lazy_pinyin(character, style=Style.FIRST_LETTER)[0])[:1]
