"""Typed reading of a pack's keys: what is wrong is noted with its line, reading goes on, all is told at once."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from jiaoheng.registers.model import SchemaProblem
from jiaoheng.registers.yaml_places import Spot

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_SURE = 0.6  # difflib's own cutoff: below it a suggestion confuses more than it helps
_Choice = TypeVar("_Choice", bound=StrEnum)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """“是不是“…”？”for a word that is close to a known one, else empty."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=_SURE)
    return f"是不是“{near[0]}”？" if near else ""


class Reader:
    """Notes the problems of one file; each getter returns a value that is safe to go on with."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[SchemaProblem] = []

    def wrong(self, line: int, message: str, remedy: str = "") -> None:
        """Note one problem."""
        self.problems.append(SchemaProblem(self.file, line, message, remedy))

    def mapping(self, spot: Spot, known: Collection[str], place: str, needed: Collection[str] = ()) -> dict[str, Spot]:
        """The entries of a mapping: unknown keys and missing needed ones are noted. `place` names it in messages."""
        if not isinstance(spot.value, dict):
            self.wrong(spot.line, f"{place}应是“名称: 值”的一组。", "请按示例写成多行，每行一个名称。")
            return {}
        for key, one in spot.value.items():
            if key not in known:
                guess = did_you_mean(key, known)
                self.wrong(one.line, f"{place}里不认识“{key}”。", guess or f"可用的有：{'、'.join(sorted(known))}。")
        for key in needed:
            if key not in spot.value or spot.value[key].value is None:
                self.wrong(spot.line, f"{place}缺少“{key}”。", f"请补上“{key}:”。")
        return {key: one for key, one in spot.value.items() if key in known}

    def items(self, spot: Spot | None, place: str) -> list[Spot]:
        """The members of a list; one bare value stands for a list of one."""
        if spot is None or spot.value is None:
            return []
        if isinstance(spot.value, list):
            return spot.value
        if isinstance(spot.value, str):
            return [spot]
        self.wrong(spot.line, f"“{place}”应是一个列表。", "请每行以“- ”开头，或写成 [甲, 乙]。")
        return []

    def text(self, spot: Spot | None, place: str, default: str = "") -> str:
        """A text; absent gives the default."""
        if spot is None or spot.value is None:
            return default
        if isinstance(spot.value, str):
            return spot.value.strip()
        self.wrong(spot.line, f"“{place}”应是一段文字。", "请写在同一行，或用引号括起来。")
        return default

    def texts(self, spot: Spot | None, place: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self.text(one, place) for one in self.items(spot, place))

    def name(self, spot: Spot | None, place: str) -> str:
        """A name of the program: small letters, digits and underscores."""
        text = self.text(spot, place)
        if text and spot is not None and not _NAME.fullmatch(text):
            self.wrong(
                spot.line, f"“{place}”写的是“{text}”，应由小写字母开头，只含小写字母、数字和下划线。", "请改名。"
            )
        return text

    def integer(self, spot: Spot | None, place: str, least: int = 0) -> int | None:
        """A whole number not below `least`."""
        text = self.text(spot, place)
        if not text or spot is None:
            return None
        if re.fullmatch(r"-?[0-9]{1,12}", text) and int(text) >= least:
            return int(text)
        self.wrong(spot.line, f"“{place}”写的是“{text}”，应是不小于 {least} 的整数。", "请改正。")
        return None

    def decimal(self, spot: Spot | None, place: str) -> Decimal | None:
        """An exact number."""
        text = self.text(spot, place)
        if not text or spot is None:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
        self.wrong(spot.line, f"“{place}”写的是“{text}”，应是数字。", "请改正。")
        return None

    def date(self, spot: Spot | None, place: str) -> dt.date | None:
        """A day as 2025-09-01."""
        text = self.text(spot, place)
        if not text or spot is None:
            return None
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return dt.date.fromisoformat(text)
        except ValueError:
            pass
        self.wrong(spot.line, f"“{place}”写的是“{text}”，不是一个日期。", "请写成 2025-09-01 的样子。")
        return None

    def flag(self, spot: Spot | None, place: str) -> bool:
        """True or false."""
        text = self.text(spot, place).lower()
        if text in ("", "false", "no", "否"):
            return False
        if text not in ("true", "yes", "是") and spot is not None:
            self.wrong(spot.line, f"“{place}”写的是“{text}”，应是 true 或 false。", "请改正。")
        return True

    def choice(self, spot: Spot | None, place: str, kinds: type[_Choice], default: _Choice) -> _Choice:
        """One of an enumeration's values."""
        text = self.text(spot, place)
        if not text or spot is None:
            return default
        values = [str(kind.value) for kind in kinds if kind.value]
        if text in values:
            return kinds(text)
        guess = did_you_mean(text, values)
        self.wrong(spot.line, f"“{place}”写的是“{text}”，不在可选范围。", guess or f"可选：{'、'.join(values)}。")
        return default
