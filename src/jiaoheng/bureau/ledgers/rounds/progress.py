"""How far a unit has filled: required values of a form, records of a list against the period before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jiaoheng.bureau.ledgers.bulk import chunks
from jiaoheng.bureau.ledgers.models import Round
from jiaoheng.bureau.ledgers.rounds.content import counts_before, counts_of, rows_of
from jiaoheng.registers.model import Register


@dataclass(frozen=True, slots=True)
class Progress:
    """`filled` of `owed` in `unit` of measure; `owed` None where nobody knows how many there should be."""

    filled: int
    owed: int | None
    unit: str

    @property
    def missing(self) -> str:
        """What is missing, for 待办: 26 项，还没开始; 6 条，上期 24 条."""
        if self.owed is None:
            return f"已填 {self.filled:,} {self.unit}" if self.filled else "还没开始"
        if self.filled == 0:
            return f"{self.owed:,} {self.unit}，还没开始" if self.owed else "还没开始"
        if self.unit == "项":
            left = self.owed - self.filled
            return f"{left:,} 项必填，共 {self.owed:,} 项" if left > 0 else "已填完，待提交"
        return f"已填 {self.filled:,} {self.unit}，上期 {self.owed:,} {self.unit}"


def progress_of(round_: Round, schema: Register, unit_ids: Iterable[int]) -> dict[int, Progress]:
    """Unit id → progress; two grouped queries for a list register, one of rows for a form."""
    ids = list(dict.fromkeys(unit_ids))
    if schema.key:
        there, before = counts_of(round_, ids), counts_before(round_, ids)
        return {one: Progress(there.get(one, 0), before.get(one), "条") for one in ids}
    required = [one.name for one in schema.fields if one.required]
    filled: Mapping[int, int] = {}
    for part in chunks(ids):
        rows = rows_of(round_).filter(unit_id__in=part).values_list("unit_id", "data")
        filled = {**filled, **{unit_id: sum(name in data for name in required) for unit_id, data in rows}}
    return {one: Progress(filled.get(one, 0), len(required), "项") for one in ids}
