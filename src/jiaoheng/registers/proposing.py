"""An Excel sheet with headers → a first register: types, choices, key, required and protected columns, names by pinyin.

What is proposed is meant to be looked through and edited; every guess that a person should check is said in `notes`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from pypinyin import lazy_pinyin

from jiaoheng.registers.model import CodeTable, Field, Level, PeriodKind, Register
from jiaoheng.registers.proposing_columns import Guess, guess_column
from jiaoheng.registers.template_marks import CHOICE_SHEET, META_SHEET, NOTE_SHEET
from jiaoheng.sheets.text import cell_text, fold, is_blank
from jiaoheng.sheets.workbook import Cell, Sheet, SourceFile

_SEARCH = 20  # rows in which the header must stand
_LONGEST_HEAD = 40
_MOST_ROWS = 5_000  # rows looked at
_NAME_LENGTH = 40
_UNIT_HEADS = frozenset(
    map(fold, ("学校", "学校名称", "单位", "单位名称", "填报单位", "学校代码", "单位代码", "学校标识码"))
)
_DISTRICT_HEADS = frozenset(map(fold, ("学区", "中心校", "乡镇", "镇", "街道")))
_NUMBERING = frozenset(map(fold, ("序号", "序", "No", "No.", "#", "行号")))
_PERIODS = (
    (PeriodKind.DAY, re.compile(r"日报|每日|当日")),
    (PeriodKind.WEEK, re.compile(r"周报|每周|第.{1,3}周")),
    (PeriodKind.MONTH, re.compile(r"月报|每月|月度|\d{1,2}\s*月份?")),
    (PeriodKind.TERM, re.compile(r"学期|春季|秋季")),
    (PeriodKind.YEAR, re.compile(r"学年|年度|年报|\d{4}\s*年")),
)
_SUFFIX = re.compile(r"[(（].*?[)）]|（?\d{4}.*?年度?）?|\d{1,2}月份?|汇总表?$|统计表?$|登记表?$|一览表$|表$")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A register made from a sheet. `columns`: field → 1-based column; `header`: 1-based row; `rows`: data rows seen.

    `left_out`: heads that became no field (a running number, the unit's own columns) with the reason.
    """

    register: Register
    sheet: str
    header: int
    columns: dict[str, int]
    rows: int
    notes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


class ProposalError(Exception):
    """No table in the file: what was looked for and what to do, in Chinese."""


def propose(
    source: SourceFile, *, today: dt.date, sheet: str = "", names: Collection[str] = (), title: str = ""
) -> Proposal:
    """A register from a file's sheet (the one with the widest header unless `sheet` says which).

    today: from when the register holds. names: registers that exist, so that the new one gets another name.
    Raises ProposalError where no sheet has a header of at least two columns.
    """
    chosen, header = _choose(source, sheet)
    heads = _heads(chosen, header)
    data = [row for row in chosen.rows[header + 1 : header + 1 + _MOST_ROWS] if any(not is_blank(c) for c in row)]
    shown = title or _title(chosen, header, source.label)
    guesses, left_out, level = _guesses(heads, data)
    if not guesses:
        raise ProposalError(f"工作表“{chosen.name}”的表头里没有可以作为字段的列。请核对表头")
    fields, tables, columns = _fields(guesses)
    key, fields, notes = _key(fields, guesses, len(data))
    register = Register(
        name=_unique(english(_bare(shown)) or "register", set(names)),
        title=shown,
        version=1,
        effective_from=today,
        level=level,
        period=_period(shown),
        fields=fields,
        key=key,
        tables=tables,
        source=f"由 {source.label} 的工作表“{chosen.name}”生成",
    )
    notes += [note for guess in guesses for note in guess.notes]
    return Proposal(register, chosen.name, header + 1, columns, len(data), tuple(notes), tuple(left_out))


def _choose(source: SourceFile, name: str) -> tuple[Sheet, int]:
    best: tuple[int, Sheet, int] | None = None
    for one in source.sheets:
        if one.hidden or one.name in (META_SHEET, CHOICE_SHEET, NOTE_SHEET) or (name and one.name != name):
            continue
        found = _header(one)
        if found is not None and (best is None or found[1] > best[0]):
            best = (found[1], one, found[0])
    if best is None:
        where = f"工作表“{name}”" if name else "文件"
        raise ProposalError(f"{where}里找不到表头：至少要有一行写着两个以上的列名。请在第一行写列名后再试")
    return best[1], best[2]


def _header(sheet: Sheet) -> tuple[int, int] | None:
    """0-based header row and its number of heads: the first row of different short texts that is as wide as any."""
    best: tuple[int, int] | None = None
    for number, row in enumerate(sheet.rows[:_SEARCH]):
        cells = [cell for cell in row if not is_blank(cell)]
        texts = [cell for cell in cells if isinstance(cell, str) and len(cell) <= _LONGEST_HEAD]
        heads = {fold(text) for text in texts}
        if len(texts) >= 2 and len(texts) == len(cells) and len(heads) >= 0.8 * len(texts):
            wide = len(heads)
            if best is None or wide > best[1] * 1.3:
                best = (number, wide)
    return best


def _heads(sheet: Sheet, header: int) -> dict[int, str]:
    """0-based column → head; a group word above a merged head is put before it."""
    found: dict[int, str] = {}
    groups: dict[int, str] = {}
    for (top, left), (bottom, right) in sheet.merged:
        if top == bottom == header - 1 and right > left and right - left + 1 < len(sheet.rows[header]):
            word = cell_text(sheet.rows[top][left])
            groups.update(dict.fromkeys(range(left, right + 1), word or ""))
    for column, cell in enumerate(sheet.rows[header]):
        text = cell_text(cell)
        if text:
            found[column] = f"{groups[column]}{text}" if groups.get(column) else text
    return found


def _title(sheet: Sheet, header: int, label: str) -> str:
    for row in sheet.rows[:header]:
        texts = [text for cell in row if isinstance(cell, str) and (text := cell_text(cell))]
        if len(texts) == 1 and "：" not in texts[0] and ":" not in texts[0] and len(texts[0]) >= 4:
            return texts[0]
    return PurePath(label).stem if sheet.name.lower().startswith("sheet") or not sheet.name else sheet.name


def _guesses(heads: dict[int, str], data: Sequence[Sequence[Cell]]) -> tuple[list[Guess], list[tuple[str, str]], Level]:
    guesses: list[Guess] = []
    left: list[tuple[str, str]] = []
    folded = {fold(text) for text in heads.values()}
    level = Level.SCHOOL
    if folded & _DISTRICT_HEADS and not folded & _UNIT_HEADS:
        level = Level.DISTRICT
    for column, text in heads.items():
        word = fold(re.sub(r"[*＊]", "", text))
        if word in _NUMBERING:
            left.append((text, "序号不用存"))
        elif word in _UNIT_HEADS or (level is Level.DISTRICT and word in _DISTRICT_HEADS):
            left.append((text, "每条记录本来就属于一个单位"))
        else:
            guesses.append(guess_column(column, text, [row[column] for row in data]))
    return guesses, left, level


def _fields(guesses: Sequence[Guess]) -> tuple[tuple[Field, ...], dict[str, CodeTable], dict[str, int]]:
    fields: list[Field] = []
    tables: dict[str, CodeTable] = {}
    columns: dict[str, int] = {}
    for guess in guesses:
        name = _unique(english(guess.field.title) or "field", set(columns))
        one = replace(guess.field, name=name)
        if guess.items:
            one = replace(one, codes=f"{name}_choices")
            tables[one.codes] = CodeTable(one.codes, one.title, guess.items)
        fields.append(one)
        columns[name] = guess.column + 1
    return tuple(fields), tables, columns


def _key(
    fields: tuple[Field, ...], guesses: Sequence[Guess], rows: int
) -> tuple[tuple[str, ...], tuple[Field, ...], list[str]]:
    """The column that tells rows apart: a number by its head, else the first text that is never twice."""
    pairs = list(zip(fields, guesses, strict=True))
    numbers = [one for one, guess in pairs if guess.numbering and (guess.different or not rows)]
    texts = [one for one, guess in pairs if guess.different and guess.text and rows >= 2]
    chosen = (numbers or texts)[:1]
    if not chosen:
        if rows > 1:
            return (), fields, ["没有找到能区分各行的列，请指定主键；不指定时每个单位每期只有一条"]
        return (), fields, []
    key = chosen[0].name
    fields = tuple(
        replace(one, required=True, identity=one.name == key or one.identity) if one.name == key else one
        for one in fields
    )
    return (key,), fields, [f"以“{chosen[0].title}”区分各行，请核对"]


def _period(title: str) -> PeriodKind:
    return next((kind for kind, pattern in _PERIODS if pattern.search(title)), PeriodKind.NONE)


def _bare(title: str) -> str:
    return _SUFFIX.sub("", title).strip() or title


def english(text: str) -> str:
    """A name for the program from Chinese words, by pinyin: 教师数 → jiao_shi_shu; starts with a letter."""
    parts = [re.sub(r"[^a-z0-9]+", "", part.lower()) for part in lazy_pinyin(text, errors=_latin)]
    name = ""
    for part in filter(None, parts):
        if len(name) + len(part) + 1 > _NAME_LENGTH:
            break
        name = f"{name}_{part}" if name else part
    return name if not name or name[0].isalpha() else f"n_{name}"


def _latin(text: str) -> str:
    """What has no pinyin: letters and digits stay."""
    return "".join(re.findall(r"[A-Za-z0-9]+", text))


def _unique(name: str, taken: set[str]) -> str:
    count, found = 1, name
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


__all__ = ["Proposal", "ProposalError", "english", "propose"]
