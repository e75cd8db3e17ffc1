"""Named checks of a field (`check:` in a pack): identity numbers, school codes, telephone numbers and the like.

Each check has a slow form, one text → what is wrong, and a fast form, many different texts → those to look at. The fast
form may let too many through, never too few.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.ids import check_identity, check_register, check_school_code
from jiaoheng.registers.model import CheckLevel

Fault = tuple[str, CheckLevel]  # sentence, level
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_PHONE = re.compile(r"(?:1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?|[2-9][0-9]{6,7})", re.ASCII)
_UNIT = re.compile(r"[0-9A-Z][0-9A-Z\-]{1,29}", re.ASCII)
_POSTCODE = re.compile(r"[0-9]{6}", re.ASCII)
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+", re.ASCII)
_BANK = re.compile(r"[0-9]{12,19}", re.ASCII)
_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}", re.ASCII)
_CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_DIGITS = np.frombuffer(b"10X98765432", dtype=np.uint8)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """One named check. `judge` looks at a single text, `suspects` picks from many texts those worth looking at."""

    title: str
    judge: Callable[[str, dt.date], Fault | None]
    suspects: Callable[[Sequence[str], dt.date], Iterable[str]]


def _identity(text: str, at: dt.date) -> Fault | None:
    found = check_identity(text, at)
    if found.ok:
        return None
    # a wrong last digit is more often a mistyped number than none at all: told, not refused, as the police may have issued it
    level = CheckLevel.WARN if found.problem.startswith("末位校验码") else CheckLevel.BLOCK
    return found.problem, level


def _odd_identities(texts: Sequence[str], at: dt.date) -> list[str]:
    """All but the 18-digit numbers with an existing birth date from 1900 to `at` and the right last digit."""
    whole = [text for text in texts if len(text) == 18 and text.isascii()]
    odd = [text for text in texts if not (len(text) == 18 and text.isascii())]
    if whole:
        good = _right_numbers(np.frombuffer("".join(whole).encode("ascii"), dtype=np.uint8).reshape(-1, 18), at)
        odd += [text for text, fine in zip(whole, good.tolist(), strict=True) if not fine]
    return odd


def _right_numbers(letters: npt.NDArray[np.uint8], at: dt.date) -> npt.NDArray[np.bool_]:
    digits = letters[:, :17].astype(np.int64) - 48
    good: npt.NDArray[np.bool_] = np.all((digits >= 0) & (digits <= 9), axis=1)
    digits = np.where(good[:, None], digits, 0)
    good &= _DIGITS[(digits @ _WEIGHTS) % 11] == letters[:, 17]
    year = digits[:, 6:10] @ np.array([1000, 100, 10, 1])
    month = digits[:, 10] * 10 + digits[:, 11]
    day = digits[:, 12] * 10 + digits[:, 13]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    most = _MONTH_DAYS[np.clip(month, 0, 12)] + (leap & (month == 2))
    good &= (year >= 1900) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= most)
    good &= year * 10_000 + month * 100 + day <= at.year * 10_000 + at.month * 100 + at.day
    return good


def _register_number(text: str, at: dt.date) -> Fault | None:
    found = check_register(text, at)
    if found.ok:
        return None
    level = CheckLevel.WARN if found.problem.startswith("末位校验码") else CheckLevel.BLOCK
    return found.problem, level


def _school(text: str, at: dt.date) -> Fault | None:
    found = check_school_code(text)
    if found.ok:
        return None
    return found.problem, CheckLevel.BLOCK if len(text) != 10 or not text.isdigit() else CheckLevel.WARN


def _pattern(title: str, pattern: re.Pattern[str], words: str) -> NamedCheck:
    def judge(text: str, at: dt.date) -> Fault | None:
        return None if pattern.fullmatch(text) else (f"“{text}”不是{title}，应为{words}", CheckLevel.BLOCK)

    return NamedCheck(title, judge, lambda texts, at: filterfalse(pattern.fullmatch, texts))


def _credit(text: str, at: dt.date) -> Fault | None:
    if not _CREDIT.fullmatch(text):
        return f"“{text}”不是统一社会信用代码，应为 18 位数字或大写字母", CheckLevel.BLOCK
    total = sum(_CREDIT_SIGNS.index(sign) * 3**place % 31 for place, sign in enumerate(text[:17]))
    wanted = _CREDIT_SIGNS[(31 - total % 31) % 31]
    if wanted != text[17]:
        return f"统一社会信用代码末位是 {text[17]}，按前 17 位应为 {wanted}", CheckLevel.WARN
    return None


def _all(texts: Sequence[str], at: dt.date) -> Sequence[str]:
    return texts


CHECKS: dict[str, NamedCheck] = {
    "id_number": NamedCheck("身份证件号", _identity, _odd_identities),
    "pupil_number": NamedCheck("学籍号", _register_number, _all),
    "school_code": NamedCheck("学校标识码", _school, _all),
    "unit_code": _pattern("单位代码", _UNIT, "2 至 30 位数字、大写字母或短横"),
    "phone": _pattern("电话号码", _PHONE, "11 位手机号，或区号加 7、8 位号码"),
    "mobile": _pattern("手机号", _MOBILE, "1 开头的 11 位数字"),
    "postcode": _pattern("邮政编码", _POSTCODE, "6 位数字"),
    "email": _pattern("电子邮箱", _EMAIL, "name@example.cn 的样子"),
    "bank_card": _pattern("银行账号", _BANK, "12 至 19 位数字"),
    "credit_code": NamedCheck("统一社会信用代码", _credit, _all),
}


def faults(name: str, texts: Sequence[str], at: dt.date) -> dict[str, Fault]:
    """What is wrong with each of some different texts; a right one is absent. An unknown check finds nothing."""
    check = CHECKS.get(name)
    if check is None:
        return {}
    found = {text: check.judge(text, at) for text in check.suspects(texts, at)}
    return {text: fault for text, fault in found.items() if fault is not None}
