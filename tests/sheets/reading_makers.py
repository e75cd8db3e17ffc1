"""Small makers of workbooks and texts, good and hostile, for the tests of reading."""

from __future__ import annotations

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PKG = "http://schemas.openxmlformats.org/package/2006"
CELL = '<c r="A1" t="inlineStr"><is><t>姓名</t></is></c><c r="B1" t="inlineStr"><is><t>语文</t></is></c>'
ROWS = f'<row r="1">{CELL}</row><row r="2"><c r="A2" t="inlineStr"><is><t>学生甲</t></is></c><c r="B2"><v>81.5</v></c></row>'


def sheet_xml(rows: str = ROWS, before: str = "", after: str = "") -> str:
    """A worksheet part around the given rows."""
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f'{head}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def styles_xml(*formats: str) -> str:
    """Style n (from 1) has the nth number format."""
    codes = "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{code.replace(chr(34), "&quot;")}"/>'
        for n, code in enumerate(formats)
    )
    cells = "".join(f'<xf numFmtId="{164 + n}" applyNumberFormat="1"/>' for n in range(len(formats)))
    return f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{cells}</cellXfs></styleSheet>'


def xlsx(
    sheet: str | bytes | None = None,
    *,
    sheets: dict[str, str] | None = None,
    states: dict[str, str] | None = None,
    styles: str | None = None,
    strings: str | bytes | None = None,
    extra: dict[str, bytes] | None = None,
    workbook: str | None = None,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A workbook with one sheet 成绩, or the given ones (name → sheet XML)."""
    parts: dict[str, str | bytes] = dict(sheets) if sheets else {"成绩": sheet if sheet is not None else sheet_xml()}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" state="{(states or {}).get(name, "visible")}" r:id="rId{n}"/>'
        for n, name in enumerate(parts, 1)
    )
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(parts) + 1)
    )
    if styles is not None:
        targets += f'<Relationship Id="rIdS" Type="{REL}/styles" Target="styles.xml"/>'
    if strings is not None:
        targets += f'<Relationship Id="rIdT" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/>'
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument'
        '.spreadsheetml.worksheet+xml"/>'
        for n in range(1, len(parts) + 1)
    )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PKG}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f"{types}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{PKG}/relationships"><Relationship Id="rId1" Type="{REL}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": workbook or f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PKG}/relationships">{targets}</Relationships>',
    }
    if styles is not None:
        files["xl/styles.xml"] = styles
    if strings is not None:
        files["xl/sharedStrings.xml"] = strings
    files |= {f"xl/worksheets/sheet{n}.xml": body for n, body in enumerate(parts.values(), 1)}
    return zipped(files | (extra or {}), method)


def zipped(files: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of the given members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    """`data` with `old`, which must be there, replaced."""
    assert old in data
    return data.replace(old, new)


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file with the given streams, each padded to at least 4096 bytes."""
    sector = 512
    bodies = [body + bytes(max(4096, -(-len(body) // sector) * sector) - len(body)) for body in streams.values()]
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0)]
    at = 0
    fat: list[int] = []
    for name, body in zip(streams, bodies, strict=True):
        count = len(body) // sector
        entries.append((name, 2, at, len(body)))
        fat += [*range(at + 1, at + count), 0xFFFFFFFE]
        at += count
    directory = b""
    for name, kind, start, size in entries:
        text = name.encode("utf-16-le") + b"\0\0"
        directory += text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
        directory += struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 1 if kind == 5 else 0xFFFFFFFF)
        directory += bytes(36) + struct.pack("<IQ", start, size)
    directory += bytes(-len(directory) % sector)
    first_directory = at
    count = len(directory) // sector
    fat += [*range(at + 1, at + count), 0xFFFFFFFE]
    at += count
    fats = 1
    while (len(fat) + fats) > fats * 128:
        fats += 1
    places = list(range(at, at + fats))
    fat += [0xFFFFFFFD] * fats
    fat += [0xFFFFFFFF] * (fats * 128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, fats, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += b"".join(struct.pack("<I", place) for place in places).ljust(436, b"\xff")
    return head + b"".join(bodies) + directory + b"".join(struct.pack("<I", one) for one in fat)


def record(kind: int, body: bytes = b"") -> bytes:
    """One BIFF record."""
    return struct.pack("<HH", kind, len(body)) + body


def biff8(cells: bytes, *, before: bytes = b"", globals_: bytes = b"") -> bytes:
    """A BIFF8 workbook stream with one sheet S1 that holds the given records."""
    start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 6)) + globals_
    name = b"\x02\x00S1"
    bound = len(start) + 4 + 6 + len(name) + 4
    start += record(0x0085, struct.pack("<IH", bound, 0) + name) + record(0x000A)
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 6)) + before + cells + record(0x000A)
    return start + sheet


def number(row: int, column: int, value: float, style: int = 0) -> bytes:
    """A BIFF8 NUMBER record."""
    return record(0x0203, struct.pack("<HHHd", row, column, style, value))


def binary_record(kind: int, body: bytes = b"") -> bytes:
    """One xlsb record."""
    head = bytes([kind]) if kind < 128 else bytes([(kind & 0x7F) | 0x80, kind >> 7])
    size = len(body)
    lengths = b""
    while True:
        lengths += bytes([(size & 0x7F) | (0x80 if size > 127 else 0)])
        size >>= 7
        if not size:
            return head + lengths + body


def wide_text(text: str) -> bytes:
    """An xlsb string."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(cells: bytes, styles: bytes = b"") -> bytes:
    """A binary workbook with one sheet 成绩 that holds the given records inside its sheet data."""
    book = binary_record(131) + binary_record(143)
    book += binary_record(156, struct.pack("<II", 0, 1) + wide_text("rId1") + wide_text("成绩"))
    book += binary_record(144) + binary_record(132)
    dimension = binary_record(148, struct.pack("<IIII", 0, 1, 0, 1))
    sheet = binary_record(129) + dimension + binary_record(145) + cells + binary_record(146) + binary_record(130)
    targets = f'<Relationship Id="rId1" Type="{REL}/worksheet" Target="worksheets/sheet1.bin"/>'
    if styles:
        targets += f'<Relationship Id="rId2" Type="{REL}/styles" Target="styles.bin"/>'
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PKG}/content-types"/>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{PKG}/relationships">{targets}</Relationships>',
        "xl/worksheets/sheet1.bin": sheet,
    }
    if styles:
        files["xl/styles.bin"] = styles
    return zipped(files)


def binary_row(row: int, *, hidden: bool = False) -> bytes:
    """An xlsb row header."""
    return binary_record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0x10 if hidden else 0, 0, 0))


def binary_number(column: int, value: float, style: int = 0) -> bytes:
    """An xlsb real cell."""
    return binary_record(5, struct.pack("<IId", column, style, value))


def binary_string(column: int, text: str) -> bytes:
    """An xlsb inline string cell."""
    return binary_record(6, struct.pack("<II", column, 0) + wide_text(text))


ODS_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"'
)


def ods(table: str, styles: str = "", name: str = "成绩") -> bytes:
    """An OpenDocument spreadsheet with one table."""
    content = (
        f"<office:document-content {ODS_NAMES}><office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f'<office:spreadsheet><table:table table:name="{name}">{table}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{mimetype}"/></manifest:manifest>'
    )
    return zipped({"mimetype": mimetype, "META-INF/manifest.xml": manifest, "content.xml": content})
