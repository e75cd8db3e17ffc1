"""A report as a Word file in the form of an official document (GB/T 9704-2012)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docx import Document
from docx.oxml import parse_xml

from jiaoheng.documents.model import Report
from jiaoheng.documents.pictures import Picture, Pictures, report_charts
from jiaoheng.documents.safe_text import one_line
from jiaoheng.documents.word_blocks import Piece, body
from jiaoheng.documents.word_styles import (
    apply_font_table,
    apply_settings,
    apply_styles,
    page_parts,
    section_properties,
)
from jiaoheng.documents.word_xml import NAMESPACES, paragraph

_IMAGE = re.compile(r'<a:blip r:embed="(\d+)"/>')


def write_word(report: Report, path: Path, pictures: Pictures | None = None) -> None:
    """Write the report to `path` as .docx: title, contents, numbered chapters, tables, charts, definitions, imprint.

    `pictures`: the charts where they are being drawn already; without it they are drawn here. Raises OSError as it
    comes, ValueError where a chart cannot be drawn.
    """
    if pictures is None:
        with Pictures(report_charts(report)) as drawn:
            write_word(report, path, drawn)
        return
    document = Document()
    apply_styles(document)
    apply_settings(document)
    apply_font_table(document)
    _properties(document, report)
    feet = page_parts(document, one_line(report.watermark), one_line(report.notice))

    images: list[Picture] = []

    def add_image(picture: Picture) -> str:
        images.append(picture)
        return str(len(images) - 1)

    def relation(found: re.Match[str]) -> str:
        known, _ = document.part.get_or_add_image(io.BytesIO(images[int(found[1])].png))
        return f'<a:blip r:embed="{known}"/>'

    content = "".join(_with_sections(body(report, pictures, add_image), feet))
    content = _IMAGE.sub(relation, content)  # the pixels come last: they may have been drawn meanwhile
    old = document.element.body
    new = parse_xml(f"<w:body {NAMESPACES}>{content}</w:body>")
    old.getparent().replace(old, new)
    # whole in memory first: a zip file cut off by a full disk complains once more when it is thrown away
    whole = io.BytesIO()
    document.save(whole)
    Path(path).write_bytes(whole.getbuffer())


def _with_sections(pieces: Iterator[Piece], feet: str) -> Iterator[str]:
    """The pieces with a section break wherever pages turn from upright to landscape or back."""
    landscape = False
    for piece in pieces:
        if piece.landscape != landscape:
            yield paragraph("Gap", "", section_properties(landscape=landscape, feet=feet))
            landscape = piece.landscape
        yield piece.xml
    if landscape:
        yield paragraph("Gap", "", section_properties(landscape=True, feet=feet))
    yield section_properties(landscape=False, feet=feet)


def _properties(document: Any, report: Report) -> None:
    """Title, author and language as the file's properties (Word's limit: 255 characters)."""
    properties = document.core_properties
    properties.title = one_line(report.title)[:255]
    properties.author = one_line(report.organisation)[:255]
    properties.last_modified_by = ""
    properties.comments = one_line(report.notice)[:255]
    properties.language = "zh-CN"
