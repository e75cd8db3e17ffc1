"""What is asked and told about the columns of a filled workbook."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jiaoheng.registers.model import Register
from jiaoheng.registers.template_marks import MARKS, TITLES, Meta
from jiaoheng.registers.workbook_reading_heads import Heads, Names, free_fields
from jiaoheng.registers.workbook_reading_model import IGNORE, Filled, Key, Known, NotTaken
from jiaoheng.registers.workbook_reading_rows import Block
from jiaoheng.sheets.places import Choice, Place, Problem, Question, Severity, column_letters
from jiaoheng.sheets.text import cell_text, fold, is_blank
from jiaoheng.sheets.workbook import Sheet

_UNIT_LINE = re.compile(r"(?:填报单位|单位名称|单位|学校名称|学校)\s*(?:[(（]盖章[)）])?\s*[:：]\s*([^\s　:：]+)")
_COLUMNS, _HEADS = "columns", "heads"


def column_answers(sheet: Sheet, answers: Mapping[Key, str]) -> dict[int, str]:
    """0-based column → field name (or 忽略), from the answers about this sheet's unknown columns."""
    found: dict[int, str] = {}
    for key, value in answers.items():
        if len(key) == 2 and key[0] == _COLUMNS:
            prefix, _, letters = key[1].rpartition("|")
            if prefix == Place(sheet.file, sheet.name).sheet_key and re.fullmatch(r"[A-Z]{1,3}", letters):
                found[_index(letters)] = value
    return found


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def head_question(heads: Heads, place: Place, filled: Filled) -> Question:
    """Asked where columns are known by their heads alone; the default is yes, so that nothing stops."""
    pairs = [
        f"{column_letters(at + 1)} 列→{filled.title(name)}" for name, at in heads.columns.items() if name not in MARKS
    ]
    shown = "，".join(pairs[:8]) + (f" 等 {len(pairs)} 列" if len(pairs) > 8 else "")
    choices = (Choice("是", "对应正确"), Choice("否", "对应有误，这次不导入"))
    text = f"表中没有列代码，已按表头对应：{shown}。对应正确吗？"
    return Question("columns-by-head", (_HEADS, place.sheet_key), place, text, choices, "是", blocking=False)


def unknown_question(
    filled: Filled, sheet: Sheet, heads: Heads, column: int, text: str, names: Names, known: Known, block: Block
) -> None:
    """Ask what an unknown column with values is; one without values is not worth a question."""
    values = sum(not is_blank(sheet.rows[row][column]) for row in block.rows)
    if not values:
        return
    free = free_fields(heads, filled.register)
    place = Place(filled.file, sheet.name, 0, column + 1)
    choices = tuple(Choice(name, filled.title(name)) for name in free)
    likely = names.likely(text, free)
    asked = f"{column_letters(column + 1)} 列“{text}”不是“{filled.register.title}”的列，有 {values} 个值。它是哪一项？"
    key = (_COLUMNS, place.key)
    filled.questions.append(
        Question("column-unknown", key, place, asked, (*choices, Choice(IGNORE, "不导入这一列")), likely or IGNORE)
    )
    filled.not_taken.append(NotTaken(text, place, values, "不认识这一列"))


def told_twice(heads: Heads, sheet: Sheet, filled: Filled) -> list[Problem]:
    """Two columns of one field: which one counts is not ours to guess."""
    problems = []
    for name, column in heads.twice:
        first = column_letters(heads.columns[name] + 1)
        place = Place(filled.file, sheet.name, heads.row + 1, column + 1)
        told = f"“{filled.title(name)}”有两列：{first} 列和 {column_letters(column + 1)} 列"
        problems.append(Problem("column-twice", Severity.ERROR, place, told, "请只留一列"))
    return problems


def version_note(meta: Meta, register: Register) -> str:
    """Which version the workbook is of, and which holds now."""
    old = f"第 {meta.version} 版（{meta.effective_from}）"
    new = f"第 {register.version} 版（{register.effective_from.isoformat()}）"
    word = "现行" if meta.version < register.version else "这一期用"
    return f"这是“{register.title}”{old}的模板，{word}{new}；能对应的列已读取"


def named_unit(sheet: Sheet, header: int, units: Mapping[str, str]) -> str:
    """Code of a unit named in the lines above the table (填报单位：东镇中心小学)."""
    by_name = {fold(name): code for code, name in units.items()}
    for row in sheet.rows[:header]:
        for cell in row:
            text = cell_text(cell) if isinstance(cell, str) else None
            for match in _UNIT_LINE.finditer(text or ""):
                word = match[1]
                code = word if word in units else by_name.get(fold(word))
                if code:
                    return code
    return ""


def mark_title(name: str) -> str:
    """Title of one of our own columns."""
    return TITLES.get(name, name)
