"""A choice by code, by label, or by both (01 汉族), on the day for which it is given."""

from __future__ import annotations

import datetime as dt
import re

from jiaoheng.registers.model import CodeTable, Field, Wrong
from jiaoheng.sheets.text import fold, number_text
from jiaoheng.sheets.workbook import Cell

_SHOWN = 12  # choices named in a message
_BOTH = re.compile(r"([0-9A-Za-z_.\-]+)[\s:：、.\-—]+(.+)")
_TAIL = re.compile(r"(.+?)[(（]([^()（）]+)[)）]")


class CodeReader:
    """Reads choices of one table; a code that has ended by the day is refused naming the day."""

    def __init__(self, one: Field, table: CodeTable, at: dt.date) -> None:
        self.field = one
        self.table = table
        self.at = at
        self.valid = table.valid(at)
        self.order = {code: number for number, code in enumerate(dict.fromkeys(item.code for item in table.items))}
        self.known: dict[str, str] = {}
        bare: dict[str, set[str]] = {}
        # labels first, codes over them: a code is never taken for another choice's label; choices that hold come last
        for item in sorted(table.items, key=lambda item: item.code in self.valid):
            self.known[fold(item.label)] = item.code
        for code, label in self.valid.items():
            self.known[fold(label)] = code
        for item in table.items:
            self.known[fold(item.code)] = item.code
            bare.setdefault(fold(item.code).lstrip("0") or "0", set()).add(item.code)
        self.bare = {short: next(iter(codes)) for short, codes in bare.items() if len(codes) == 1}

    def find(self, text: str) -> str | Wrong | None:
        """The code that a text means; None where it means none; Wrong where that choice has ended."""
        key = fold(text)
        code = self.known.get(key)
        if code is None and key.isdigit():
            code = self.bare.get(key.lstrip("0") or "0")
        if code is None:
            code = self._both(text)
        if code is None:
            return None
        return code if code in self.valid else self._ended(code)

    def _both(self, text: str) -> str | None:
        """`01 汉族` and `汉族（01）`, where both halves mean the same choice."""
        for pattern in (_BOTH, _TAIL):
            match = pattern.fullmatch(text.strip())
            if match:
                first, second = self.known.get(fold(match[1])), self.known.get(fold(match[2]))
                if first is not None and first == second:
                    return first
        return None

    def read(self, cell: Cell) -> str | Wrong:
        """The code of a cell."""
        if isinstance(cell, bool):
            text = "是" if cell else "否"
        else:
            text = number_text(cell) if isinstance(cell, (int, float)) else str(cell)
        found = self.find(text)
        if found is not None:
            return found
        labels = list(self.valid.values())
        offered = "、".join(labels[:_SHOWN]) + (f" 等 {len(labels)} 项" if len(labels) > _SHOWN else "")
        quoted = text if len(text) <= 60 else text[:59] + "…"
        return Wrong("code-unknown", self.field.name, f"“{quoted}”不在可选范围", f"请填：{offered}")

    def ordered(self, codes: list[str]) -> list[str]:
        """Different codes in the order of the table."""
        return sorted(dict.fromkeys(codes), key=lambda code: self.order.get(code, len(self.order)))

    def _ended(self, code: str) -> Wrong:
        label = self.table.label(code, self.at)
        end = self.table.ended(code, self.at)
        named = label if label == code else f"{code} {label}"
        if end is None:
            begins = [item.from_ for item in self.table.items if item.code == code and item.from_ is not None]
            since = f"从 {min(begins).isoformat()} 起才启用" if begins else "此时未启用"
            return Wrong("code-not-yet", self.field.name, f"“{named}”{since}", self._choose())
        return Wrong("code-ended", self.field.name, f"“{named}”已于 {end.isoformat()} 停用", self._choose())

    def _choose(self) -> str:
        labels = list(self.valid.values())
        return "请改选：" + "、".join(labels[:_SHOWN]) + ("…" if len(labels) > _SHOWN else "")
