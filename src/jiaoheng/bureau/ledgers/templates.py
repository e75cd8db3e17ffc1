"""The fill-in workbook of a register for a unit and period: its own rows, its drop-downs, its deadline."""

from __future__ import annotations

from pathlib import Path

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.ledgers import bulk
from jiaoheng.bureau.ledgers.imports.scope import Ground, make_ground
from jiaoheng.bureau.ledgers.locks import filing_of
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow, Round
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.rounds.deadlines import own_limit
from jiaoheng.registers.template import TemplateRow, write_template


def make_template(
    path: Path,
    register: RegisterRow,
    unit: Unit,
    *,
    period: Period | None = None,
    round_: Round | None = None,
    account: Account,
) -> str:
    """Write the template that `account` fills in for a unit; returns the name to download it under.

    Protected columns are masked: they are not taken when the file comes back. ForbiddenError, RefusedError as for an
    import: who may not import gets no template.
    """
    period = round_.period if round_ is not None else period
    ground = make_ground(account, register, unit, period, round_)
    single = next(iter(ground.names.items())) if len(ground.names) == 1 else ("", "")
    write_template(
        ground.schema,
        path,
        unit_code=single[0],
        unit_name=single[1],
        period=period.code if period is not None else "",
        period_name=period.name if period is not None else "",
        rows=_rows(register, ground),
        at=ground.day,
        deadline=_deadline(register, unit, period),
        made_at=clock.local(clock.now()),
        units=None if single[0] else ground.names,
        masked=[one.name for one in ground.schema.fields if one.sensitive],
        notes=[round_.note] if round_ is not None and round_.note else [],
    )
    parts = [ground.schema.title, single[1], period.name if period is not None else ""]
    return "_".join(part for part in parts if part) + ".xlsx"


def _rows(register: RegisterRow, ground: Ground) -> list[TemplateRow]:
    codes = {pk: code for code, pk in ground.ids.items()}
    found = []
    rows = RecordVersion.objects.filter(CURRENT, register=register, period=ground.period)
    for part in bulk.chunks(sorted(codes)):
        columns = ("record_id", "number", "unit_id", "data", "record__key")
        found += list(rows.filter(unit_id__in=part).values_list(*columns))
    found.sort(key=lambda one: (codes[one[2]], one[4], one[0]))
    return [
        TemplateRow(data, str(record_id), number, codes[unit_id], ground.names[codes[unit_id]])
        for record_id, number, unit_id, data, _ in found
    ]


def _deadline(register: RegisterRow, unit: Unit, period: Period | None) -> str:
    filing = filing_of(register, unit, period)
    return f"{clock.local(own_limit(filing.round, filing)):%Y-%m-%d %H:%M}" if filing is not None else ""
