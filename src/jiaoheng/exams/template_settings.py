"""The 设置 sheet of the template: every field under its Chinese name, with explanation and drop-downs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args, get_origin

from xlsxwriter.utility import xl_col_to_name

from jiaoheng.exams.settings import (
    Composite,
    Denominator,
    ExamSettings,
    Lines,
    Missing,
    Model,
    Scaling,
    StateWord,
)
from jiaoheng.exams.settings_sheet import list_label
from jiaoheng.exams.settings_words import field_help, field_name
from jiaoheng.methods.scaling_rules import all_rules
from jiaoheng.packs import load

_PARTS: dict[str, tuple[str, type[Model] | None]] = {
    "denominator": ("Denominator", Denominator),
    "missing": ("Missing", Missing),
    "composite": ("Composite", Composite),
    "lines": ("Lines", Lines),
    "scaling": ("Scaling", Scaling),
    "levels": ("Levels", None),
    "pupils": ("PupilLists", None),
    "prior": ("Prior", None),
    "thresholds": ("Thresholds", None),
}
_ROW_MODELS = {"subjects": "SubjectSettings", "subject_thresholds": "Thresholds", "lines.lines": "Line"}
_FREE_ROWS = 8  # lines to fill in per table


class Words:
    """The hidden sheet 字典: lists of drop-downs stand in columns, because a list inside a rule may hold 255 characters."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._sheet = book.add_worksheet("字典")
        self._columns: dict[str, tuple[int, list[str]]] = {}

    def range_of(self, name: str, values: Sequence[str]) -> str:
        """The absolute range of a list; the first call for a name writes it."""
        if name not in self._columns:
            column = len(self._columns)
            self._sheet.write_string(0, column, name)
            for row, value in enumerate(values, 1):
                self._sheet.write_string(row, column, value)
            self._columns[name] = (column, list(values))
        column, stored = self._columns[name]
        letters = xl_col_to_name(column)
        return f"字典!${letters}$2:${letters}${len(stored) + 1}"

    def rule(self, name: str, values: Sequence[str]) -> dict[str, Any]:
        """A drop-down of the list."""
        message = "请在下拉列表中选一项"
        return {"validate": "list", "source": f"={self.range_of(name, values)}", "error_message": message}

    def finish(self) -> None:
        """Hide the sheet."""
        self._sheet.hide()


def write_settings_sheet(book: Any, sheet: Any, words: Words, subjects: Sequence[str]) -> None:
    """Fill the sheet; `subjects` stand ready in the table of subjects. Reads back through `settings_from_sheet`."""
    pack = load("settings_words")
    styles = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1}),
        "label": book.add_format({"border": 1}),
        "fill": book.add_format({"border": 1, "bg_color": "#FFFDF3"}),
        "date": book.add_format({"border": 1, "bg_color": "#FFFDF3", "num_format": "yyyy-mm-dd"}),
        "text": book.add_format({"border": 1, "bg_color": "#FFFDF3", "num_format": "@"}),
        "help": book.add_format({"font_color": "#5A6670"}),
    }
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 28)
    sheet.set_column(2, 8, 16)
    sheet.write_string(0, 0, "考试设置", styles["title"])
    sheet.write_string(0, 2, "只填需要改变的项目，其余采用默认值", styles["help"])
    row = 2
    for part in pack["parts"]:
        row = _part(sheet, words, styles, part, row)
    for table in pack["tables"]:
        row = _table(sheet, words, styles, table, row, subjects)
    sheet.freeze_panes(1, 0)
    print_on_a4(sheet)


def print_on_a4(sheet: Any, repeat: int = 1) -> None:
    """A4, all columns on one page wide, the first rows on every page."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, repeat - 1)


def _part(sheet: Any, words: Words, styles: dict[str, Any], part: Any, row: int) -> int:
    sheet.write_string(row, 0, f"【{part['title']}】", styles["head"])
    for dotted in part["fields"]:
        row += 1
        sheet.write_string(row, 0, list_label(dotted), styles["label"])
        style = styles["date"] if dotted == "date" else styles["fill"]
        if dotted in ("scaling.rule", "prior.files", "prior.sheets", "approval_document"):
            style = styles["text"]
        sheet.write_blank(row, 1, None, style)
        sheet.write_string(row, 2, _help(dotted), styles["help"])
        options = _options(dotted)
        if options:
            sheet.data_validation(row, 1, row, 1, words.rule(list_label(dotted), options))
    return row + 2


def _help(dotted: str) -> str:
    parts = dotted.split(".")
    if parts[:2] == ["composite", "weights"]:
        return "各项权重合计为 1 或 100"
    model = "ExamSettings" if len(parts) == 1 else _PARTS[parts[0]][0]
    return field_help(model, parts[-1])


def _options(dotted: str) -> list[str]:
    """The fixed words of a field; empty where anything may be typed."""
    if dotted == "grade":
        return list(load("grades")["grades"])
    if dotted == "scaling.rule":
        return list(dict.fromkeys(rule.key for rule in all_rules()))
    parts = dotted.split(".")
    model: type[Model] | None = ExamSettings if len(parts) == 1 else _PARTS[parts[0]][1]
    info = model.model_fields.get(parts[-1]) if model is not None else None
    if info is None:
        return []
    for option in (info.annotation, *get_args(info.annotation)):
        if str(get_origin(option)).endswith("Literal"):
            return [str(value) for value in get_args(option)]
    return []


def _table(sheet: Any, words: Words, styles: dict[str, Any], table: Any, row: int, subjects: Sequence[str]) -> int:
    path = table["path"]
    sheet.write_string(row, 0, f"【{table['title']}】", styles["head"])
    name = path.split(".")[-1]
    model = {"lines.lines": "Lines", "denominator.cohort": "Denominator"}.get(path, "ExamSettings")
    sheet.write_string(row, 2, field_help(model, name), styles["help"])
    if path in _ROW_MODELS:
        own = [name for name in load("settings_words")["fields"][_ROW_MODELS[path]] if name != "subject_lines"]
        heads = [field_name(_ROW_MODELS[path], name) for name in own]
        heads = [table["key"], *heads] if table["key"] else heads
    else:
        own = []
        heads = [table["key"], table["value"]]
    row += 1
    for column, word in enumerate(heads):
        sheet.write_string(row, column, word, styles["head"])
    names = list(subjects) if path == "subjects" else []
    for at in range(max(_FREE_ROWS, len(names) + 2)):
        row += 1
        for column in range(len(heads)):
            sheet.write_blank(row, column, None, styles["fill"] if column else styles["text"])
        if at < len(names):
            sheet.write_string(row, 0, names[at], styles["label"])
        _drop_downs(sheet, words, path, own, row)
    return row + 2


def _drop_downs(sheet: Any, words: Words, path: str, own: Sequence[str], row: int) -> None:
    for column, name in enumerate(own, 1):
        if name in ("in_total", "scaled"):
            sheet.data_validation(row, column, row, column, words.rule("是否", ["是", "否"]))
    if path == "marks":
        rule = {**words.rule("记号含义", list(get_args(StateWord))), "error_type": "information"}  # or a score
        sheet.data_validation(row, 1, row, 1, rule)
    if path in ("sheets", "rows"):
        values = list(load("settings_words")["values"][path])
        rule = {**words.rule(f"{path}取舍", values), "error_type": "information"}
        sheet.data_validation(row, 1, row, 1, rule)
