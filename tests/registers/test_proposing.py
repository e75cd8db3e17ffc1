"""A register from an uploaded sheet: types, choices, key, required and protected columns."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
from register_kit import judged, sheets

from jiaoheng.registers.differences import RowState
from jiaoheng.registers.model import FieldType, Level, PeriodKind, Sensitive
from jiaoheng.registers.proposing import ProposalError, english, propose
from jiaoheng.sheets.reading import read_file

TODAY = dt.date(2025, 10, 1)
HEADS = [
    "序号",
    "学校名称",
    "学籍号",
    "学生姓名*",
    "性别",
    "身份证号",
    "出生日期",
    "年级",
    "身高（cm）",
    "午餐次数",
    "是否寄宿",
    "联系电话",
    "家庭住址",
    "困难类型",
    "备注",
]


def roster(path: Path, rows: int = 30) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名册"
    sheet.append(["东镇 2025 年秋季学生名册"])
    sheet.append(HEADS)
    for number in range(rows):
        sheet.append(
            [
                number + 1,
                "东镇小学",
                f"G990000201204{number % 28 + 1:02d}{number:04d}",
                f"学生{number}",
                "男女"[number % 2],
                f"990000201204{number % 28 + 1:02d}{number:04d}",
                dt.date(2012, 4, number % 28 + 1),
                f"{number % 3 + 1}年级",
                130.5 + number,
                number,
                "是" if number % 4 else "否",
                f"1380000{number:04d}",
                "东镇柳林村 3 号",
                "",
                "" if number else "转入",
            ]
        )
    book.save(path)
    return path


def test_a_roster_becomes_a_register(tmp_path: Path) -> None:
    path = roster(tmp_path / "名册.xlsx")
    found = propose(read_file(path), today=TODAY)
    one = found.register
    by_title = {field.title: field for field in one.fields}
    assert one.title == "东镇 2025 年秋季学生名册"
    assert one.level is Level.SCHOOL
    assert one.period is PeriodKind.TERM
    assert [head for head, _ in found.left_out] == ["序号", "学校名称"]
    assert found.rows == 30
    assert {title: field.type for title, field in by_title.items()} == {
        "学籍号": FieldType.STRING,
        "学生姓名": FieldType.STRING,
        "性别": FieldType.STRING,
        "身份证号": FieldType.STRING,
        "出生日期": FieldType.DATE,
        "年级": FieldType.STRING,
        "身高": FieldType.NUMBER,
        "午餐次数": FieldType.INTEGER,
        "是否寄宿": FieldType.BOOLEAN,
        "联系电话": FieldType.STRING,
        "家庭住址": FieldType.STRING,
        "困难类型": FieldType.STRING,
        "备注": FieldType.STRING,
    }
    assert by_title["身份证号"].sensitive is Sensitive.ID_NUMBER
    assert by_title["联系电话"].sensitive is Sensitive.PHONE
    assert by_title["家庭住址"].sensitive is Sensitive.ADDRESS
    assert by_title["困难类型"].sensitive is Sensitive.SPECIAL
    assert by_title["学生姓名"].required
    assert not by_title["备注"].required
    assert by_title["身高"].unit == "cm"
    assert by_title["性别"].codes
    assert {item.label for item in one.tables[by_title["性别"].codes].items} == {"男", "女"}
    assert len(one.tables[by_title["年级"].codes].items) == 3
    assert one.key == (by_title["学籍号"].name,)
    assert by_title["性别"].name == "xing_bie"


def test_the_same_file_fits_the_proposed_register(tmp_path: Path) -> None:
    """What a register was made from can be imported into it at once."""
    path = roster(tmp_path / "名册.xlsx")
    one = propose(read_file(path), today=TODAY).register
    found = judged(path, one, units={"U1": "东镇小学"})
    assert [str(problem) for problem in found.problems if problem.severity == "error"] == []
    assert found.differences.count(RowState.NEW) == 30


def test_heads_alone_are_enough(tmp_path: Path) -> None:
    path = sheets(
        tmp_path / "校舍安全月报.xlsx",
        {"Sheet1": [["校舍编号", "建筑面积（㎡）", "检查日期", "是否危房", "隐患数", "处理措施"]]},
    )
    found = propose(read_file(path), today=TODAY, names=["xiao_she_an_quan_yue_bao"])
    one = found.register
    assert one.title == "校舍安全月报"
    assert one.name == "xiao_she_an_quan_yue_bao_2"
    assert one.period is PeriodKind.MONTH
    assert [field.type for field in one.fields] == [
        FieldType.STRING,
        FieldType.NUMBER,
        FieldType.DATE,
        FieldType.BOOLEAN,
        FieldType.INTEGER,
        FieldType.STRING,
    ]
    assert one.fields[-1].widget == "textarea"
    assert one.key == (one.fields[0].name,)


def test_names_are_letters_and_different() -> None:
    assert english("教师数") == "jiao_shi_shu"
    assert english("2025年人数") == "n_2025_nian_ren_shu"
    assert english("PM2.5 浓度").startswith("pm2")
    assert english("（ ）") == ""


def test_without_a_header_nothing_is_proposed(tmp_path: Path) -> None:
    path = sheets(tmp_path / "空.xlsx", {"Sheet1": [["只有一格"]]})
    with pytest.raises(ProposalError, match="找不到表头"):
        propose(read_file(path), today=TODAY)
