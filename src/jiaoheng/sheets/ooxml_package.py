"""An xlsx package as parts: read, change a few, and write the rest back byte for byte."""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from types import TracebackType

from jiaoheng.sheets.ooxml_xml import XmlError, parse_xml, to_bytes

CONTENT_TYPES = "[Content_Types].xml"
TYPES_NS = "http://schemas.openxmlformats.org/package/2006/content-types"
RELS_NS = "http://schemas.openxmlformats.org/package/2006/relationships"

# The reader has already refused bombs; these bounds only keep this step bounded when it is called alone.
MAX_PARTS = 20_000
MAX_PART_BYTES = 600 << 20
MAX_TOTAL_BYTES = 2 << 30


class PackageError(Exception):
    """The file is not a workbook package that can be patched; the text says why, in Chinese."""


class Package:
    """The parts of one xlsx file by name. Names are found without regard to case, slashes of either kind."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            raise PackageError("文件不是完整的 xlsx 工作簿") from error
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        if len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_TOTAL_BYTES:
            self._zip.close()
            raise PackageError("文件展开后过大，不能制作标注副本")
        self._infos = {_plain(info.filename): info for info in infos}
        self._changed: dict[str, bytes] = {}
        self._names: dict[str, str] = {}  # new parts: lower-case name → name

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        key = _plain(name)
        return key in self._names or key in self._infos

    def __iter__(self) -> Iterator[str]:
        yield from (info.filename.replace("\\", "/").lstrip("/") for info in self._infos.values())
        yield from self._names.values()

    def read(self, name: str) -> bytes:
        """The bytes of a part (as changed so far)."""
        key = _plain(name)
        if key in self._changed:
            return self._changed[key]
        info = self._infos.get(key)
        if info is None:
            raise PackageError(f"工作簿缺少部件 {name}")
        if info.file_size > MAX_PART_BYTES:
            raise PackageError(f"工作簿的部件 {name} 过大，不能制作标注副本")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise PackageError(f"工作簿的部件 {name} 已损坏或加密，不能制作标注副本") from error

    def write(self, name: str, data: bytes) -> None:
        """Replace or add a part."""
        key = _plain(name)
        self._changed[key] = data
        if key not in self._infos:
            self._names[key] = name.lstrip("/")

    def remove(self, name: str) -> None:
        """Take a part out; nothing happens where there is none."""
        key = _plain(name)
        self._infos.pop(key, None)
        self._changed.pop(key, None)
        self._names.pop(key, None)

    def unused_name(self, pattern: str) -> str:
        """The first of `pattern` with 1, 2, 3 … for `{}` that no part has."""
        number = 1
        while pattern.format(number) in self:
            number += 1
        return pattern.format(number)

    def save(self, out: Path) -> None:
        """Write the package to `out` (an existing file is overwritten; callers write to a temporary name).

        It is packed in memory first, so that a full disk is one OSError and not a broken archive that complains later.
        """
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
            for key, info in self._infos.items():
                entry = copy(info)
                entry.extra = b""  # times and sizes of the old archive; the zip writer adds its own
                if key in self._changed:
                    target.writestr(entry, self._changed[key], compress_type=zipfile.ZIP_DEFLATED)
                    continue
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    entry.compress_type = zipfile.ZIP_DEFLATED
                try:
                    with self._zip.open(info) as source, target.open(entry, "w") as sink:
                        shutil.copyfileobj(source, sink, 1 << 20)
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                    raise PackageError(f"工作簿的部件 {info.filename} 已损坏或加密，不能制作标注副本") from error
            for key, name in self._names.items():
                target.writestr(name, self._changed[key])
        with open(out, "wb") as written:
            written.write(packed.getbuffer())
            written.flush()
            os.fsync(written.fileno())


class ContentTypes:
    """`[Content_Types].xml`: which part is what."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self.root = parse_xml(package.read(CONTENT_TYPES))

    def type_of(self, part: str) -> str:
        """Content type of a part, "" where none is declared."""
        for element in self.root.iterchildren("{*}Override"):
            if _plain(element.get("PartName", "")) == _plain(part):
                return str(element.get("ContentType", ""))
        suffix = posixpath.splitext(part)[1].lstrip(".").lower()
        for element in self.root.iterchildren("{*}Default"):
            if element.get("Extension", "").lower() == suffix:
                return str(element.get("ContentType", ""))
        return ""

    def set(self, part: str, content_type: str) -> None:
        """Declare one part's type."""
        self.drop(part)
        element = self.root.makeelement(f"{{{TYPES_NS}}}Override", {})
        element.set("PartName", "/" + part.lstrip("/"))
        element.set("ContentType", content_type)
        self.root.append(element)

    def set_default(self, extension: str, content_type: str) -> None:
        """Declare the type of an extension where it is not declared."""
        if any(element.get("Extension", "").lower() == extension for element in self.root.iterchildren("{*}Default")):
            return
        element = self.root.makeelement(f"{{{TYPES_NS}}}Default", {})
        element.set("Extension", extension)
        element.set("ContentType", content_type)
        self.root.insert(0, element)

    def drop(self, part: str) -> None:
        """Forget a part."""
        for element in list(self.root.iterchildren("{*}Override")):
            if _plain(element.get("PartName", "")) == _plain(part):
                self.root.remove(element)

    def store(self) -> None:
        """Put the changed declaration back into the package."""
        self._package.write(CONTENT_TYPES, to_bytes(self.root))


class Relationships:
    """The relationships of one part ("" is the package itself): id, kind and target part."""

    def __init__(self, package: Package, part: str) -> None:
        self._package = package
        self.part = part
        self._changed = False
        folder, name = posixpath.split(part)
        self.name = posixpath.join(folder, "_rels", f"{name}.rels")
        if self.name in package:
            self.root = parse_xml(package.read(self.name))
        else:
            self.root = parse_xml(f'<Relationships xmlns="{RELS_NS}"/>'.encode())

    def target(self, identity: str | None) -> str | None:
        """Part name of a relationship id; None where unknown or outside the package."""
        for element in self.root:
            if element.get("Id") == identity and element.get("TargetMode") != "External":
                return self._resolve(element.get("Target", ""))
        return None

    def first(self, kind: str) -> tuple[str, str] | None:
        """Id and part of the first relationship whose type ends with `/kind`."""
        for element in self.root:
            if element.get("Type", "").endswith("/" + kind) and element.get("TargetMode") != "External":
                return str(element.get("Id")), self._resolve(element.get("Target", ""))
        return None

    def add(self, kind_uri: str, target: str) -> str:
        """Relate to part `target` (absolute name); returns the new id."""
        used = {element.get("Id") for element in self.root}
        number = len(used) + 1
        while f"rId{number}" in used:
            number += 1
        element = self.root.makeelement(f"{{{RELS_NS}}}Relationship", {})
        element.set("Id", f"rId{number}")
        element.set("Type", kind_uri)
        self._changed = True
        element.set("Target", posixpath.relpath(target, posixpath.dirname(self.part) or "."))
        self.root.append(element)
        return f"rId{number}"

    def remove(self, identity: str) -> None:
        """Drop a relationship."""
        for element in list(self.root):
            if element.get("Id") == identity:
                self.root.remove(element)
                self._changed = True

    def store(self) -> None:
        """Put changed relationships back; an empty list needs no part."""
        if not self._changed:
            return
        if len(self.root):
            self._package.write(self.name, to_bytes(self.root))
        else:
            self._package.remove(self.name)

    def _resolve(self, target: str) -> str:
        target = target.replace("\\", "/")
        joined = target if target.startswith("/") else posixpath.join("/", posixpath.dirname(self.part), target)
        return posixpath.normpath(joined).lstrip("/")


def is_package(path: Path) -> bool:
    """Whether the file is a workbook package by content: it can be patched in place."""
    try:
        with Package(path) as package:
            main = Relationships(package, "").first("officeDocument")
            if main is None or main[1] not in package:
                return False
            return str(parse_xml(package.read(main[1])).tag).endswith("}workbook")  # a binary one does not parse
    except (PackageError, XmlError, OSError):
        return False


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()
