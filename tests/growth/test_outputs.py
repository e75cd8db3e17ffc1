"""The command as a person runs it: five files, each opened again; every page says what may not be concluded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from docx import Document
from jsonschema import Draft202012Validator
from lxml import html
from typer.testing import CliRunner

from growth.county import county
from jiaoheng.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--outcome",
    "终点",
    "--prior",
    "起点,起点二",
    "--groups",
    "学校,班级",
    "--pupil",
    "学籍号",
    "--fairness",
    "寄宿",
]


@pytest.fixture(scope="module", params=["lmm", "sgp", "residual", "crossed"])
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    rows = county(schools=14).rows.with_columns(pl.concat_str("学校", "班级").alias("全班"))
    rows.write_csv(folder / "成绩.csv")
    arguments = list(ARGUMENTS)
    if request.param == "crossed":
        arguments[arguments.index("学校,班级")] = "学校,全班"
    done = CliRunner().invoke(
        app, ["growth", str(folder / "成绩.csv"), *arguments, "--method", request.param, "--out", str(folder / "结果")]
    )
    assert done.exit_code == 0, done.output
    assert "14 个“学校”" in done.output
    return request.param, folder / "结果"


def test_the_summary_holds_to_its_schema(out: tuple[str, Path]) -> None:
    schema = json.loads((ROOT / "docs" / "growth.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    found = json.loads((out[1] / "summary.json").read_text(encoding="utf-8"))
    errors = [f"{one.json_path}: {one.message[:200]}" for one in Draft202012Validator(schema).iter_errors(found)]
    assert errors == []
    assert found["method"] == out[0]


def test_effects_agree_in_all_files(out: tuple[str, Path]) -> None:
    frame = pl.read_parquet(out[1] / "effects.parquet")
    found = json.loads((out[1] / "summary.json").read_text(encoding="utf-8"))
    first: dict[str, Any] = found["levels"][0]
    own = frame.filter((pl.col("level") == first["level"]) & (pl.col("term") == first["term"]))
    assert own["学校"].to_list() == [one["unit"][0] for one in first["effects"]]
    assert own["estimate"].to_list() == pytest.approx([one["estimate"] for one in first["effects"]])
    book = openpyxl.load_workbook(out[1] / "effects.xlsx")
    sheet = next(book[name] for name in book.sheetnames if name == "学校增值")
    cells = {row[0]: row for row in sheet.iter_rows(values_only=True) if row[0] and str(row[0]).startswith("第")}
    assert len(cells) == 14
    for unit, value in zip(own["学校"], own["estimate"], strict=True):
        number = next(cell for cell in cells[unit][2:] if isinstance(cell, int | float))
        assert float(number) == pytest.approx(value, abs=0.06)


def test_every_page_says_what_it_adjusts_for_and_what_not(out: tuple[str, Path]) -> None:
    document = Document(str(out[1] / "report.docx"))
    for section in document.sections:
        margins = "".join(p.text for part in (section.header, section.footer) for p in part.paragraphs)
        margins += "".join(
            cell.text
            for part in (section.header, section.footer)
            for table in part.tables
            for row in table.rows
            for cell in row.cells
        )
        assert "已考虑起点成绩（起点、起点二）" in margins
        assert "不得据此评判一名教师一年的工作" in margins
    body = "\n".join(p.text for p in document.paragraphs)
    assert "一年的增值不能用来评判一名教师" in body or any(
        "一年的增值不能用来评判一名教师" in cell.text for t in document.tables for r in t.rows for cell in r.cells
    )
    page = html.parse(str(out[1] / "report.html")).getroot()
    text = page.text_content()
    chapters = [one for one in text.split("的增值") if "高于预期" in one]
    assert chapters
    assert text.count("一年的增值不能用来评判一名教师") >= 2
    assert text.count("没有列出的都没有考虑") >= 3


def test_a_locked_list_is_taken_up_again(tmp_path: Path) -> None:
    county(schools=14).rows.write_csv(tmp_path / "成绩.csv")
    call = ["growth", str(tmp_path / "成绩.csv"), *ARGUMENTS]
    assert CliRunner().invoke(app, [*call, "--out", str(tmp_path / "一")]).exit_code == 0
    locked = tmp_path / "一" / "locked.json"
    lists = json.loads(locked.read_text(encoding="utf-8"))
    assert set(lists) == {"学困生", "尖子生"}
    again = CliRunner().invoke(app, [*call, "--locked", str(locked), "--out", str(tmp_path / "二")])
    assert again.exit_code == 0, again.output
    one, two = (json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in ("一", "二"))
    assert one["judging"]["conversion"] == two["judging"]["conversion"]
    assert "锁定名单" in (tmp_path / "二" / "report.html").read_text(encoding="utf-8")


def test_bad_input_writes_nothing(tmp_path: Path) -> None:
    county(schools=3).rows.write_csv(tmp_path / "成绩.csv")
    call = ["growth", str(tmp_path / "成绩.csv"), "--outcome", "中考", "--prior", "起点", "--groups", "学校"]
    done = CliRunner().invoke(app, [*call, "--out", str(tmp_path / "结果")])
    assert done.exit_code == 2
    assert "没有一张表同时有列“中考、起点、学校”" in done.output
    assert not (tmp_path / "结果").exists()
    gone = CliRunner().invoke(app, [*call[:1], str(tmp_path / "没有.csv"), *call[2:], "--out", str(tmp_path / "结果")])
    assert gone.exit_code == 2
    assert "找不到" in gone.output
    odd = CliRunner().invoke(app, [*call, "--reliability", "起点", "--out", str(tmp_path / "结果")])
    assert odd.exit_code == 2
    assert "看不懂" in odd.output
