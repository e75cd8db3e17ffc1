"""The columns of a register over all its versions: renamed fields are one column, dropped ones stay, heads have dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.registers.model import FieldType, Register, Sensitive

RECORD_HEADS = {
    "_record": "编号",
    "_version": "版次",
    "_unit": "单位",
    "_period": "时期",
    "_county": "县",
    "_district": "学区",
    "_school": "学校",
    "_class": "班级",
    "_schema": "表样版本",
    "_valid_from": "起",
    "_valid_to": "止",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the typed table: named as in the newest version that has it, fed by every name it ever had.

    `since`: number of the first version that has it. `decimals`: scale of a number, None where the versions do not say.
    """

    name: str
    names: tuple[str, ...]
    type: FieldType
    decimals: int | None
    since: int
    titles: tuple[tuple[int, str], ...]  # (version number, head), ascending

    def title(self, version: int) -> str:
        """The head that holds in a version of the register: a dropped column keeps its last one."""
        earlier = [title for number, title in self.titles if number <= version]
        return earlier[-1] if earlier else self.titles[0][1]


def columns_of(versions: Sequence[Register]) -> list[Column]:
    """The union of the versions (ascending): columns of the newest one first, then what was dropped.

    Protected columns are left out: the table is for figures, and lies on the disk in the clear.
    """
    lines: list[dict[int, str]] = []  # for each column: version number → its field's name there
    for version in versions:
        for one in version.fields:
            line = next((each for each in lines if _goes_on(each, one.name, one.renamed_from)), None)
            if line is None:
                lines.append(line := {})
            line[version.version] = one.name
    by_number = {one.version: one for one in versions}
    newest = versions[-1].version
    order = {one.name: place for place, one in enumerate(versions[-1].fields)}
    lines.sort(key=lambda line: order.get(line.get(newest, ""), len(order)))
    made = [_column(line, by_number) for line in lines]
    return [one for one in made if one is not None]


def _goes_on(line: dict[int, str], name: str, renamed_from: Sequence[str]) -> bool:
    last = line[max(line)]
    return name == last or last in renamed_from


def _column(line: dict[int, str], by_number: dict[int, Register]) -> Column | None:
    fields = {number: by_number[number].by_name[name] for number, name in sorted(line.items())}
    if any(one.sensitive is not Sensitive.NONE for one in fields.values()):
        return None
    found = list(fields.values())
    decimals = [one.decimals for one in found if one.type is FieldType.NUMBER]
    return Column(
        name=found[-1].name,
        names=tuple(dict.fromkeys(one.name for one in reversed(found))),
        type=_widest({one.type for one in found}),
        decimals=None if None in decimals else max((each for each in decimals if each is not None), default=0),
        since=min(fields),
        titles=tuple((number, one.title) for number, one in fields.items()),
    )


def _widest(types: set[FieldType]) -> FieldType:
    """One type for all versions: whole numbers fit among numbers, lists among lists; anything else as text."""
    if len(types) == 1:
        return types.pop()
    if types == {FieldType.INTEGER, FieldType.NUMBER}:
        return FieldType.NUMBER
    if types <= {FieldType.ARRAY, FieldType.FILE}:
        return FieldType.ARRAY
    return FieldType.STRING


def version_on(versions: Sequence[Register], day: dt.date) -> int:
    """Number of the version that holds on a day, else the first one's."""
    held = [one.version for one in versions if one.effective_from <= day]
    return max(held) if held else versions[0].version


def heads_on(versions: Sequence[Register], day: dt.date) -> dict[str, str]:
    """Column → head on a day, without columns that came later; the columns of the record itself first."""
    number = version_on(versions, day)
    return RECORD_HEADS | {one.name: one.title(number) for one in columns_of(versions) if one.since <= number}
