"""The template: every field is there, it reads back, drop-downs work, and a filled one is understood."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.settings_file import load_settings
from jiaoheng.exams.settings_words import field_name
from jiaoheng.exams.template import template_subjects, write_template
from jiaoheng.packs import load


@pytest.fixture
def template(tmp_path: Path) -> tuple[Path, Path]:
    return write_template(tmp_path / "模板")


def row_of(sheet: Worksheet, label: str) -> int:
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == label)


def test_unfilled_files_declare_nothing_and_are_valid(template: tuple[Path, Path]) -> None:
    for path in template:
        assert load_settings(path) == (ExamSettings(), [])


def test_every_field_has_its_line(template: tuple[Path, Path]) -> None:
    sheet = openpyxl.load_workbook(template[0])["设置"]
    texts = {str(cell.value).strip("【】") for row in sheet.iter_rows() for cell in row if cell.value is not None}
    yaml_text = template[1].read_text(encoding="utf-8")
    words = load("settings_words")
    for model, fields in words["fields"].items():
        for name in fields:
            label = field_name(model, name)
            assert label in yaml_text or model == "Line" or model == "SubjectSettings"
            nested = model == "ExamSettings" and name in {table["path"].split(".")[0] for table in words["tables"]}
            parts = {
                "thresholds",
                "denominator",
                "missing",
                "composite",
                "lines",
                "scaling",
                "levels",
                "pupils",
                "prior",
            }
            if nested or (model == "ExamSettings" and name in parts) or name in ("subject_lines", "weights", "cohort"):
                continue
            assert label in texts, f"{model}.{name}"


def fill(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book["设置"]
    for label, value in {
        "考试名称": "一模", "考试日期": "2026-04-21", "年级": "九年级", "考试性质": "毕业班模拟", "优秀线": 0.8,
        "分母口径": "B2", "名次段": "50、100", "平均分权重": 40, "优秀率权重": 30, "及格率权重": 30,
        "前次考试文件": "九年级 期末成绩.xlsx、补充.xlsx",
    }.items():  # fmt: skip
        sheet.cell(row_of(sheet, label), 2, value)
    row = row_of(sheet, "语文")
    sheet.cell(row, 2, 120)
    sheet.cell(row, 3, 0.5)
    sheet.cell(row_of(sheet, "道德与法治"), 6, "否")
    row = row_of(sheet, "线名") + 2  # a line left free above it
    sheet.cell(row, 1, "普高线")
    sheet.cell(row, 2, 480)
    row = row_of(sheet, "记号") + 1
    sheet.cell(row, 1, "/")
    sheet.cell(row, 2, "未选")
    scores = book["成绩"]
    for column, value in enumerate(["甲校", "九(1)班", "0901", "", "王一", 100, "缺考"], 1):
        scores.cell(3, column, value)
    scores.cell(2, 6, 120)
    book.save(path)


def test_a_filled_template_is_understood(template: tuple[Path, Path]) -> None:
    fill(template[0])
    settings, problems = load_settings(template[0])
    assert problems == []
    assert settings == ExamSettings.model_validate(
        {
            "name": "一模", "date": "2026-04-21", "grade": "九年级", "nature": "毕业班模拟",
            "thresholds": {"excellent": "0.8"}, "denominator": {"rule": "B2"},
            "pupils": {"rank_bands": (50, 100)},
            "composite": {"weights": {"mean": 40, "excellent": 30, "pass": 30}},
            "prior": {"files": ("九年级 期末成绩.xlsx", "补充.xlsx")},
            "subjects": {"语文": {"full": 120, "step": "0.5"}, "道德与法治": {"in_total": False}},
            "lines": {"lines": ({"name": "普高线", "score": 480},)},
            "marks": {"/": "未选"},
        }
    )  # fmt: skip


def test_drop_downs_come_from_a_hidden_sheet(template: tuple[Path, Path]) -> None:
    book = openpyxl.load_workbook(template[0])
    assert book["字典"].sheet_state == "hidden"
    rules = {str(rule.sqref): rule for rule in book["设置"].data_validations.dataValidation}
    for label, wanted in (
        ("学段", {"小学", "初中", "高中"}),
        ("年级", set(load("grades")["grades"])),
        ("分母口径", {"B1", "B2", "B3", "B4", "B5"}),
    ):
        rule = rules[f"B{row_of(book['设置'], label)}"]
        assert rule.type == "list"
        sheet, cells = rule.formula1.split("!")
        assert {cell.value for (cell,) in book[sheet][cells.replace("$", "")]} == wanted


def test_score_cells_take_numbers_up_to_full_mark_and_state_words(template: tuple[Path, Path]) -> None:
    book = openpyxl.load_workbook(template[0])
    sheet = book["成绩"]
    rules = [rule for rule in sheet.data_validations.dataValidation if rule.type == "custom"]
    assert len(rules) == len(template_subjects("初中"))
    formula = rules[0].formula1
    for part in ("ISNUMBER(F3)", "F3>=0", "F3<=F$2", "COUNTIF(字典!"):
        assert part in formula
    range_ = formula.split("COUNTIF(字典!")[1].split(",")[0].replace("$", "")
    words = {cell.value for (cell,) in book["字典"][range_]}
    assert words == {"缺考", "免考", "违纪", "未选", "缓考", "离校"}


def test_stages(tmp_path: Path) -> None:
    for stage, subject in (("小学", "科学"), ("高中", "政治")):
        path, _ = write_template(tmp_path / stage, stage)  # type: ignore[arg-type]
        heads = [cell.value for cell in openpyxl.load_workbook(path)["成绩"][1]]
        assert subject in heads
        assert ("选科组合" in heads) == (stage == "高中")


def test_a_filled_template_is_never_overwritten(template: tuple[Path, Path]) -> None:
    before = template[0].read_bytes()
    with pytest.raises(FileExistsError, match="已经存在"):
        write_template(template[0].parent)
    assert template[0].read_bytes() == before
