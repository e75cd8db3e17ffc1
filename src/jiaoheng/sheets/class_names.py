"""Class names in every spelling → grade and number: 九(1)班, 901, 9.1, 初三1班, G9-1, 2023级1班, 1班."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from jiaoheng import packs
from jiaoheng.sheets.text import clean, fold

_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_HAN = "一二三四五六七八九十"
_NUMBER = rf"(\d{{1,3}}|[{_HAN}]{{1,3}})"
_COHORT = re.compile(rf"((?:19|20)?\d{{2}}[级届]|本?[高初]?(?:19|20)\d{{2}}[级届])[(（]?{_NUMBER}[)）]?班?")
_WITH_GRADE = re.compile(
    rf"(小学|初中|高中)?(初|高|小|g)?([{_HAN}]{{1,2}}|\d{{1,2}})?(年级|年|级)?[-_.—－ ]?[(（\[]?第?{_NUMBER}[)）\]]?(?:班|班级)?"
)
_PLAIN = re.compile(rf"[(（]?第?{_NUMBER}[)）]?班?")
_CODE = re.compile(r"(\d{1,2})(\d{2})班?")


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class. `grade` canonical (九年级, 高一 …) or None where the name does not say; `number` None where it is no number.

    `display` is the one spelling used in reports: 九(1)班, 高二(3)班, 2023级1班, 1班, or the text as written.
    """

    grade: str | None
    number: int | None
    display: str


@lru_cache(maxsize=1)
def _grades() -> dict[int, str]:
    return {entry["number"]: name for name, entry in packs.load("grades")["grades"].items()}


@lru_cache(maxsize=1)
def _grade_numbers() -> dict[str, int]:
    out: dict[str, int] = {}
    for name, entry in packs.load("grades")["grades"].items():
        for word in (name, *entry.get("words", ())):
            out.setdefault(fold(str(word)), entry["number"])
    return out


def number_of(text: str) -> int | None:
    """十二 → 12, 12 → 12, 03 → 3; None for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    if not text or any(letter not in _HAN for letter in text):
        return None
    tens, found, ones = text.partition("十")
    if not found:
        return _NUMERALS[text] if len(text) == 1 else None
    if (tens and len(tens) > 1) or len(ones) > 1 or "十" in ones:
        return None
    return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[ones] if ones else 0)


def grade_number(grade: str | None) -> int | None:
    """九年级, 初三, 9年级 → 9; 高一 → 10; None where it is no grade."""
    if not grade:
        return None
    folded = fold(grade)
    return _grade_numbers().get(folded) or _grade_numbers().get(folded.removesuffix("年级") + "年级")


def _named(grade: int | None, number: int) -> ClassName:
    name = _grades().get(grade) if grade is not None else None
    if name is None:
        return ClassName(None, number, f"{number}班")
    return ClassName(name, number, f"{name.removesuffix('年级')}({number})班")


def parse_class(text: str, grade_hint: str | None = None) -> ClassName:
    """Read a class name.

    `grade_hint` is the exam's grade (any spelling); it decides names that could mean two things (101: class 1 of
    grade 一 or class 101), and names without a grade take it. A name that is not understood stays as written.
    """
    return _parse(clean(text) or "", grade_number(grade_hint))


@lru_cache(maxsize=65536)
def _parse(shown: str, hint: int | None) -> ClassName:
    folded = fold(shown).replace("（", "(").replace("）", ")").replace("〔", "(").replace("〕", ")")
    if not folded:
        return ClassName(None, None, shown)
    cohort = _COHORT.fullmatch(folded)
    if cohort and (number := number_of(cohort[2])) is not None:
        return ClassName(_grades().get(hint) if hint else None, number, f"{cohort[1]}{number}班")
    plain = _PLAIN.fullmatch(folded)
    if plain and (number := number_of(plain[1])) is not None and (number < 100 or not _coded(folded, hint)):
        if number >= 100:  # 901 in an exam of 高一: no code of this grade, kept as written
            return ClassName(_grades().get(hint) if hint else None, number, f"{number}班")
        return _named(hint, number)
    return _by_code(folded, hint) or _with_grade(folded, hint) or ClassName(None, None, shown)


def _coded(folded: str, hint: int | None) -> tuple[int, int] | None:
    """901 → (9, 1), 1003 → (10, 3); with a hint the grade must fit it: 初三 301 is grade 9 class 1 too."""
    match = _CODE.fullmatch(folded)
    if not match:
        return None
    grade, number = int(match[1]), int(match[2])
    if number == 0:
        return None
    if hint is not None:
        return (hint, number) if grade in {hint, _in_stage(hint)} else None
    return (grade, number) if 2 <= grade <= 9 else None


def _in_stage(grade: int) -> int:
    """Number of a grade inside its stage: 九年级 → 3, 高一 → 1."""
    return grade if grade <= 6 else grade - 6 if grade <= 9 else grade - 9


def _by_code(folded: str, hint: int | None) -> ClassName | None:
    found = _coded(folded, hint)
    return _named(found[0], found[1]) if found else None


def _with_grade(folded: str, hint: int | None) -> ClassName | None:
    match = _WITH_GRADE.fullmatch(folded)
    if not match:
        return None
    stage, letter, grade_text, suffix, number_text = match.groups()
    number = number_of(number_text)
    if grade_text is None or number is None:
        return None
    grade = number_of(grade_text)
    if grade is None:
        return None
    if letter == "g" or (letter is None and stage is None):
        actual = grade
        if hint is not None and grade == _in_stage(hint) and grade != hint:
            actual = hint  # 3.7 in an exam of 九年级 is 初三 7 班
        if not (letter or suffix) and grade_text.isdigit() and not re.search(r"[-_.(—－]", folded):
            return None  # 12班 was read before; other runs of digits are not a grade and a class
    else:
        first = {"初": 6, "高": 9, "小": 0, "初中": 6, "高中": 9, "小学": 0}[letter or stage or ""]
        actual = grade + first if grade <= 6 else grade
    return _named(actual, number) if actual in _grades() else None


def float_trap(labels: Sequence[str | None]) -> str | None:
    """The class that 9.10 became when it was typed as a number (9.1), or None.

    A sure sign: in the order of the sheet the class 9.1 occurs again right after 9.9.
    """
    if not any(label.endswith(".9") for label in set(labels) if label):
        return None
    runs: list[str] = []
    for label in labels:
        if label is not None and (not runs or runs[-1] != label):
            runs.append(label)
    for at, (before, after) in enumerate(pairwise(runs)):
        again = re.fullmatch(r"\d{1,2}\.9", before) and after == before[:-1] + "1" and after in runs[:at]
        following = runs[at + 2] if at + 2 < len(runs) else None
        if again and following != before[:-1] + "2":  # a list that begins anew goes on with 9.2
            return after
    return None
