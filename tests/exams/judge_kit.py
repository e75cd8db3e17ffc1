"""Files as schools send them, put through the same door as a user's: written, prepared, judged."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from jiaoheng.exams.pipeline import Prepared, prepare
from jiaoheng.sheets.annotate import annotate_many
from jiaoheng.sheets.places import Problem, Question
from jiaoheng.sheets.reading_model import ScoreState

TODAY = dt.date(2026, 5, 1)
NAMES = [f"{family}{given}" for given in ("小明", "海燕", "国强", "思远") for family in "王李张刘陈杨赵黄周吴"]
Key = tuple[str, ...]


def book(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], **more: Any) -> Path:
    """A workbook of plain cells. `merged`: sheet → [(row, column, row, column, text)]; `hidden`: sheet → rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as made:
        day = made.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(i, j, dt.datetime.combine(cell, dt.time()), day)
                    elif isinstance(cell, str) and cell.startswith("="):
                        sheet.write_formula(i, j, cell, None, "")
                    elif cell not in (None, ""):
                        sheet.write(i, j, cell) if not isinstance(cell, str) else sheet.write_string(i, j, cell)
            for area in more.get("merged", {}).get(name, ()):
                sheet.merge_range(*area)
            for row in more.get("hidden", {}).get(name, ()):
                sheet.set_row(row, None, None, {"hidden": True})
    return path


def yaml_file(folder: Path, answers: Mapping[Key, str]) -> Path:
    """exam.yaml with answers at their key paths (JSON is YAML)."""
    root: dict[str, Any] = {}
    for key, value in answers.items():
        level = root
        for part in key[:-1]:
            level = level.setdefault(part, {})
        level[key[-1]] = value
    path = folder / "answers.yaml"
    path.write_text(json.dumps(root, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def judged(path: Path, answers: Mapping[Key, str] | None = None, *, yes: bool = False) -> Prepared:
    """The files prepared, with answers in an exam.yaml."""
    settings = yaml_file(path.parent, answers) if answers else None
    return prepare([path], settings_path=settings, yes=yes, today=TODAY)


def scores(prepared: Prepared, subject: str) -> dict[str, str]:
    """Pupil → score as text, or the state's name."""
    own = prepared.roster.scores[subject]
    return {
        name: str(int(value) * own.subject.step) if state == ScoreState.SCORED else ScoreState(state).name
        for name, value, state in zip(prepared.roster.pupils["name"], own.values, own.states, strict=True)
    }


def asked(prepared: Prepared, code: str) -> Question:
    """The one open question of a code."""
    (question,) = [question for question in prepared.open if question.code == code]
    return question


def told(prepared: Prepared, code: str) -> Problem:
    """The first problem of a code."""
    return next(problem for problem in prepared.problems if problem.code == code)


def codes(prepared: Prepared) -> set[str]:
    """The codes of all problems and open questions."""
    return {problem.code for problem in prepared.problems} | {question.code for question in prepared.open}


def first_choice(question: Question) -> str:
    """What a hurried person answers: the default, else the first choice, else a number."""
    if question.default is not None:
        return question.default
    return question.choices[0].value if question.choices else "150"


def annotated(prepared: Prepared, out: Path) -> Path:
    """The marked workbook, as `exam check --annotate` writes it."""
    headers = {(r.sheet.file, r.sheet.name): r.header_rows[-1] + 1 for r in prepared.readings if r.header_rows}
    made = annotate_many(
        prepared.files, prepared.problems, prepared.open, out, answered=prepared.answered, headers=headers
    )
    return made.path


def choose_in_excel(path: Path, wanted: Mapping[Key, str] | None = None) -> dict[Key, str]:
    """Answer each open row of 待确认 as `wanted`, else by its default or the first entry of its drop-down, and save."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["待确认"]
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    given: dict[Key, str] = {}
    for row in range(4, sheet.max_row + 1):
        key, default = sheet.cell(row, 7).value, sheet.cell(row, 5).value
        if not key or sheet.cell(row, 6).value:
            continue
        rule = rules[f"F{row}"]
        entries = _entries(workbook, rule.formula1) if rule.type == "list" else []
        answer = (wanted or {}).get(tuple(json.loads(key))) or default
        answer = answer if answer not in ("无，须答复", "可不答") else (entries[0] if entries else "150")
        assert not entries or answer in entries
        sheet.cell(row, 6).value = given[tuple(json.loads(key))] = answer
    workbook.save(path)
    return given


def _entries(workbook: openpyxl.Workbook, formula: str) -> list[str]:
    if formula.startswith('"'):
        return formula.strip('"').split(",")
    found = re.fullmatch(r"'(.+)'!\$D\$(\d+):\$D\$(\d+)", formula)
    assert found is not None
    return [workbook[found[1]].cell(row, 4).value for row in range(int(found[2]), int(found[3]) + 1)]
