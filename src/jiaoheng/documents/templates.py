"""Fill a bureau's own Word template (its red head, its wording) with values: nothing in a value can break the file.

docxtpl does the work; here it is fenced: values are escaped, the template may not reach Python's insides, and every
Chinese run that was filled names its East Asian font.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from jiaoheng.documents.fonts import is_east_asian
from jiaoheng.documents.safe_text import clean
from jiaoheng.documents.word_xml import FANG

_FONT = qn("w:eastAsia")


class WordTemplateError(ValueError):
    """The template cannot be used or lacks a value; the message says where and what to do (Chinese)."""


def fill_template(template: Path, context: Mapping[str, Any], out: Path) -> None:
    """Write `template` filled with `context` (texts, numbers, lists and mappings of them) to `out`.

    Raises WordTemplateError where the template is no Word file, is wrongly written or asks for a value that is not
    there; OSError as it comes.
    """
    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined)
    with Path(template).open("rb") as source:
        try:
            document = DocxTemplate(source)
            document.render(_cleaned(context), jinja_env=environment, autoescape=True)
        except TemplateError as error:
            raise WordTemplateError(_message(template, error)) from error
        except (PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
            raise WordTemplateError(
                f"模板“{Path(template).name}”不是 Word 文件（.docx），或已损坏。请用 Word 或 WPS 另存为 .docx 后再用。"
            ) from error
    styles = _style_fonts(document.docx.styles.element)
    for part in _text_parts(document):
        name_east_asian_fonts(part, styles)
    whole = io.BytesIO()
    document.docx.save(whole)
    Path(out).write_bytes(whole.getbuffer())


def name_east_asian_fonts(root: Any, styles: Mapping[str, str]) -> int:
    """Give every Chinese run below `root` that names no East Asian font its neighbour's, its style's, else 仿宋.

    `styles`: style id → font. Gives the number of runs changed. A run that names only a Latin font would be drawn with
    whatever the machine prefers.
    """
    changed = 0
    for run in root.iter(qn("w:r")):
        text = "".join(item.text or "" for item in run.iter(qn("w:t")))
        if not any(is_east_asian(character) for character in text):
            continue
        properties = run.find(qn("w:rPr"))
        if properties is None:
            properties = OxmlElement("w:rPr")
            run.insert(0, properties)
        fonts = properties.find(qn("w:rFonts"))
        if fonts is None:
            fonts = OxmlElement("w:rFonts")
            style = properties.find(qn("w:rStyle"))
            properties.insert(0 if style is None else 1, fonts)
        if not fonts.get(_FONT):
            fonts.attrib.pop(qn("w:eastAsiaTheme"), None)
            fonts.set(_FONT, _inherited(run, styles) or FANG)
            changed += 1
    return changed


def _inherited(run: Any, styles: Mapping[str, str]) -> str:
    """The East Asian font of the run's neighbours in the paragraph, else of its style; empty where none is named."""
    paragraph = next(run.iterancestors(qn("w:p")), None)
    if paragraph is None:
        return ""
    for fonts in paragraph.iter(qn("w:rFonts")):
        if fonts.get(_FONT):
            return str(fonts.get(_FONT))
    names = [item.get(qn("w:val")) for item in paragraph.iter(qn("w:rStyle"), qn("w:pStyle"))]
    return next((styles[name] for name in [*names, ""] if styles.get(name)), "")


def _style_fonts(root: Any) -> dict[str, str]:
    """East Asian font of each style, its parents' where it names none; under "" the document's default."""
    own: dict[str, str] = {}
    parent: dict[str, str] = {}
    for style in root.iter(qn("w:style")):
        name = style.get(qn("w:styleId"))
        fonts = style.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        own[name] = "" if fonts is None else fonts.get(_FONT) or ""
        based = style.find(qn("w:basedOn"))
        parent[name] = "" if based is None else based.get(qn("w:val"))
        if style.get(qn("w:default")) == "1" and style.get(qn("w:type")) == "paragraph":
            own[""] = own[name]
    for name in list(parent):
        at, seen = name, {name}
        while not own.get(at) and (parent.get(at) or "") not in ("", *seen):
            at = parent[at]
            seen.add(at)
        own[name] = own.get(at, "")
    return own


def _text_parts(document: DocxTemplate) -> list[Any]:
    """The body and every page head and foot."""
    heads_and_feet = [
        part
        for section in document.docx.sections
        for part in (
            section.header,
            section.footer,
            section.even_page_header,
            section.even_page_footer,
            section.first_page_header,
            section.first_page_footer,
        )
        if not part.is_linked_to_previous
    ]
    return [document.docx.element.body, *(part._element for part in heads_and_feet)]


def _cleaned(value: Any) -> Any:
    """The context with every text cleaned of what XML cannot hold."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value


def _message(template: Path, error: TemplateError) -> str:
    line = getattr(error, "lineno", None)
    place = f"第 {line} 行附近" if line else ""
    return f"模板“{Path(template).name}”{place}写错或缺少数据：{error.message}。请改正模板中花括号里的名称。"
