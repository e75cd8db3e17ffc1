"""Each school's own papers: complete for the school, and nothing of another school in any of them."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiaoheng.exams.pipeline import prepare
from jiaoheng.exams.report import ExamReport, build_report
from jiaoheng.exams.sample import make_sample
from jiaoheng.exams.school_packs import write_school_packs
from jiaoheng.exams.settings import Stage

STAGES: tuple[Stage, ...] = ("初中", "高中")


@pytest.fixture(scope="module", params=STAGES)
def packs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ExamReport, Path]:
    folder = tmp_path_factory.mktemp("county")
    make_sample(folder, schools=5, pupils=500, seed=3, stage=request.param)
    prepared = prepare([folder], yes=True, today=dt.date(2026, 5, 1))
    assert prepared.ready, [str(problem) for problem in prepared.errors]
    made = build_report(prepared)
    out = tmp_path_factory.mktemp("packs") / "学校"
    assert write_school_packs(made, out, lambda *_: None) == 5
    return made, out


def texts(path: Path) -> str:
    """Every text in a workbook or Word file, as its raw parts hold it."""
    with zipfile.ZipFile(path) as package:
        return "\n".join(
            package.read(name).decode("utf-8") for name in package.namelist() if name.endswith((".xml", ".rels"))
        )


def test_nothing_of_another_school(packs: tuple[ExamReport, Path]) -> None:
    """No file of a school holds another school's name, or the number of a pupil of another school."""
    made, out = packs
    pupils = made.exam.roster.pupils
    schools = made.exam.units.schools.names
    for name in schools:
        own = out / name
        assert {p.name for p in own.iterdir()} == {"成绩.xlsx", "成绩条.xlsx", "简报.docx"}
        strangers = pupils.filter(pupils["school"] != name)
        for file in own.iterdir():
            inside = texts(file)
            assert name in inside
            for other in schools:
                assert other == name or other not in inside, (file, other)
            held = [number for number in strangers["pupil_id"] if number and f">{number}<" in inside]
            assert held == [], file


def test_every_pupil_of_the_school_is_there(packs: tuple[ExamReport, Path]) -> None:
    """Class sheets hold the school's pupils, each once, with the marks of the roster."""
    made, out = packs
    pupils, exam = made.exam.roster.pupils, made.exam
    by_number = {number: i for i, number in enumerate(pupils["pupil_id"])}
    for name in exam.units.schools.names:
        book = openpyxl.load_workbook(out / name / "成绩.xlsx")
        found: dict[str, dict[str, Any]] = {}
        for sheet in book.worksheets:
            rows = list(sheet.iter_rows(values_only=True))
            if len(rows) < 3 or rows[1][:2] != ("学号或考号", "姓名"):
                continue
            groups, heads = rows[1], rows[2]
            full = [
                g or (groups[: i + 1] and next(x for x in reversed(groups[: i + 1]) if x)) for i, g in enumerate(groups)
            ]
            for row in rows[3:]:
                if row[0] in by_number:
                    assert row[0] not in found
                    found[str(row[0])] = {f"{g}{h or ''}": v for g, h, v in zip(full, heads, row, strict=True)}
        mine = pupils.filter(pupils["school"] == name)
        assert set(found) == set(mine["pupil_id"])
        for number, row in found.items():
            scores = exam.roster.scores["语文"]
            at = by_number[number]
            if scores.states[at] == 0:
                assert row["语文分数（分）"] == pytest.approx(float(scores.subject.step * int(scores.values[at])))


def test_slips_are_levels_in_compulsory_stage_only(packs: tuple[ExamReport, Path]) -> None:
    """初中: a letter a subject and no place; 高中: marks, and places in class and school."""
    made, out = packs
    name = made.exam.units.schools.names[0]
    book = openpyxl.load_workbook(out / name / "成绩条.xlsx")
    rows = list(book.worksheets[0].iter_rows(min_row=1, max_row=3, values_only=True))
    heads, values = rows[1], rows[2]
    if made.exam.settings.compulsory:
        assert "班内名次" not in heads
        assert str(values[0]) in {*made.exam.settings.levels.names, "缺考", "空白"}
    else:
        assert "班内名次" in heads
        assert "校内名次" in heads
