"""The blocks of a report as pieces of a Word body, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from jiaoheng.documents.model import Block, Bullets, Chart, KeyFigures, Note, Paragraph, Report, Table
from jiaoheng.documents.outline import DEFINITIONS_TITLE, Heading, captions, meta_lines, parts
from jiaoheng.documents.pictures import WIDTH, Picture, Pictures
from jiaoheng.documents.safe_text import clean, one_line
from jiaoheng.documents.word_pages import estimate_pages
from jiaoheng.documents.word_styles import TEXT_MM
from jiaoheng.documents.word_tables import layout, table_xml
from jiaoheng.documents.word_xml import (
    FANG,
    GREY,
    HEI,
    KAI,
    SONG,
    TITLE_FONT,
    Look,
    bookmark,
    field,
    inline_picture,
    paragraph,
    runs,
)
from jiaoheng.documents.words import TONES

_HEADING_FONTS = (HEI, KAI, FANG, FANG)
_TALLEST_MM = 205.0  # a picture with its caption on one page


@dataclass(frozen=True, slots=True)
class Piece:
    """XML of whole paragraphs and tables, and the way their page lies."""

    xml: str
    landscape: bool = False


def body(report: Report, pictures: Pictures, add_image: Callable[[Picture], str]) -> Iterator[Piece]:
    """The whole document: front page with contents, chapters, definitions, sources, imprint.

    `add_image` takes a picture and gives what stands for it in its drawing.
    """
    writer = _Writer(report, pictures, add_image)
    chapters = [(part.heading, _turned(list(writer.part(part.heading, part.blocks)))) for part in parts(report)]
    yield Piece(_front(report))
    if chapters:
        yield Piece(_contents([heading for heading, _ in chapters], estimate_pages(chapters)))
    for _, pieces in chapters:
        yield from pieces
    yield Piece(_sources(report) + _signature(report) + _imprint(report))


def _turned(pieces: list[Piece]) -> list[Piece]:
    """A heading right before a landscape table goes onto its page, lest it stand alone on the page before."""
    if len(pieces) > 1 and pieces[1].landscape:
        pieces[0] = replace(pieces[0], landscape=True)
    return pieces


class _Writer:
    """Writes parts; keeps the numbers of bookmarks and pictures."""

    def __init__(self, report: Report, pictures: Pictures, add_image: Callable[[Picture], str]) -> None:
        self.report = report
        self.pictures = pictures
        self.add_image = add_image
        self.names = captions(report)
        self.count = 0

    def part(self, heading: Heading, blocks: tuple[Block, ...]) -> Iterator[Piece]:
        """A heading and its blocks."""
        self.count += 1
        level = min(heading.level, 4)
        extra = "<w:pageBreakBefore/>" if self.count == 1 else ""
        text = runs(heading.text, Look(_HEADING_FONTS[level - 1], bold=level == 3))
        yield Piece(paragraph(f"Heading{level}", bookmark(_mark(heading), self.count, text), extra))
        if heading.title == DEFINITIONS_TITLE and not blocks:
            yield Piece("".join(self._definitions()))
        for block in blocks:
            yield self._block(block)

    def _block(self, block: Block) -> Piece:
        if isinstance(block, Paragraph):
            return Piece(_texts(block.text, Look(HEI if block.strong else FANG)))
        if isinstance(block, Bullets):
            lines = (f"{i}. {item}" if block.numbered else f"— {item}" for i, item in enumerate(block.items, 1))
            return Piece("".join(_texts(line, Look()) for line in lines))
        if isinstance(block, Note):
            label = runs(f"{TONES[block.tone]}：", Look(HEI))
            return Piece(paragraph("Remark", label + runs(one_line(block.text), Look(KAI))))
        if isinstance(block, KeyFigures):
            return Piece(_key_figures(block))
        if isinstance(block, Table):
            return self._table(block)
        return self._chart(block)

    def _table(self, table: Table) -> Piece:
        place = layout(table)
        title = f"{self.names[id(table)]}　{one_line(table.title)}"
        xml = paragraph("Caption", runs(title, Look(HEI)))
        if not table.rows:
            return Piece(xml + paragraph("TableNote", runs(one_line(table.note) or "没有数据。", Look(KAI)), _CENTRE))
        return Piece(xml + table_xml(table, place), place.landscape)

    def _chart(self, chart: Chart) -> Piece:
        picture = self.pictures.get(chart)
        width_px, height_px = picture.size
        width, tallest = TEXT_MM[False][0], _TALLEST_MM
        # a narrow picture keeps the size of its letters
        width *= min(1.0, width_px / (WIDTH * self.pictures.scale))
        height = width * height_px / width_px
        if height > tallest:
            width, height = width * tallest / height, tallest
        self.count += 1
        alt = one_line(chart.alt) or one_line(chart.title)
        image = inline_picture(self.add_image(picture), self.count, width, height, alt)
        xml = paragraph("Caption", runs(f"{self.names[id(chart)]}　{one_line(chart.title)}", Look(HEI)))
        if chart.subtitle:
            xml += paragraph("CaptionNote", runs(one_line(chart.subtitle) + self._beside(chart), Look(KAI)))
        return Piece(xml + paragraph("Picture", image))

    def _beside(self, chart: Chart) -> str:
        """Where the same figures stand as a table."""
        for table in self.report.tables():
            if chart.table and table.key == chart.table:
                return f"；数字见{self.names[id(table)]}"
        return ""

    def _definitions(self) -> Iterator[str]:
        for item in self.report.definitions:
            source = f"（{one_line(item.source)}）" if item.source else ""
            name = runs(f"{one_line(item.name)}：", Look(HEI))
            yield paragraph("OfficialText", name + runs(one_line(item.text) + source, Look()))


_CENTRE = '<w:jc w:val="center"/>'


def _texts(text: str, look: Look) -> str:
    """Running text: one paragraph for each line."""
    lines = [line for line in clean(text).split("\n") if line.strip()]
    return "".join(paragraph("OfficialText", runs(line.strip(), look)) for line in lines)


def _key_figures(block: KeyFigures) -> str:
    """Headline numbers as a compact table: label, number with unit, context."""
    widths = (2500, 2300, 4044)
    rows = []
    for figure in block.figures:
        number = runs(one_line(figure.value), Look(HEI, 28)) + runs(one_line(figure.unit), Look(FANG, 21))
        cells = (runs(one_line(figure.label), Look(HEI, 21)), number, runs(one_line(figure.context), Look(KAI, 21)))
        sides = ("", '<w:jc w:val="right"/>', "")
        inner = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>'
            f"{paragraph('TableText', cell, '<w:keepNext/>' + side)}</w:tc>"
            for cell, width, side in zip(cells, widths, sides, strict=True)
        )
        rows.append(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{inner}</w:tr>")
    line = '<w:{0} w:val="single" w:sz="{1}" w:space="0" w:color="{2}"/>'
    borders = (
        line.format("top", 12, "182026") + line.format("bottom", 12, "182026") + line.format("insideH", 4, "D8DEE1")
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'{paragraph("Gap", "")}<w:tbl><w:tblPr><w:tblW w:w="8844" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>'
        '<w:left w:w="100" w:type="dxa"/><w:right w:w="240" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>{paragraph('Gap', '')}"
    )


def _front(report: Report) -> str:
    """Notice, document number, title, subtitle, who and when."""
    pieces = []
    if report.notice:
        pieces.append(paragraph("Normal", runs(one_line(report.notice), Look(HEI, 28))))
    if report.document_number:
        pieces.append(paragraph("Subtitle", runs(one_line(report.document_number), Look(FANG))))
    pieces.append(paragraph("Normal", ""))
    pieces.append(paragraph("Title", runs(one_line(report.title), Look(TITLE_FONT))))
    lines = [line for line in (report.subtitle, report.organisation, report.date) if line]
    pieces += [paragraph("Subtitle", runs(one_line(line), Look(KAI))) for line in lines]
    return "".join(pieces)


def _contents(headings: list[Heading], pages: list[int]) -> str:
    """A contents field with its entries filled in, each a link to its heading; Word renews it on F9.

    No setting asks Word to renew fields on opening: that would greet every reader with a question.
    """
    listed = [(heading, page) for heading, page in zip(headings, pages, strict=True) if heading.level <= 2]
    begin = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> '
        'TOC \\o "1-2" \\h \\z \\u </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )
    lines = [paragraph("Normal", ""), paragraph("TOCTitle", runs("目　录", Look(HEI)))]
    for index, (heading, page) in enumerate(listed):
        font = HEI if heading.level == 1 else FANG
        mark = _mark(heading)
        number = field(f"PAGEREF {mark} \\h", str(page), Look(SONG, 28))
        text = f"{runs(heading.text, Look(font))}<w:r><w:tab/></w:r>{number}"
        link = f'<w:hyperlink w:anchor="{mark}" w:history="1">{text}</w:hyperlink>'
        start = begin if index == 0 else ""
        end = '<w:r><w:fldChar w:fldCharType="end"/></w:r>' if index == len(listed) - 1 else ""
        lines.append(paragraph(f"TOC{heading.level}", start + link + end))
    return "".join(lines)


def _sources(report: Report) -> str:
    """What the report was made from, small, at its end."""
    lines = meta_lines(report.meta)
    if not lines:
        return ""
    text = [paragraph("TableNote", runs("编制依据", Look(HEI, 21)), "<w:keepNext/>")]
    for name, value in lines:
        label = runs(f"{name}：", Look(HEI, 18)) if name else ""
        text.append(paragraph("TableNote", label + runs(value, Look(FANG, 18, colour=GREY))))
    return "".join(text)


def _signature(report: Report) -> str:
    """Who and when, at the right (GB/T 9704: the date four characters from the edge)."""
    lines = [paragraph("Normal", "", "<w:keepNext/>")]
    for text, space in ((report.organisation, 200), (report.date, 400)):
        if text:
            side = f'<w:keepNext/><w:ind w:right="{space * 320 // 100}" w:rightChars="{space}"/><w:jc w:val="right"/>'
            lines.append(paragraph("Normal", runs(one_line(text), Look(FANG)), side))
    return "".join(lines)


def _imprint(report: Report) -> str:
    """The two rules of the imprint with the issuer and the date."""
    rule = '<w:{0} w:val="single" w:sz="{1}" w:space="1" w:color="182026"/>'
    border = f"<w:pBdr>{rule.format('top', 8)}{rule.format('bottom', 8)}</w:pBdr>"
    tabs = '<w:tabs><w:tab w:val="right" w:pos="8564"/></w:tabs>'
    text = runs(one_line(report.organisation), Look(FANG)) + "<w:r><w:tab/></w:r>"
    text += runs(f"{one_line(report.date)}印发" if report.date else "", Look(FANG))
    return paragraph("Normal", "") + paragraph("Imprint", text, border + tabs + '<w:ind w:left="280" w:right="280"/>')


def _mark(heading: Heading) -> str:
    """The bookmark of a heading: Word takes letters, digits and _ up to 40."""
    return "_" + heading.anchor.replace("-", "_")[:36]
