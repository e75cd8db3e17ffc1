"""Small counties for tests of the report: written as a school would, read by the product, and known pupil by pupil."""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from reference import Pupil

from jiaoheng.exams.pipeline import Prepared, prepare
from jiaoheng.exams.report import ExamReport, build_report
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.summary_json import summary

TODAY = dt.date(2026, 5, 1)
FULLS = {"语文": Fraction(120), "数学": Fraction(100), "英语": Fraction(50)}
STEPS = {"语文": Fraction(1, 2), "数学": Fraction(1), "英语": Fraction(1, 2)}
FOLDS = {"语文": Fraction(1), "数学": Fraction(1), "英语": Fraction(2)}
WORDS = {"absent": "缺考", "exempt": "免考", "cheated": "违纪", "not_chosen": "未选", "missing": "", "left": "休学"}
STATES = ("scored", "missing", "absent", "exempt", "cheated", "not_chosen", "deferred", "left")
DISTRICTS = {"甲中学": "东片", "乙中学": "东片", "丙中学": "西片", "丁中学": "西片"}
SETTINGS: dict[str, Any] = {
    "name": "测试考试",
    "date": dt.date(2026, 4, 21),
    "county": "清河县",
    "stage": "初中",
    "grade": "九年级",
    "nature": "毕业班模拟",
    "districts": DISTRICTS,
    "subjects": {name: {"full": float(full), "fold": float(FOLDS[name])} for name, full in FULLS.items()},
}


@dataclass(frozen=True)
class Made:
    """A report with everything that it was made from."""

    prepared: Prepared
    report: ExamReport
    data: dict[str, Any]

    def table(self, key: str) -> dict[str, Any]:
        """One table of summary.json."""
        return next(one for one in self.data["tables"] if one["key"] == key)

    def table_keys(self) -> set[str]:
        """The keys of all tables."""
        return {one["key"] for one in self.data["tables"]}

    def rows(self, key: str, *names: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Rows of a table by the cells that name them."""
        return {tuple(row[name] for name in names): row for row in self.table(key)["rows"]}

    def texts(self) -> list[str]:
        """Every sentence, bullet, note and chart title of the report."""
        found: list[str] = []

        def walk(section: Any) -> None:
            for block in section.blocks:
                found.extend(block.items if hasattr(block, "items") else ())
                found.extend(text for name in ("text", "title") if (text := getattr(block, name, "")))
            for child in section.children:
                walk(child)

        for section in self.report.report.sections:
            walk(section)
        return found


def hand_made(seed: int = 1, sizes: Mapping[str, int] | None = None) -> list[Pupil]:
    """A county of four schools, one of four pupils, with every state, ties, and schools that really differ."""
    chance = random.Random(seed)
    pupils = []
    for at, (school, n) in enumerate((sizes or {"甲中学": 34, "乙中学": 15, "丙中学": 4, "丁中学": 47}).items()):
        for i in range(n):
            ability = chance.gauss(70 - 7 * at, 15)
            scores: dict[str, tuple[str, Fraction | None]] = {}
            for name, full in FULLS.items():
                steps = round((ability + chance.gauss(0, 9)) / 100 * float(full / STEPS[name]))
                scores[name] = ("scored", max(Fraction(0), min(full, steps * STEPS[name])))
            draw, one = chance.random(), chance.choice(list(FULLS))
            if draw < 0.13:
                state = ("absent", "absent", "exempt", "cheated", "missing")[int(draw * 100) % 5]
                scores[one] = (state, None)
            elif draw < 0.16:
                scores = dict.fromkeys(FULLS, ("absent", None))
            pupils.append(Pupil(school, f"九({i % 2 + 1})班", scores, DISTRICTS.get(school, "")))
    return pupils


def write_csv(path: Path, pupils: Sequence[Pupil]) -> Path:
    """The pupils as one table of a county; numbers are given in order."""
    subjects = list(pupils[0].scores)
    head = ["学校", "班级", "学号", "姓名", *(["科类"] if pupils[0].track else []), *subjects]
    rows = [head]
    for at, pupil in enumerate(pupils):
        pupil.number = f"2026{at + 1:05d}"
        own = [pupil.school, pupil.class_, pupil.number, f"学生{at + 1}", *([pupil.track] if pupil.track else [])]
        for state, mark in pupil.scores.values():
            own.append(f"{float(mark):g}" if state == "scored" and mark is not None else WORDS[state])
        rows.append(own)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def build(folder: Path, sources: Sequence[Path], settings: Mapping[str, Any] | None = None) -> Made:
    """Read, report and summarise; every default is taken."""
    path = None
    if settings is not None:
        path = folder / "settings.yaml"
        path.write_text(yaml.safe_dump(dict(settings), allow_unicode=True), encoding="utf-8")
    prepared = prepare(list(sources), settings_path=path, yes=True, today=TODAY)
    assert prepared.ready, [str(problem) for problem in prepared.errors] or [str(q) for q in prepared.blocking]
    report = build_report(prepared)
    return Made(prepared, report, json.loads(json.dumps(summary(report, prepared))))


def small_county(folder: Path, people: Sequence[Pupil] | None = None, **more: Any) -> tuple[list[Pupil], Made]:
    """The hand-made county (or other people) reported with settings of its own."""
    own = list(people) if people is not None else hand_made()
    return own, build(folder, [write_csv(folder / "成绩.csv", own)], {**SETTINGS, **more})


def pupils_of(roster: Roster) -> list[Pupil]:
    """The roster's pupils as the reference takes them."""
    table, found = roster.pupils, []
    for at in range(table.height):
        row = table.row(at, named=True)
        scores: dict[str, tuple[str, Fraction | None]] = {}
        for name, one in roster.scores.items():
            state = STATES[int(one.states[at])]
            scores[name] = (state, one.subject.step * int(one.values[at]) if state == "scored" else None)
        found.append(
            Pupil(
                row["school"],
                row["class"],
                scores,
                row["district"] or "",
                row["track"] or "",
                row.get("exam_no") or row["pupil_id"],
            )
        )
    return found
