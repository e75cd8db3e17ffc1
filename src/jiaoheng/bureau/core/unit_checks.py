"""What a change of units needs to be possible; each refusal names the unit, what is there and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit, UnitEdge, UnitFacts
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at, name_of, names_at
from jiaoheng.bureau.core.tree_writing import FACTS, Seed
from jiaoheng.bureau.core.unit_codes import AA, check_new_code

TITLES = {
    "name": "名称",
    "short_name": "简称",
    "kind": "类别",
    "ownership": "办别",
    "locality": "城乡",
    "township": "乡镇",
}
# level → levels that may stand above it
ABOVE: dict[str, tuple[str, ...]] = {
    "county": (),
    "department": ("county",),
    "district": ("county",),
    "school": ("district", "county"),
    "class": ("school",),
}


def lock(*units: Unit | None) -> None:
    """Hold units until the transaction ends and read them anew: two changes of one unit come one after the other."""
    chosen = [unit for unit in units if unit is not None]
    list(Unit.objects.select_for_update().filter(pk__in=[unit.pk for unit in chosen]).order_by("pk"))
    for unit in chosen:
        unit.refresh_from_db()


def check_right(account: Account | None, *units: Unit | None) -> None:
    """Hold the units, and refuse a person without the right over them. The system (None) may."""
    lock(*units)
    if account is None:
        return
    if not any(units) and not account.is_system_admin:
        raise ForbiddenError("设立县一级单位由系统管理员办理")
    scope, reading = scope_of(account, Can.UNITS), scope_of(account, Can.READ)
    for unit in units:
        if unit is None:
            continue
        line = line_at(unit, clock.today())
        if scope.covers(line):
            continue
        if reading.covers(line):
            raise ForbiddenError("您可以查看这个单位，但没有变更单位的权限，请联系县管理员")
        raise NotFoundError


def check_reason(reason: str) -> None:
    """A change of units has its reason."""
    if not reason.strip():
        raise RefusedError("reason-missing", "请写明变更事由，例如“县政府批复并校”", places={"reason": "请填写事由"})


def check_seed(seed: Seed) -> Unit | None:
    """A new unit's code, name and place. Returns its parent."""
    if not seed.name.strip():
        raise RefusedError("name-missing", "请填写单位名称", places={"name": "请填写单位名称"})
    check_new_code(seed.level, seed.code, seed.kind)
    if seed.level == Unit.Level.COUNTY and not seed.parent:
        return None
    parent = Unit.objects.filter(code=seed.parent).first()
    if parent is None:
        raise RefusedError(
            "parent-unknown", f"没有代码为“{seed.parent}”的上级单位，请另选", places={"parent": "请另选"}
        )
    _check_above(seed.level, seed.name, parent)
    check_living(parent, seed.starts_on)
    return parent


def check_living(unit: Unit, day: dt.date) -> None:
    """The unit stands on that day."""
    name = name_of(unit, day)
    if day < unit.starts_on:
        raise RefusedError("unit-not-yet", f"{name}自 {unit.starts_on} 起才设立，{day} 不能变更，请改日期")
    if unit.ends_on is not None and unit.ends_on <= day:
        raise RefusedError("unit-ended", f"{name}已于 {unit.ends_on} 撤并，{day} 不能再变更，请改日期或另选单位")


def check_facts(unit: Unit, day: dt.date, values: Mapping[str, str]) -> None:
    """Facts that may be changed to these values from a day on."""
    check_living(unit, day)
    unknown = set(values) - set(FACTS)
    if unknown:
        raise TypeError(f"no facts of a unit: {sorted(unknown)}")
    if not values.get("name", "有").strip():
        raise RefusedError("name-missing", "请填写单位名称", places={"name": "请填写单位名称"})
    kind = values.get("kind", "")
    if unit.level == Unit.Level.SCHOOL and kind and kind[:2] in AA and kind[:2] != unit.code[:2]:
        said = (
            f"{name_of(unit, day)}改为{AA[kind[:2]]}类后标识码 {unit.code} 作废，不能沿用："
            f"请以 {kind[:2]} 开头的新标识码设立单位，再把原校并入"
        )
        raise RefusedError("code-kind", said, places={"kind": said})
    facts = UnitFacts.objects.filter(unit=unit, starts_on__lte=day).order_by("-starts_on").first()
    if facts is not None and all(getattr(facts, name) == value for name, value in values.items()):
        raise RefusedError("nothing-changed", f"{name_of(unit, day)}的登记与现在相同，没有要变更的内容")


def check_move(unit: Unit, parent: Unit, day: dt.date) -> None:
    """A unit may stand under another from a day on."""
    check_living(unit, day)
    check_living(parent, day)
    name = name_of(unit, day)
    _check_above(unit.level, name, parent, day)
    edge = edge_at(unit, day)
    if edge is None:
        raise RefusedError("no-place", f"{name}在 {day} 没有上级单位，不能划转")
    if edge.parent_id == parent.pk:
        raise RefusedError("same-parent", f"{name}在 {day} 已隶属{name_of(parent, day)}，请另选上级单位")
    if parent.ends_on is not None and (edge.ends_on is None or edge.ends_on > parent.ends_on):
        said = f"{name_of(parent, day)}将于 {parent.ends_on} 撤并，不能再划入{name}，请另选上级单位"
        raise RefusedError("parent-ends", said)


def check_merge(unit: Unit, receiver: Unit, day: dt.date) -> None:
    """A unit may go into another on a day."""
    name = name_of(unit, day)
    if unit.pk == receiver.pk:
        raise RefusedError("merge-itself", f"{name}不能并入{name}自己，请另选接收单位", places={"receiver": "请另选"})
    if receiver.ends_on is not None and receiver.ends_on <= day:
        said = f"接收单位{name_of(receiver, day)}已于 {receiver.ends_on} 撤并，不能再并入，请另选接收单位"
        raise RefusedError("receiver-ended", said, places={"receiver": said})
    if receiver.starts_on > day:
        said = f"接收单位{name_of(receiver, day)}自 {receiver.starts_on} 起才设立，请改日期或另选接收单位"
        raise RefusedError("receiver-not-yet", said, places={"receiver": said})
    if unit.level != receiver.level or unit.level not in ("school", "district", "department", "class"):
        said = f"{name}与{name_of(receiver, day)}不是同一层级的单位，不能合并，请另选接收单位"
        raise RefusedError("merge-levels", said, places={"receiver": said})
    check_endable(unit, day)
    if receiver.ends_on is not None and (below := _below(unit, day)):
        said = f"接收单位将于 {receiver.ends_on} 撤并，不能接收{'、'.join(names_at(below, day).values())}"
        raise RefusedError("receiver-ends", said, places={"receiver": said})


def check_split(unit: Unit, seed: Seed, children: Sequence[Unit]) -> None:
    """A new unit may come out of another with some of its children."""
    day = seed.starts_on
    check_living(unit, day)
    check_seed(seed)
    name = name_of(unit, day)
    if seed.level != unit.level:
        raise RefusedError("split-level", f"由{name}分出的单位应与它同一层级，请改层级", places={"level": "请改层级"})
    for child in children:
        edge = edge_at(child, day)
        if edge is None or edge.parent_id != unit.pk:
            raise RefusedError("split-child", f"{name_of(child, day)}在 {day} 不属于{name}，不能随之分出，请另选")


def check_closable(unit: Unit, day: dt.date) -> list[Unit]:
    """A unit may end on a day without receiver. Returns the classes that end with it."""
    check_endable(unit, day)
    below = list(Unit.objects.filter(pk__in=_below(unit, day)).order_by("pk"))
    others = [one.pk for one in below if one.level != Unit.Level.CLASS]
    name = name_of(unit, day)
    if others:
        listed = "、".join(list(names_at(others, day).values())[:8])
        raise RefusedError(
            "children-left", f"{name}在 {day} 仍有 {len(others)} 个下属单位：{listed}。请先划转或撤并它们"
        )
    for one in below:
        check_endable(one, day)
    return below


def check_endable(unit: Unit, day: dt.date) -> None:
    """A unit that stands may end on a day: it was there before it, and nothing later is registered."""
    check_living(unit, day)
    name = name_of(unit, day)
    if unit.level == Unit.Level.COUNTY:
        raise RefusedError("county-stays", f"{name}是全系统的根，不能撤并")
    if unit.starts_on >= day:
        raise RefusedError("ends-at-start", f"{name}自 {unit.starts_on} 起设立，撤并日期应晚于这一天，请改日期")
    rows = [
        UnitEdge.objects.filter(unit=unit, starts_on__gte=day),
        UnitFacts.objects.filter(unit=unit, starts_on__gte=day),
    ]
    later = [row.starts_on for found in rows for row in found]
    if later:
        said = f"{name}在 {min(later)} 还登记有划转或变更，撤并日期应晚于这一天，请改日期"
        raise RefusedError("later-changes", said, places={"day": said})


def edge_at(unit: Unit, day: dt.date) -> UnitEdge | None:
    """The edge that holds on a day."""
    now = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    return UnitEdge.objects.filter(now, unit=unit, starts_on__lte=day).first()


def _below(unit: Unit, day: dt.date) -> list[int]:
    now = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    return list(UnitEdge.objects.filter(now, parent=unit).values_list("unit_id", flat=True).distinct())


def _check_above(level: str, name: str, parent: Unit, day: dt.date | None = None) -> None:
    allowed = ABOVE.get(level, ())
    if parent.level not in allowed:
        titles = "或".join(Unit.Level(one).label for one in allowed)
        said = f"{name}的上级应是{titles}，{name_of(parent, day or parent.starts_on)}不是，请另选上级单位"
        raise RefusedError("parent-level", said, places={"parent": said})
