"""Identity numbers, pupil register numbers 学籍号 and school codes: read, checked, explained.

Source: standards §7. GB 11643: weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, sum mod 11 → 10X98765432; digit 17 odd is
male, even female; the birth date must exist. A number of another kind of document is accepted as such, never "mended".
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from jiaoheng import packs

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_BLANKS = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_ASCII_18 = re.compile(r"[0-9]{17}[0-9X]")
_ASCII_15 = re.compile(r"[0-9]{15}")


class IdKind(StrEnum):
    """What kind of number it is."""

    RESIDENT = "居民身份证"
    RESIDENT_OLD = "15 位旧身份证"
    NON_MAINLAND = "非内地证件"
    REGISTER = "学籍号"
    SCHOOL = "学校标识码"
    UNKNOWN = "不认识"


@dataclass(frozen=True, slots=True)
class IdCheck:
    """What a number is and what is wrong with it.

    `text`: the number in half-width capitals without blanks; `problem`: plain Chinese, empty where nothing is wrong.
    """

    kind: IdKind
    text: str
    problem: str = ""
    birth: dt.date | None = None
    sex: str | None = None  # 男, 女
    detail: str = ""  # name of the foreign document, kind of school, kind of register number

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problem


def normal(text: str) -> str:
    """Half-width capitals without any blank: 「１１０ 1…x」→ 1101…X."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_digit(first17: str) -> str:
    """The last character of an 18-digit number. Raises ValueError unless 17 digits are given."""
    if len(first17) != 17 or not (first17.isascii() and first17.isdigit()):
        raise ValueError(f"17 digits are needed: {first17!r}")
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def from_15(old: str) -> str:
    """The 18-digit form of a 15-digit number: century 19 put in, check digit added. Raises ValueError otherwise."""
    if not _ASCII_15.fullmatch(old):
        raise ValueError(f"15 digits are needed: {old!r}")
    body = f"{old[:6]}19{old[6:]}"
    return body + check_digit(body)


def check_identity(text: str, today: dt.date | None = None) -> IdCheck:
    """An identity number of a person: mainland (18 or 15 digits) or another document.

    today: a birth date after it is wrong (None: not tested). A wrong check digit or an impossible birth date is a
    problem; a number of the mainland's form is never taken for a foreign one.
    """
    number = normal(text)
    if _ASCII_18.fullmatch(number):
        return _resident(number, IdKind.RESIDENT, number, today)
    if _ASCII_15.fullmatch(number):
        return _resident(from_15(number), IdKind.RESIDENT_OLD, number, today)
    for document in packs.load("ids")["non_mainland"]:
        if re.fullmatch(document["pattern"], number, re.ASCII):
            return IdCheck(IdKind.NON_MAINLAND, number, detail=str(document["name"]))
    if re.fullmatch(r"[0-9X]+", number):
        problem = f"身份证号有 {len(number)} 位，应为 18 位"
    else:
        problem = f"“{number}”不是身份证号，也不是已知的港澳台或外国人证件号"
    return IdCheck(IdKind.UNKNOWN, number, problem)


def _resident(number: str, kind: IdKind, shown: str, today: dt.date | None) -> IdCheck:
    sex = "男" if int(number[16]) % 2 else "女"
    birth = _date(number[6:14])
    if birth is None:
        day = number[6:14]
        return IdCheck(kind, shown, f"出生日期 {day[:4]}-{day[4:6]}-{day[6:]} 不存在", None, sex)
    if birth < packs.load("ids")["earliest_birth"] or (today is not None and birth > today):
        return IdCheck(kind, shown, f"出生日期 {birth.isoformat()} 不合理", birth, sex)
    wanted = check_digit(number[:17])
    if kind is IdKind.RESIDENT and wanted != number[17]:
        return IdCheck(kind, shown, f"末位校验码是 {number[17]}，按前 17 位应为 {wanted}", birth, sex)
    return IdCheck(kind, shown, "", birth, sex)


def _date(digits: str) -> dt.date | None:
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def check_register(text: str, today: dt.date | None = None) -> IdCheck:
    """A pupil register number 学籍号: 19 characters, G (regular), L (provisional) or J (without identity number).

    G and L carry an 18-character number of the identity card's form. L need not belong to an identity card, so its
    check digit is not tested. J: 6 digits of the school's place, 8 of birth, 3 serial, 1 check.
    Source: standards §7 (S48).
    """
    number = normal(text)
    if len(number) != 19 or number[0] not in "GLJ":
        return IdCheck(IdKind.UNKNOWN, number, f"学籍号“{number}”应为 G、L 或 J 开头的 19 位")
    body, letter = number[1:], number[0]
    name = {"G": "正式学籍号", "L": "临时学籍号", "J": "无身份证件学籍号"}[letter]
    if not _ASCII_18.fullmatch(body):
        return IdCheck(IdKind.REGISTER, number, f"学籍号 {letter} 后面应为 18 位数字（末位可为 X）", detail=name)
    inner = _resident(body, IdKind.RESIDENT, body, today)
    only_check = inner.birth is not None and inner.problem.startswith("末位校验码")
    problem = "" if only_check and letter != "G" else inner.problem
    sex = None if letter == "J" else inner.sex
    return IdCheck(IdKind.REGISTER, number, problem, inner.birth, sex, name)


def check_school_code(text: str) -> IdCheck:
    """A school code 学校（机构）标识码: 10 digits AA (kind) BB (province) CCCCCC (serial), no check digit.

    Source: standards §7 (S49).
    """
    number = normal(text)
    if not re.fullmatch(r"[0-9]{10}", number, re.ASCII):
        return IdCheck(IdKind.UNKNOWN, number, f"学校标识码“{number}”应为 10 位数字")
    pack = packs.load("ids")
    kind = pack["school_kinds"].get(number[:2])
    if kind is None:
        return IdCheck(IdKind.SCHOOL, number, f"学校标识码前两位 {number[:2]} 不是已知的办学类型")
    if number[2:4] not in pack["provinces"]:
        return IdCheck(IdKind.SCHOOL, number, f"学校标识码第 3、4 位 {number[2:4]} 不是省级代码", detail=str(kind))
    return IdCheck(IdKind.SCHOOL, number, detail=str(kind))
