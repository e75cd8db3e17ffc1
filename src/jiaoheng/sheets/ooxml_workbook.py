"""The workbook part: its sheets by name, a sheet put first, one put out of sight."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from lxml import etree

from jiaoheng.sheets.ooxml_package import ContentTypes, Package, PackageError, Relationships
from jiaoheng.sheets.ooxml_xml import RELS_STRICT, RELS_TRANSITIONAL, is_strict, namespace, parse_xml, to_bytes

_MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of the workbook: its name as shown, its part, and whether it is a sheet of cells."""

    name: str
    part: str
    cells: bool


class Workbook:
    """The workbook part of a package with its relationships and content types."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.types = ContentTypes(package)
        main = Relationships(package, "").first("officeDocument")
        if main is None or main[1] not in package:
            raise PackageError("文件里没有工作簿部件，不是 xlsx 工作簿")
        self.part = main[1]
        self.root = parse_xml(package.read(self.part))
        self.links = Relationships(package, self.part)
        self.strict = is_strict(self.root)
        self._ns = namespace(self.root)
        self._sheets = self.root.find(f"{{{self._ns}}}sheets")
        if self._sheets is None:
            raise PackageError("工作簿里没有工作表")
        self._order = list(self._sheets)

    @property
    def main_namespace(self) -> str:
        """Namespace of the workbook's spreadsheet elements."""
        return self._ns

    def link_kind(self, name: str) -> str:
        """Relationship type in the workbook's variant of the standard."""
        return f"{RELS_STRICT if self.strict else RELS_TRANSITIONAL}/{name}"

    def sheets(self) -> list[SheetPart]:
        """Every sheet in order; sheets whose part is missing are left out."""
        found = []
        for element in self._sheets if self._sheets is not None else ():
            part = self.links.target(self._identity(element))
            if part and part in self.package:
                kind = next((e.get("Type", "") for e in self.links.root if e.get("Id") == self._identity(element)), "")
                found.append(SheetPart(element.get("name", ""), part, kind.endswith("/worksheet")))
        return found

    @property
    def has_macros(self) -> bool:
        """Whether the workbook must be saved as xlsm."""
        return "macroenabled" in self.types.type_of(self.part).lower()

    def as_workbook(self) -> None:
        """A template becomes a plain workbook, which may carry the ending xlsx or xlsm."""
        wanted = _MACRO_TYPE if self.has_macros else _MAIN_TYPE
        if self.types.type_of(self.part) != wanted:
            self.types.set(self.part, wanted)

    def styles_part(self) -> str | None:
        """Part of the formats, None where the file has none."""
        found = self.links.first("styles")
        return found[1] if found and found[1] in self.package else None

    def add_styles(self) -> str:
        """Declare a formats part where there is none; returns its name."""
        part = posixpath.join(posixpath.dirname(self.part), "styles.xml")
        self.links.add(self.link_kind("styles"), part)
        self.types.set(part, _STYLES_TYPE)
        return part

    def shared_part(self) -> str | None:
        """Part of the shared strings."""
        found = self.links.first("sharedStrings")
        return found[1] if found and found[1] in self.package else None

    def put_sheet(self, name: str, data: bytes, *, first: bool, state: str | None = None) -> None:
        """Write a sheet of that name (an existing one is replaced), first or last, visible or `veryHidden`."""
        element = self._element(name)
        if element is None:
            folder = posixpath.join(posixpath.dirname(self.part), "worksheets")
            part = self.package.unused_name(posixpath.join(folder, "sheet{}.xml"))
            element = self._new_element(name, part)
        else:
            part = self.links.target(self._identity(element)) or ""
            self.package.remove(Relationships(self.package, part).name)
        self.package.write(part, data)
        self.types.set(part, _SHEET_TYPE)
        sheets = self._sheets
        assert sheets is not None  # noqa: S101 - checked when opened
        if element.getparent() is not None:
            sheets.remove(element)
        sheets.insert(0 if first else len(sheets), element)
        if state:
            element.set("state", state)
        elif "state" in element.attrib:
            del element.attrib["state"]

    def store(self) -> None:
        """Put workbook, relationships and types back: our first sheet active, local names led to their sheets."""
        self._relead_names()
        views = self.root.find(f"{{{self._ns}}}bookViews")
        if views is None:
            views = self.root.makeelement(f"{{{self._ns}}}bookViews", {})
            views.append(views.makeelement(f"{{{self._ns}}}workbookView", {}))
            assert self._sheets is not None  # noqa: S101 - checked when opened
            self._sheets.addprevious(views)
        for view in views:
            if isinstance(view.tag, str):
                view.set("activeTab", "0")
                view.set("firstSheet", "0")
        self.package.write(self.part, to_bytes(self.root))
        self.links.store()
        self.types.store()

    def _relead_names(self) -> None:
        """Names and print areas refer to sheets by position; positions moved."""
        now = list(self._sheets) if self._sheets is not None else []
        moved = {str(old): str(now.index(element)) for old, element in enumerate(self._order) if element in now}
        for name in self.root.iter(f"{{{self._ns}}}definedName"):
            local = name.get("localSheetId")
            if local is not None and local in moved:
                name.set("localSheetId", moved[local])

    def _new_element(self, name: str, part: str) -> etree._Element:
        assert self._sheets is not None  # noqa: S101 - checked when opened
        element = self._sheets.makeelement(f"{{{self._ns}}}sheet", {})
        used = [int(sheet.get("sheetId", "0")) for sheet in self._sheets if sheet.get("sheetId", "0").isdigit()]
        element.set("name", name)
        element.set("sheetId", str(max(used, default=0) + 1))
        uri = RELS_STRICT if self.strict else RELS_TRANSITIONAL
        element.set(f"{{{uri}}}id", self.links.add(self.link_kind("worksheet"), part))
        return element

    def _element(self, name: str) -> etree._Element | None:
        for element in self._sheets if self._sheets is not None else ():
            if element.get("name", "").casefold() == name.casefold():
                return element
        return None

    def _identity(self, element: etree._Element) -> str | None:
        return next((str(value) for key, value in element.attrib.items() if etree.QName(key).localname == "id"), None)
