"""What a change of units will do, in sentences, before it is confirmed; the same checks refuse it at confirmation.

A preview's `basis` is a digest over everything it speaks of. Given back with the confirmation it refuses a stale one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import hanging
from jiaoheng.bureau.core.hanging import Ending, Hanging
from jiaoheng.bureau.core.models import Unit, UnitEdge, UnitFacts
from jiaoheng.bureau.core.refusals import ConflictError
from jiaoheng.bureau.core.tree import facts_at, line_at, name_of, names_at
from jiaoheng.bureau.core.tree_writing import Seed
from jiaoheng.bureau.core.unit_checks import (
    TITLES,
    check_closable,
    check_facts,
    check_merge,
    check_move,
    check_seed,
    check_split,
)

_NAMED = 8  # names that a sentence lists before it counts the rest


@dataclass(frozen=True, slots=True)
class Preview:
    """What will change: sentences, what hangs on the unit, what to look at twice, and the digest of it all."""

    title: str
    changes: tuple[str, ...]
    hanging: tuple[Hanging, ...] = ()
    warnings: tuple[str, ...] = ()
    basis: str = ""


def preview_add(seed: Seed) -> Preview:
    """A new unit."""
    parent = check_seed(seed)
    place = name_of(parent, seed.starts_on)
    lines = [f"自 {seed.starts_on} 起设立{seed.name}，代码 {seed.code}" + (f"，隶属{place}" if place else "")]
    warnings = []
    if parent is not None and seed.name in names_at(_children(parent, seed.starts_on), seed.starts_on).values():
        warnings.append(f"{place}已有一个单位叫{seed.name}，请核对是否重复")
    basis = _basis("add", seed.code, seed.starts_on, [parent] if parent else [])
    return Preview(f"设立{seed.name}", tuple(lines), (), tuple(warnings), basis)


def preview_facts(unit: Unit, day: dt.date, values: Mapping[str, str]) -> Preview:
    """Other facts (name, kind …) from a day on."""
    check_facts(unit, day, values)
    facts = facts_at([unit.pk], day)[unit.pk]
    lines = [
        f"{TITLES[name]}：{getattr(facts, name) or '（空）'} → {value or '（空）'}"
        for name, value in values.items()
        if getattr(facts, name) != value
    ]
    lines.append(f"{day} 前的台账和统计仍用原来的{'名称' if 'name' in values else '登记'}")
    later = UnitFacts.objects.filter(unit=unit, starts_on__gt=day).order_by("starts_on").first()
    warnings = (f"{later.starts_on} 起另有登记，那之后不变",) if later is not None else ()
    title = f"{facts.name}自 {day} 起变更登记"
    return Preview(title, tuple(lines), (), warnings, _basis("facts", sorted(values.items()), day, [unit]))


def preview_move(unit: Unit, parent: Unit, day: dt.date) -> Preview:
    """Another parent from a day on."""
    check_move(unit, parent, day)
    before = parent_at(unit, day)
    name, old, new = name_of(unit, day), name_of(before, day), name_of(parent, day)
    below = _children(unit, day)
    lines = [f"{name}：{old} → {new}，自 {day} 起"]
    if below:
        lines.append(f"下属 {len(below)} 个单位一起划转：{_listed(names_at(below, day).values())}")
    lines.append(f"{day} 前的台账仍算在{old}，{old}仍可查看；之后的算在{new}")
    lines.append(f"跨 {day} 的同比标注“口径变化”，并给出同口径数")
    later = UnitEdge.objects.filter(unit=unit, starts_on__gt=day).order_by("starts_on").first()
    warnings = (f"{later.starts_on} 起已登记改属{name_of(later.parent, day)}，那之后不变",) if later else ()
    basis = _basis("move", parent.pk, day, [unit, parent])
    return Preview(f"{name}划转到{new}", tuple(lines), (), warnings, basis)


def preview_merge(unit: Unit, receiver: Unit, day: dt.date) -> Preview:
    """A unit goes into a living one."""
    check_merge(unit, receiver, day)
    ending = Ending(unit, receiver, day)
    found = hanging.look(ending)
    name, other = name_of(unit, day), name_of(receiver, day)
    lines = [
        f"{name}自 {day} 起并入{other}，{name}的页面改为显示“已并入{other} {day}”",
        f"{name}的代码 {unit.code} 不再使用，自 {day} 起不再有填报任务",
    ]
    below = _children(unit, day)
    children = names_at(below, day)
    if below:
        lines.append(f"下属 {len(below)} 个单位转到{other}：{_listed(children.values())}")
    lines.append(f"{day} 前的台账不变；跨 {day} 的同比把{name}原数并入{other}比较，并标注“口径变化”")
    if not ending.due:
        lines.append(f"{day} 当天自动办理人员和草稿的转移")
    twins = set(children.values()) & set(names_at(_children(receiver, day), day).values())
    warnings = (f"两边都有{_listed(sorted(twins))}，并入后请改名",) if twins else ()
    basis = _basis("merge", receiver.pk, day, [unit, receiver], found)
    return Preview(f"{name}并入{other}", tuple(lines), found, warnings, basis)


def preview_split(unit: Unit, seed: Seed, children: Sequence[Unit]) -> Preview:
    """A new unit comes out of one that stays, with some of its children."""
    check_split(unit, seed, children)
    day = seed.starts_on
    name = name_of(unit, day)
    lines = [f"自 {day} 起由{name}分出{seed.name}，代码 {seed.code}"]
    if children:
        moved = names_at([one.pk for one in children], day).values()
        lines.append(f"{len(children)} 个下属单位转到{seed.name}：{_listed(moved)}")
    lines.append(f"{day} 前的台账仍在{name}；跨 {day} 的同比标注“口径变化”，两校合计可比")
    basis = _basis("split", seed.code, day, [unit, *children])
    return Preview(f"由{name}分出{seed.name}", tuple(lines), (), (), basis)


def preview_close(unit: Unit, day: dt.date) -> Preview:
    """A unit ends without a receiver; its classes end with it."""
    also = check_closable(unit, day)
    ending = Ending(unit, None, day, tuple(also))
    found = hanging.look(ending)
    name = name_of(unit, day)
    lines = [f"{name}自 {day} 起撤销，代码 {unit.code} 不再使用，自 {day} 起不再有填报任务"]
    if also:
        lines.append(f"{len(also)} 个班级同日撤销：{_listed(names_at([one.pk for one in also], day).values())}")
    lines.append(f"{day} 前的台账不变，仍可查看")
    return Preview(f"撤销{name}", tuple(lines), found, (), _basis("close", None, day, [unit, *also], found))


def confirm(preview: Preview, basis: str | None) -> None:
    """Refuse a confirmation whose preview no longer holds. None: nobody was shown one."""
    if basis is not None and basis != preview.basis:
        raise ConflictError(
            "preview-stale", f"“{preview.title}”核对之后有了新的变动，请按下面的最新内容再核对一次", preview=preview
        )


def parent_at(unit: Unit, day: dt.date) -> Unit | None:
    """Whom a unit stands under on a day."""
    now = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    edge = UnitEdge.objects.select_related("parent").filter(now, unit=unit, starts_on__lte=day).first()
    return edge.parent if edge is not None else None


def _children(unit: Unit, day: dt.date) -> list[int]:
    """Ids of the units directly below one on a day or from a later day on."""
    now = Q(ends_on__isnull=True) | Q(ends_on__gt=day)
    return list(
        UnitEdge.objects.filter(now, parent=unit).order_by("unit_id").values_list("unit_id", flat=True).distinct()
    )


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f"等 {len(shown)} 个" if len(shown) > _NAMED else ""
    return "、".join(shown[:_NAMED]) + more


def _basis(kind: str, argument: object, day: dt.date, units: Sequence[Unit], found: Sequence[Hanging] = ()) -> str:
    """Digest over the state of the units, their facts and edges (also those below them) and what hangs on them."""
    ids = [unit.pk for unit in units]
    columns = ("unit_id", "parent_id", "starts_on", "ends_on")
    edges = UnitEdge.objects.filter(Q(unit_id__in=ids) | Q(parent_id__in=ids)).order_by("pk").values_list(*columns)
    facts = (
        UnitFacts.objects.filter(unit_id__in=ids)
        .order_by("pk")
        .values_list("unit_id", "starts_on", "ends_on", "name", "kind")
    )
    ends = Unit.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "ends_on")
    lines = [line_at(unit, day).ids() for unit in units]
    body = [
        kind,
        argument,
        day,
        list(edges),
        list(facts),
        list(ends),
        lines,
        [(one.key, one.count, one.basis) for one in found],
    ]
    return hashlib.sha256(json.dumps(body, default=str, ensure_ascii=False).encode()).hexdigest()
