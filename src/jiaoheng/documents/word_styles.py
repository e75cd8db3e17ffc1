"""Page, styles and settings of an official document (GB/T 9704-2012) in a python-docx document.

Measures: standards §8 — A4, margins 37/35/28/26 mm, text area 156 × 225 mm, 22 lines of 28 characters of size 3,
line pitch 28.95 pt (579 twentieths), page numbers “— 1 —” outside.
"""

from __future__ import annotations

from typing import Any

from docx.oxml import parse_xml
from docx.oxml.ns import qn

from jiaoheng.documents.fonts import ALTERNATES
from jiaoheng.documents.word_xml import FANG, GREY, HEI, KAI, LATIN, NAMESPACES, SONG, TITLE_FONT, Look, field, runs

LINE = 579  # twentieths of a point
TEXT_TWIPS = {False: 8844, True: 12756}  # width of the text area: 156 mm upright, 225 mm across
TEXT_MM = {False: (156.0, 225.0), True: (225.0, 156.0)}

_LOOSE = '<w:snapToGrid w:val="0"/>'
# 28 characters of 16 pt in 156 mm need 15.79 pt each. The page's grid says so to Word; LibreOffice cannot squeeze a
# character into a smaller cell and gives it two, so the styles leave the grid and set the squeeze themselves.
_SQUEEZE = -5  # twentieths of a point
_BODY = f'{_LOOSE}<w:spacing w:before="0" w:after="0" w:line="{LINE}" w:lineRule="exact"/>'
_TIGHT = '<w:spacing w:before="0" w:after="0" w:line="240" w:lineRule="auto"/>'
_FIRST = '<w:ind w:firstLine="632" w:firstLineChars="200"/>'
_KEEP = "<w:keepNext/><w:keepLines/>"
_DOTS = '<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="8844"/></w:tabs>'
_BAR = '<w:pBdr><w:left w:val="single" w:sz="24" w:space="8" w:color="8B979E"/></w:pBdr>'


_BODY_SIZE = 32


def _spacing(before: int, after: int, line: int = 240, rule: str = "auto") -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="{rule}"/>'


def _jc(where: str) -> str:
    return f'<w:jc w:val="{where}"/>'


def _heading(level: int) -> str:
    return f'{_KEEP}{_BODY}{_FIRST}{_jc("left")}<w:outlineLvl w:val="{level}"/>'


# id, name, font, half-points, bold, paragraph properties in the order of the schema
_STYLES: tuple[tuple[str, str, str, int, bool, str], ...] = (
    ("Normal", "Normal", FANG, 32, False, _BODY + _jc("both")),
    ("OfficialText", "公文正文", FANG, 32, False, _BODY + _FIRST + _jc("both")),
    ("Title", "Title", TITLE_FONT, 44, False, "<w:keepNext/>" + _LOOSE + _spacing(0, 0, 720, "exact") + _jc("center")),
    ("Subtitle", "Subtitle", KAI, 32, False, _BODY + _jc("center")),
    ("Heading1", "heading 1", HEI, 32, False, _heading(0)),
    ("Heading2", "heading 2", KAI, 32, False, _heading(1)),
    ("Heading3", "heading 3", FANG, 32, True, _heading(2)),
    ("Heading4", "heading 4", FANG, 32, False, _heading(3)),
    ("TOC1", "toc 1", HEI, 28, False, _DOTS + _BODY),
    ("TOC2", "toc 2", FANG, 28, False, _DOTS + _BODY + '<w:ind w:left="560" w:leftChars="200"/>'),
    ("TOCTitle", "目录标题", HEI, 32, False, "<w:keepNext/>" + _BODY + _jc("center")),
    ("Caption", "caption", HEI, 24, False, _KEEP + _LOOSE + _spacing(160, 40, 340, "exact") + _jc("center")),
    ("CaptionNote", "图表说明", KAI, 21, False, _KEEP + _LOOSE + _spacing(0, 60, 280, "exact") + _jc("center")),
    ("Picture", "图片", FANG, 21, False, _LOOSE + _spacing(0, 80) + _jc("center")),
    ("TableText", "表格文字", FANG, 21, False, _LOOSE + _TIGHT + _jc("left")),
    ("TableNote", "表注", KAI, 18, False, _LOOSE + _spacing(20, 0, 260, "exact") + _jc("left")),
    (
        "Remark",
        "提示",
        KAI,
        28,
        False,
        _BAR + _LOOSE + _spacing(120, 120, 480, "exact") + '<w:ind w:left="320"/>' + _jc("both"),
    ),
    ("Gap", "间隔", FANG, 2, False, _LOOSE + _spacing(0, 0, 20, "exact")),
    ("Imprint", "版记", FANG, 28, False, _LOOSE + _spacing(40, 40, 400, "exact")),
    ("Header", "header", SONG, 18, False, _LOOSE + _TIGHT + _jc("right")),
    ("Footer", "footer", SONG, 28, False, _LOOSE + _TIGHT),
)
STYLE_SIZES = {row[0]: row[3] for row in _STYLES}  # half-points
STYLE_SPACING = {row[0]: row[5] for row in _STYLES}  # paragraph properties as text, for counting pages
_BASED_ON_TEXT = frozenset({"Heading1", "Heading2", "Heading3", "Heading4", "OfficialText"})


def apply_styles(document: Any) -> None:
    """Replace every style of python-docx's template by ours: real heading styles, no theme fonts."""
    styles = document.styles.element
    for style in styles.findall(qn("w:style")):
        if style.get(qn("w:type")) in ("paragraph", "table", "numbering") or style.get(qn("w:default")) != "1":
            styles.remove(style)
    defaults = styles.find(qn("w:docDefaults"))
    if defaults is not None:
        styles.remove(defaults)
    styles.insert(0, parse_xml(_defaults()))
    for row in _STYLES:
        styles.append(parse_xml(_style(*row)))
    styles.append(
        parse_xml(
            f'<w:style {NAMESPACES} w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/>'
            '<w:uiPriority w:val="99"/><w:semiHidden/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
            '<w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
        )
    )


def apply_settings(document: Any) -> None:
    """Odd and even page feet, Chinese typography, the present Word's layout; no dialog on opening."""
    settings = document.settings.element
    document.settings.odd_and_even_pages_header_footer = True
    for tag in ("w:themeFontLang", "w:characterSpacingControl", "w:compat"):
        for old in settings.findall(qn(tag)):
            settings.remove(old)
    anchor = settings.find(qn("w:rsids"))
    new = [
        f'<w:characterSpacingControl {NAMESPACES} w:val="compressPunctuation"/>',
        f"<w:compat {NAMESPACES}><w:spaceForUL/><w:balanceSingleByteDoubleByteWidth/><w:doNotLeaveBackslashAlone/>"
        "<w:ulTrailSpace/><w:doNotExpandShiftReturn/><w:adjustLineHeightInTable/><w:useFELayout/>"
        '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        "</w:compat>",
    ]
    for text in new:
        if anchor is not None:
            anchor.addprevious(parse_xml(text))
        else:
            settings.append(parse_xml(text))


def apply_font_table(document: Any) -> None:
    """Name what stands in for the fonts of official documents where they are not installed."""
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/><w:family w:val="auto"/>'
        '<w:pitch w:val="default"/></w:font>'
        for name, other in ALTERNATES.items()
    )
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = (
                f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts {NAMESPACES}>{entries}</w:fonts>'
            ).encode()


def section_properties(*, landscape: bool, feet: str, kind: str = "nextPage") -> str:
    """`w:sectPr` of an upright or a landscape page; `feet` are the references to page heads and feet."""
    if landscape:
        size = '<w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/>'
        margins = 'w:top="1587" w:right="2098" w:bottom="1474" w:left="1984"'
    else:
        size = '<w:pgSz w:w="11906" w:h="16838"/>'
        margins = 'w:top="2098" w:right="1474" w:bottom="1984" w:left="1588"'
    return (
        f'<w:sectPr>{feet}<w:type w:val="{kind}"/>{size}'
        f'<w:pgMar {margins} w:header="850" w:footer="1361" w:gutter="0"/>'
        '<w:cols w:space="425"/><w:docGrid w:type="linesAndChars" w:linePitch="579" w:charSpace="-849"/></w:sectPr>'
    )


def page_parts(document: Any, watermark: str, notice: str) -> str:
    """Fill the page heads (watermark) and feet (— 1 —, notice) and give the references to them."""
    section = document.sections[0]
    feet = ((section.footer, "right"), (section.even_page_footer, "left"))
    for part, side in feet:
        part.is_linked_to_previous = False
        look = Look(SONG, 28, latin=SONG)
        page = runs("— ", look) + field("PAGE", "1", look) + runs(" —", look)
        content = [_foot(page, f'<w:ind w:{side}="280" w:{side}Chars="100"/>{_jc(side)}')]
        if notice:
            content.append(_foot(runs(notice, Look(SONG, 16, colour=GREY)), _jc(side)))
        _fill(part, content)
    for part in (section.header, section.even_page_header):
        part.is_linked_to_previous = False
        text = runs(watermark, Look(SONG, 18, colour="8B979E")) if watermark else ""
        _fill(part, [f'<w:p {NAMESPACES}><w:pPr><w:pStyle w:val="Header"/></w:pPr>{text}</w:p>'])
    references = [item for item in section._sectPr if item.tag in (qn("w:headerReference"), qn("w:footerReference"))]
    texts = []
    for item in references:
        tag = "headerReference" if item.tag == qn("w:headerReference") else "footerReference"
        texts.append(f'<w:{tag} w:type="{item.get(qn("w:type"))}" r:id="{item.get(qn("r:id"))}"/>')
    return "".join(texts)


def _foot(content: str, extra: str) -> str:
    return f'<w:p {NAMESPACES}><w:pPr><w:pStyle w:val="Footer"/>{extra}</w:pPr>{content}</w:p>'


def _fill(part: Any, paragraphs: list[str]) -> None:
    element = part._element
    for child in list(element):
        element.remove(child)
    for text in paragraphs:
        element.append(parse_xml(text))


def _defaults() -> str:
    return (
        f'<w:docDefaults {NAMESPACES}><w:rPrDefault><w:rPr><w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" '
        f'w:eastAsia="{FANG}" w:cs="{LATIN}"/><w:kern w:val="2"/><w:sz w:val="32"/><w:szCs w:val="32"/>'
        '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/></w:rPr></w:rPrDefault><w:pPrDefault/>'
        "</w:docDefaults>"
    )


def _style(identity: str, name: str, font: str, size: int, bold: bool, properties: str) -> str:
    default = ' w:default="1"' if identity == "Normal" else ""
    based = "" if identity == "Normal" else '<w:basedOn w:val="Normal"/>'
    following = '<w:next w:val="OfficialText"/>' if identity in _BASED_ON_TEXT else ""
    custom = ' w:customStyle="1"' if not name.isascii() else ""
    look = Look(font, size, bold).properties(font, hint=False)
    if size == _BODY_SIZE:
        look = look.replace("<w:sz ", f'<w:spacing w:val="{_SQUEEZE}"/><w:sz ', 1)
    return (
        f'<w:style {NAMESPACES} w:type="paragraph"{default}{custom} w:styleId="{identity}"><w:name w:val="{name}"/>'
        f"{based}{following}<w:qFormat/><w:pPr>{properties}</w:pPr>{look}</w:style>"
    )
