"""People in a workbook: the template to fill, and its rows with their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.granting import LEVELS, roles_to_give
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.reading import read_file
from jiaoheng.sheets.text import cell_text, fold, is_blank, name_key
from jiaoheng.sheets.workbook import Sheet

SHEET, UNITS = "人员", "单位"
COLUMNS = {"name": "姓名", "unit": "单位代码", "role": "角色", "phone": "手机"}
_WORDS = {
    "name": ("姓名", "教师姓名"),
    "unit": ("单位代码", "学校标识码", "学校代码", "代码"),
    "role": ("角色",),
    "phone": ("手机", "手机号", "手机号码", "联系电话", "电话"),
}
_NEEDED = ("name", "unit", "role")
_LOOK = 20  # rows in which the head is looked for
_ROWS = 5000  # lines of the template with drop-downs


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line as typed, cleaned; `places` gives the cell of each column."""

    sheet: str
    row: int  # as in the workbook
    name: str
    unit: str
    role: str
    phone: str
    columns: dict[str, int]  # column key → 1-based column

    def place(self, column: str) -> Place:
        """The cell of a column, for a message."""
        return Place("", self.sheet, self.row, self.columns.get(column, 0))


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """What a workbook holds: its lines, and what could not be read at all."""

    label: str
    sha256: str
    rows: tuple[PersonRow, ...]
    problems: tuple[Problem, ...]


def read_people(path: Path, label: str) -> PeopleFile:
    """Read a workbook of people. Bad content never raises: it becomes a problem with its remedy."""
    source = read_file(path, label=label)
    problems = [one for one in source.problems if one.severity is Severity.ERROR]
    rows: list[PersonRow] = []
    heads = 0
    for sheet in source.sheets:
        if sheet.hidden or sheet.name == UNITS:
            continue
        found = _head(sheet)
        if found is None:
            continue
        heads += 1
        at, columns = found
        missing = [COLUMNS[key] for key in _NEEDED if key not in columns]
        if missing:
            told = f"表头缺少：{'、'.join(missing)}"
            place = Place(label, sheet.name, at + 1)
            problems.append(Problem("accounts-head", Severity.ERROR, place, told, "请用本页的模板填写"))
            continue
        rows += _rows(sheet, at, columns)
    if not problems and not heads:
        told = f"没有找到表头“{'、'.join(COLUMNS.values())}”"
        problems.append(Problem("accounts-head", Severity.ERROR, Place(label), told, "请用本页的模板填写"))
    elif not problems and not rows:
        problems.append(Problem("accounts-empty", Severity.ERROR, Place(label), "表头下面没有人", "请填写后再上传"))
    return PeopleFile(label, source.sha256, tuple(rows), tuple(problems))


def _head(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Row of the head and column key → 1-based column; at least two known words make a head."""
    for at, cells in enumerate(sheet.rows[:_LOOK]):
        columns: dict[str, int] = {}
        for column, cell in enumerate(cells, start=1):
            word = fold(cell_text(cell) or "").strip("*＊（必填）")
            for key, words in _WORDS.items():
                if word in words and key not in columns:
                    columns[key] = column
        if len(columns) >= 2:
            return at, columns
    return None


def _rows(sheet: Sheet, at: int, columns: dict[str, int]) -> list[PersonRow]:
    found = []
    for number, cells in enumerate(sheet.rows[at + 1 :], start=at + 2):
        if all(is_blank(cells[column - 1]) for column in columns.values()):
            continue
        given = {key: cell_text(cells[column - 1]) or "" for key, column in columns.items()}
        phone = given.get("phone", "").replace(" ", "").replace("-", "")
        name = name_key(given["name"]) if given["name"] else ""
        found.append(PersonRow(sheet.name, number, name, given["unit"], given["role"], phone, columns))
    return found


def write_people_template(path: Path, account: Account) -> None:
    """An empty workbook with the units and roles that this account may give, as drop-downs."""
    units = list(scope_of(account, Can.ACCOUNTS).units().order_by("code"))
    names = names_at([unit.pk for unit in units], clock.today())
    titles = list(dict.fromkeys(role.title for unit in _one_a_level(units) for role in roles_to_give(account, unit)))
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EEF0", "bottom": 1})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(SHEET)
        for column, (title, width) in enumerate(zip(COLUMNS.values(), (14, 18, 14, 18), strict=True)):
            sheet.set_column(column, column, width, text)
            sheet.write_string(0, column, title, head)
        sheet.freeze_panes(1, 0)
        told = {"input_title": "单位代码", "input_message": "见“单位”表；学校填 10 位学校标识码"}
        sheet.data_validation(1, 1, _ROWS, 1, {"validate": "any", **told})
        listed = book.add_worksheet(UNITS)
        listed.set_column(0, 0, 20, text)
        listed.set_column(1, 3, 28)
        for column, title in enumerate(("单位代码", "单位名称", "可用角色")):
            listed.write_string(0, column, title, head)
        for row, unit in enumerate(units, start=1):
            here = [ROLES[key].title for key, levels in LEVELS.items() if unit.level in levels]
            for column, value in enumerate((unit.code, names.get(unit.pk, ""), "、".join(set_of(here, titles)))):
                listed.write_string(row, column, value, text)
        for row, title in enumerate(titles):
            listed.write_string(row, 25, title)
        listed.set_column(25, 25, None, None, {"hidden": True})
        if titles:  # from cells and not inline: a list over 255 characters is dropped by readers
            source = f"='{UNITS}'!$Z$1:$Z${len(titles)}"
            sheet.data_validation(1, 2, _ROWS, 2, {"validate": "list", "source": source})


def set_of(these: Sequence[str], allowed: Sequence[str]) -> list[str]:
    """Those of `these` that are allowed, in their order."""
    return [one for one in these if one in allowed]


def _one_a_level(units: Sequence[Unit]) -> list[Unit]:
    found: dict[str, Unit] = {}
    for unit in units:
        found.setdefault(unit.level, unit)
    return list(found.values())
