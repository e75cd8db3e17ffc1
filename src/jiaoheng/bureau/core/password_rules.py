"""What a password of a person must be: long enough for what he may see, and no word of this office with a number."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from pypinyin import lazy_pinyin

from jiaoheng import packs
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ADMIN_PASSWORD, ROLES
from jiaoheng.bureau.core.models import Account, Membership, UnitFacts
from jiaoheng.bureau.core.tree import holds
from jiaoheng.methods.sort_keys import initials

SHORTEST = 8
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def shortest_of(account: Account | None) -> int:
    """The shortest password that an account may have."""
    if account is None or account.pk is None:
        return SHORTEST
    if account.is_system_admin:
        return ADMIN_PASSWORD
    roles = Membership.objects.filter(holds(clock.today()), account=account).values_list("role", flat=True)
    return max([SHORTEST, *(ROLES[one].password for one in roles if one in ROLES)])


class LongEnough:
    """Length by role; nothing else is asked of the kinds of signs."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        least = shortest_of(user if isinstance(user, Account) else None)
        if len(password) < least:
            raise ValidationError(f"不足 {least} 位", code="password_too_short")

    def get_help_text(self) -> str:
        """For Django's forms."""
        return f"至少 {SHORTEST} 位，管理员至少 {ADMIN_PASSWORD} 位"


class NotOfHere:
    """No word of the office, the county or one's own unit with figures and signs around it: 教育局2025, qhx123456."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        plain = unicodedata.normalize("NFKC", password).lower()
        core = _AROUND.sub("", plain)
        known = _words() | (_words_of(user) if isinstance(user, Account) else set())
        if core in known or plain in known:
            raise ValidationError("用了本单位的名称或常用词", code="password_of_here")

    def get_help_text(self) -> str:
        """For Django's forms."""
        return "不要用单位名称、代码加数字"


@lru_cache(maxsize=1)
def _words() -> set[str]:
    return {str(one).lower() for one in packs.load("passwords")["words"]}


def _words_of(account: Account) -> set[str]:
    """Names, their pinyin and initials, and codes of the person's unit and of the county; of the person himself."""
    found = {account.name.lower(), _pinyin(account.name), initials(account.name), account.username}
    units = UnitFacts.objects.filter(unit__level="county") | UnitFacts.objects.filter(unit_id=account.home_id)
    for name, code in units.values_list("name", "unit__code"):
        found |= {name.lower(), _pinyin(name), initials(name), code.lower()}
    return {one.lower() for one in found} - {""}


def _pinyin(text: str) -> str:
    return "".join(lazy_pinyin(text))
