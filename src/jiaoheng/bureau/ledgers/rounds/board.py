"""The board of a round: unit × status at a glance, inside the reader's scope only."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Count, Max

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, UnitFacts
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep, Reminder, Round
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.approved import pending_of
from jiaoheng.bureau.ledgers.rounds.board_model import PLACE, PLACES, Board, BoardRow, Choice, Group, Tally, Town
from jiaoheng.bureau.ledgers.rounds.deadlines import (
    FILED,
    Light,
    Lights,
    is_late,
    limit_of,
    timing_of,
)
from jiaoheng.bureau.ledgers.rounds.owing import Holder, Outside, holders, is_free, outside
from jiaoheng.bureau.ledgers.rounds.people import Staff, staff_of
from jiaoheng.bureau.ledgers.rounds.policy import policy_at
from jiaoheng.bureau.ledgers.rounds.progress import Progress, progress_of
from jiaoheng.bureau.ledgers.rounds.words import day_words, due_words, measure_of, spaced
from jiaoheng.methods.numbers import percent
from jiaoheng.methods.sort_keys import number_key, text_key
from jiaoheng.registers.model import Register

COUNTY_UNITS = "县直"  # the strip of units that stand under no district


@dataclass(frozen=True, slots=True)
class _Facts:
    """Everything that rows are made of, each loaded by one query."""

    round: Round
    lights: Lights
    names: Mapping[int, UnitFacts]
    where: Mapping[int, Holder]
    steps: Mapping[int, Sequence[FilingStep]]
    cells: Mapping[int, int]
    reminded: Mapping[int, dt.datetime]
    unheard: frozenset[int]
    staff: Staff
    progress: Mapping[int, Progress]

    @property
    def at(self) -> dt.datetime:
        """The moment of the board."""
        return self.lights.at

    @property
    def today(self) -> dt.date:
        """Its day in Beijing."""
        return self.lights.today


def board_of(round_: Round, account: Account, choice: Choice | None = None) -> Board:
    """The board for a reader. About a dozen queries, however many units."""
    choice = choice or Choice()
    at = clock.now()
    register = round_.register.name
    within = scope_of(account, Can.READ).rows(register)
    filings = list(Filing.objects.filter(within, round=round_).select_related("unit", "submitted_by").order_by("pk"))
    schema = schema_of(round_.register, round_.reference_date)
    where = holders(filings, clock.local(at).date())
    due = [one for one in filings if not is_free(one, where[one.pk])]
    facts = _load(round_, due, where, schema, at)
    rows = sorted((_row(one, facts) for one in due), key=lambda row: (row.order["name"], row.unit_id))
    filed = sum(one.state in FILED for one in due)
    gone = _gone([one for one in filings if is_free(one, where[one.pk])], where, round_.reference_date)
    done = sum(row.place == "done" for row in rows)
    ready, remind_words = _remind_words(rows)
    return Board(
        round_id=round_.pk,
        title=round_.title,
        light=facts.lights.of_round(round_),
        sentence=_sentence(round_, schema, len(rows), len(rows) - filed, facts.today),
        due=due_words(round_.due_at, facts.today),
        first_due=_first_due(round_, facts.today),
        owed=len(rows),
        filed=filed,
        rate=rate_words(filed, len(rows)),
        tallies=_tallies(rows),
        towns=_towns(rows),
        groups=_groups(rows, choice, facts),
        open_count=len(rows) - done,
        outside=[*gone, *outside(round_, schema.level, account)],
        pending=pending_of(round_, within).words,
        remind_count=ready,
        remind_words=remind_words,
        measure="项" if not schema.key else "条",
        counted=measure_of(schema.level),
        may_manage=bool(due) and scope_of(account, Can.ROUNDS).covers(due[0], register),
        may_approve=any(scope_of(account, can) for can in (Can.APPROVE_DISTRICT, Can.APPROVE_COUNTY)),
    )


def rate_words(filed: int, owed: int) -> str:
    """Share of the owed that is there, half away from zero, at one decimal; — where nothing is owed."""
    if not owed:
        return "—"
    return f"{percent(Fraction(filed, owed), 1)} %"


def _load(
    round_: Round, due: Sequence[Filing], where: Mapping[int, Holder], schema: Register, at: dt.datetime
) -> _Facts:
    ids = [one.pk for one in due]
    mine = {"filing__round": round_, "filing_id__in": ids} if len(ids) <= 900 else {"filing__round": round_}
    steps: dict[int, list[FilingStep]] = defaultdict(list)
    for step in FilingStep.objects.filter(**mine, withdrawn_at__isnull=True).order_by("at", "pk"):
        steps[step.filing_id].append(step)
    cells = CellComment.objects.filter(**mine, settled_at__isnull=True).order_by()
    sent = Reminder.objects.filter(round=round_, outcome="sent").order_by()
    unheard = Reminder.objects.filter(round=round_, outcome="no_receiver").order_by()
    today = clock.local(at).date()
    return _Facts(
        round=round_,
        lights=Lights(at),
        names=facts_at([*(one.unit_id for one in due), *(one.district_id for one in due)], round_.reference_date),
        where=where,
        steps=steps,
        cells=dict(cells.values_list("filing_id").annotate(count=Count("pk"))),
        reminded=dict(sent.values_list("filing_id").annotate(last=Max("at"))),
        unheard=frozenset(unheard.values_list("filing_id", flat=True)),
        staff=staff_of([holder.unit_id for holder in where.values()], today),
        progress=progress_of(round_, schema, [one.unit_id for one in due]),
    )


def place_of(round_: Round, filing: Filing, at: dt.datetime) -> str:
    """The group of the board that a filing stands in."""
    if filing.state in (Filing.State.EMPTY, Filing.State.DRAFT):
        return "late" if is_late(round_, filing, at) else str(filing.state)
    return {
        Filing.State.RETURNED: "back",
        Filing.State.DISTRICT: "district",
        Filing.State.COUNTY: "county",
        Filing.State.APPROVED: "done",
    }[Filing.State(filing.state)]


def _row(filing: Filing, facts: _Facts) -> BoardRow:
    steps = [one for one in facts.steps.get(filing.pk, ()) if one.content == filing.content]
    at_of = {(one.kind, one.level): one.at for one in steps}
    sent = next((one.at for one in reversed(steps) if one.kind == FilingStep.Kind.SUBMIT), None)
    holder, progress = facts.where[filing.pk], facts.progress[filing.unit_id]
    name, district = facts.names.get(filing.unit_id), facts.names.get(filing.district_id or 0)
    level = filing.unit.level if holder.unit_id == filing.unit_id else "district"
    people = facts.staff.fillers(holder.unit_id, level)
    approved = {level: at_of.get((FilingStep.Kind.APPROVE, level)) for level in ("district", "county")}
    reminded, today = facts.reminded.get(filing.pk), facts.today
    first = next((one.at for one in facts.steps.get(filing.pk, ()) if one.kind == FilingStep.Kind.SUBMIT), None)
    place = place_of(facts.round, filing, facts.at)
    order = {
        "name": name.sort_key if name else "",
        "district": district.sort_key if district else "~",
        "filled": number_key(progress.filled),
        "touched": filing.touched_at.isoformat() if filing.touched_at else "",
        "reminded": reminded.isoformat() if reminded else "",
        "submitted": sent.isoformat() if sent else "",
        "filler": text_key(people[0].name) if people else "~",
    }
    return BoardRow(
        filing_id=filing.pk,
        version=filing.version,
        unit_id=filing.unit_id,
        name=name.name if name else "",
        district_id=filing.district_id,
        district=(district.short_name or district.name) if district else COUNTY_UNITS,
        place=place,
        state=str(Filing.State(filing.state).label),
        light=_light(filing, place, sent, approved["district"], facts),
        filled=progress.filled,
        owed=progress.owed,
        measure=progress.unit,
        submitted=day_words(sent, today),
        district_step=day_words(approved["district"], today),
        county_step=day_words(approved["county"], today),
        touched=day_words(filing.touched_at, today),
        filler="、".join(one.name for one in people[:2]),
        reminded=day_words(reminded, today),
        reminded_today=reminded is not None and clock.local(reminded).date() == today,
        holder=holder.words,
        timing=str(timing_of(facts.round, filing, first)) if first else "",
        extended=spaced("延到", due_words(filing.extended_to, today)) if filing.extended_to else "",
        no_receiver=filing.pk in facts.unheard,
        chosen=place == "late",
        order=order,
    )


def _light(filing: Filing, place: str, sent: dt.datetime | None, looked: dt.datetime | None, facts: _Facts) -> Light:
    if place == "back":
        count = facts.cells.get(filing.pk, 0)
        words = f"退回 {count} 格" if count else "退回修改"
        over = facts.lights.until(limit_of(facts.round, filing))
        return Light("back", f"{words}，{over.words}" if over.tone == "late" else words)
    if place in ("district", "county"):
        return facts.lights.waiting((looked or sent or facts.at) if place == "county" else (sent or facts.at))
    return Light(PLACE[place].tone, str(Filing.State(filing.state).label))


def _tallies(rows: Sequence[BoardRow]) -> list[Tally]:
    counts = {one.key: sum(row.place == one.key for row in rows) for one in PLACES}
    most = max(counts.values(), default=0) or 1
    return [
        Tally(one.key, one.words, one.tone, one.cell, counts[one.key], round(100 * counts[one.key] / most, 1))
        for one in PLACES
        if counts[one.key] or one.key not in ("empty", "draft")
    ]


def _remind_words(rows: Sequence[BoardRow]) -> tuple[int, str]:
    """What pressing 催办 for all late units would do: how many get it, and the sentence beside the button."""
    late = [row for row in rows if row.place == "late"]
    again = [row for row in late if row.reminded_today]
    ready = len(late) - len(again)
    if not late:
        return 0, "没有逾期未交的单位"
    told = f"已选 {len(late)} 所，都是逾期未交。"
    if again:
        times = "、".join(sorted({row.reminded for row in again}))
        told += f"{len(again)} 所{times} 已催过，这次跳过；"
    rest = "其余 " if again else ""
    return ready, told + (f"{rest}{ready} 所发到填报人和校长的待办。" if ready else "没有要发的。")


def _towns(rows: Sequence[BoardRow]) -> list[Town]:
    found: dict[tuple[int | None, str], list[BoardRow]] = defaultdict(list)
    for row in rows:
        found[row.district_id, row.district].append(row)
    rank = {one.key: number for number, one in enumerate(PLACES)}
    made = []
    for (unit_id, name), group in found.items():
        group.sort(key=lambda row: rank[row.place])
        counts = [(one, sum(row.place == one.key for row in group)) for one in PLACES]
        told = "，".join(f"{one.words} {count}" for one, count in counts if count)
        made.append(
            Town(
                unit_id=unit_id,
                name=name,
                cells=[PLACE[row.place].cell for row in group],
                label=f"{name} {len(group)} 所：{told}",
                light=_town_light({one.key: count for one, count in counts}),
                ready=sum(row.place == "county" for row in group),
                seen=[f"{row.filing_id}.{row.version}" for row in group if row.place == "county"],
            )
        )
    worst = {tone: number for number, tone in enumerate(("late", "back", "soon", "wait", "done"))}
    return sorted(made, key=lambda one: (worst[one.light.tone], -one.cells.count("k-late"), one.unit_id or 0))


def _town_light(counts: Mapping[str, int]) -> Light:
    if counts["late"]:
        return Light("late", f"逾期 {counts['late']}")
    if counts["back"]:
        return Light("back", f"退回 {counts['back']}")
    if counts["empty"] + counts["draft"]:
        return Light("soon", f"未交 {counts['empty'] + counts['draft']}")
    if counts["district"] + counts["county"]:
        return Light("wait", f"待审 {counts['district'] + counts['county']}")
    return Light("done", "已审定")


def _groups(rows: Sequence[BoardRow], choice: Choice, facts: _Facts) -> list[Group]:
    made = []
    for one in PLACES:
        members = [row for row in rows if row.place == one.key]
        hidden = (choice.show == "open" and one.key == "done") or (choice.show in PLACE and choice.show != one.key)
        shown = [row for row in members if not hidden and _fits(row, choice)]
        if not shown:
            continue
        if choice.sort in shown[0].order:
            shown.sort(key=lambda row: row.order[choice.sort], reverse=choice.descending)
        made.append(Group(one.key, f"{one.words} {len(members)} 所", _group_words(one.key, facts), shown, len(members)))
    return made


def _fits(row: BoardRow, choice: Choice) -> bool:
    if choice.district_id is not None and row.district_id != choice.district_id:
        return False
    wanted = choice.text.strip()
    return not wanted or wanted in row.name or wanted in row.district


def _group_words(key: str, facts: _Facts) -> str:
    if key == "late":
        light = facts.lights.until(facts.round.due_at)
        return f"{spaced('截止', due_words(facts.round.due_at, facts.today))}，{light.words}"
    if key in ("empty", "draft"):
        return spaced("截止", due_words(facts.round.due_at, facts.today))
    if key == "district":
        return f"学区应在 {policy_at(facts.today).review_days} 个工作日内审完"
    return ""


def _sentence(round_: Round, schema: Register, owed: int, missing: int, today: dt.date) -> str:
    noun = {"school": "所学校", "class": "个班", "district": "个学区"}.get(schema.level, "个单位")
    short = "个" if noun != "所学校" else "所"
    left = f"{missing} {short}还没交" if missing else "都交了"
    due = spaced("截止", due_words(round_.due_at, today))
    return f"{owed} {noun}，{left}。{due}，{round_.created_by.name}发起。"


def _first_due(round_: Round, today: dt.date) -> str:
    first = round_.first_due_at
    return "" if first is None or first == round_.due_at else due_words(first, today)


def _gone(filings: Sequence[Filing], where: Mapping[int, Holder], day: dt.date) -> list[Outside]:
    names = facts_at([one.unit_id for one in filings], day)
    return [
        Outside(one.unit_id, names[one.unit_id].name, where[one.pk].words, where[one.pk].since)
        for one in filings
        if one.unit_id in names
    ]
