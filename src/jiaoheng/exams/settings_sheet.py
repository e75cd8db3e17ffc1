"""The 设置 sheet and the answered 待确认 sheet of a workbook → entries.

The 设置 sheet has parts. A part begins with its heading (等级线, 学科 …); under it stand either lines of name and
content, or a small table with a header row. Lines of name and content may also stand without any heading.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_tree import Entry, interpret
from jiaoheng.exams.settings_words import canonical_subject, clean, field_words, nearest
from jiaoheng.packs import load
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.workbook import Cell, Sheet

ANSWER_HEADER = ("编号", "位置", "问题", "可选", "默认", "您的答复")
ANSWER_KEY = "键"  # column G, hidden: the JSON list of the settings key path
KEY_JOIN = " › "

_MODELS = {"denominator": "Denominator", "missing": "Missing", "composite": "Composite", "lines": "Lines"}
_MODELS |= {
    "scaling": "Scaling",
    "levels": "Levels",
    "pupils": "PupilLists",
    "prior": "Prior",
    "thresholds": "Thresholds",
}
_ROW_MODELS = {"subjects": "SubjectSettings", "subject_thresholds": "Thresholds", "lines.lines": "Line"}
_LIST_HEADS = frozenset({"项目", "设置项", "设置", "名称"})
_BRACKETS = re.compile(r"^[【\[（(]*(?:[一二三四五六七八九十]+、|\d+[.、])?(.*?)[】\]）)]*$")


def cell_text(value: Cell) -> str:
    """A cell as the text a person sees: 150.0 → 150, dates as 2026-04-21, True → 是."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value).strip()


def settings_from_sheet(sheet: Sheet) -> tuple[ExamSettings, list[Problem]]:
    """Settings of a 设置 sheet. Same fields, words and messages as exam.yaml; places are cells of the sheet."""
    reader = _SheetReader(sheet)
    root = reader.read()
    settings, problems = interpret(root)
    return settings, reader.problems + problems


@cache
def _list_fields() -> Mapping[str, tuple[str, ...]]:
    """Every label of a line of name and content → path in the settings."""
    words = load("settings_words")
    labels: dict[str, tuple[str, ...]] = {}
    for part in words["parts"]:
        for dotted in part["fields"]:
            path = tuple(dotted.split("."))
            for label in _labels_of(path, words):
                labels.setdefault(clean(label), path)
    return labels


def _labels_of(path: tuple[str, ...], words: Any) -> list[str]:
    if path[:2] == ("composite", "weights"):
        return [words["weight_labels"][path[2]]]
    model = "ExamSettings" if len(path) == 1 else _MODELS[path[0]]
    entry = words["fields"][model][path[-1]]
    # short spellings (名称, 规则) are clear below their heading in YAML only; here they would be ambiguous
    return [entry["zh"], *(entry.get("also", ()) if len(path) == 1 or path[0] in ("thresholds", "missing") else ())]


def list_label(dotted: str) -> str:
    """The label that a line of the 设置 sheet has for a field given as `missing.absent`."""
    return _labels_of(tuple(dotted.split(".")), load("settings_words"))[0]


@cache
def _headings() -> Mapping[str, Mapping[str, Any] | None]:
    """Headings of parts: a table's description, or None for lines of name and content."""
    words = load("settings_words")
    found: dict[str, Mapping[str, Any] | None] = {}
    for part in words["parts"]:
        for title in (part["title"], *part.get("also", ())):
            found[clean(title)] = None
    for table in words["tables"]:
        found[clean(table["title"])] = table
    return found


@dataclass(slots=True)
class _SheetReader:
    sheet: Sheet
    problems: list[Problem] = field(default_factory=list)
    root: dict[str, Entry] = field(default_factory=dict)

    def place(self, row: int, column: int = -1) -> Place:
        return Place(self.sheet.file, self.sheet.name, row + 1, column + 1)

    def error(self, code: str, place: Place, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, Severity.ERROR, place, message, remedy))

    def texts(self, row: int) -> list[str]:
        return [cell_text(cell) for cell in self.sheet.rows[row]]

    def read(self) -> Entry:
        row, count = 0, len(self.sheet.rows)
        while row < count:
            texts = self.texts(row)
            filled = [column for column, text in enumerate(texts) if text]
            if not filled:
                row += 1
                continue
            heading = self._heading_of(texts, filled)
            if heading is not False:
                row += 1
                if heading is not None:
                    row = self._table(heading, row)
                continue
            self._line(row, texts, filled)
            row += 1
        return Entry(Place(self.sheet.file, self.sheet.name), self.root)

    def _heading_of(self, texts: Sequence[str], filled: Sequence[int]) -> Mapping[str, Any] | Literal[False] | None:
        """A heading stands alone in its row; one in brackets may have an explanation beside it."""
        first = texts[filled[0]]
        return self._heading(first) if len(filled) == 1 or first[:1] in "【[" else False

    @staticmethod
    def _heading(text: str) -> Mapping[str, Any] | Literal[False] | None:
        """A table's description, None for a heading of lines, False for anything else."""
        match = _BRACKETS.match(text.strip())
        inner = clean(match.group(1)) if match else clean(text)
        headings = _headings()
        return headings.get(inner, False)

    def _line(self, row: int, texts: Sequence[str], filled: Sequence[int]) -> None:
        """A line of name and content; a third cell is explanation. A lone text is a title or a remark."""
        label_column = filled[0]
        label = texts[label_column]
        content = texts[label_column + 1] if label_column + 1 < len(texts) else ""
        if clean(label) in _LIST_HEADS and content in ("内容", "值", "填写"):
            return
        key = clean(label)
        place = self.place(row, label_column + 1)
        path = _list_fields().get(key)
        if path is None and key.endswith("满分") and len(key) > 2:
            path = ("subjects", canonical_subject(key.removesuffix("满分")), "full")
        if path is not None:
            self._put(path, Entry(place, content or None), label)
            return
        if len(filled) == 1:
            return  # a title or a remark
        if content:
            near = nearest(label, _list_fields())
            known = list_label(".".join(_list_fields()[near])) if near else ""
            remedy = f"是否应为“{known}”" if near else "请对照模板的“设置”工作表"
            self.error("settings-unknown-key", self.place(row, label_column), f"没有名为“{label}”的设置", remedy)

    def _put(self, path: tuple[str, ...], entry: Entry, label: str) -> None:
        if entry.value is None:
            return
        level = self.root
        for part in path[:-1]:
            child = level.setdefault(part, Entry(entry.place, {}))
            assert isinstance(child.value, dict)  # noqa: S101 (only this class writes here)
            level = child.value
        if path[-1] in level:
            self.error("settings-double-key", entry.place, f"“{label}”写了两次", "请只留一处")
            return
        level[path[-1]] = entry

    def _table(self, table: Mapping[str, Any], row: int) -> int:
        """Read a table's header and lines up to the next heading or known line; returns the row after it."""
        count = len(self.sheet.rows)
        while row < count and not any(self.texts(row)):
            row += 1
        if row >= count:
            return row
        header = {column: text for column, text in enumerate(self.texts(row)) if text}
        if self._heading_of(self.texts(row), sorted(header)) is not False:
            return row  # an empty part: the next heading follows at once
        first = row + 1
        path = tuple(table["path"].split("."))
        gap = False
        for line in range(first, count):
            texts = self.texts(line)
            filled = [column for column, text in enumerate(texts) if text]
            if not filled:
                gap = True  # people leave lines free inside a table
                continue
            if self._heading_of(texts, filled) is not False or (gap and clean(texts[filled[0]]) in _list_fields()):
                return line
            if table["path"] == "lines.lines":
                self._append_line(line, header, texts)
            elif "value" in table:
                self._pair(table, path, line, header, texts)
            else:
                self._record(table, path, line, header, texts)
        return count

    def _pair(
        self, table: Mapping[str, Any], path: tuple[str, ...], row: int, header: Mapping[int, str], texts: Sequence[str]
    ) -> None:
        columns = sorted(header)
        key_column = columns[0]
        value_column = columns[1] if len(columns) > 1 else key_column + 1
        key = texts[key_column]
        content = texts[value_column] if value_column < len(texts) else ""
        place = self.place(row, value_column)
        if not key:
            self.error(
                "settings-table", self.place(row, key_column), f"{table['title']}这一行没有{table['key']}", "请补上"
            )
            return
        self._put((*path, key), Entry(place, content or None), key)

    def _record(
        self, table: Mapping[str, Any], path: tuple[str, ...], row: int, header: Mapping[int, str], texts: Sequence[str]
    ) -> None:
        columns = sorted(header)
        key = texts[columns[0]]
        if not key:
            place = self.place(row, columns[0])
            self.error("settings-table", place, f"{table['title']}这一行没有{table['key']}", "请补上或清空这一行")
            return
        values = self._cells(_ROW_MODELS[table["path"]], row, {c: header[c] for c in columns[1:]}, texts)
        for name, entry in values.items():
            self._put((*path, canonical_subject(key), name), entry, f"{key} {name}")

    def _cells(self, model: str, row: int, header: Mapping[int, str], texts: Sequence[str]) -> dict[str, Entry]:
        """Cells of one line by field name; with `Line`, a head that is a subject is its effective score."""
        words = field_words(model)
        found: dict[str, Entry] = {}
        for column, head in header.items():
            text = texts[column] if column < len(texts) else ""
            name = words.get(clean(head))
            place = self.place(row, column)
            if not text or clean(head) in ("说明", "备注"):
                continue
            if name is not None:
                found[name] = Entry(place, text)
            elif model == "Line":
                subject = canonical_subject(head)
                lines = found.setdefault("subject_lines", Entry(place, {}))
                assert isinstance(lines.value, dict)  # noqa: S101 (made one line above)
                lines.value[subject] = Entry(place, text)
            else:
                near = nearest(head, words)
                remedy = f"是否应为“{near}”" if near else "请对照模板的“设置”工作表"
                self.error("settings-unknown-key", place, f"没有名为“{head}”的列", remedy)
        return found

    def _append_line(self, row: int, header: Mapping[int, str], texts: Sequence[str]) -> None:
        values = self._cells("Line", row, header, texts)
        if not values:
            return
        if "name" not in values:
            place = self.place(row, min(header))
            self.error("settings-table", place, "这条分数线没有线名", "请补上线名，例如 普高线")
            return
        lines = self.root.setdefault("lines", Entry(self.place(row), {}))
        assert isinstance(lines.value, dict)  # noqa: S101 (only this class writes here)
        inner = lines.value.setdefault("lines", Entry(self.place(row), []))
        assert isinstance(inner.value, list)  # noqa: S101 (only this class writes here)
        inner.value.append(Entry(self.place(row, min(header)), dict(values)))


@dataclass(frozen=True, slots=True)
class Answers:
    """The answered lines of a 待确认 sheet: settings key path → text, where each stands, and what is wrong."""

    values: Mapping[tuple[str, ...], str]
    places: Mapping[tuple[str, ...], Place]
    problems: tuple[Problem, ...] = ()


def answers_from_sheet(sheet: Sheet) -> Answers:
    """Answers of a 待确认 sheet; lines without an answer are left out.

    The header row holds the words of ANSWER_HEADER; the key comes from the hidden column 键 (a JSON list) and,
    where somebody deleted that column, from 编号 split at ` › `.
    """
    header_row, columns = _answer_header(sheet)
    if header_row < 0:
        place = Place(sheet.file, sheet.name)
        message = "找不到写有“编号”和“您的答复”的表头行"
        problem = Problem("answers-header", Severity.ERROR, place, message, "请不要删改“待确认”工作表的表头")
        return Answers({}, {}, (problem,))
    values: dict[tuple[str, ...], str] = {}
    places: dict[tuple[str, ...], Place] = {}
    problems: list[Problem] = []
    for row in range(header_row + 1, len(sheet.rows)):
        cells = sheet.rows[row]
        texts = {word: cell_text(cells[column]) if column < len(cells) else "" for word, column in columns.items()}
        answer = texts["您的答复"]
        if not answer:
            continue
        place = Place(sheet.file, sheet.name, row + 1, columns["您的答复"] + 1)
        key = _answer_key(texts)
        if not key:
            message = f"这一行有答复“{answer}”，却没有编号"
            problems.append(Problem("answers-key", Severity.ERROR, place, message, "请恢复编号，或清空这一行"))
            continue
        answer = _chosen(answer, texts.get("可选", ""))
        if key in values and values[key] != answer:
            message = f"“{KEY_JOIN.join(key)}”有两个不同的答复：“{values[key]}”和“{answer}”"
            problems.append(Problem("answers-double", Severity.ERROR, place, message, "请只留一个答复"))
            continue
        values[key] = answer
        places[key] = place
    return Answers(values, places, tuple(problems))


def _answer_header(sheet: Sheet) -> tuple[int, dict[str, int]]:
    wanted = {clean(word): word for word in (*ANSWER_HEADER, ANSWER_KEY)}
    for row, cells in enumerate(list(sheet.rows)[:20]):
        columns: dict[str, int] = {}
        for column, cell in enumerate(cells):
            word = wanted.get(clean(cell_text(cell)))
            if word is not None:
                columns.setdefault(word, column)
        if "您的答复" in columns and ("编号" in columns or ANSWER_KEY in columns):
            return row, columns
    return -1, {}


def _answer_key(texts: Mapping[str, str]) -> tuple[str, ...]:
    try:
        key = json.loads(texts.get(ANSWER_KEY, "") or "null")
    except ValueError:
        key = None
    if isinstance(key, list) and key and all(isinstance(part, str) and part for part in key):
        return tuple(key)
    return tuple(part.strip() for part in texts.get("编号", "").split("›") if part.strip())


def _chosen(answer: str, choices: str) -> str:
    """The stored word of an answer: drop-downs may show `未选（未选考）` or `未选＝未选考`, people copy either."""
    for value, label in _choices(choices):
        if answer in (value, label) or clean(answer) in (clean(value), clean(label)):
            return value
        for left, right in ("（）", "()", ("＝", ""), ("=", ""), ("：", ""), (":", "")):
            if answer == f"{value}{left}{label}{right}":
                return value
    return answer


def _choices(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"[；;\n]", text):
        match = re.match(r"^\s*(.+?)\s*(?:[＝=：:]\s*(.+)|[（(](.+)[）)])\s*$", part)
        if match:
            yield match.group(1), (match.group(2) or match.group(3)).strip()
        elif part.strip():
            yield part.strip(), part.strip()
