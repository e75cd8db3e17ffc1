"""Small pieces of WordprocessingML as text. Every run names its East Asian font; every text is escaped and cleaned."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from jiaoheng.documents.fonts import east_asian_runs, is_east_asian
from jiaoheng.documents.safe_text import clean

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
LATIN = "Times New Roman"
TITLE_FONT, HEI, KAI, FANG, SONG = "方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312", "宋体"
GREY = "5F6B73"
EMU_PER_MM = 36000


@dataclass(frozen=True, slots=True)
class Look:
    """How a run looks; size in half-points, 0 as in the style."""

    font: str = FANG
    size: int = 0
    bold: bool = False
    colour: str = ""
    latin: str = LATIN

    def properties(self, family: str, *, hint: bool) -> str:
        """`w:rPr` with all four fonts named."""
        hinted = ' w:hint="eastAsia"' if hint else ""
        latin = f'w:ascii="{self.latin}" w:hAnsi="{self.latin}" w:eastAsia="{family}" w:cs="{self.latin}"'
        parts = [f"<w:rFonts {latin}{hinted}/>"]
        if self.bold:
            parts.append("<w:b/><w:bCs/>")
        if self.colour:
            parts.append(f'<w:color w:val="{self.colour}"/>')
        if self.size:
            parts.append(f'<w:sz w:val="{self.size}"/><w:szCs w:val="{self.size}"/>')
        return "<w:rPr>" + "".join(parts) + "</w:rPr>"


def runs(text: str, look: Look) -> str:
    """Runs of a text: characters that the font lacks get one that has them; line ends become breaks."""
    pieces = []
    for index, line in enumerate(clean(text).split("\n")):
        if index:
            pieces.append("<w:r><w:br/></w:r>")
        for piece, family in east_asian_runs(line, look.font):
            hint = any(is_east_asian(character) for character in piece)
            properties = look.properties(family, hint=hint)
            pieces.append(f'<w:r>{properties}<w:t xml:space="preserve">{escape(piece)}</w:t></w:r>')
    return "".join(pieces)


def paragraph(style: str, content: str, extra: str = "") -> str:
    """A paragraph of a style; `extra` is further paragraph properties."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{extra}</w:pPr>{content}</w:p>'


def bookmark(name: str, number: int, content: str) -> str:
    """Content inside a bookmark."""
    return f'<w:bookmarkStart w:id="{number}" w:name={quoteattr(name)}/>{content}<w:bookmarkEnd w:id="{number}"/>'


def field(code: str, result: str, look: Look) -> str:
    """A complex field with its stored result."""
    properties = look.properties(look.font, hint=False)
    mark = f"<w:r>{properties}<w:fldChar w:fldCharType="
    return (
        f'{mark}"begin"/></w:r><w:r>{properties}<w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
        f'{mark}"separate"/></w:r>{runs(result, look)}{mark}"end"/></w:r>'
    )


def inline_picture(relation: str, number: int, width_mm: float, height_mm: float, alt: str) -> str:
    """A picture in the text with its alternative text."""
    size = f'cx="{round(width_mm * EMU_PER_MM)}" cy="{round(height_mm * EMU_PER_MM)}"'
    name = f'id="{number}" name="图片 {number}" descr={quoteattr(clean(alt))}'
    return (
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent {size}/><wp:docPr {name}/>'
        '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture">'
        f"<pic:pic><pic:nvPicPr><pic:cNvPr {name}/><pic:cNvPicPr/></pic:nvPicPr>"
        f'<pic:blipFill><a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
