"""Comparable forms of names of people, schools and numbers. Pure text; nothing is guessed here."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from jiaoheng import packs

_SPACE = re.compile(r"[\s\u200b\u200c\u200d\ufeff\u2060]+")
_DOTS = re.compile(r"[·•・‧∙⋅．・]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@lru_cache(maxsize=200_000)
def clean_name(text: str) -> str:
    """A person's name for print: 王　某 → 王某, dots of long names as ·, Latin names with single spaces."""
    shown = _SPACE.sub(" ", _DOTS.sub("·", text)).strip()
    return shown.replace(" ", "") if _HAN.search(shown) else shown


@lru_cache(maxsize=200_000)
def name_key(text: str) -> str:
    """The form under which two spellings of a name are the same: no spaces, one dot, full-width letters folded."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", _DOTS.sub("·", text))).replace("・", "·").casefold()


@lru_cache(maxsize=200_000)
def number_key(text: str) -> str:
    """An id as it is compared: no spaces or apostrophes, full-width folded, letters in capitals."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).strip("'’‘`").upper()


@lru_cache(maxsize=4096)
def clean_school(text: str) -> str:
    """A school's name without spaces and with one form of brackets and digits; equal forms are one school."""
    folded = unicodedata.normalize("NFKC", _SPACE.sub("", text))
    return folded.replace("(", "（").replace(")", "）")


@lru_cache(maxsize=4096)
def school_core(text: str) -> str:
    """What is left of a school's name without usual abbreviations: 青槐县第一中学, 青槐一中 → 青槐一中."""
    rules = packs.load("joining")["schools"]
    core = re.sub(r"[（）]", "", clean_school(text))
    for word in rules["drop"]:
        core = core.replace(word, "")
    for word, short in rules["replace"].items():
        core = core.replace(word, short)
    marks = "".join(rules["area_marks"])
    return re.sub(rf"(?<=[^{marks}])[{marks}](?=.{{2}})", "", core)


def likely_same_school(first: str, second: str) -> bool:
    """Whether two different names may be one school, so that a person must say.

    True where the cores are equal, or one is the other with an area before it (实验小学, 青槐县实验小学) or with one
    character more that tells no schools apart (兴华小学, 兴华小学校). Numbers and directions always tell apart.
    """
    one, two = sorted((school_core(first), school_core(second)), key=len)
    if one == two:
        return True
    if len(one) < 2:
        return False
    telling = set(packs.load("joining")["schools"]["telling"])
    if two.endswith(one):
        return _is_area(clean_school(first), clean_school(second)) and not set(two[: -len(one)]) & telling
    if len(two) - len(one) != 1 or len(one) < 3:
        return False
    extra = [two[i] for i in range(len(two)) if two[:i] + two[i + 1 :] == one]
    return any(char not in telling for char in extra)


def _is_area(first: str, second: str) -> bool:
    """Whether the longer of two names is the shorter one after the name of an area."""
    short, long = sorted((first, second), key=len)
    marks = "".join(packs.load("joining")["schools"]["area_marks"])
    return long.endswith(short) and re.fullmatch(rf".*[{marks}]", long[: -len(short)]) is not None


@lru_cache(maxsize=4096)
def exam_words(text: str) -> frozenset[str]:
    """Words of a name that tell one exam from another: 高二12月月考 → 12月, 月考."""
    return frozenset(
        match[0] for pattern in packs.load("joining")["exams"]["words"] for match in re.finditer(pattern, text)
    )


def other_exam(first: frozenset[str], second: frozenset[str]) -> bool:
    """Whether two sets of exam words speak of different exams: each says something that the other does not."""
    return bool(first - second) and bool(second - first)
