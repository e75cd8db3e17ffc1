"""Files that break, stall or mislead readers, made small: name → (bytes, problem code expected or "" for readable)."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable

from reading_makers import (
    MAIN,
    biff8,
    binary_number,
    binary_record,
    binary_row,
    number,
    ods,
    ole,
    patched,
    record,
    sheet_xml,
    styles_xml,
    xlsb,
    xlsx,
    zipped,
)

Kind = tuple[bytes, str]
KINDS: dict[str, Callable[[], Kind]] = {}


def kind(name: str) -> Callable[[Callable[[], Kind]], Callable[[], Kind]]:
    """Register a maker under a file name."""

    def put(maker: Callable[[], Kind]) -> Callable[[], Kind]:
        KINDS[name] = maker
        return maker

    return put


def fixed(name: str, code: str, maker: Callable[[], bytes]) -> None:
    """Register a maker whose expected code is known."""
    KINDS[name] = lambda: (maker(), code)


def with_cell(cell: str) -> bytes:
    """The usual two rows and one more."""
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    return xlsx(sheet_xml(rows + cell))


def far(reference: str, row: int) -> bytes:
    return with_cell(f'<row r="{row}"><c r="{reference}"><v>1</v></c></row>')


# Cells far away, written in every way.
fixed("far_corner.xlsx", "cell-too-far", lambda: far("XFD1048576", 1048576))
fixed("far_row.xlsx", "", lambda: far("A1048576", 1048576))
fixed("far_wide_row.xlsx", "cell-too-far", lambda: far("AZ1048576", 1048576))
fixed("far_column.xlsx", "cell-too-far", lambda: far("XFD2", 2))
fixed("far_beyond_excel.xlsx", "cell-too-far", lambda: far("XFE1048577", 1048577))
fixed("far_absurd.xlsx", "cell-too-far", lambda: far("ZZZZZZZ99999999", 99999999))
fixed("far_lowercase.xlsx", "cell-too-far", lambda: far("xfd1048576", 1048576))
fixed(
    "far_single_quotes.xlsx",
    "cell-too-far",
    lambda: with_cell("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"),
)
fixed(
    "far_spaced.xlsx",
    "cell-too-far",
    lambda: with_cell('<row r = "1048576"><c\nr = "XFD1048576" ><v>1</v></c></row>'),
)
fixed(
    "far_prefixed.xlsx",
    "cell-too-far",
    lambda: xlsx(
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1048576"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    ),
)
fixed(
    "far_not_last_in_row.xlsx",
    "cell-too-far",
    lambda: with_cell('<row r="1048576"><c r="XFD1048576"><v>1</v></c><c r="A1048576"><v>1</v></c></row>'),
)
fixed(
    "far_after_comment.xlsx",
    "cell-too-far",
    lambda: with_cell('<!-- x --><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
)
fixed(
    "far_implied.xlsx",
    "cell-too-far",
    lambda: with_cell('<row r="1048575"></row><row><c r="XFC1048576"><v>1</v></c><c><v>1</v></c></row>'),
)
fixed(
    "far_text.xlsx",
    "cell-too-far",
    lambda: with_cell('<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'),
)
fixed("far_empty.xlsx", "", lambda: with_cell('<row r="1048576"><c r="XFD1048576" s="0"/></row>'))
fixed("far_empty_pair.xlsx", "", lambda: with_cell('<row r="1048576"><c r="XFD1048576"></c></row>'))
fixed(
    "far_second_sheet.xlsx",
    "cell-too-far",
    lambda: xlsx(
        sheets={"成绩": sheet_xml(), "底表": sheet_xml('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')},
        states={"底表": "veryHidden"},
    ),
)
fixed("far_dimension_only.xlsx", "", lambda: xlsx(sheet_xml(before='<dimension ref="A1:XFD1048576"/>')))
fixed("dimension_nonsense.xlsx", "", lambda: xlsx(sheet_xml(before='<dimension ref="ZZZ999:A1"/>')))
fixed("far_merge.xlsx", "", lambda: xlsx(sheet_xml(after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')))
fixed(
    "far_hidden_columns.xlsx",
    "",
    lambda: xlsx(sheet_xml(before='<cols><col min="3" max="999999999" hidden="1"/></cols>')),
)
fixed("far_corner.xlsb", "cell-too-far", lambda: xlsb(binary_row(1048575) + binary_number(16383, 1.0)))
fixed("far_absurd.xlsb", "cell-too-far", lambda: xlsb(binary_row(0xFFFFFFF0) + binary_number(0xFFFFFFF0, 1.0)))
CELL = '<table:table-cell office:value-type="float" office:value="1"{0}><text:p>1</text:p></table:table-cell>'
fixed(
    "far_repeats.ods",
    "cell-too-far",
    lambda: ods(
        '<table:table-row table:number-rows-repeated="1048576">'
        + CELL.format(' table:number-columns-repeated="16384"')
        + "</table:table-row>"
    ),
)
fixed(
    "far_after_repeats.ods",
    "cell-too-far",
    lambda: ods(
        '<table:table-row table:number-rows-repeated="1048575"><table:table-cell/></table:table-row><table:table-row>'
        '<table:table-cell table:number-columns-repeated="1999"/>' + CELL.format("") + "</table:table-row>"
    ),
)
fixed(
    "repeats_overflow.ods",
    "cell-too-far",
    lambda: ods('<table:table-row table:number-rows-repeated="999999999">' + CELL.format("") + "</table:table-row>"),
)
SS = 'xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'
fixed(
    "far_index_xml.xls",
    "cell-too-far",
    lambda: (
        f'<?xml version="1.0"?><Workbook {SS}><Worksheet ss:Name="a"><Table><Row ss:Index="1048576">'
        '<Cell ss:Index="16384"><Data ss:Type="Number">1</Data></Cell></Row></Table></Worksheet></Workbook>'
    ).encode(),
)
fixed(
    "wide_html.xls",
    "cell-too-far",
    lambda: b"<table><tr>" + b"<td colspan=1000>1</td>" * 3 + b"</tr></table>",
)
fixed(
    "huge_spans_html.xls",
    "",
    lambda: b"<table><tr><td colspan=999999999 rowspan=999999999>1</td></tr><tr><td>2</table>",
)
fixed("wide.csv", "cell-too-far", lambda: b"1," * 5000)

# Bombs.
fixed("bomb_spaces.xlsx", "archive-bomb", lambda: xlsx(sheet_xml() + " " * 30_000_000))
fixed(
    "bomb_strings.xlsx",
    "archive-bomb",
    lambda: xlsx(strings=f'<sst xmlns="{MAIN}"><si><t>{"x" * 30_000_000}</t></si></sst>'),
)
fixed("bomb_styles.xlsx", "archive-bomb", lambda: xlsx(styles=styles_xml("0000") + "<!--" + "x" * 30_000_000 + "-->"))
fixed("bomb_media.xlsx", "archive-bomb", lambda: xlsx(extra={"xl/media/image1.png": bytes(30_000_000)}))
fixed("bomb_rows.xlsx", "archive-bomb", lambda: xlsx(sheet_xml('<row r="5"><c r="A5"><v>1</v></c></row>' * 400_000)))
fixed("bomb_repeated_text.xlsx", "archive-bomb", lambda: _repeated_text())


fixed("repeated_text_harmless.xlsx", "", lambda: _repeated_text(references=20))


def _repeated_text(references: int = 100_000) -> bytes:
    """One long text that a hundred thousand cells refer to: small on the disk, gigabytes in a reader."""
    text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(32_000))
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, references + 1))
    return xlsx(sheet_xml(rows), strings=f'<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>')


@kind("bomb_lying_size.xlsx")
def _lying_size() -> Kind:
    """The directory says 1,000 bytes, the data unpacks to 30 MB."""
    body = sheet_xml() + " " * 30_000_000
    data = xlsx(body)
    true = struct.pack("<I", len(body.encode()))
    return patched(data, true, struct.pack("<I", 1000)), "archive-bomb"


@kind("bomb_overlap.xlsx")
def _overlap() -> Kind:
    """Two directory entries share one packed body."""
    data = bytearray(xlsx(extra={"xl/theme/a.xml": b"a" * 50, "xl/theme/b.xml": b"b" * 50}))
    first = data.index(b"PK\x01\x02")
    entries = [at for at in range(first, len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    data[entries[-1] + 42 : entries[-1] + 46] = data[entries[-2] + 42 : entries[-2] + 46]
    return bytes(data), "archive-bomb"


fixed("many_parts.xlsx", "archive-entries", lambda: xlsx(extra={f"xl/x/{n}": b"" for n in range(10_050)}))
fixed("many_sheets.xlsx", "too-many-sheets", lambda: xlsx(sheets={f"S{n}": sheet_xml() for n in range(257)}))

# Archives that break the rules.
fixed("traversal.xlsx", "archive-names", lambda: xlsx(extra={"../../etc/passwd": b"x"}))
fixed("traversal_backslash.xlsx", "archive-names", lambda: xlsx(extra={"..\\..\\autoexec.bat": b"x"}))
fixed("absolute_name.xlsx", "", lambda: xlsx(extra={"/etc/passwd": b"x"}))


@kind("double_part.xlsx")
def _double() -> Kind:
    out = io.BytesIO(xlsx())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/worksheets/SHEET1.xml", sheet_xml())
    return out.getvalue(), "archive-names"


@kind("encrypted_zip.xlsx")
def _encrypted() -> Kind:
    data = bytearray(xlsx())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    return bytes(data), "file-encrypted"


@kind("odd_method.xlsx")
def _odd_method() -> Kind:
    data = bytearray(xlsx())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        struct.pack_into("<H", data, at + 10, 97)
        at += 4
    return bytes(data), "archive-method"


fixed("bzip2.xlsx", "archive-method", lambda: xlsx(method=zipfile.ZIP_BZIP2))
fixed("stored.xlsx", "", lambda: xlsx(method=zipfile.ZIP_STORED))
fixed("cut_half.xlsx", "file-damaged", lambda: xlsx()[: len(xlsx()) // 2])
fixed("cut_tail.xlsx", "file-damaged", lambda: xlsx()[:-30])
fixed("zip_head_only.xlsx", "file-damaged", lambda: b"PK\x03\x04")
fixed("zip_empty.xlsx", "file-not-a-table", lambda: b"PK\x05\x06" + bytes(18))
fixed("bad_directory.xlsx", "file-damaged", lambda: xlsx()[:-10] + b"\xff" * 10)
fixed("bad_packed_data.xlsx", "file-damaged", lambda: _flipped(xlsx()))
fixed("no_sheet_part.xlsx", "sheet-damaged", lambda: _without_part())
fixed("no_sheets.xlsx", "no-sheets", lambda: xlsx(workbook=f'<workbook xmlns="{MAIN}"><sheets/></workbook>'))


def _flipped(data: bytes) -> bytes:
    """The packed sheet replaced by noise."""
    at = data.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    return data[:at] + b"\xff" * 40 + data[at + 40 :]


def _without_part() -> bytes:
    with zipfile.ZipFile(io.BytesIO(xlsx())) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist() if "sheet1" not in name})


# XML.
ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
fixed("entities_sheet.xlsx", "xml-entities", lambda: xlsx(ENTITY + sheet_xml().partition("?>")[2]))
fixed("entities_outside.xlsx", "xml-entities", lambda: xlsx(OUTSIDE + sheet_xml().partition("?>")[2]))
fixed("entities_strings.xlsx", "xml-entities", lambda: xlsx(strings=f'{OUTSIDE}<sst xmlns="{MAIN}"/>'))
fixed("entities_workbook.xlsx", "xml-entities", lambda: xlsx(workbook=f'{OUTSIDE}<workbook xmlns="{MAIN}"/>'))
fixed(
    "entities.ods",
    "xml-entities",
    lambda: zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ENTITY + "<a/>"}),
)
fixed(
    "entities_xml.xls",
    "xml-entities",
    lambda: f'<?xml version="1.0"?>{ENTITY}<Workbook {SS}><Worksheet ss:Name="&b;"/></Workbook>'.encode(),
)
fixed("deep_sheet.xlsx", "xml-depth", lambda: xlsx(f'<a xmlns="{MAIN}">' + "<b>" * 5000 + "</b>" * 5000 + "</a>"))
fixed("deep_xml.xls", "xml-depth", lambda: f"<Workbook {SS}>".encode() + b"<a>" * 5000)
fixed("deep_html.xls", "", lambda: b"<table><tr><td>" + b"<div>" * 20_000 + b"1")
fixed("deep_tables.xls", "", lambda: b"<table><tr><td>" * 3_000 + b"1")
fixed("broken_sheet.xlsx", "sheet-damaged", lambda: xlsx(sheet_xml()[:-40] + "<<<"))
fixed("utf16_sheet.xlsx", "file-damaged", lambda: xlsx(sheet_xml().replace("UTF-8", "UTF-16").encode("utf-16")))
fixed("not_xml_sheet.xlsx", "file-damaged", lambda: xlsx(b"\x01\x02\x03 this is no XML"))
fixed("empty_sheet_part.xlsx", "sheet-damaged", lambda: xlsx(b""))
fixed(
    "number_not_finite.xlsx",
    "",
    lambda: with_cell('<row r="2"><c r="A2"><v>1e999</v></c><c r="B2"><v>NaN</v></c></row>'),
)
fixed(
    "string_index_wild.xlsx",
    "sheet-damaged",
    lambda: xlsx(
        sheet_xml('<row r="1"><c r="A1" t="s"><v>999999</v></c></row>'),
        strings=f'<sst xmlns="{MAIN}" count="99999999"/>',
    ),
)
fixed(
    "rows_backwards.xlsx",
    "",
    lambda: with_cell('<row r="9"><c r="B9"><v>9</v></c></row><row r="3"><c r="D3"><v>3</v></c></row>'),
)
fixed("row_zero.xlsx", "sheet-damaged", lambda: with_cell('<row r="0"><c r="A0"><v>1</v></c></row>'))

# xls.
OF = struct.pack("<IIHHH", 0, 0xFFFFFFFF, 0, 0xFFFF, 0)
fixed(
    "huge_dimensions.xls", "file-damaged", lambda: ole({"Workbook": biff8(number(0, 0, 5.0), before=record(0x200, OF))})
)
fixed("far_corner.xls", "cell-too-far", lambda: ole({"Workbook": biff8(number(0, 0, 5.0) + number(65535, 255, 5.0))}))
fixed("far_column.xls", "cell-too-far", lambda: ole({"Workbook": biff8(number(65535, 65535, 5.0))}))
fixed("password.xls", "file-encrypted", lambda: ole({"Workbook": biff8(b"", globals_=record(0x2F, bytes(54)))}))
fixed("password.xlsx", "file-encrypted", lambda: ole({"EncryptedPackage": b"x" * 5000, "EncryptionInfo": b"y"}))
fixed("record_too_long.xls", "file-damaged", lambda: ole({"Workbook": biff8(b"\x03\x02\xff\xff" + bytes(60_000))}))
fixed("fat_loop.xls", "file-damaged", lambda: _fat_loop())
fixed("ole_head_only.xls", "file-damaged", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
fixed("ole_noise.xls", "file-damaged", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4096)
fixed("ole_cut.xls", "file-damaged", lambda: ole({"Workbook": biff8(number(0, 0, 5.0))})[:2000])
fixed("biff_bare.xls", "format-not-supported", lambda: record(0x0809, bytes(8)) + record(0x000A))
fixed("word.doc", "file-not-a-table", lambda: ole({"WordDocument": b"x"}))
fixed("xlsb_cut.xlsb", "file-damaged", lambda: xlsb(b"\x05\xff\xff\x7f"))
fixed(
    "xlsb_wild_string.xlsb",
    "sheet-damaged",
    lambda: xlsb(binary_row(0) + binary_record(6, struct.pack("<III", 0, 0, 0xFFFFFFF0))),
)


def _fat_loop() -> bytes:
    data = bytearray(ole({"Workbook": biff8(number(0, 0, 5.0))}))
    struct.pack_into("<I", data, len(data) - 512, 0)  # sector 0 is followed by itself
    return bytes(data)


# Other documents.
OTHERS: dict[str, bytes] = {
    "a.pdf": b"%PDF-1.7\n1 0 obj",
    "photo.xlsx": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(40),
    "sheet.numbers": zipped({"Index/Document.iwa": "x"}),
    "letter.docx": zipped({"word/document.xml": "<a/>"}),
    "slides.xlsx": zipped({"ppt/presentation.xml": "<a/>"}),
    "all.zip": zipped({"九年级/九(1)班.xlsx": xlsx(), "说明.txt": "x"}),
    "a.rar": b"Rar!\x1a\x07\x00" + bytes(20),
    "a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "a.csv.gz": gzip.compress(b"1,2"),
    "a.rtf": b"{\\rtf1 x}",
    "a.db": b"SQLite format 3\x00" + bytes(50),
    "virus.xlsx": b"MZ" + bytes(60),
    "video.xlsx": b"\0\0\0\x18ftypmp42" + bytes(20),
    "data.json": json.dumps([{"姓名": "甲"}]).encode(),
    "feed.xml": b'<?xml version="1.0"?><rss><a/></rss>',
    "page.mht": b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n",
}
for _name, _data in OTHERS.items():
    fixed(_name, "file-not-a-table", lambda data=_data: data)  # type: ignore[misc]

# Text.
fixed("empty.xlsx", "file-empty", lambda: b"")
fixed("zeros.xlsx", "file-empty", lambda: bytes(5000))
fixed("blank.csv", "file-empty", lambda: b"\r\n \r\n\t\r\n")
fixed("bom_only.csv", "file-empty", lambda: b"\xef\xbb\xbf")
fixed("noise.csv", "format-unknown", lambda: bytes((n * n * 31 + 7 * n) % 256 for n in range(5000)))
fixed("binary.csv", "format-unknown", lambda: zlib.compress(bytes(range(256)) * 50))
fixed("half_character.csv", "text-undecodable", lambda: "姓名,语文\n甲,1\n".encode() + "乙".encode()[:2])
fixed("odd_utf16.txt", "text-undecodable", lambda: "姓名\t语文\n甲\t1\n".encode("utf-16") + b"x")
fixed("open_quote.csv", "quotes-unbalanced", lambda: '姓名,语文\n"甲,1\n乙,2\n'.encode())
fixed("long_cell.csv", "text-cut", lambda: ("姓名,语文\n甲," + "好" * 40_000 + "\n").encode())
fixed("nul_inside.csv", "format-unknown", lambda: b"a,b\n1,\x00\x00\x00\x01\x02\n" * 50)
fixed("quotes_only.csv", "quotes-unbalanced", lambda: b'"' * 10_001)
fixed("page_without_table.xls", "html-without-table", lambda: b"<html><body>login please</body></html>")
