"""A large workbook is read by two processes at once, with the same outcome as by one."""

from __future__ import annotations

import random
from pathlib import Path

import psutil
import pytest
from reading_makers import sheet_xml, styles_xml, xlsx

from jiaoheng.sheets import reading, side_by_side
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reader_process import ReaderProcess
from jiaoheng.sheets.reading import read_file
from jiaoheng.sheets.workbook import SourceFile


def large(extra: str = "", before: str = "") -> bytes:
    """A workbook above the size at which a second process helps (its parts are stored, not packed)."""
    chance = random.Random(5)
    rows = "".join(
        f'<row r="{n}"{" hidden=" + chr(34) + "1" + chr(34) if n % 97 == 0 else ""}>'
        f'<c r="A{n}" s="1"><v>{n}</v></c><c r="B{n}" t="inlineStr"><is><t>学生{chance.random()}</t></is></c>'
        f'<c r="C{n}"><v>{chance.randint(0, 300) / 2}</v></c></row>'
        for n in range(1, 14_000)
    )
    after = '<mergeCells><mergeCell ref="A1:C1"/></mergeCells>'
    data = xlsx(sheet_xml(rows + extra, before, after), styles=styles_xml("000000"), method=0)
    assert len(data) >= side_by_side.LARGE
    return data


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SourceFile, SourceFile]:
    """The file read by two processes and by one."""
    together = read_file(path)
    monkeypatch.setattr(reading, "LARGE", 10**12)
    return together, read_file(path)


@pytest.mark.parametrize(
    "extra",
    [
        "",
        '<row r="14000"><c r="A14000" t="e"><v>#N/A</v></c><c r="B14000"><f>1</f></c><c r="C14000"><v>1e999</v></c></row>',
        '<row r="14005"><c r="Z14005"><f>1+1</f></c></row>',
        '<row r="14001" hidden="1"/><row r="1048576"><c r="XFD1048576" s="1"/></row>',
    ],
)
def test_two_processes_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """Cells and every fact are the same, whatever stands at the end of the sheet."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(large(extra))
    together, alone = both(path, monkeypatch)
    assert together == alone
    assert len(together.sheets[0].zero_formats) == 13_999
    assert len(together.sheets[0].hidden_rows) == 144


def test_two_processes_are_truly_used(tmp_path: Path) -> None:
    """The first way answers by itself and is not always left for the second."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(large())
    reader = ReaderProcess()
    try:
        taken = side_by_side.read_side_by_side(reader, path, "a.xlsx", Limits())
    finally:
        reader.kill()
    if (psutil.cpu_count() or 1) < 2:
        pytest.skip("one processor")
    assert taken is not None
    assert len(taken.sheets[0].rows) == 13_999


@pytest.mark.parametrize(
    ("extra", "before", "code"),
    [
        ('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "", "cell-too-far"),
        ("<row <<", "", "file-damaged"),
        ("", '<dimension ref="?"/>', ""),
    ],
)
def test_a_large_hostile_workbook_has_the_same_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, before: str, code: str
) -> None:
    """The far cell kills the process that takes the cells; the other has named it by then."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(large(extra, before))
    together, alone = both(path, monkeypatch)
    assert together == alone
    assert [one.code for one in together.problems] == ([code] if code else [])
    assert [one for one in psutil.Process().children() if "jiaoheng.sheets.child" in " ".join(one.cmdline())] == []
