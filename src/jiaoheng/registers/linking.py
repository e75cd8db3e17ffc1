"""What holds between the parts of a pack: code tables that registers name, references, versions of one register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from jiaoheng.registers.checking import did_you_mean
from jiaoheng.registers.model import CodeTable, Register, SchemaProblem
from jiaoheng.registers.yaml_places import Spot


@dataclass(frozen=True, slots=True)
class Loaded:
    """A register with the file and tree it came from."""

    register: Register
    file: str
    spot: Spot

    def line(self, *keys: str) -> int:
        """Line of a top key, the file's first where it is absent."""
        for key in keys:
            if key in self.spot.map:
                return self.spot.map[key].line
        return self.spot.line

    def field_line(self, name: str) -> int:
        """Line of a field."""
        listed = self.spot.map.get("fields")
        for one in listed.value if listed is not None and isinstance(listed.value, list) else []:
            named = one.map.get("name")
            if named is not None and named.value == name:
                return one.line
        return self.line("fields")


def with_tables(one: Loaded, tables: Mapping[str, CodeTable]) -> tuple[Register, list[SchemaProblem]]:
    """The register with the code tables it names, own ones first; a problem for each that does not exist."""
    problems: list[SchemaProblem] = []
    found = dict(one.register.tables)
    for field in one.register.fields:
        if not field.codes or field.codes in found:
            continue
        if field.codes in tables:
            found[field.codes] = tables[field.codes]
            continue
        guess = did_you_mean(field.codes, [*tables, *found])
        message = f"字段“{field.name}”的代码表“{field.codes}”不存在。"
        remedy = guess or "请在 codes 文件夹里加上这张代码表。"
        problems.append(SchemaProblem(one.file, one.field_line(field.name), message, remedy))
    return replace(one.register, tables=found), problems


def reference_problems(
    loaded: Sequence[Loaded], registers: Mapping[str, Sequence[Register]]
) -> Iterator[SchemaProblem]:
    """References to registers or fields that do not exist."""
    for one in loaded:
        for field in one.register.fields:
            if not field.reference:
                continue
            name, _dot, target = field.reference.partition(".")
            line = one.field_line(field.name)
            if name not in registers:
                guess = did_you_mean(name, registers)
                message = f"字段“{field.name}”指向的台账“{name}”不存在。"
                yield SchemaProblem(one.file, line, message, guess or "请改正 reference。")
            elif all(target not in version.by_name for version in registers[name]):
                newest = registers[name][-1]
                guess = did_you_mean(target, newest.by_name)
                message = f"字段“{field.name}”指向的“{newest.title}”里没有字段“{target}”。"
                yield SchemaProblem(one.file, line, message, guess or "请改正 reference。")


def version_problems(versions: Sequence[Loaded]) -> Iterator[SchemaProblem]:
    """Problems between the versions of one register, given in ascending order; the first has none before it."""
    for old, new in pairwise(versions):
        if old.register.version == new.register.version:
            message = f"“{new.register.title}”第 {new.register.version} 版定义了两次，另一处在 {old.file}。"
            yield SchemaProblem(new.file, new.line("version"), message, "请改 version，或删去一个文件。")
            continue
        if new.register.effective_from <= old.register.effective_from:
            message = (
                f"第 {new.register.version} 版 {new.register.effective_from} 起用，"
                f"不晚于第 {old.register.version} 版的 {old.register.effective_from}。"
            )
            yield SchemaProblem(new.file, new.line("effective_from"), message, "新版的起用日应在旧版之后。")
        yield from _field_problems(old.register, new)


def _field_problems(old: Register, new: Loaded) -> Iterator[SchemaProblem]:
    """Every earlier field is kept, renamed or dropped on purpose; every earlier name was there."""
    renamed = {name for field in new.register.fields for name in field.renamed_from}
    gone = set(new.register.dropped)
    for field in old.fields:
        if field.name not in new.register.by_name and field.name not in renamed and field.name not in gone:
            message = f"第 {old.version} 版的字段“{field.name}”（{field.title}）在第 {new.register.version} 版没有了，也没有说去向。"
            remedy = "改名的请在新字段写 renamed_from，不再要的请写进 dropped。"
            yield SchemaProblem(new.file, new.line("fields"), message, remedy)
    known = set(old.by_name) | {name for field in old.fields for name in field.renamed_from} | set(old.dropped)
    for field in new.register.fields:
        for name in field.renamed_from:
            if name not in known:
                guess = did_you_mean(name, old.by_name)
                message = f"字段“{field.name}”写了改自“{name}”，第 {old.version} 版没有这个字段。"
                yield SchemaProblem(new.file, new.field_line(field.name), message, guess or "请改正 renamed_from。")
    for name in new.register.dropped:
        if name not in known:
            guess = did_you_mean(name, old.by_name)
            message = f"dropped 里的“{name}”在第 {old.version} 版没有。"
            yield SchemaProblem(new.file, new.line("dropped"), message, guess or "请删去。")
