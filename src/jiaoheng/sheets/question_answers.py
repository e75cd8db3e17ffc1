"""The answers a person gave in the sheet 待确认 of an annotated workbook, and the way back to the original files."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jiaoheng.sheets.annotate_memory import (
    ANSWER_COLUMN,
    HEADER,
    MEMORY_SHEET,
    Key,
    Memory,
    Origin,
    decode_key,
    is_memory,
    match_origins,
    parse_memory,
    spelled,
)
from jiaoheng.sheets.places import Choice, Place, Problem, Severity
from jiaoheng.sheets.workbook import Sheet

_HEADER_SEARCH = 20  # rows; people insert a line or two above
_ORDINAL = re.compile(r"^\d+[.、,:)）]")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_DEFAULT_WORDS = frozenset({"默认", "按默认", "同默认", "默认值"})


@dataclass(slots=True)
class Answered:
    """What the annotated workbooks among some sheets say.

    `answers`: settings key path → value; `places`: where each was written. `origin`: (file, sheet) as read → (file, sheet) of the original,
    only for sheets of annotated workbooks. `own`: (file, sheet) of our own two sheets, which hold no scores.
    `settings`: file → text of the exam.yaml that its annotated copy remembers.
    """

    answers: dict[Key, str] = field(default_factory=dict)
    places: dict[Key, Place] = field(default_factory=dict)
    origin: dict[Origin, Origin] = field(default_factory=dict)
    own: set[Origin] = field(default_factory=set)
    settings: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_answers(sheets: Sequence[Sheet]) -> Answered:
    """Answers and origins of every annotated workbook among the sheets; other sheets are left alone."""
    found = Answered()
    problems: list[Problem] = []
    by_file: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_file.setdefault(sheet.file, []).append(sheet)
    for file, group in by_file.items():
        memory_sheet = next((s for s in group if s.name == MEMORY_SHEET and is_memory(s.rows)), None)
        question_sheet = _question_sheet(group, memory_sheet)
        if memory_sheet is None:
            if question_sheet is not None:
                found.own.add((file, question_sheet.name))
                problems += _without_memory(question_sheet)
            continue
        memory = parse_memory(memory_sheet.rows)
        found.own.add((file, memory_sheet.name))
        if memory.settings:
            found.settings[file] = memory.settings
        if question_sheet is not None:
            found.own.add((file, question_sheet.name))
            here = Place(file, question_sheet.name)
            answers, wrong = sheet_answers(question_sheet.rows, memory, here)
            found.places |= _answer_places(question_sheet.rows, here)
            problems += wrong + _merge(found.answers, answers, file, question_sheet.name)
        names = [s.name for s in group if (file, s.name) not in found.own and (s.name in memory.origins or _filled(s))]
        origins = match_origins(memory.origins, names)
        found.origin.update({(file, name): origin for name, origin in origins.items()})
        problems += [_renamed(file, name) for name in names if name not in origins]
    found.problems = tuple(problems)
    return found


def restore(sheets: Sequence[Sheet]) -> tuple[list[Sheet], Answered]:
    """The sheets as the original files had them: relabelled to their origin, our own two sheets left out."""
    answered = read_answers(sheets)
    kept = []
    for sheet in sheets:
        place = (sheet.file, sheet.name)
        if place in answered.own:
            continue
        file, name = answered.origin.get(place, place)
        kept.append(sheet if place == (file, name) else replace(sheet, file=file, name=name))
    return kept, answered


def sheet_answers(
    rows: Sequence[Sequence[object]], memory: Memory, place: Place
) -> tuple[dict[Key, str], list[Problem]]:
    """Answers of one 待确认 sheet (rows from its first row) and what is wrong with them."""
    header = header_row(rows)
    answers: dict[Key, str] = {}
    problems: list[Problem] = []
    if header is None:
        return answers, [
            Problem(
                "answer-sheet-changed",
                Severity.ERROR,
                place,
                "找不到表头“编号、位置、问题……您的答复”，答复无法读取",
                "请恢复这一行，或用 exam check --annotate 重新生成",
            )
        ]
    for index in range(header + 1, len(rows)):
        cells = [*rows[index], *[None] * (ANSWER_COLUMN + 1)]
        text = cell_text(cells[ANSWER_COLUMN - 1])
        key = decode_key(cells[ANSWER_COLUMN])
        if not text:
            continue
        here = Place(place.file, place.sheet, index + 1, ANSWER_COLUMN)
        if key is None:
            problems.append(_not_a_question(here, text))
            continue
        choices = memory.choices.get(key, [])
        value = matched(text, choices, memory.questions.get(key, {}).get("default"))
        if value is None:
            problems.append(_not_a_choice(here, text, choices))
        elif answers.setdefault(key, value) != value:
            problems.append(_twice(here, answers[key], value))
    return answers, problems


def _answer_places(rows: Sequence[Sequence[object]], place: Place) -> dict[Key, Place]:
    """The answer cell of each question of a 待确认 sheet."""
    keys = ((row, decode_key(cells[ANSWER_COLUMN])) for row, cells in enumerate(rows, 1) if len(cells) > ANSWER_COLUMN)
    return {key: Place(place.file, place.sheet, row, ANSWER_COLUMN) for row, key in keys if key is not None}


def matched(text: str, choices: Sequence[Choice], default: str | None = None) -> str | None:
    """The value that an answer means: by value, by label, by number in the list; None where it is not a choice.

    Spaces, full-width forms and case do not matter. Without choices the text itself is the value.
    """
    wanted = _fold(text)
    if default is not None and wanted in _DEFAULT_WORDS:
        return default
    if not choices:
        plain = unicodedata.normalize("NFKC", text).strip()
        return plain if _NUMBER.fullmatch(plain) else text.strip()
    for candidate in (wanted, _ORDINAL.sub("", wanted)):
        known = [*((c.value, c.value) for c in choices), *((c.label, c.value) for c in choices)]
        for words, value in (*known, *((spelled(c), c.value) for c in choices)):
            if candidate and candidate == _fold(words):
                return value
    position = re.fullmatch(r"([0-9]{1,6})(\.0*)?", wanted)
    if position and 1 <= int(position.group(1)) <= len(choices):
        return choices[int(position.group(1)) - 1].value
    return None


def cell_text(cell: object) -> str:
    """An answer cell as text: numbers without a needless decimal point, dates in ISO form."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    return str(cell).strip("\u3000\xa0 \t\r\n'")


def header_row(rows: Sequence[Sequence[object]]) -> int | None:
    """0-based row of our header; None where there is none near the top."""
    for index, row in enumerate(rows[:_HEADER_SEARCH]):
        words = tuple(cell_text(cell) for cell in row[: len(HEADER)])
        if words[2:6] == HEADER[2:6]:
            return index
    return None


def _question_sheet(group: Sequence[Sheet], memory_sheet: Sheet | None) -> Sheet | None:
    name = parse_memory(memory_sheet.rows[:1]).question_sheet if memory_sheet is not None else None
    by_name = next((sheet for sheet in group if name is not None and sheet.name == name), None)
    return by_name or next((s for s in group if header_row(s.rows) is not None and _has_keys(s)), None)


def _has_keys(sheet: Sheet) -> bool:
    header = header_row(sheet.rows)
    row = sheet.rows[header] if header is not None else ()
    return len(row) > ANSWER_COLUMN and row[ANSWER_COLUMN] == HEADER[ANSWER_COLUMN]


def _filled(sheet: Sheet) -> bool:
    """Whether anything stands in it: an empty sheet (some programs turn a chart's sheet into one) matters to nobody."""
    return any(cell is not None for row in sheet.rows for cell in row)


def _fold(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _merge(into: dict[Key, str], answers: dict[Key, str], file: str, sheet: str) -> list[Problem]:
    problems = []
    for key, value in answers.items():
        if into.setdefault(key, value) != value:
            problems.append(_twice(Place(file, sheet), into[key], value))
    return problems


def _not_a_choice(place: Place, text: str, choices: Sequence[Choice]) -> Problem:
    shown = "、".join(choice.value for choice in choices[:6]) + ("……" if len(choices) > 6 else "")
    return Problem(
        "answer-not-a-choice",
        Severity.ERROR,
        place,
        f"答复“{text[:60]}”不在可选范围内（可选：{shown}）",
        "请在该单元格的下拉列表中选一项",
    )


def _not_a_question(place: Place, text: str) -> Problem:
    return Problem(
        "answer-without-question",
        Severity.WARNING,
        place,
        f"这一行不是问题，填写的“{text[:60]}”没有采用",
        "答复请填在问题所在行的“您的答复”栏；错误请到原工作表中改正",
    )


def _twice(place: Place, first: str, second: str) -> Problem:
    return Problem(
        "answer-conflict",
        Severity.ERROR,
        place,
        f"同一个问题有两个不同的答复：“{first[:60]}”和“{second[:60]}”",
        "请只保留一个",
    )


def _renamed(file: str, name: str) -> Problem:
    return Problem(
        "annotated-sheet-unknown",
        Severity.WARNING,
        Place(file, name),
        "标注副本生成之后才有这个工作表或它改了名字，对不上原来的工作表，按新工作表读取",
        "如果是改了名字，请改回原名",
    )


def _without_memory(sheet: Sheet) -> list[Problem]:
    header = header_row(sheet.rows) or 0
    filled = any(
        len(row) > ANSWER_COLUMN and decode_key(row[ANSWER_COLUMN]) and cell_text(row[ANSWER_COLUMN - 1])
        for row in sheet.rows[header + 1 :]
    )
    if not filled:
        return []
    return [
        Problem(
            "answer-memory-missing",
            Severity.ERROR,
            Place(sheet.file, sheet.name),
            "标注副本里的隐藏工作表“_教衡”不见了，答复对不上问题",
            "请用 exam check --annotate 重新生成标注副本再填写，不要把“待确认”单独复制到别的文件",
        )
    ]
