"""User names: the school code for a school's clerk, else pinyin initials and digits that follow from the person."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from itertools import count

from pypinyin import Style, lazy_pinyin

from jiaoheng.bureau.core.models import Account, Unit

_MOST_INITIALS = 8


def initials(name: str) -> str:
    """王伟 → ww, Ali Khan → ak; "u" where nothing is left."""
    letters = []
    for word in name.replace("·", " ").split():
        for part in lazy_pinyin(word, style=Style.FIRST_LETTER, errors="default"):
            letters += [one for one in part.lower()[:1] if one.isascii() and one.isalpha()]
    return "".join(letters)[:_MOST_INITIALS] or "u"


def person_key(name: str, unit_code: str, phone: str = "") -> str:
    """What tells two people of one name apart: unit and phone."""
    return f"{unit_code}|{name}|{phone}"


def user_name(name: str, unit: Unit, role: str, phone: str, taken: Container[str]) -> str:
    """A free user name. The same person gets the same one whatever else stands in the file (unless it is taken)."""
    if role == "clerk" and unit.level == Unit.Level.SCHOOL and unit.code not in taken:
        return str(unit.code)
    start, key = initials(name), person_key(name, unit.code, phone)
    for again in count():
        digits = int.from_bytes(hashlib.sha256(f"{key}|{again}".encode()).digest()[:4], "big") % 10_000
        found = f"{start}{digits:04d}" if again < 100 else f"{start}{digits:04d}{again}"
        if found not in taken:
            return found
    raise AssertionError("unreachable")


def free_name(name: str, unit: Unit, role: str, phone: str = "") -> str:
    """`user_name` against the accounts that exist."""
    start = initials(name)
    taken = set(Account.objects.filter(username__startswith=start).values_list("username", flat=True))
    taken |= set(Account.objects.filter(username=unit.code).values_list("username", flat=True))
    return user_name(name, unit, role, phone, taken)
