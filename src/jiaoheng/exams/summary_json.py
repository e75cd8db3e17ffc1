"""summary.json: every number of the report with its definition key, for other programs (docs/summary.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from jiaoheng.documents.model import Dim, Interval, Missing, Suppressed, Table, TableColumn, Value
from jiaoheng.documents.printing import number_text, printed
from jiaoheng.exams.pipeline import Prepared
from jiaoheng.exams.report import ExamReport
from jiaoheng.sheets.places import Problem

SCHEMA_VERSION = "1"


def summary(made: ExamReport, prepared: Prepared) -> dict[str, Any]:
    """The whole report as plain data. Shares are shares (0.235), marks are marks; `text` is the printed form."""
    report = made.report
    return {
        "schema_version": SCHEMA_VERSION,
        "jiaoheng": report.meta["version"],
        "title": report.title,
        "exam": report.meta["exam"],
        "gate": report.meta["gate"],
        "headline": [
            {
                "label": f.label,
                "text": f.value,
                "unit": f.unit,
                "context": f.context,
                "definition": f.definition or None,
            }
            for f in made.headline()
        ],
        "definitions": {d.key: {"name": d.name, "text": d.text, "source": d.source} for d in report.definitions},
        "tables": [_table(table) for table in made.tables()],
        "assumptions": [
            {"key": one.settings_key, "value": one.value, "text": one.text, "source": one.source}
            for one in prepared.resolution.assumptions
        ],
        "defaults_taken": [
            {"key": question.settings_key, "place": str(question.place), "question": question.text, "answer": answer}
            for question, answer in prepared.taken
        ],
        "problems": [_problem(problem) for problem in prepared.problems],
        "files": report.meta["files"],
    }


def _problem(problem: Problem) -> dict[str, str]:
    return {
        "code": problem.code,
        "severity": problem.severity.value,
        "place": str(problem.place),
        "message": problem.message,
        "remedy": problem.remedy,
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "key": table.key,
        "title": table.title,
        "note": table.note,
        "columns": [_column(column) for column in table.columns],
        "rows": [
            {column.key: _value(value, column) for column, value in zip(table.columns, row, strict=True)}
            for row in table.rows
        ],
    }


def _column(column: TableColumn) -> dict[str, Any]:
    return {
        "key": column.key,
        "label": f"{column.group}／{column.label}" if column.group else column.label,
        "kind": column.kind.value,
        "unit": column.unit,
        "digits": column.digits,
        "definition": column.definition or None,
    }


def _value(value: Value, column: TableColumn) -> Any:
    """Texts as they are; numbers with their print; no value as null with the reason; withheld with a mark."""
    if isinstance(value, str):
        return value
    few: Mapping[str, Any] = {}
    if isinstance(value, Dim):
        value, few = value.value, {"few": True}
    if value is None:
        return None
    if isinstance(value, Missing):
        return {"value": None, "reason": value.reason}
    if isinstance(value, Suppressed):
        return {"value": None, "suppressed": True, "reason": value.reason}
    if isinstance(value, Interval):
        return {"low": value.low, "high": value.high, "text": printed(value, column).text}
    text = number_text(value, column)
    exact = value if isinstance(value, int) else float(value)
    whole = isinstance(value, Fraction) and value.denominator == 1
    return {"value": int(value) if whole else exact, "text": text, **few}
