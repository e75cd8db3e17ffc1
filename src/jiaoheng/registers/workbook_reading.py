"""A filled workbook of a register → columns of raw cells with places, whatever was done to its heads and columns.

Our own templates and exports are known by hidden ids; renamed heads, moved and hidden columns do not matter. Where the
ids are lost, or the table was made by hand, columns are known by their heads, and that is asked. An older version of the
register is told with both dates; another register's workbook is refused naming both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from jiaoheng.documents.safe_text import unneutralise
from jiaoheng.registers.model import FieldType, Register
from jiaoheng.registers.template_marks import (
    CHOICE_SHEET,
    MARKS,
    META_SHEET,
    NO_SUCH,
    NOTE_SHEET,
    PERIOD,
    RECORD,
    SCHEMA,
    UNIT,
    UNIT_NAME,
    VERSION,
    Meta,
    read_meta,
)
from jiaoheng.registers.workbook_reading_heads import Heads, Names, expected_heads, find_heads
from jiaoheng.registers.workbook_reading_model import Filled, Known, NotTaken
from jiaoheng.registers.workbook_reading_rows import Block, data_block
from jiaoheng.registers.workbook_reading_words import (
    column_answers,
    head_question,
    named_unit,
    told_twice,
    unknown_question,
    version_note,
)
from jiaoheng.sheets.annotate import restore
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading import read_file
from jiaoheng.sheets.text import cell_text, is_blank
from jiaoheng.sheets.workbook import Cell, Sheet, SourceFile

_NOTHING = Known()
_Read = TypeVar("_Read")
_TEXTS = frozenset({"csv", "tsv"})


def read_workbook(
    path: Path, register: Register, known: Known = _NOTHING, *, label: str | None = None, limits: Limits | None = None
) -> Filled:
    """Read a file of a user and understand its columns. Bad content never raises; see `Filled.problems`."""
    return understand(read_file(path, label=label, limits=limits), register, known)


def understand(source: SourceFile, register: Register, known: Known = _NOTHING) -> Filled:
    """The columns of a file that was read."""
    filled = Filled(source.label, register, problems=list(source.problems))
    sheets, answered = restore(source.sheets)
    filled.problems += answered.problems
    known = Known(known.versions, known.titles, known.units, {**answered.answers, **known.answers})
    metas = [meta for sheet in sheets if sheet.name == META_SHEET and (meta := read_meta(sheet.rows))]
    filled.meta = metas[0] if metas else None
    if filled.meta is not None and filled.meta.register != register.name:
        filled.problems.append(_other_register(source.label, filled.meta, register, known))
        return filled
    names = Names(register, known)
    if filled.meta is not None and filled.meta.version != register.version:
        filled.notes.append(version_note(filled.meta, register))
    for sheet in sheets:
        if sheet.name in (META_SHEET, CHOICE_SHEET) or not sheet.rows:
            continue
        if sheet.name == NOTE_SHEET and filled.meta is not None:
            continue
        heads = find_heads(sheet, names, column_answers(sheet, known.answers))
        if heads is not None:
            _take(filled, sheet if source.true_format not in _TEXTS else _plain_texts(sheet), heads, names, known)
    _finish(filled, source)
    return filled


def _plain_texts(sheet: Sheet) -> Sheet:
    """A text file's cells without the apostrophe that our exports put before what a spreadsheet would run."""
    rows = [
        tuple(unneutralise(cell) if type(cell) is str and cell[:1] == "'" else cell for cell in row)
        for row in sheet.rows
    ]
    return replace(sheet, rows=rows)


def _other_register(label: str, meta: Meta, register: Register, known: Known) -> Problem:
    title = known.titles.get(meta.register, meta.title)
    told = f"这是“{title}”的表，不是“{register.title}”"
    remedy = f"请到“{title}”上传，或下载“{register.title}”的模板填写"
    return Problem("template-other-register", Severity.ERROR, Place(label), told, remedy)


def _take(filled: Filled, sheet: Sheet, heads: Heads, names: Names, known: Known) -> None:
    if sheet.hidden and not heads.by_ids:
        filled.notes.append(f"隐藏的工作表“{sheet.name}”没有读取")
        return
    place = Place(filled.file, sheet.name, heads.row + 1)
    answer = known.answers.get(("heads", place.sheet_key))
    if answer == "否" and not heads.by_ids:
        told = "您答复表头与列对应有误，这张表没有读取"
        filled.problems.append(Problem("heads-refused", Severity.ERROR, place, told, "请用本台账的模板填写"))
        return
    filled.headers[filled.file, sheet.name] = heads.row + 1
    filled.problems += told_twice(heads, sheet, filled)
    block = data_block(sheet, heads.row, {**heads.columns, **{f"-{n}": at for n, at in heads.dropped.items()}})
    _count_dropped(filled, heads, sheet, block, names)
    if not block.rows:
        return
    if not heads.by_ids and answer is None:
        filled.questions.append(head_question(heads, place, filled))
    for column, text in heads.unknown.items():
        unknown_question(filled, sheet, heads, column, text, names, known, block)
    filled.unit_hint = filled.unit_hint or named_unit(sheet, heads.row, known.units)
    for what in dict.fromkeys(block.left_out.values()):
        rows = "、".join(str(row + 1) for row, kind in block.left_out.items() if kind == what)
        filled.notes.append(f"工作表“{sheet.name}”第 {rows} 行是{what}，没有当作数据")
    _append(filled, sheet, heads, block)


def _count_dropped(filled: Filled, heads: Heads, sheet: Sheet, block: Block, names: Names) -> None:
    for name, at in heads.dropped.items():
        cells = block.columns.pop(f"-{name}", [])
        values = sum(not is_blank(cell) and cell != NO_SUCH for cell in cells)
        title = names.old_titles.get(name) or cell_text(sheet.rows[heads.row][at]) or name
        why = f"“{filled.register.title}”第 {filled.register.version} 版没有这一列"
        filled.not_taken.append(NotTaken(title, Place(filled.file, sheet.name, 0, at + 1), values, why))


def _append(filled: Filled, sheet: Sheet, heads: Heads, block: Block) -> None:
    before, count = filled.count, len(block.rows)
    number = len(filled.sheets)
    filled.sheets.append(sheet.name)
    filled.column_of.append({name: at + 1 for name, at in heads.columns.items()})
    if UNIT not in heads.columns and UNIT_NAME in heads.columns:
        filled.column_of[-1][UNIT] = heads.columns[UNIT_NAME] + 1
    filled.sheet_of += [number] * count
    filled.row_of += [row + 1 for row in block.rows]
    for name, cells in block.columns.items():
        one = filled.register.by_name.get(name)
        if one is not None and one.type is not FieldType.FILE:
            filled.cells.setdefault(name, [None] * before).extend(cells)
    for column in filled.cells.values():
        column.extend([None] * (before + count - len(column)))
    for name, digits in block.digits.items():
        filled.digits.setdefault(name, {}).update({row + before: many for row, many in digits.items()})
    nothing: list[Cell] = [None] * count
    filled.records += _each(_text, block.columns.get(RECORD, nothing))
    filled.versions += _each(_whole, block.columns.get(VERSION, nothing))
    filled.periods += _each(_text, block.columns.get(PERIOD, nothing))
    codes, unit_names = block.columns.get(UNIT, nothing), block.columns.get(UNIT_NAME, nothing)
    blanks = {code for code in set(codes) if is_blank(code)}
    if blanks:
        codes = [name if code in blanks else code for code, name in zip(codes, unit_names, strict=True)]
    filled.units += codes


def _each(read: Callable[[Cell], _Read], cells: Sequence[Cell]) -> Iterable[_Read | None]:
    """What each cell says; a column that the sheet does not have takes no call a cell."""
    return [None] * len(cells) if cells.count(None) == len(cells) else map(read, cells)


def _text(cell: Cell) -> str | None:
    return cell if type(cell) is str and cell.isalnum() else cell_text(cell)


def _whole(cell: Cell) -> int | None:
    if type(cell) is float or type(cell) is int:
        return int(cell)
    text = cell_text(cell) or ""
    return int(text) if text.isdigit() and len(text) < 10 else None


def _finish(filled: Filled, source: SourceFile) -> None:
    filled.missing = tuple(
        one.name
        for one in filled.register.fields
        if one.name not in filled.cells and one.type is not FieldType.FILE and filled.count
    )
    if filled.count or filled.refused:
        return
    place = Place(source.label)
    if filled.headers:
        filled.problems.append(Problem("register-no-rows", Severity.ERROR, place, "表头下面没有数据", "请填写后再上传"))
    elif source.sheets:
        told = f"找不到“{filled.register.title}”的表头"
        remedy = f"表头应有：{expected_heads(filled.register)}。请用本台账的模板填写"
        filled.problems.append(Problem("register-no-header", Severity.ERROR, place, told, remedy))


__all__ = ["MARKS", "SCHEMA", "Filled", "Known", "read_workbook", "understand"]
