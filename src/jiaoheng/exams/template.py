"""The empty workbook that a bureau sends to its schools, and a commented exam.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from jiaoheng.exams.settings import ExamSettings, Stage, StateWord
from jiaoheng.exams.settings_dump import dump_settings
from jiaoheng.exams.template_settings import Words, print_on_a4, write_settings_sheet
from jiaoheng.packs import load

WORKBOOK, SETTINGS = "成绩模板.xlsx", "exam.yaml"
_LAST_ROW = 5000  # drop-downs and checks reach so far
_LEAD = ("学校", "班级", "学号", "考号", "姓名")
_SENIOR = ("选科类别", "选科组合")
_STATES = tuple(word for word in get_args(StateWord) if word not in ("零分", "缺失"))  # zero is 0, missing is blank


def write_template(out: Path, stage: Stage = "初中") -> tuple[Path, Path]:
    """Write 成绩模板.xlsx and exam.yaml into the folder `out` (made where absent); gives both paths.

    The workbook has a sheet 成绩 (header, full-mark row, checks on every score cell), 设置 with every field of the
    settings, and 填写说明. Raises FileExistsError (in Chinese) rather than overwrite what somebody may have filled.
    """
    out.mkdir(parents=True, exist_ok=True)
    workbook, settings = out / WORKBOOK, out / SETTINGS
    for path in (workbook, settings):
        if path.exists():
            raise FileExistsError(f"“{path}”已经存在，可能已填写内容。请换一个文件夹（--out），或先移走它")
    try:
        _write_workbook(workbook, stage)
        settings.write_text(dump_settings(ExamSettings(), undeclared=True), encoding="utf-8", newline="\n")
    except BaseException:
        workbook.unlink(missing_ok=True)
        settings.unlink(missing_ok=True)
        raise
    return workbook, settings


def template_subjects(stage: Stage) -> list[str]:
    """The subjects of the template: those that usually count in the grand total of the stage."""
    wanted = {
        "小学": ("语文", "数学", "英语", "科学", "道德与法治"),
        "初中": ("语文", "数学", "英语", "物理", "化学", "生物", "道德与法治", "历史", "地理"),
        "高中": ("语文", "数学", "英语", "物理", "化学", "生物", "政治", "历史", "地理"),
    }[stage]
    order: dict[str, Any] = load("subjects")["subjects"]
    return sorted(wanted, key=lambda name: int(order[name]["order"]))


def _write_workbook(path: Path, stage: Stage) -> None:
    subjects = template_subjects(stage)
    with xlsxwriter.Workbook(path) as book:
        scores = book.add_worksheet("成绩")
        settings = book.add_worksheet("设置")
        guide = book.add_worksheet("填写说明")
        words = Words(book)
        write_settings_sheet(book, settings, words, subjects)
        _scores(book, scores, words, subjects, stage)
        _guide(book, guide)
        words.finish()
        scores.activate()


def _scores(book: Any, sheet: Any, words: Words, subjects: list[str], stage: Stage) -> None:
    head = book.add_format({"bold": True, "align": "center", "bg_color": "#E8EEF4", "border": 1})
    full = book.add_format({"align": "center", "bg_color": "#FFF6DB", "border": 1})
    as_text = book.add_format({"num_format": "@"})
    lead = [*_LEAD, *(_SENIOR if stage == "高中" else ())]
    for column, word in enumerate([*lead, *subjects, "总分", "备注"]):
        sheet.write_string(0, column, word, head)
    sheet.write_string(1, 0, "满分", full)
    for column in range(1, len(lead) + len(subjects) + 2):
        sheet.write_blank(1, column, None, full)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 10, as_text)
    sheet.set_column(2, 3, 16, as_text)  # ids are texts: a number would lose its zeros and its last digits
    sheet.set_column(4, len(lead) - 1, 10)
    sheet.set_column(len(lead), len(lead) + len(subjects), 10)
    sheet.freeze_panes(2, 5)
    print_on_a4(sheet, 2)
    first = len(lead)
    states = words.range_of("成绩状态", list(_STATES))
    for at in range(len(subjects)):
        column = first + at
        sheet.data_validation(1, column, 1, column, _full_rule(subjects[at]))
        sheet.data_validation(2, column, _LAST_ROW, column, _score_rule(column, states))
    if stage == "高中":
        sheet.data_validation(2, 5, _LAST_ROW, 5, words.rule("科类", ["物理类", "历史类"]))


def _full_rule(subject: str) -> dict[str, Any]:
    return {
        "validate": "decimal",
        "criteria": ">",
        "value": 0,
        "input_title": "满分",
        "input_message": f"请填{subject}试卷的满分",
        "error_title": "满分",
        "error_message": "满分应是大于 0 的数",
    }


def _score_rule(column: int, states: str) -> dict[str, Any]:
    """A number between 0 and the full mark of row 2 (blank there: any), or one of the state words."""
    name = xl_col_to_name(column)
    cell, full = f"{name}3", f"{name}$2"
    number = f'AND(ISNUMBER({cell}),{cell}>=0,OR({full}="",{cell}<={full}))'
    return {
        "validate": "custom",
        "value": f"=OR({number},COUNTIF({states},{cell})>0)",
        "error_title": "成绩",
        "error_message": "请填 0 到满分之间的数，或写：" + "、".join(_STATES) + "。没有成绩且原因不明的空着。",
    }


_GUIDE = (
    "一、在“成绩”表中每名学生填一行，第 2 行填各科满分。不考的学科可以删去整列，别的学科可以加在后面。",
    "二、学号、考号按文字填写，保留开头的 0。没有考号的可以空着，学号最好都填。",
    "三、缺考写“缺考”，违纪写“违纪”，免考写“免考”，未选考的学科写“未选”，得零分写 0。原因不明的空着，不要写 0。",
    "四、不要合并单元格，不要隐藏行，平均分、及格率等不必写，报告会计算。",
    "五、在“设置”表中写明考试名称、日期、年级和性质。没有填的项目采用默认值，报告会列出采用了什么。",
    "六、跨校考试须写明考试性质；质量监测还须写批准文号。",
)


def _guide(book: Any, sheet: Any) -> None:
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 90)
    sheet.write_string(0, 0, "填写说明", book.add_format({"bold": True, "font_size": 14}))
    for at, line in enumerate(_GUIDE, 1):
        sheet.write_string(at, 0, line, wrap)
