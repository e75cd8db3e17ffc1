"""styles.xml: cell formats cloned with another fill, and the few formats of our own sheet."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from lxml import etree

from jiaoheng.sheets.ooxml_xml import MAIN_TRANSITIONAL, insert_in_order, namespace, parse_xml, to_bytes

_ORDER = (
    "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles",
    "dxfs", "tableStyles", "colors", "extLst",
)  # fmt: skip
_EMPTY = (
    f'<styleSheet xmlns="{MAIN_TRANSITIONAL}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_FIRST = {
    "fonts": ('<font><sz val="11"/><name val="宋体"/></font>',),
    "fills": ('<fill><patternFill patternType="none"/></fill>', '<fill><patternFill patternType="gray125"/></fill>'),
    "borders": ("<border><left/><right/><top/><bottom/><diagonal/></border>",),
    "cellXfs": ('<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>',),
}
MAX_FORMATS = 60_000  # Excel refuses more than 64,000 cell formats


class Styles:
    """The formats of a workbook. Ids are positions in cellXfs; nothing that exists is changed."""

    def __init__(self, data: bytes | None, strict_namespace: str = MAIN_TRANSITIONAL) -> None:
        empty = _EMPTY.replace(MAIN_TRANSITIONAL, strict_namespace)
        self.root = parse_xml(data or empty.encode())
        self._ns = namespace(self.root)
        self._known: dict[str, dict[str, int]] = {}
        self._tinted: dict[tuple[int, str], int] = {}

    def tinted(self, base: int, argb: str) -> int:
        """Id of format `base` with a solid fill of colour `argb` and everything else kept."""
        key = (base, argb)
        if key not in self._tinted:
            formats = self._collection("cellXfs")
            if len(formats) >= MAX_FORMATS:
                return base
            source = formats[base] if 0 <= base < len(formats) else formats[0]
            clone = deepcopy(source)
            clone.set("fillId", str(self.solid(argb)))
            clone.set("applyFill", "1")
            self._tinted[key] = self._append("cellXfs", clone)
        return self._tinted[key]

    def solid(self, argb: str) -> int:
        """Id of a solid fill."""
        colours = f'<fgColor rgb="{argb}"/><bgColor indexed="64"/>'
        return self._add("fills", f'<fill><patternFill patternType="solid">{colours}</patternFill></fill>')

    def with_fill(self, *colours: str) -> list[int]:
        """Ids of the formats that have a solid fill of one of the colours."""
        fills = {
            str(index)
            for index, fill in enumerate(self._collection("fills"))
            for colour in fill.iter(f"{{{self._ns}}}fgColor")
            if colour.get("rgb", "").upper() in colours
        }
        return [index for index, form in enumerate(self._collection("cellXfs")) if form.get("fillId") in fills]

    def untinted(self, made: int, samples: Mapping[int, int]) -> int:
        """Id of the format from which the tinted format `made` came.

        `samples`: tinted → original, as remembered. Programs that give each script its own font split formats when
        they save; such a format takes back the fill of the sample that looks the same but for its font.
        """
        if made in samples:
            return samples[made]
        formats = self._collection("cellXfs")
        look = _look(formats[made])
        original = next((base for twin, base in samples.items() if _look(formats[twin]) == look), 0)
        clone = deepcopy(formats[made])
        for name, otherwise in (("fillId", "0"), ("applyFill", "0")):
            clone.set(name, formats[original].get(name, otherwise))
        return self._append("cellXfs", clone)

    def __len__(self) -> int:
        return len(self._collection("cellXfs"))

    def font(self, xml: str) -> int:
        """Id of a font given by its children's XML."""
        return self._add("fonts", f"<font>{xml}</font>")

    def border(self, argb: str) -> int:
        """Id of a thin border on four sides."""
        sides = "".join(
            f'<{side} style="thin"><color rgb="{argb}"/></{side}>' for side in ("left", "right", "top", "bottom")
        )
        return self._add("borders", f"<border>{sides}<diagonal/></border>")

    def format(self, attributes: str, children: str = "") -> int:
        """Id of a cell format given by its attributes and children as XML."""
        return self._add("cellXfs", f"<xf {attributes}>{children}</xf>")

    def to_bytes(self) -> bytes:
        """The part with our formats."""
        return to_bytes(self.root)

    def _collection(self, name: str) -> etree._Element:
        found = self.root.find(f"{{{self._ns}}}{name}")
        if found is None:
            found = self.root.makeelement(f"{{{self._ns}}}{name}", {})
            insert_in_order(self.root, found, _ORDER)
        if not len(found):
            for xml in _FIRST.get(name, ()):
                found.append(self._element(xml))
        return found

    def _add(self, name: str, xml: str) -> int:
        return self._append(name, self._element(xml))

    def _append(self, name: str, element: etree._Element) -> int:
        collection = self._collection(name)
        known = self._known.get(name)
        if known is None:
            known = {}
            for index, child in enumerate(collection):
                known.setdefault(_shape(child), index)
            self._known[name] = known
        shape = _shape(element)
        if shape not in known:
            collection.append(element)
            collection.set("count", str(len(collection)))
            known[shape] = len(collection) - 1
        return known[shape]

    def _element(self, xml: str) -> etree._Element:
        head = xml[1:].split(">", 1)[0].split(" ", 1)[0].rstrip("/")
        root = parse_xml(xml.replace(f"<{head}", f'<{head} xmlns="{self._ns}"', 1).encode())
        # re-made below the real root so that it takes the file's own prefix
        return _copy_into(self.root, root)


def _copy_into(owner: etree._Element, source: etree._Element) -> etree._Element:
    made = owner.makeelement(source.tag, {str(k): str(v) for k, v in source.attrib.items()})
    for child in source:
        made.append(_copy_into(owner, child))
    return made


def _look(form: etree._Element) -> tuple[str, ...]:
    attributes = (form.get(name, "0") for name in ("numFmtId", "fillId", "borderId"))
    return (*attributes, *map(_shape, form))


def _shape(element: etree._Element) -> str:
    """Names, attributes and children as text: equal for formats that look equal."""
    name = etree.QName(element).localname if isinstance(element.tag, str) else "#"
    attributes = ",".join(f"{key!r}={value!r}" for key, value in sorted(element.attrib.items()))
    return f"{name}({attributes})[{''.join(map(_shape, element))}]"
