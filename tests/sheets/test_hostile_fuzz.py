"""Random damage to files of every format: the reading program always answers, and always with a reason."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
import xlwt
from reading_makers import (
    biff8,
    binary_number,
    binary_row,
    binary_string,
    number,
    ods,
    ole,
    sheet_xml,
    styles_xml,
    xlsb,
    xlsx,
)

from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading import read_files

SHORT, LONG = 25, 1_500  # damaged copies of each seed
LIMITS = Limits(memory_bytes=500_000_000, seconds=5)


def _xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("成绩")
    for row in range(20):
        sheet.write(row, 0, f"学生{row}")
        sheet.write(row, 1, row * 1.5, xlwt.easyxf(num_format_str="000"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SEEDS: dict[str, bytes] = {
    "a.xlsx": xlsx(styles=styles_xml("000")),
    "stored.xlsx": xlsx(
        sheet_xml('<row r="1"><c r="A1" s="1"><f>1</f><v>7</v></c></row>'), styles=styles_xml("00"), method=0
    ),
    "a.xlsb": xlsb(binary_row(0) + binary_string(0, "姓名") + binary_row(1) + binary_number(0, 5.0)),
    "a.xls": _xls(),
    "small.xls": ole({"Workbook": biff8(number(0, 0, 5.0) + number(3, 2, 7.0))}),
    "a.ods": ods('<table:table-row><table:table-cell office:value-type="float" office:value="3"/></table:table-row>'),
    "html.xls": "<table><tr><td rowspan=2>姓名</td><td colspan=3>语文</td></tr><tr><td>1</td></tr></table>".encode(),
    "xml.xls": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet Name="a"><Table>'
        b'<Row Index="2"><Cell Index="3"><Data Type="Number">1</Data></Cell></Row></Table></Worksheet></Workbook>'
    ),
    "a.csv": '姓名,语文\n"甲,1",2\n'.encode("gb18030"),
    "a.txt": "姓名\t语文\n甲\t1\n".encode("utf-16"),
}
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x3C, 0x3E, 0x0A)


def damage(data: bytes, chance: random.Random) -> bytes:
    """One to four random cuts, flips, insertions, doubled stretches or absurd integers."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.choice(INTERESTING)])
            case 1:
                del changed[at : at + chance.randint(1, 64)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 16))
            case 3:
                changed[at:at] = changed[at : at + chance.randint(1, 200)] * chance.randint(1, 20)
            case 4:
                changed[at : at + 4] = struct.pack("<I", chance.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)))
            case _:
                del changed[at:]
    return bytes(changed)


def inside(data: bytes, chance: random.Random) -> bytes:
    """The same archive with one part damaged before packing, so that the damage reaches the parsers."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        victim = chance.choice(source.namelist())
        for name in source.namelist():
            body = source.read(name)
            target.writestr(name, damage(body, chance) if name == victim else body)
    return out.getvalue()


def run(folder: Path, copies: int, seed: int) -> None:
    """Read damaged copies of every seed; each answer has sheets or an error in plain words."""
    chance = random.Random(seed)
    for name, data in SEEDS.items():
        for copy in range(copies):
            zipped = data.startswith(b"PK") and copy % 3
            (folder / f"{copy}_{name}").write_bytes(inside(data, chance) if zipped else damage(data, chance))
    paths = sorted(folder.iterdir())
    found = read_files(paths, limits=LIMITS)
    assert len(found) == len(paths)
    for source in found:
        errors = [one for one in source.problems if one.severity is Severity.ERROR]
        assert source.sheets or errors, source.label
        assert all(one.message and one.remedy for one in errors)
        for sheet in source.sheets:
            assert len(set(map(len, sheet.rows))) <= 1
            inside_rows = len(sheet.rows)
            inside_columns = len(sheet.rows[0]) if sheet.rows else 0
            for row, column in (*sheet.zero_formats, *sheet.error_cells, *sheet.formulas_without_value):
                assert row < inside_rows
                assert column < inside_columns


def test_damaged_files_short(tmp_path: Path) -> None:
    """A few hundred damaged files in every run."""
    run(tmp_path, SHORT, seed=20251125)


@pytest.mark.slow
def test_damaged_files_long(tmp_path: Path) -> None:
    """Fifteen thousand damaged files, another lot each time; the seed is printed."""
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    run(tmp_path, LONG, seed)
