"""Packs of registers and code tables from a folder: all errors at once, each with file, line and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jiaoheng.registers.checking import Reader
from jiaoheng.registers.linking import Loaded, reference_problems, version_problems, with_tables
from jiaoheng.registers.model import CodeTable, Register, SchemaError, SchemaProblem
from jiaoheng.registers.reading_codes import read_codes
from jiaoheng.registers.reading_register import read_register
from jiaoheng.registers.schema_json import schema_hash, to_json
from jiaoheng.registers.yaml_places import Spot, from_plain, read_file

__all__ = ["Pack", "from_json", "load_folder", "load_shipped", "schema_hash", "to_json"]


@dataclass(frozen=True)
class Pack:
    """Registers by name, their versions ascending, and code tables by name."""

    registers: Mapping[str, tuple[Register, ...]] = field(default_factory=dict)
    tables: Mapping[str, CodeTable] = field(default_factory=dict)

    def newest(self, name: str) -> Register:
        """The newest version of a register. Raises KeyError."""
        return self.registers[name][-1]


def load_folder(path: Path, base: Pack | None = None) -> Pack:
    """The pack in `path/registers/*.yaml` and `path/codes/*.yaml`.

    base: a pack whose code tables and registers may be named, and whose versions come before those of the folder (a
    bureau's folder on top of the shipped one); the result holds the folder's own parts only. Raises SchemaError with
    every problem of the folder.
    """
    return _load(path, path.name, base or Pack())


@cache
def load_shipped() -> Pack:
    """The pack that comes with the program."""
    with resources.as_file(resources.files("jiaoheng.packs")) as folder:
        return _load(folder, folder.name, Pack())


def from_json(data: Mapping[str, Any]) -> Register:
    """The register of a stored schema (`to_json`). Raises SchemaError where it is none."""
    reader = Reader(str(data.get("name", "")))
    register = read_register(from_plain(data), reader)
    missing = [one for one in register.fields if one.codes and one.codes not in register.tables]
    for one in missing:
        reader.wrong(0, f"字段“{one.name}”的代码表“{one.codes}”不存在。", "请重新装入台账定义。")
    if reader.problems:
        raise SchemaError(reader.problems)
    return register


def _load(folder: Path, name: str, base: Pack) -> Pack:
    problems: list[SchemaProblem] = []
    if not (folder / "registers").is_dir() and not (folder / "codes").is_dir():
        message = f"文件夹“{name}”里没有 registers 和 codes。"
        raise SchemaError([SchemaProblem(name, 0, message, "请指向装有这两个文件夹的上一级文件夹。")])
    tables = _tables(folder / "codes", problems)
    loaded = _registers(folder / "registers", {**base.tables, **tables}, problems)
    versions: dict[str, list[Loaded]] = {}
    for one in sorted(loaded, key=lambda each: (each.register.name, each.register.version)):
        versions.setdefault(one.register.name, []).append(one)
    own = {key: tuple(one.register for one in group) for key, group in versions.items()}
    problems.extend(reference_problems(loaded, {**base.registers, **own}))
    for key, group in versions.items():
        first = group[0].register.version
        before = [one for one in base.registers.get(key, ()) if one.version < first]
        earlier = [Loaded(one, name, Spot(0, {})) for one in before[-1:]]
        problems.extend(version_problems([*earlier, *group]))
    if problems:
        raise SchemaError(sorted(problems, key=lambda one: (one.file, one.line)))
    return Pack(own, tables)


def _files(folder: Path) -> Iterable[tuple[Path, str]]:
    """YAML files of a folder by name, with the name used in messages; a folder that is not there has none."""
    if not folder.is_dir():
        return []
    found = sorted(one for one in folder.iterdir() if one.suffix in (".yaml", ".yml") and one.is_file())
    return [(one, f"{folder.name}/{one.name}") for one in found]


def _tables(folder: Path, problems: list[SchemaProblem]) -> dict[str, CodeTable]:
    tables: dict[str, CodeTable] = {}
    files: dict[str, str] = {}
    for path, name in _files(folder):
        reader = Reader(name)
        spot = _spot(path, name, problems)
        if spot is None:
            continue
        table = read_codes(spot, reader)
        if table.name in tables:
            message = f"代码表“{table.name}”已在 {files[table.name]} 定义。"
            reader.wrong(spot.line, message, "请改名，或合成一个文件。")
        problems.extend(reader.problems)
        tables[table.name] = table
        files[table.name] = name
    return tables


def _registers(folder: Path, tables: Mapping[str, CodeTable], problems: list[SchemaProblem]) -> list[Loaded]:
    loaded: list[Loaded] = []
    for path, name in _files(folder):
        reader = Reader(name)
        spot = _spot(path, name, problems)
        if spot is None:
            continue
        one = Loaded(read_register(spot, reader), name, spot)
        problems.extend(reader.problems)
        linked, missing = with_tables(one, tables)
        problems.extend(missing)
        loaded.append(Loaded(linked, name, spot))
    return loaded


def _spot(path: Path, name: str, problems: list[SchemaProblem]) -> Spot | None:
    try:
        return read_file(path, name)
    except SchemaError as error:
        problems.extend(error.errors)
        return None
