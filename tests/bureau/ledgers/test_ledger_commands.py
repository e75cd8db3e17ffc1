"""`jiaoheng ledger …`: template, import and export from the command line, with an account's own rights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from bureau.ledgers import import_kit as kit
from bureau.world import World
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.ledgers.models import Record
from jiaoheng.cli.main import app

pytestmark = pytest.mark.django_db
AS = ["--as", "u006"]  # 甲填报


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["ledger", *words])


def test_a_template_is_filled_imported_and_exported(world: World, roster: Any, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    made = run("template", "--register", "t_roster", "--unit", "2199000001", *AS, "--out", str(path))
    assert made.exit_code == 0, made.output
    book = openpyxl.load_workbook(path)
    sheet = kit.data_sheet(book)
    row = kit.head_row(sheet) + 1
    for field, value in {"code": "001", "name": "张三", "points": "约30"}.items():
        sheet.cell(row, kit.column_of(sheet, field)).value = value
    book.save(path)
    marked = tmp_path / "标注.xlsx"
    place = ["--register", "学生名册", "--unit", "2199000001", *AS]
    wrong = run("import", str(path), *place, "--yes", "--marked", str(marked))
    assert wrong.exit_code == 2
    assert "约30" in wrong.output
    assert marked.exists()
    assert not Record.objects.exists()
    sheet.cell(row, kit.column_of(sheet, "points")).value = 30
    book.save(path)
    looked = run("import", str(path), *place)
    assert "没有写入" in looked.output
    assert not Record.objects.exists()
    done = run("import", str(path), *place, "--yes")
    assert done.exit_code == 0, done.output
    assert "已导入：新增 1 条" in done.output
    assert AuditEntry.objects.get(action="import.confirm").door == "command"
    again = run("import", str(path), *place, "--yes")
    assert again.exit_code == 0
    assert "完全相同" in again.output
    out = tmp_path / "名册.csv"
    exported = run("export", "--register", "t_roster", *AS, "--out", str(out))
    assert exported.exit_code == 0, exported.output
    assert "张三" in out.read_text(encoding="utf-8-sig")


def test_what_is_not_there_is_told(world: World, roster: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(kit.sheet([kit.HEADS])[0].read())
    cases = {
        ("--register", "nothing", "--unit", "2199000001", *AS): "没有台账",
        ("--register", "t_roster", "--unit", "1", *AS): "无此单位",
        ("--register", "t_roster", "--unit", "2199000001", "--as", "nobody"): "没有账号",
        ("--register", "t_roster", "--unit", "2199000002", *AS): "只能填报",
        ("--register", "t_roster", "--unit", "2199000001", "--period", "2025", *AS): "没有期次",
    }
    for words, told in cases.items():
        found = run("import", str(path), *words, "--yes")
        assert found.exit_code == 2, words
        assert told in found.output
