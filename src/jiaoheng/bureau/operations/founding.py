"""From nothing to a bureau: county, calendar, registers, units from a sheet, the first administrator."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.actions_accounts import do_add_account, do_set_admin
from jiaoheng.bureau.core.actions_calendar import do_seed_calendar
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.periods import ensure_periods
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.search_index import index_units
from jiaoheng.bureau.core.slips import Slip
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.bureau.core.unit_codes import code_fault
from jiaoheng.bureau.ledgers.actions_registers import load_pack
from jiaoheng.registers.loading import load_shipped

COLUMNS = ("代码", "层级", "名称", "上级代码", "类别", "办别", "城乡", "乡镇")
_LEVELS = {label: value for value, label in Unit.Level.choices()}
_MOST = 5000


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made."""

    units: int
    slip: Slip


def found(name: str, code: str, admin: str, *, units: Path | None = None) -> Founded:
    """Make the county in an empty base; everything or nothing but the calendar. Raises RefusedError."""
    if Unit.objects.exists():
        raise RefusedError("found-not-empty", "这里已经有单位，新建一个县只在空库里做。要增加单位，请到“学校”页")
    start = dt.date(clock.today().year - (clock.today().month < 9), 9, 1)
    seeds = [Seed(code, "county", name.strip(), "", start), *(read_units(units, code, start) if units else ())]
    fault = code_fault("county", code)
    if fault or not name.strip():
        raise RefusedError("found-county", fault or "请写县的名称，如 --name 青槐县")
    do_seed_calendar(acting_user=None)
    for year in (start.year - 1, start.year, start.year + 1):
        ensure_periods(year)
    load_pack(load_shipped(), acting_user=None, source="随程序提供")
    slip = do_found_county(seeds, admin, acting_user=None)
    return Founded(len(seeds), slip)


@audit.action
def do_found_county(seeds: Sequence[Seed], admin: str, *, acting_user: Account | None) -> Slip:
    """Units and the first administrator, in one transaction."""
    planted = plant(seeds)
    index_units(list(planted.values()))
    county = planted[seeds[0].code]
    audit.note("unit-add", actor=acting_user, about=("unit", county.pk, f"{seeds[0].name}各单位"), count=len(seeds))
    account, slip = do_add_account(admin, county, "admin", acting_user=acting_user)
    do_set_admin(account, True, acting_user=acting_user)
    return slip


def read_units(path: Path, county: str, start: dt.date) -> list[Seed]:
    """The units of a CSV sheet (UTF-8) with the heads COLUMNS, parents before children. Raises RefusedError with the row."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except UnicodeDecodeError:
        raise RefusedError("found-units", f"“{path.name}”不是 UTF-8 编码，请在 Excel 中另存为“CSV UTF-8”") from None
    if not rows or set(COLUMNS) - set(rows[0]):
        raise RefusedError("found-units", f"“{path.name}”的第一行应为：{'、'.join(COLUMNS)}")
    if len(rows) > _MOST:
        raise RefusedError("found-units", f"“{path.name}”有 {len(rows)} 行，最多 {_MOST} 行")
    made: dict[str, Seed] = {county: Seed(county, "county", "", "", start)}
    for number, row in enumerate(rows, 2):
        seed = _seed({name: (row.get(name) or "").strip() for name in COLUMNS}, county, start)
        fault = _fault(seed, made)
        if fault:
            raise RefusedError("found-units", f"“{path.name}”第 {number} 行：{fault}")
        made[seed.code] = seed
    del made[county]
    return list(made.values())


def _seed(row: dict[str, str], county: str, start: dt.date) -> Seed:
    return Seed(
        row["代码"],
        _LEVELS.get(row["层级"], row["层级"]),
        row["名称"],
        row["上级代码"] or county,
        start,
        kind=row["类别"],
        ownership=row["办别"],
        locality=row["城乡"],
        township=row["乡镇"],
    )


def _fault(seed: Seed, made: dict[str, Seed]) -> str:
    if seed.level not in ("department", "district", "school", "class"):
        return f"层级“{seed.level}”应为 股室、学区、学校、班级 之一"
    if not seed.name:
        return "名称是空的，请填写"
    if seed.code in made:
        return f"代码 {seed.code} 在前面已经用过，请改正"
    if seed.parent not in made:
        return f"上级代码 {seed.parent} 没有在前面出现，请把上级放在下级前面"
    return code_fault(seed.level, seed.code, seed.kind) or ""
