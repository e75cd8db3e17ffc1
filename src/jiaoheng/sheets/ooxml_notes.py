"""Notes of a worksheet (legacy comments): ours added below the user's own, and taken away again.

Our text begins with `MARKER`; that is how it is found after Excel or WPS has saved the file and renumbered everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from jiaoheng.sheets.ooxml_scan import reference
from jiaoheng.sheets.ooxml_xml import MAIN_TRANSITIONAL, clean, namespace, parse_xml, to_bytes
from jiaoheng.sheets.places import column_letters

Cell = tuple[int, int]  # 1-based row, column
MARKER = "【教衡】"
AUTHOR = "教衡"
MAX_NOTE = 1_000  # characters; more does not fit on a screen
_THREADED = "tc="  # author of the stand-in note of a threaded comment; its text is not shown
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


class Notes:
    """The comments part of one sheet."""

    def __init__(self, data: bytes | None, main_namespace: str = MAIN_TRANSITIONAL) -> None:
        empty = f'<comments xmlns="{main_namespace}"><authors/><commentList/></comments>'
        self.root = parse_xml(data or empty.encode())
        self._ns = namespace(self.root)
        self._list = self._child(self.root, "commentList")
        self._authors = self._child(self.root, "authors", first=True)

    def cells(self) -> set[Cell]:
        """Every cell that has a note."""
        places = (reference(comment.get("ref", "")) for comment in self._list)
        return {place for place in places if place}

    def remove_ours(self) -> set[Cell]:
        """Take our texts away; returns the cells whose note held nothing else and is gone."""
        gone: set[Cell] = set()
        for comment in list(self._list):
            text = "".join(map(str, comment.itertext()))
            if MARKER not in text:
                continue
            if text.partition(MARKER)[0].strip():
                self._cut(comment)
            else:
                self._list.remove(comment)
                place = reference(comment.get("ref", ""))
                if place:
                    gone.add(place)
        return gone

    def add(self, texts: Mapping[Cell, str]) -> set[Cell]:
        """Put our text (without marker) at each cell, below what the user wrote; returns cells that had no note."""
        if not texts:
            return set()
        author = self._author()
        mine: dict[Cell | None, etree._Element] = {reference(comment.get("ref", "")): comment for comment in self._list}
        new: set[Cell] = set()
        for (row, column), text in sorted(texts.items()):
            comment = mine.get((row, column))
            if comment is None:
                new.add((row, column))
                comment = self._list.makeelement(f"{{{self._ns}}}comment", {})
                comment.set("ref", f"{column_letters(column)}{row}")
                comment.set("authorId", author)
                self._list.append(comment)
                self._run(comment, MARKER + text)
            elif not self._author_of(comment).startswith(_THREADED):
                self._run(comment, "\n" + MARKER + text)
        return new

    def __len__(self) -> int:
        return len(self._list)

    def to_bytes(self) -> bytes:
        """The part."""
        return to_bytes(self.root)

    def _child(self, parent: etree._Element, name: str, first: bool = False) -> etree._Element:
        found = parent.find(f"{{{self._ns}}}{name}")
        if found is None:
            found = parent.makeelement(f"{{{self._ns}}}{name}", {})
            parent.insert(0 if first else len(parent), found)
        return found

    def _author(self) -> str:
        for index, author in enumerate(self._authors):
            if author.text == AUTHOR:
                return str(index)
        author = self._authors.makeelement(f"{{{self._ns}}}author", {})
        author.text = AUTHOR
        self._authors.append(author)
        return str(len(self._authors) - 1)

    def _author_of(self, comment: etree._Element) -> str:
        index = comment.get("authorId", "")
        inside = index.isascii() and index.isdigit() and int(index) < len(self._authors)
        return (self._authors[int(index)].text or "") if inside else ""

    def _run(self, comment: etree._Element, text: str) -> None:
        holder = self._child(comment, "text", first=True)
        run = holder.makeelement(f"{{{self._ns}}}r", {})
        properties = etree.SubElement(run, f"{{{self._ns}}}rPr")
        for name, value in (("sz", "9"), ("rFont", "宋体"), ("family", "3"), ("charset", "134")):
            etree.SubElement(properties, f"{{{self._ns}}}{name}").set("val", value)
        content = etree.SubElement(run, f"{{{self._ns}}}t")
        content.set(_SPACE, "preserve")
        content.text = clean(text, MAX_NOTE)
        last = max((i for i, child in enumerate(holder) if etree.QName(child).localname in ("r", "t")), default=-1)
        holder.insert(last + 1, run)

    def _cut(self, comment: etree._Element) -> None:
        """Drop everything from the marker on."""
        joined = "".join(text.text or "" for text in comment.iter(f"{{{self._ns}}}t"))
        left = len(joined.partition(MARKER)[0].rstrip("\n"))
        for text in list(comment.iter(f"{{{self._ns}}}t")):
            words = text.text or ""
            text.text = words[:left]
            left = max(0, left - len(words))
            parent = text.getparent()
            if not text.text and parent is not None and etree.QName(parent).localname == "r":
                holder = parent.getparent()
                if holder is not None:
                    holder.remove(parent)
