"""待办: what I owe, what came back, what waits for my word, what I handed in, what changed. A fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Job, Notice, Period, Unit
from jiaoheng.bureau.core.scope import Scope, scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep, RecordVersion, Round
from jiaoheng.bureau.ledgers.registry import schemas
from jiaoheng.bureau.ledgers.rounds.deadlines import (
    OWING,
    Light,
    Lights,
    is_late,
    limit_of,
    window_of,
)
from jiaoheng.bureau.ledgers.rounds.owing import holders, is_free, still_owed
from jiaoheng.bureau.ledgers.rounds.progress import progress_many
from jiaoheng.bureau.ledgers.rounds.round_list import Counts, counts_by_round
from jiaoheng.bureau.ledgers.rounds.telling import filing_link, round_link
from jiaoheng.bureau.ledgers.rounds.words import day_words, due_words, names_words, state_words
from jiaoheng.bureau.ledgers.todo_model import (
    CellSay,
    Changed,
    Managed,
    Owed,
    Returned,
    Running,
    ToApprove,
    Todo,
    Waiting,
)
from jiaoheng.registers.model import Data, Register

MOST_CHANGED = 30
RECENT = dt.timedelta(days=60)  # a filing handed in longer ago waits for nobody that this page could help
_RELATED = ("round", "round__register", "round__period", "round__office", "round__created_by", "unit")
_EVERY = {"year": "每学年", "term": "每学期", "month": "每月", "week": "每周", "day": "每日"}


def todo_of(account: Account, unit: Unit | None = None) -> Todo:
    """The home page of a person; with `unit` only what belongs to that one of his units (the switcher)."""
    lights = Lights(clock.now())
    now, today = lights.at, lights.today
    mine = _mine(account, unit, today)
    owing = [one for one in mine if one.state in OWING and window_of(one.round, one, now).is_open]
    known = schemas()
    several = len({one.unit_id for one in mine}) > 1
    names = names_at(
        [key for one in mine for key in (one.unit_id, one.round.office_id, one.district_id, one.county_id)], today
    )
    owed = _owed([one for one in owing if one.state != Filing.State.RETURNED], names, known, lights, several)
    returned = _returned([one for one in owing if one.state == Filing.State.RETURNED], names, known, lights)
    waiting = _waiting([one for one in mine if one.state in (Filing.State.DISTRICT, Filing.State.COUNTY)], lights)
    approving, managed = _looked_after(account, unit, lights)
    return Todo(
        sentence=_sentence(owed, returned, approving, managed),
        owed=owed,
        returned=returned,
        approving=approving,
        waiting=waiting,
        waiting_words=_waiting_words(waiting),
        managed=managed,
        changed=_changed(account, today),
        changed_since=f"您 {day_words(account.seen_until, today)} 查看以后" if account.seen_until else "",
        running=_running(account),
        count=len(owed) + len(returned) + sum(one.count for one in approving),
    )


def _mine(account: Account, unit: Unit | None, today: dt.date) -> list[Filing]:
    """The filings that I fill: of the very units where I do so, and of ended units that passed to my district."""
    roots = [root for root in scope_of(account, Can.FILL).roots if not root.registers]
    ids = [root.unit_id for root in roots]
    if unit is not None and unit.level not in (
        Unit.Level.COUNTY,
        Unit.Level.DEPARTMENT,
    ):  # an office reaches the county
        ids = [one for one in ids if one == unit.pk]
    districts = [root.unit_id for root in roots if root.level == Unit.Level.DISTRICT and root.unit_id in ids]
    passed = Q(district_id__in=districts, unit__ends_on__lte=today)
    recent = Q(state__in=OWING) | Q(submitted_at__gte=clock.now() - RECENT)
    rows = Filing.objects.filter(Q(unit_id__in=ids) | passed, recent, round__opens_at__lte=clock.now())
    found = list(rows.select_related(*_RELATED).order_by("round__due_at", "pk"))
    where = holders(found, today)
    return [one for one in found if not is_free(one, where[one.pk]) and where[one.pk].unit_id in ids]


def _owed(
    filings: Sequence[Filing],
    names: Mapping[int, str],
    known: Mapping[str, Register],
    lights: Lights,
    several: bool,
) -> list[Owed]:
    filings = [one for one in filings if one.round.register.name in known]
    progress = progress_many(filings, known) if filings else {}
    now, today = lights.at, lights.today
    made = []
    for one in sorted(filings, key=lambda each: (limit_of(each.round, each), each.pk)):
        late = is_late(one.round, one, now)
        limit = limit_of(one.round, one)
        there = progress[one.pk]
        ready = there.unit == "项" and there.owed is not None and there.filled >= there.owed > 0
        action = (
            "补报" if late else "去提交" if ready else "开始填报" if one.state == Filing.State.EMPTY else "继续填报"
        )
        made.append(
            Owed(
                filing_id=one.pk,
                light=lights.until(limit),
                title=one.round.title,
                sub=_sub(one, names, several),
                missing=there.missing,
                due=due_words(limit, today),
                action=action,
                link=filing_link(one),
            )
        )
    return made


def _sub(one: Filing, names: Mapping[int, str], several: bool) -> str:
    period: Period | None = one.round.period
    parts = [names.get(one.unit_id, "")] if several else []
    parts += [names.get(one.round.office_id or 0, ""), _EVERY.get(period.kind, "") if period else ""]
    return " · ".join(part for part in parts if part)


def _returned(
    filings: Sequence[Filing], names: Mapping[int, str], known: Mapping[str, Register], lights: Lights
) -> list[Returned]:
    if not filings:
        return []
    ids = [one.pk for one in filings]
    comments: dict[int, list[CellComment]] = defaultdict(list)
    for comment in CellComment.objects.filter(filing_id__in=ids, settled_at__isnull=True).order_by("pk"):
        comments[comment.filing_id].append(comment)
    steps = {
        step.filing_id: step
        for step in FilingStep.objects.filter(filing_id__in=ids, kind=FilingStep.Kind.RETURN).order_by("at", "pk")
    }
    records = {comment.record_id for each in comments.values() for comment in each if comment.record_id}
    data = dict(
        RecordVersion.objects.filter(record_id__in=records, valid_to__isnull=True).values_list("record_id", "data")
    )
    now, today = lights.at, lights.today
    made = []
    for one in filings:
        step, limit = steps.get(one.pk), limit_of(one.round, one)
        schema = known.get(one.round.register.name)
        cells = [_cell(each, schema, data, today) for each in comments[one.pk]]
        by = names.get((one.district_id if step is not None and step.level == "district" else one.county_id) or 0, "")
        made.append(
            Returned(
                filing_id=one.pk,
                light=Light("back", f"退回 {len(cells)} 格" if cells else "退回修改"),
                title=one.round.title,
                sub=f"{by} {step.by_name}　{day_words(step.at, today)}" if step is not None else "",
                reason=step.reason if step is not None else "",
                cells=cells,
                due=due_words(limit, today),
                overdue=lights.until(limit).words if now > limit else "",
                action=f"改这 {len(cells)} 格" if cells else "修改",
                link=_where(one, cells),
            )
        )
    return made


def _where(filing: Filing, cells: Sequence[CellSay]) -> str:
    """Where the correction is made: the very cell where there is one alone, else the filing that lists them."""
    only = cells[0] if len(cells) == 1 else None
    if only is None or not only.record_id or not only.field:
        return filing_link(filing)
    return f"/records/{only.record_id}/edit#field-{only.field}"


def _cell(comment: CellComment, schema: Register | None, data: Mapping[int, Data], today: dt.date) -> CellSay:
    record = comment.record_id
    title = schema.by_name[comment.field].title if schema and comment.field in schema.by_name else comment.field
    name = ""
    if schema is not None and schema.key and record in data:
        name = identity_words(schema, data[record], today)
    place = " ".join(part for part in (name, title) if part) or "整份台账"
    return CellSay(place, comment.text, record, comment.field)


def _waiting(filings: Sequence[Filing], lights: Lights) -> list[Waiting]:
    return [
        Waiting(
            one.pk, one.round.title, state_words(one), lights.waiting(one.submitted_at or lights.at), filing_link(one)
        )
        for one in filings
    ]


def _waiting_words(waiting: Sequence[Waiting]) -> str:
    """已交、在等别人的 3 项：待学区审核 2 项，待局审定 1 项."""
    if not waiting:
        return ""
    counts = Counter(one.where for one in waiting)
    return f"已交、在等别人的 {len(waiting)} 项：" + "，".join(f"{where} {count} 项" for where, count in counts.items())


def _looked_after(account: Account, unit: Unit | None, lights: Lights) -> tuple[list[ToApprove], list[Managed]]:
    """What waits for my approval by round, and how far the running rounds are whose units I look after."""
    district, county = scope_of(account, Can.APPROVE_DISTRICT), scope_of(account, Can.APPROVE_COUNTY)
    wide = _wide(account, unit, (district, county, scope_of(account, Can.ROUNDS), scope_of(account, Can.AUDIT)))
    if wide is None:
        return [], []
    waiting = Filing.objects.filter(
        wide, still_owed(lights.today), state__in=(Filing.State.DISTRICT, Filing.State.COUNTY)
    )
    groups: dict[tuple[int, str], list[Filing]] = defaultdict(list)
    for one in waiting.select_related(*_RELATED).order_by("round__due_at", "round_id", "pk"):
        if _waits_for(one, district, county):
            groups[one.round_id, one.state].append(one)
    chosen = [one for group in groups.values() for one in group]
    names = names_at([key for one in chosen for key in (one.unit_id, one.district_id)], lights.today)
    approving = [_approve(group, names, lights) for group in groups.values()]
    counts = counts_by_round(wide & Q(round__closed_at__isnull=True, round__opens_at__lte=lights.at), lights.at)
    unfinished = [pk for pk, one in counts.items() if one.approved < one.owed]
    rounds = Round.objects.filter(pk__in=unfinished).order_by("due_at", "pk")
    managed = [_managed(one, counts[one.pk], lights) for one in rounds]
    return approving, sorted(managed, key=lambda one: -one.late)


def _wide(account: Account, unit: Unit | None, scopes: Sequence[Scope]) -> Q | None:
    """Rows below the units (wider than one school) that I approve, run rounds for or oversee."""
    found: Q | None = None
    for scope in scopes:
        roots = [root for root in scope.roots if root.level in (Unit.Level.COUNTY, Unit.Level.DISTRICT)]
        if unit is not None and unit.level not in (Unit.Level.COUNTY, Unit.Level.DEPARTMENT):
            roots = [root for root in roots if root.unit_id == unit.pk]
        if roots:
            found = Scope(tuple(roots)).rows() if found is None else found | Scope(tuple(roots)).rows()
    return found


def _waits_for(one: Filing, district: Scope, county: Scope) -> bool:
    scope = {Filing.State.DISTRICT: district, Filing.State.COUNTY: county}.get(Filing.State(one.state))
    return scope is not None and scope.covers(one, one.round.register.name)


def _approve(group: Sequence[Filing], names: Mapping[int, str], lights: Lights) -> ToApprove:
    oldest = min(group, key=lambda one: one.submitted_at or lights.at)
    at_county = group[0].state == Filing.State.COUNTY
    by_unit = [names.get(one.unit_id, "") for one in group]
    if at_county and len(group) > 5:
        counts = Counter(names.get(one.district_id or 0, "县直") for one in group)
        by_unit = [f"{name} {count} 所" for name, count in counts.most_common()]
    round_ = group[0].round
    return ToApprove(
        round_id=round_.pk,
        light=lights.waiting(oldest.submitted_at or lights.at),
        title=round_.title,
        sub=f"{len(group)} 份{Filing.State(group[0].state).label}",
        count=len(group),
        names=names_words(by_unit),
        action="去审定" if at_county else "去审核",
        link=f"{round_link(round_)}?show={'county' if at_county else 'district'}",
    )


def _managed(round_: Round, counts: Counts, lights: Lights) -> Managed:
    missing = counts.owed - counts.filed
    parts = [f"{counts.owed} 个单位，已审定 {counts.approved} 个"]
    parts.append(f"{counts.late} 个逾期未交" if counts.late else f"{missing} 个还没交" if missing else "都交了")
    light = lights.of_round(round_)
    return Managed(round_.pk, round_.title, light, "，".join(parts), counts.late, round_link(round_))


def _changed(account: Account, today: dt.date) -> list[Changed]:
    rows = Notice.objects.filter(account=account, seen_at__isnull=True).order_by("-at", "-pk")[:MOST_CHANGED]
    return [Changed(one.pk, one.title, day_words(one.at, today), one.text, one.link, one.mood) for one in rows]


def _running(account: Account) -> list[Running]:
    """Jobs that are not over; what ended stands among the changes."""
    states = (Job.State.WAITING, Job.State.RUNNING, Job.State.INTERRUPTED)
    rows = Job.objects.filter(owner=account, state__in=states).order_by("-created_at")[:20]
    return [
        Running(
            str(one.pk),
            one.title,
            str(Job.State(one.state).label),
            f"{one.done:,} / {one.total:,}" if one.total else "",
            f"/jobs/{one.pk}/",
        )
        for one in rows
    ]


def _sentence(
    owed: Sequence[Owed], returned: Sequence[Returned], approving: Sequence[ToApprove], managed: Sequence[Managed]
) -> str:
    """要交 6 项，其中 1 项逾期、1 项今天到期；退回 2 项，共 5 格要改。"""
    parts = []
    if owed:
        late = sum(one.light.tone == "late" for one in owed)
        soon = sum(one.light.words == "今天到期" for one in owed)
        of_these = "、".join([f"{late} 项逾期"] * bool(late) + [f"{soon} 项今天到期"] * bool(soon))
        parts.append(f"要交 {len(owed)} 项" + (f"，其中 {of_these}" if of_these else ""))
    if returned:
        cells = sum(len(one.cells) for one in returned)
        parts.append(f"退回 {len(returned)} 项" + (f"，共 {cells} 格要改" if cells else ""))
    if approving:
        parts.append(f"要审 {sum(one.count for one in approving)} 份")
    late_rounds = sum(one.late for one in managed)
    if late_rounds:
        parts.append(f"逾期未交 {late_rounds} 份")
    return "；".join(parts) + "。" if parts else "现在没有要办的事。"
