"""What becomes of each field when a register gets a new version, in words for the person who loads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from jiaoheng.registers.model import Field, FieldType, Register


class Fate(StrEnum):
    """What happens to a field; the value is the word shown."""

    KEPT = "不变"
    RENAMED = "改名"
    ADDED = "新增"
    DROPPED = "停用"
    LOST = "没有去向"
    TYPE_CHANGED = "类型改变"
    CODES_CHANGED = "选项改变"
    RULE_CHANGED = "要求改变"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that happens to one field; a field that is renamed and changes type has two.

    `old_name` is empty for an added field, `name` for a dropped one.
    """

    fate: Fate
    name: str
    old_name: str
    title: str
    sentence: str


TYPE_WORDS = {
    FieldType.STRING: "文字",
    FieldType.INTEGER: "整数",
    FieldType.NUMBER: "数",
    FieldType.BOOLEAN: "是否",
    FieldType.DATE: "日期",
    FieldType.DATETIME: "日期时间",
    FieldType.TIME: "时刻",
    FieldType.YEAR: "年",
    FieldType.YEARMONTH: "年月",
    FieldType.ARRAY: "多选",
    FieldType.FILE: "附件",
}


def diff_versions(old: Register, new: Register) -> list[FieldChange]:
    """What happens to each field, in the order of the new version, then what is gone."""
    found: list[FieldChange] = []
    taken: set[str] = set()
    for one in new.fields:
        before = old.by_name.get(one.name) or next(
            (old.by_name[name] for name in one.renamed_from if name in old.by_name), None
        )
        if before is None:
            found.append(_added(one, new))
            continue
        taken.add(before.name)
        changes = list(_changes(before, one, old, new))
        kept = FieldChange(Fate.KEPT, one.name, before.name, one.title, f"“{one.title}”不变。")
        found.extend(changes or [kept])
    return found + [_gone(before, new) for before in old.fields if before.name not in taken]


def _added(one: Field, new: Register) -> FieldChange:
    need = "必填，旧记录里没有这一项，改旧记录时要补" if one.required else "旧记录里没有这一项，不用补"
    return FieldChange(Fate.ADDED, one.name, "", one.title, f"新增“{one.title}”，{need}。")


def _gone(before: Field, new: Register) -> FieldChange:
    if before.name in new.dropped:
        sentence = f"“{before.title}”停用：旧记录里的值保留可查，新记录不再填。"
        return FieldChange(Fate.DROPPED, "", before.name, before.title, sentence)
    sentence = f"“{before.title}”没有说去向。请在新字段写 renamed_from，或写进 dropped。"
    return FieldChange(Fate.LOST, "", before.name, before.title, sentence)


def _changes(before: Field, one: Field, old: Register, new: Register) -> Iterator[FieldChange]:
    if before.title != one.title:
        sentence = f"“{before.title}”改名为“{one.title}”，旧记录的值接着用。"
        yield FieldChange(Fate.RENAMED, one.name, before.name, one.title, sentence)
    elif before.name != one.name:
        sentence = f"“{one.title}”换了内部名称（{before.name} → {one.name}），旧记录的值接着用。"
        yield FieldChange(Fate.RENAMED, one.name, before.name, one.title, sentence)
    if before.type is not one.type:
        words = f"由{TYPE_WORDS[before.type]}改为{TYPE_WORDS[one.type]}"
        sentence = f"“{one.title}”{words}，旧记录照原样显示，读不成新类型的在改记录时提示。"
        yield FieldChange(Fate.TYPE_CHANGED, one.name, before.name, one.title, sentence)
    if old.codes_of(before) != new.codes_of(one):
        yield FieldChange(Fate.CODES_CHANGED, one.name, before.name, one.title, _codes(before, one, old, new))
    rules = list(_rules(before, one))
    if rules:
        sentence = f"“{one.title}”{'，'.join(rules)}；旧记录不受影响，改旧记录时按新要求。"
        yield FieldChange(Fate.RULE_CHANGED, one.name, before.name, one.title, sentence)


def _codes(before: Field, one: Field, old: Register, new: Register) -> str:
    past, now = old.codes_of(before), new.codes_of(one)
    if past is None:
        return f"“{one.title}”改为从列表里选，旧记录照原样显示。"
    if now is None:
        return f"“{one.title}”不再从列表里选，旧记录显示当时的名称。"
    had, has = {item.code for item in past.items}, {item.code for item in now.items}
    parts = []
    if has - had:
        parts.append(f"多了 {len(has - had)} 个选项")
    if had - has:
        parts.append(f"少了 {len(had - has)} 个选项")
    return f"“{one.title}”的选项{'，'.join(parts) or '有改动'}；旧记录显示当时的名称。"


def _rules(before: Field, one: Field) -> Iterator[str]:
    if before.required != one.required:
        yield "改为必填" if one.required else "改为选填"
    if before.unit != one.unit:
        yield f"单位由“{before.unit or '无'}”改为“{one.unit or '无'}”"
    for name, word in (("minimum", "下限"), ("maximum", "上限")):
        past, now = getattr(before, name), getattr(one, name)
        if past != now:
            yield f"{word}由{'无' if past is None else f' {past} '}改为{'无' if now is None else f' {now} '}".rstrip()
    if before.sensitive is not one.sensitive:
        yield "改为敏感列" if one.sensitive else "不再是敏感列"
