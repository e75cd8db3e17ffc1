"""What a file truly is, by its first bytes and its inner names; its extension is never believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIPS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
BARE_BIFF = (b"\x09\x08\x10\x00", b"\x09\x08\x08\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")

SAVE_AS = "请在原软件中打开，另存为 xlsx 后再交"
COPY_TABLE = "请把其中的表格复制到 Excel，另存为 xlsx 后再交"

# First bytes → true format, what it is called, what to do.
_SIGNATURES: tuple[tuple[bytes, str, str, str], ...] = (
    (b"%PDF", "pdf", "PDF 文档", COPY_TABLE),
    (b"\x89PNG", "image", "PNG 图片", COPY_TABLE),
    (b"\xff\xd8\xff", "image", "JPEG 图片", COPY_TABLE),
    (b"GIF8", "image", "GIF 图片", COPY_TABLE),
    (b"II*\x00", "image", "TIFF 图片", COPY_TABLE),
    (b"MM\x00*", "image", "TIFF 图片", COPY_TABLE),
    (b"Rar!", "archive", "RAR 压缩包", "请先解压，再交其中的表格文件"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "7z 压缩包", "请先解压，再交其中的表格文件"),
    (b"\x1f\x8b", "archive", "gzip 压缩包", "请先解压，再交其中的表格文件"),
    (b"BZh", "archive", "bzip2 压缩包", "请先解压，再交其中的表格文件"),
    (b"\xfd7zXZ\x00", "archive", "xz 压缩包", "请先解压，再交其中的表格文件"),
    (b"{\\rtf", "rtf", "RTF 文档", COPY_TABLE),
    (b"SQLite format 3\x00", "database", "SQLite 数据库", "请从原软件导出为 xlsx 后再交"),
    (b"\x00\x01\x00\x00Standard Jet DB", "database", "Access 数据库", "请从 Access 导出为 xlsx 后再交"),
    (b"\x00\x01\x00\x00Standard ACE DB", "database", "Access 数据库", "请从 Access 导出为 xlsx 后再交"),
    (b"PAR1", "parquet", "Parquet 数据文件", "请导出为 xlsx 或 csv 后再交"),
    (b"ARROW1", "arrow", "Arrow 数据文件", "请导出为 xlsx 或 csv 后再交"),
    (b"MZ", "program", "Windows 程序", "请查收是否发错了文件，不要打开它"),
    (b"\x7fELF", "program", "程序文件", "请查收是否发错了文件，不要打开它"),
    (b"ID3", "media", "音频文件", "请查收是否发错了文件"),
    (b"OggS", "media", "音频文件", "请查收是否发错了文件"),
)

# A name inside the archive → what the archive is. The first that is there decides.
_ARCHIVES: tuple[tuple[str, str, str, str], ...] = (
    ("word/document.xml", "docx", "Word 文档", COPY_TABLE),
    ("ppt/presentation.xml", "pptx", "PowerPoint 文稿", COPY_TABLE),
    ("Index/Document.iwa", "numbers", "苹果 Numbers、Pages 或 Keynote 文件", "请在苹果设备上导出为 Excel 后再交"),
    ("Index.zip", "numbers", "苹果 Numbers、Pages 或 Keynote 文件", "请在苹果设备上导出为 Excel 后再交"),
    ("META-INF/MANIFEST.MF", "program", "Java 程序包", "请查收是否发错了文件，不要打开它"),
    ("AndroidManifest.xml", "program", "安卓安装包", "请查收是否发错了文件，不要打开它"),
    ("OFD.xml", "ofd", "OFD 版式文档", COPY_TABLE),
)

_MIMETYPES: dict[bytes, tuple[str, str, str]] = {
    b"application/vnd.oasis.opendocument.text": ("odt", "OpenDocument 文字文档", COPY_TABLE),
    b"application/vnd.oasis.opendocument.presentation": ("odp", "OpenDocument 演示文稿", COPY_TABLE),
    b"application/epub+zip": ("epub", "电子书", "请查收是否发错了文件"),
}
ODS_MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"

_OLE_STREAMS: tuple[tuple[str, str, str, str], ...] = (
    ("WordDocument", "doc", "旧版 Word 文档", COPY_TABLE),
    ("PowerPoint Document", "ppt", "旧版 PowerPoint 文稿", COPY_TABLE),
    ("VisioDocument", "vsd", "Visio 文档", COPY_TABLE),
    ("__properties_version1.0", "msg", "Outlook 邮件", "请先把附件另存出来，再交附件"),
)

# Extensions that promise a kind of file. Text tables may carry any of the text extensions.
_PROMISES: dict[str, frozenset[str]] = {
    ".xlsx": frozenset({"xlsx"}),
    ".xlsm": frozenset({"xlsx"}),
    ".xltx": frozenset({"xlsx"}),
    ".xltm": frozenset({"xlsx"}),
    ".xlsb": frozenset({"xlsb"}),
    ".xls": frozenset({"xls"}),
    ".xlt": frozenset({"xls"}),
    ".et": frozenset({"xls", "xlsx"}),
    ".ett": frozenset({"xls", "xlsx"}),
    ".ods": frozenset({"ods"}),
    ".csv": frozenset({"csv", "tsv"}),
    ".tsv": frozenset({"csv", "tsv"}),
    ".tab": frozenset({"csv", "tsv"}),
    ".txt": frozenset({"csv", "tsv"}),
    ".prn": frozenset({"csv", "tsv"}),
    ".dat": frozenset({"csv", "tsv"}),
    ".htm": frozenset({"html"}),
    ".html": frozenset({"html"}),
    ".mht": frozenset({"mhtml"}),
    ".xml": frozenset({"xml2003"}),
}

FORMAT_NAMES: dict[str, str] = {
    "xlsx": "Excel 工作簿（xlsx）",
    "xlsb": "Excel 二进制工作簿（xlsb）",
    "xls": "Excel 97–2003 工作簿（xls）",
    "ods": "OpenDocument 表格（ods）",
    "csv": "分隔符文本（csv）",
    "tsv": "制表符分隔的文本（tsv）",
    "html": "网页表格（HTML）",
    "xml2003": "XML 表格 2003",
}


@dataclass(frozen=True, slots=True)
class NotATable:
    """A recognised format that holds no score table that can be read."""

    true_format: str
    called: str
    remedy: str


def signature(head: bytes) -> NotATable | None:
    """The format of a file that begins with `head` (≥ 64 bytes where there are so many), or None."""
    for magic, name, called, remedy in _SIGNATURES:
        if head.startswith(magic):
            return NotATable(name, called, remedy)
    if head[:4] == b"RIFF":
        image = head[8:12] == b"WEBP"
        return (
            NotATable("image", "WebP 图片", COPY_TABLE)
            if image
            else NotATable("media", "音视频文件", "请查收是否发错了文件")
        )
    if head[4:8] == b"ftyp":
        heic = head[8:12] in (b"heic", b"heix", b"mif1", b"avif")
        return (
            NotATable("image", "HEIC 图片", COPY_TABLE)
            if heic
            else NotATable("media", "视频文件", "请查收是否发错了文件")
        )
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == b"\0\0\0\0":
        return NotATable("image", "BMP 图片", COPY_TABLE)
    return None


def archive_kind(names: frozenset[str], mimetype: bytes) -> str | NotATable:
    """What a zip with these member names is: "xlsx", "xlsb", "ods", or what it is instead.

    `mimetype` is the content of the member of that name, empty where there is none.
    """
    lower = {name.replace("\\", "/").lower() for name in names}
    if "xl/workbook.bin" in lower:
        return "xlsb"
    if any(name.startswith("xl/workbook") for name in lower):
        return "xlsx"
    mime = mimetype.strip()
    if mime == ODS_MIMETYPE or mime.startswith(ODS_MIMETYPE):
        return "ods"
    if mime in _MIMETYPES:
        return NotATable(*_MIMETYPES[mime])
    for inner, name, called, remedy in _ARCHIVES:
        if inner.lower() in lower:
            return NotATable(name, called, remedy)
    tables = sorted(name for name in names if PurePath(name).suffix.lower() in _PROMISES)
    if tables:
        told = f"zip 压缩包，内有 {len(tables)} 个表格文件（如 {PurePath(tables[0]).name}）"
        return NotATable("zip", told, "请先解压，再交解压出来的文件夹")
    return NotATable("zip", f"zip 压缩包，内有 {len(names)} 个文件，没有表格", "请先解压，再交其中的表格文件")


def ole_kind(streams: frozenset[str]) -> str | NotATable:
    """What an OLE file with these stream names is: "xls", "encrypted", or what it is instead."""
    if "EncryptedPackage" in streams or "DataSpaces" in streams:
        return "encrypted"
    if "Workbook" in streams or "Book" in streams:
        return "xls"
    for stream, name, called, remedy in _OLE_STREAMS:
        if any(one.startswith(stream) for one in streams):
            return NotATable(name, called, remedy)
    return NotATable("ole", "Office 97–2003 格式的文件，但其中没有工作簿", SAVE_AS)


_TAG = re.compile(r"<(?:html|table|meta|head|body|style|div|!doctype html)\b", re.IGNORECASE)


def text_kind(text: str) -> str | NotATable:
    """What a decoded text is: "html", "xml2003", "csv" (any delimited text), or what it is instead."""
    start = text[:65_536].lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        if "urn:schemas-microsoft-com:office:spreadsheet" in start and re.search(r"<(?:\w+:)?Workbook\b", start):
            return "xml2003"
        if _TAG.search(start):
            return "html"
        if start.startswith("<?xml") or re.match(r"<[A-Za-z_][\w:.-]*[\s>/]", start):
            return NotATable("xml", "XML 文件，但不是 Excel 表格", SAVE_AS)
    if re.match(r"(?:From:|MIME-Version:|Content-Type: multipart)", start, re.IGNORECASE) and "multipart/" in start:
        return NotATable("mhtml", "单个文件网页（MHTML）", "请用 Excel 打开，另存为 xlsx 后再交")
    if re.match(r"[\[{]\s*(?:[\[{\"]|\]|\})", start) and text.rstrip()[-1:] in ("]", "}"):
        return NotATable("json", "JSON 数据", "请从原系统导出为 xlsx 或 csv 后再交")
    return "csv"


def promised(name: str, true_format: str) -> bool:
    """Whether the extension of `name` fits `true_format`; an unknown extension promises nothing and so fits."""
    formats = _PROMISES.get(PurePath(name).suffix.lower())
    return formats is None or true_format in formats
