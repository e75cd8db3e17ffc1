"""Who owes: the units of a round, those out of scope with their dates, and where the item of an ended unit stands."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit, UnitPath, UnitSuccession
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import Line, descendants_at, facts_at, line_at, lines_at, name_of, names_at
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.words import round_words

NEAR = dt.timedelta(days=366)  # units that ended or begin further away concern nobody in this round


class Hold(StrEnum):
    """With whom an item stands."""

    UNIT = "unit"
    DISTRICT = "district"  # the unit has ended: its district may file
    MERGED = "merged"  # merged into another unit before it filed: owes nothing any more
    DROPPED = "dropped"  # left the round's scope with its unit: owes nothing any more


FREE = frozenset({Hold.MERGED, Hold.DROPPED})  # who owes nothing


@dataclass(frozen=True, slots=True)
class Holder:
    """Where an item stands on a day: `unit_id` is the unit that has to act, `words` says why it is not the filing's own."""

    hold: Hold
    unit_id: int | None
    since: dt.date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Outside:
    """A unit that is not asked in a round, with the reason and its date."""

    unit_id: int
    name: str
    words: str
    day: dt.date | None


def asked_units(scope_unit: Unit, level: str, day: dt.date, kinds: Sequence[str]) -> list[int]:
    """Ids of the units of a level that exist on a day at or below a unit, of the chosen kinds (none: all), in unit order."""
    ids = list(descendants_at(scope_unit.pk, day, level).values_list("pk", flat=True).distinct())
    facts = facts_at(ids, day)
    chosen = [one for one in ids if not kinds or (one in facts and facts[one].kind in kinds)]
    return sorted(chosen, key=lambda one: (facts[one].sort_key if one in facts else "", one))


def holders(filings: Iterable[Filing], day: dt.date) -> dict[int, Holder]:
    """Filing id → where the item stands on a day; two queries, however many filings. Filings need `unit` loaded."""
    found: dict[int, Holder] = {}
    ended: list[Filing] = []
    for filing in filings:
        if filing.dropped_on is not None:
            why = filing.dropped_why or f"{filing.dropped_on:%Y-%m-%d} 起不在范围"
            found[filing.pk] = Holder(Hold.DROPPED, None, filing.dropped_on, why)
        elif filing.unit.ends_on is not None and filing.unit.ends_on <= day:
            ended.append(filing)
        else:
            found[filing.pk] = Holder(Hold.UNIT, filing.unit_id)
    if not ended:
        return found
    merges = _merges([one.unit_id for one in ended], day)
    names = names_at([one.other_id for one in merges.values()] + [one.district_id for one in ended], day)
    for filing in ended:
        merge = merges.get(filing.unit_id)
        if merge is not None:
            words = f"已并入{names.get(merge.other_id, '')} {merge.happened_on:%Y-%m-%d}"
            found[filing.pk] = Holder(Hold.MERGED, merge.other_id, merge.happened_on, words)
            continue
        keeper = filing.district_id or filing.county_id
        words = f"{filing.unit.ends_on:%Y-%m-%d} 起由{names.get(keeper, '上级')}办理"
        found[filing.pk] = Holder(Hold.DISTRICT, keeper, filing.unit.ends_on, words)
    return found


def _merges(unit_ids: Sequence[int], day: dt.date) -> dict[int, UnitSuccession]:
    rows = UnitSuccession.objects.filter(
        unit_id__in=unit_ids, kind=UnitSuccession.Kind.MERGE, happened_on__lte=day, other__isnull=False
    )
    return {row.unit_id: row for row in rows.order_by("happened_on")}


def owed(filings: Sequence[Filing], day: dt.date) -> list[Filing]:
    """The filings that count as owed on a day: all but those of units merged away before they filed."""
    where = holders(filings, day)
    return [one for one in filings if not is_free(one, where[one.pk])]


def still_owed(day: dt.date) -> Q:
    """`owed` as a condition on filings, for counting in the database."""
    merged = UnitSuccession.objects.filter(
        kind=UnitSuccession.Kind.MERGE, happened_on__lte=day, other__isnull=False
    ).values("unit_id")
    return Q(dropped_on__isnull=True) & ~Q(submitted_at__isnull=True, unit_id__in=merged)


def is_free(filing: Filing, holder: Holder) -> bool:
    """Whether a filing is no longer owed: dropped, or its unit merged away before it filed."""
    return holder.hold is Hold.DROPPED or (holder.hold is Hold.MERGED and filing.submitted_at is None)


def outside(round_: Round, level: str, account: Account | None = None) -> list[Outside]:
    """不在范围: units of the level that had ended or had not begun on the reference date, or are of a kind not asked.

    With an account: only those inside its reading scope.
    """
    day = round_.reference_date
    inside = set(Filing.objects.filter(round=round_).values_list("unit_id", flat=True))
    below = UnitPath.objects.filter(ancestor_id=round_.scope_unit_id, unit__level=level).values("unit_id")
    near = Q(ends_on__isnull=True) | Q(ends_on__gt=day - NEAR)
    units = Unit.objects.filter(near, pk__in=below, level=level, starts_on__lt=day + NEAR).exclude(pk__in=inside)
    found = list(units)
    if account is not None:
        scope, lines = scope_of(account, Can.READ), _lines_near(found, day)
        found = [one for one in found if scope.covers(lines.get(one.pk), round_.register.name)]
    facts = facts_at([one.pk for one in found], day)
    found.sort(key=lambda one: (facts[one.pk].sort_key if one.pk in facts else "", one.pk))
    names = {pk: one.name for pk, one in facts.items()}
    return [Outside(one.pk, names.get(one.pk, ""), *_why_outside(one, day)) for one in found]


def _lines_near(units: Sequence[Unit], day: dt.date) -> dict[int, Line]:
    """Each unit's line on a day; of one that had ended on its last day, of one that had not begun on its first."""
    groups: dict[dt.date, list[int]] = defaultdict(list)
    for one in units:
        ended = one.ends_on is not None and one.ends_on <= day
        near = one.ends_on - dt.timedelta(days=1) if ended else max(day, one.starts_on)
        groups[near].append(one.pk)
    found: dict[int, Line] = {}
    for near, ids in groups.items():
        found.update(lines_at(ids, near))
    return found


def _why_outside(unit: Unit, day: dt.date) -> tuple[str, dt.date | None]:
    if unit.ends_on is not None and unit.ends_on <= day:
        return f"{unit.ends_on:%Y-%m-%d} 已撤销或并入", unit.ends_on
    if unit.starts_on > day:
        return f"{unit.starts_on:%Y-%m-%d} 起设立", unit.starts_on
    return "学校类别不在本轮范围", None


def filing_of(round_: Round, unit: Unit, account: Account | None = None) -> Filing:
    """The filing of a unit in a round. Raises NotFoundError where one may not read the unit, RefusedError
    (`unit-not-in-round`) naming the unit's dates where it is not asked (P03)."""
    if account is not None:
        near = scope_of(account, Can.READ).covers(line_at(unit, round_.reference_date), round_.register.name)
        if not near:
            raise NotFoundError
    found = Filing.objects.select_related("round", "round__register", "unit").filter(round=round_, unit=unit).first()
    if found is not None:
        return found
    why, _ = _why_outside(unit, round_.reference_date)
    raise RefusedError(
        "unit-not-in-round",
        f"“{name_of(unit, round_.reference_date)}”{why}，不在{round_words(round_)}的范围内"
        f"（统计时点 {round_.reference_date:%Y-%m-%d}），不用填报",
    )


def round_units(round_: Round, account: Account) -> list[tuple[int, str]]:
    """(id, name) of the units that a chooser of a round offers to a reader, in unit order."""
    rows = Filing.objects.filter(scope_of(account, Can.READ).rows(round_.register.name), round=round_)
    facts = facts_at(rows.values_list("unit_id", flat=True), round_.reference_date)
    return [(pk, one.name) for pk, one in sorted(facts.items(), key=lambda item: (item[1].sort_key, item[0]))]


def today_holders(filings: Iterable[Filing]) -> dict[int, Holder]:
    """`holders` of today."""
    return holders(filings, clock.today())
