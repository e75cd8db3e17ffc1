"""What our workbooks carry so that they are known again: column ids, heads, and the hidden sheet about the register."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.registers.model import Field, Level, PeriodKind, Register
from jiaoheng.sheets.text import cell_text, fold

META_SHEET = "_jh"
CHOICE_SHEET = "_选项"
NOTE_SHEET = "说明"
PREFIX = "jh:"
NO_SUCH = "—"  # in an export: the record's version has no such column
SIGNATURE = "jiaoheng-register"
RECORD, VERSION, UNIT, UNIT_NAME, PERIOD, SCHEMA = "_record", "_version", "_unit", "_unit_name", "_period", "_schema"
MARKS = (RECORD, VERSION, UNIT, UNIT_NAME, PERIOD, SCHEMA)
TITLES: Mapping[str, str] = {
    RECORD: "记录编号",
    VERSION: "记录版本",
    UNIT: "单位代码",
    UNIT_NAME: "单位名称",
    PERIOD: "期次",
    SCHEMA: "表样版本",
}
_STAR = re.compile(r"[*＊★]+|[(（]\s*(?:必填|选填)\s*[)）]")
_UNIT_TAIL = re.compile(r"[(（]([^()（）]*)[)）]\s*$")


@dataclass(frozen=True, slots=True)
class Meta:
    """What the hidden sheet says. `kind`: template or export; `digest` is of the records filled in."""

    register: str
    title: str
    version: int
    effective_from: str
    period: str = ""
    unit: str = ""
    unit_name: str = ""
    made_at: str = ""
    kind: str = "template"
    rows: int = 0
    digest: str = ""


def head(one: Field) -> str:
    """The visible head of a field: title, unit of measure, star where required."""
    unit = f"（{one.unit}）" if one.unit else ""
    return f"{one.title}{unit}{' *' if one.required else ''}"


def head_key(text: str, unit: str = "") -> str:
    """A head for comparing: folded, without star, without 必填, without its unit of measure (`unit`, else any)."""
    text = _STAR.sub("", text).strip()
    match = _UNIT_TAIL.search(text)
    if match is not None and unit and fold(match[1]) == fold(unit):
        text = text[: match.start()]
    return fold(text)


def split_unit(text: str) -> tuple[str, str]:
    """A head without star and its words in brackets at the end: 面积（㎡）* → 面积, ㎡."""
    text = _STAR.sub("", text).strip()
    match = _UNIT_TAIL.search(text)
    return (text[: match.start()].strip(), match[1].strip()) if match is not None else (text, "")


def digest(rows: Iterable[tuple[str, int]]) -> str:
    """Hash over record ids and versions, in order."""
    found = hashlib.sha256()
    for record, version in rows:
        found.update(f"{record}:{version}\n".encode())
    return found.hexdigest()[:16]


def meta_rows(meta: Meta) -> list[tuple[str, str]]:
    """Rows of the hidden sheet: key and value."""
    values = {
        "register": meta.register,
        "title": meta.title,
        "version": str(meta.version),
        "effective_from": meta.effective_from,
        "period": meta.period,
        "unit": meta.unit,
        "unit_name": meta.unit_name,
        "made_at": meta.made_at,
        "kind": meta.kind,
        "rows": str(meta.rows),
        "digest": meta.digest,
    }
    return [(SIGNATURE, "1"), *values.items()]


def read_meta(rows: Sequence[Sequence[object]]) -> Meta | None:
    """The hidden sheet's content; None where the sheet is not ours or its register and version cannot be read."""
    pairs = {str(row[0]): cell_text(row[1]) or "" for row in rows if len(row) > 1 and row[0] is not None}  # type: ignore[arg-type]
    if SIGNATURE not in pairs or not pairs.get("register") or not pairs.get("version", "").isdigit():
        return None
    rows_text = pairs.get("rows", "")
    return Meta(
        pairs["register"],
        pairs.get("title", "") or pairs["register"],
        int(pairs["version"]),
        pairs.get("effective_from", ""),
        pairs.get("period", ""),
        pairs.get("unit", ""),
        pairs.get("unit_name", ""),
        pairs.get("made_at", ""),
        pairs.get("kind", ""),
        int(rows_text) if rows_text.isdigit() else 0,
        pairs.get("digest", ""),
    )


def register_meta(register: Register, *, kind: str, made_at: dt.datetime | None = None, **more: str) -> Meta:
    """The facts of a register for a workbook made now."""
    made = made_at.isoformat(" ", "minutes") if made_at is not None else ""
    return Meta(
        register.name,
        register.title,
        register.version,
        register.effective_from.isoformat(),
        made_at=made,
        kind=kind,
        **more,  # type: ignore[arg-type]
    )


def has_units(register: Register) -> bool:
    """Whether the rows of different units stand in one list."""
    return register.level is not Level.COUNTY


def has_periods(register: Register) -> bool:
    """Whether the rows belong to periods."""
    return register.period is not PeriodKind.NONE
