"""A small, bounded walk over XML: local names, no document type, bounded depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.parsers import expat

from jiaoheng.sheets.raw_sheets import RefusalError, damaged

DEPTH = 256  # a workbook needs about ten levels
Attributes = dict[str, str]


def local(name: str) -> str:
    """The name without its namespace prefix."""
    return name.rpartition(":")[2]


def walk(
    pieces: Iterable[bytes],
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Feed XML bytes to the callbacks (names without prefix, attributes without prefix).

    Raises RefusalError for a document type, an entity, too deep nesting or XML that is not well formed.
    """
    parser = expat.ParserCreate()
    depth = 0

    def opened(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise RefusalError("xml-depth", f"内部 XML 嵌套超过 {DEPTH} 层", "请用 Excel 或 WPS 另存后再交")
        start(local(name), {local(key): value for key, value in attributes.items()})

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(local(name))

    def forbidden(*_: object) -> None:
        raise RefusalError(
            "xml-entities",
            "内部 XML 带有文档类型或外部实体声明",
            "这不是正常的工作簿，可能是恶意文件；请向报送人核实",
        )

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = forbidden
    parser.EntityDeclHandler = forbidden
    parser.ExternalEntityRefHandler = forbidden  # type: ignore[assignment]  # raises instead of answering
    if text is not None:
        parser.buffer_text = True
        parser.CharacterDataHandler = text
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(f"内部 XML 第 {error.lineno} 行不合规则") from error
