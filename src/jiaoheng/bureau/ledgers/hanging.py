"""Drafts, open filings and standing rosters of a unit that ends: what the preview counts and where they go (P02)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can, roles_that
from jiaoheng.bureau.core.hanging import HANGING, RELINING, Ending, Hanger, Hanging
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.tree import holds, name_of, names_at
from jiaoheng.bureau.ledgers import relining, standing
from jiaoheng.bureau.ledgers.models import Draft, Filing


def _drafts(ending: Ending) -> QuerySet[Draft]:
    """Drafts of new records for a time that is not over on the day; one that mends an old record stays with it."""
    later = Q(period__isnull=True) | Q(period__ends_on__gt=ending.day)
    units = [unit.pk for unit in ending.units]
    return Draft.objects.filter(later, unit_id__in=units, record__isnull=True).select_related("account", "register")


def _look_at_drafts(ending: Ending) -> Hanging | None:
    rows = list(_drafts(ending).order_by("pk"))
    if not rows:
        return None
    receiver = ending.receiver
    goes = f"转到{name_of(receiver, ending.day)}，由其填报员接着填" if receiver else "留在原填写人处，不再提交"
    names = tuple(f"{row.register.title}（{row.account.name}）" for row in rows)
    return Hanging("drafts", "份草稿", len(rows), goes, names, str([(row.pk, str(row.saved_at)) for row in rows]))


def _move_drafts(ending: Ending, actor: Account | None) -> int:
    """Drafts stand at the receiver, with the first person there who fills, and say from whom they came."""
    if ending.receiver is None:
        return 0
    filler = _filler(ending)
    rows = list(_drafts(ending))
    for row in rows:
        row.note = f"随{name_of(ending.unit, ending.day)}并入转来，原填写人 {row.account.name}"[:200]
        row.unit = ending.receiver
        if filler is not None:
            row.account = filler
    Draft.objects.bulk_update(rows, ["note", "unit", "account"], batch_size=200)
    return len(rows)


def _filler(ending: Ending) -> Account | None:
    members = Membership.objects.filter(
        holds(max(ending.day, clock.today())),
        unit=ending.receiver,
        role__in=roles_that(Can.FILL),
        account__closed_at__isnull=True,
    )
    found = sorted(members.select_related("account"), key=lambda one: (one.role != "clerk", one.pk))
    return found[0].account if found else None


def _filings(ending: Ending) -> QuerySet[Filing]:
    """Filings that the units no longer owe: of rounds whose reference date they do not reach."""
    units = [unit.pk for unit in ending.units]
    rows = Filing.objects.filter(unit_id__in=units, dropped_on__isnull=True, round__reference_date__gte=ending.day)
    return rows.select_related("round", "round__register", "unit").order_by("pk")


def _look_at_filings(ending: Ending) -> Hanging | None:
    rows = list(_filings(ending))
    if not rows:
        return None
    goes = f"统计时点在 {ending.day} 及以后，退出填报范围"
    owned = _taken_over(ending, rows)
    if owned:
        goes += f"；其中 {len(owned)} 项已填，转由{name_of(ending.receiver, ending.day)}办理"
    names = tuple(f"{row.round.title}（{Filing.State(row.state).label}）" for row in rows)
    return Hanging("filings", "项填报任务", len(rows), goes, names, str([(row.pk, row.version) for row in rows]))


def _taken_over(ending: Ending, rows: list[Filing]) -> list[Filing]:
    """Filings with something in them of rounds in which the receiver has none: they become the receiver's."""
    if ending.receiver is None:
        return []
    has = set(Filing.objects.filter(unit=ending.receiver).values_list("round_id", flat=True))
    return [row for row in rows if row.state != Filing.State.EMPTY and row.round_id not in has]


def _drop_filings(ending: Ending, actor: Account | None) -> int:
    rows = list(_filings(ending))
    owned = {row.pk for row in _taken_over(ending, rows)}
    for row in rows:
        row.version += 1
        if row.pk in owned:
            row.unit = ending.receiver
        else:
            row.dropped_on, row.dropped_why = ending.day, ending.words[:200]
    Filing.objects.bulk_update(rows, ["version", "unit", "dropped_on", "dropped_why"], batch_size=200)
    if owned and ending.receiver is not None:
        relining.reline_filings([ending.receiver.pk], ending.day)
    return len(rows)


def _look_at_owed(ending: Ending) -> Hanging | None:
    """Unfiled items of rounds that the units still had to answer for; `rounds.owing` says where they stand then."""
    open_states = (Filing.State.EMPTY, Filing.State.DRAFT, Filing.State.RETURNED)
    units = [unit.pk for unit in ending.units]
    rows = Filing.objects.filter(unit_id__in=units, dropped_on__isnull=True, round__reference_date__lt=ending.day)
    rows = rows.filter(state__in=open_states, round__closed_at__isnull=True).select_related("round").order_by("pk")
    found = list(rows)
    if not found:
        return None
    if ending.receiver is not None:
        goes = f"统计时点在 {ending.day} 之前，尚未报送，并入后不再欠报"
    else:
        keepers = names_at({row.district_id or row.county_id for row in found}, ending.day)
        goes = f"统计时点在 {ending.day} 之前，尚未报送，转由{'、'.join(keepers.values()) or '上级'}办理"
    names = tuple(f"{row.round.title}（{Filing.State(row.state).label}）" for row in found)
    return Hanging("owed", "项未报送任务", len(found), goes, names, str([(row.pk, row.version) for row in found]))


def _leave(ending: Ending, actor: Account | None) -> int:
    """Nothing is to be moved: who holds the item follows from the tree."""
    return 0


def register_hangers() -> None:
    """Add what the ledgers keep of a unit to the changes of units."""
    known = {one.key for one in HANGING}
    for hanger in (
        Hanger("drafts", _look_at_drafts, _move_drafts),
        Hanger("owed", _look_at_owed, _leave),
        Hanger("filings", _look_at_filings, _drop_filings, at_once=True),
    ):
        if hanger.key not in known:
            HANGING.append(hanger)
    for function in (relining.reline, standing.carry_over):
        if function not in RELINING:
            RELINING.append(function)
