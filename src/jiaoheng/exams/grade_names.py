"""Grade, stage and nature of an exam from the words in its name, files, sheets and classes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jiaoheng.packs import load

# 九(1)班, 七1班, 7.3班, 801班 name a grade too; 一 to 三 do not: 一(1)班 is a class of 一年级, 初一 or 高一
_CLASS = re.compile(r"^([四五六七八九]|[4-9](?=[(.〔【\[]|\d{2}班))")
_DIGITS = "一二三四五六七八九"


@cache
def _grade_pattern(strength: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    words: dict[str, str] = {}
    for name, entry in load("grades")["grades"].items():
        for word in entry.get(strength, ()):
            words.setdefault(word, name)
    ordered = sorted(words, key=len, reverse=True)
    return re.compile("|".join(re.escape(word) for word in ordered)), words


def grades_in(texts: Iterable[str]) -> dict[str, str]:
    """Every grade that the texts name → the first text that names it. `初三1班` → 九年级; `高二12月月考` → 高二.

    Words that only hint (中考, 高考) count where no text names a grade outright.
    """
    plain = [(text, unicodedata.normalize("NFKC", text).replace(" ", "")) for text in texts]
    strong = _matches(plain, "words")
    for text, folded in plain:
        short = _CLASS.match(folded) if "班" in folded else None
        if short:
            digit = short.group(1)
            number = _DIGITS.index(digit) + 1 if digit in _DIGITS else int(digit)
            strong.setdefault(_by_number(number), text)
    return strong or _matches(plain, "hints")


def _matches(texts: Iterable[tuple[str, str]], strength: str) -> dict[str, str]:
    pattern, words = _grade_pattern(strength)
    found: dict[str, str] = {}
    for text, folded in texts:
        for match in pattern.finditer(folded):
            before = folded[match.start() - 1] if match.start() else ""
            after = folded[match.end() : match.end() + 1]
            first, last = match.group()[0], match.group()[-1]
            # 十一年级 is no 一年级, 13年级 no 3年级
            if (first.isdigit() and before.isdigit()) or (first in _DIGITS and before == "十"):
                continue
            if last.isdigit() and after.isdigit():  # 高2023届 is a cohort: it names a grade only together with a date
                continue
            found.setdefault(words[match.group()], text)
    return found


def _by_number(number: int) -> str:
    return next(str(name) for name, entry in load("grades")["grades"].items() if entry["number"] == number)


def grade_entry(grade: str) -> Mapping[str, Any]:
    """The pack's entry of a canonical grade; KeyError for anything else."""
    entry: Mapping[str, Any] = load("grades")["grades"][grade]
    return entry


def stages_in(texts: Iterable[str]) -> dict[str, str]:
    """Every stage that the texts name in plain words (小学, 初中, 高中) → the first such text."""
    found: dict[str, str] = {}
    stages = load("grades")["stages"]
    for text in texts:
        for stage, entry in stages.items():
            if any(word in text for word in entry["words"]):
                found.setdefault(stage, text)
    return found


def nature_in(texts: Iterable[str]) -> tuple[str, str] | None:
    """The nature that the first telling text names, with that text. The longest word wins: 中考模拟 is no 中考."""
    natures: Mapping[str, list[str]] = load("grades")["natures"]
    words = sorted(((word, nature) for nature, own in natures.items() for word in own), key=lambda pair: -len(pair[0]))
    for text in texts:
        for word, nature in words:
            if word in text:
                return nature, text
    return None
