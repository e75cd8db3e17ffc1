"""XML of office packages: parsed without entities, written with text that no office program chokes on."""

from __future__ import annotations

import codecs
import re

from lxml import etree

MAIN_TRANSITIONAL = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MAIN_STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELS_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"

CELL_LIMIT = 32_767  # characters of one cell
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_DECLARED = re.compile(rb"^<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


class XmlError(Exception):
    """A part is not well-formed, or holds a document type declaration (refused)."""


def parse_xml(data: bytes) -> etree._Element:
    """Root of a part. Entities, document types and network stay off; XmlError where it cannot be parsed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlError(str(error)) from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise XmlError("document type declaration")
    return root


def to_bytes(root: etree._Element) -> bytes:
    """A part's bytes with declaration."""
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def utf8(data: bytes) -> bytes:
    """The same part in UTF-8, so that byte offsets can be used; XmlError where the encoding is unknown."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    else:
        found = _DECLARED.match(data.removeprefix(codecs.BOM_UTF8))
        name = found.group(1).decode().lower() if found else "utf-8"
        if name in ("utf-8", "utf8", "us-ascii", "ascii"):
            return data
    try:
        text = data.decode(name)
    except (LookupError, UnicodeDecodeError) as error:
        raise XmlError(f"encoding {name}") from error
    return re.sub(r"^(\ufeff?<\?xml[^>]*?encoding\s*=\s*)[\"'][^\"']*[\"']", r'\1"UTF-8"', text).encode()


def clean(text: str, limit: int = CELL_LIMIT) -> str:
    """Text that may stand in a part: control characters and lone surrogates out, cut at `limit` UTF-16 units."""
    text = _ILLEGAL.sub(" ", text)
    if len(text) * 2 > limit:
        units = text.encode("utf-16-le")
        if len(units) > limit * 2:
            text = units[: (limit - 1) * 2].decode("utf-16-le", "ignore") + "…"
    return text


def escape_cell(text: str) -> str:
    """Text content of a cell as XML: markup escaped, a literal `_x0041_` kept from being decoded by the reader."""
    text = _ESCAPED.sub("_x005F_", clean(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_attribute(text: str) -> str:
    """Text of a double-quoted attribute."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;").replace("\r", "")


def namespace(root: etree._Element) -> str:
    """Namespace of a part's root, which its new elements must have too."""
    return etree.QName(root).namespace or ""


def is_strict(root: etree._Element) -> bool:
    """Whether the part is written in the strict variant of the standard."""
    return namespace(root) == MAIN_STRICT


def insert_in_order(root: etree._Element, element: etree._Element, order: tuple[str, ...]) -> None:
    """Insert a child where the schema's order of local names wants it."""
    rank = {name: position for position, name in enumerate(order)}
    mine = rank[etree.QName(element).localname]
    position = 0
    for index, child in enumerate(root):
        if isinstance(child.tag, str) and rank.get(etree.QName(child).localname, len(order)) < mine:
            position = index + 1
    root.insert(position, element)
