"""The form that opens a round: its choices and first values, and what will happen to how many before it is confirmed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.calendar import is_workday, workday_shifted
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.periods import period_of
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at, name_of, names_at
from jiaoheng.bureau.ledgers.access import access_register
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.bureau.ledgers.registry import code_tables, schema_of, schemas
from jiaoheng.bureau.ledgers.rounds.opening import check_round
from jiaoheng.bureau.ledgers.rounds.owing import asked_units
from jiaoheng.bureau.ledgers.rounds.policy import Step, policy_at
from jiaoheng.bureau.ledgers.rounds.repeat_choices import check_repeats, choices_for
from jiaoheng.bureau.ledgers.rounds.words import due_words, names_words
from jiaoheng.registers.model import PeriodKind

_USUAL = 14  # days from today that a new form proposes as its deadline
_PERIODS = 12  # of a kind that the form offers, newest first
_NOUNS = {"school": "所学校", "class": "个班", "district": "个学区"}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice."""

    value: str
    label: str
    chosen: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class RoundForm:
    """The form ready to be shown. `texts`: what stands in its plain fields."""

    register: str
    register_title: str
    registers: Sequence[Option]
    periods: Sequence[Option]
    scopes: Sequence[Option]
    kinds: Sequence[Option]
    steps: Sequence[Option]
    repeats: Sequence[Option]  # none but 不重复 where the register's periods cannot be asked by themselves
    texts: Mapping[str, str]


def round_form(account: Account, typed: Mapping[str, str], lists: Mapping[str, Sequence[str]]) -> RoundForm:
    """The form for one register, with what was typed, else with the usual values.

    typed: one text a field; lists: `kinds` and `steps` with every ticked value (absent: as a new form has them).
    """
    name = typed.get("register", "")
    today = clock.today()
    known = schemas()
    titles = [Option(one, schema.title, one == name) for one, schema in known.items()]
    if name not in known:
        return RoundForm("", "", titles, (), (), (), (), (), {})
    row = access_register(account, name)
    kind = schema_of(row).period
    period = _period(kind, typed.get("period", ""))
    usual = {
        "title": f"{period.name}{known[name].title}" if period is not None else known[name].title,
        "reference_date": f"{today:%Y-%m-%d}",
        "opens_date": f"{today:%Y-%m-%d}",
        "opens_time": "08:00",
        "due_date": f"{_usual_due(today):%Y-%m-%d}",
        "due_time": "17:30",
        "note": "",
    }
    steps = policy_at(today).steps
    return RoundForm(
        register=name,
        register_title=known[name].title,
        registers=titles,
        periods=_periods(kind, period),
        scopes=_scopes(account, typed.get("scope", "")),
        kinds=_kinds(account, set(lists.get("kinds", ()))) if known[name].level == "school" else (),
        steps=[Option(one.key, one.words, "steps" not in lists or one.key in lists["steps"]) for one in steps],
        repeats=[Option(value, label, value == typed.get("repeats", "")) for value, label in choices_for(kind)],
        texts={key: typed.get(key, value) for key, value in usual.items()},
    )


def _usual_due(today: dt.date) -> dt.date:
    """The first working day from `_USUAL` days on; that day itself in a year without a published calendar."""
    day = today + dt.timedelta(days=_USUAL)
    try:
        return day if is_workday(day) else workday_shifted(day, 1)
    except RefusedError:
        return day


def _period(kind: PeriodKind, asked: str) -> Period | None:
    if kind is PeriodKind.NONE:
        return None
    found = Period.objects.filter(pk=int(asked), kind=kind.value).first() if asked.isdigit() else None
    return found or period_of(kind.value, clock.today())


def _periods(kind: PeriodKind, chosen: Period | None) -> list[Option]:
    if kind is PeriodKind.NONE or chosen is None:
        return []
    soon = clock.today() + dt.timedelta(days=190)
    rows = list(Period.objects.filter(kind=kind.value, starts_on__lte=soon).order_by("-starts_on")[:_PERIODS])
    rows += [] if chosen in rows else [chosen]
    return [Option(str(one.pk), one.name, one.pk == chosen.pk) for one in rows]


def _scopes(account: Account, asked: str) -> list[Option]:
    inside = scope_of(account, Can.ROUNDS).units()
    found = list(inside.filter(level__in=[Unit.Level.COUNTY, Unit.Level.DISTRICT]).order_by("pk"))
    names = facts_at([one.pk for one in found], clock.today())
    found.sort(key=lambda one: (one.level != Unit.Level.COUNTY, names[one.pk].sort_key if one.pk in names else ""))
    return [
        Option(str(one.pk), "全县" if one.level == Unit.Level.COUNTY else names[one.pk].name, str(one.pk) == asked)
        for one in found
        if one.pk in names
    ]


def _kinds(account: Account, chosen: set[str]) -> list[Option]:
    """The kinds of the schools that stand today, with how many there are; none ticked asks all of them."""
    schools = scope_of(account, Can.ROUNDS).units(level=Unit.Level.SCHOOL).values_list("pk", flat=True)
    counts = Counter(one.kind for one in facts_at(list(schools), clock.today()).values() if one.kind)
    table = code_tables().get("school_kind")
    labels = {one.code: one.label for one in table.items} if table is not None else {}
    return [Option(one, labels.get(one, one), one in chosen, f"{count} 所") for one, count in sorted(counts.items())]


@dataclass(frozen=True, slots=True)
class Asked:
    """A round as asked for: the arguments of `do_open_round`."""

    register: RegisterRow
    period: Period | None
    title: str
    scope_unit: Unit
    kinds: Sequence[str]
    reference_date: dt.date
    opens_at: dt.datetime
    due_at: dt.datetime
    steps: Sequence[Step]
    note: str
    repeats: str


def read_round(
    account: Account,
    typed: Mapping[str, str],
    lists: Mapping[str, Sequence[str]],
    reference_date: dt.date | None,
    opens_at: dt.datetime | None,
    due_at: dt.datetime | None,
) -> Asked:
    """What was typed as a round. Raises RefusedError (`round-form`) with a sentence at every wrong field."""
    register = access_register(account, typed.get("register", ""))
    kind = schema_of(register).period
    wrong: dict[str, str] = {}
    if not typed.get("title", "").strip():
        wrong["title"] = "请填写轮次名称"
    if reference_date is None:
        wrong["reference_date"] = "请填统计时点，如 2026-10-01"
    if opens_at is None:
        wrong["opens_date"] = "请填开始的日期和时间，如 2026-10-08 08:00"
    if due_at is None:
        wrong["due_date"] = "请填截止的日期和时间，如 2026-10-31 17:30"
    elif opens_at is not None and due_at <= opens_at:
        wrong["due_date"] = f"截止 {_said(due_at)} 不晚于开始 {_said(opens_at)}，请改正其中一个"
    elif due_at <= clock.now():
        wrong["due_date"] = f"截止 {_said(due_at)} 已经过去，请另选时间"
    if wrong or reference_date is None or opens_at is None or due_at is None:
        raise RefusedError("round-form", "有几处要改，改好再看要问哪些单位", places=wrong)
    check_repeats(kind, typed.get("repeats", ""))
    keys = set(lists.get("steps", ()))
    return Asked(
        register=register,
        period=_period(kind, typed.get("period", "")),
        title=typed["title"].strip(),
        scope_unit=_scope_unit(account, typed.get("scope", "")),
        kinds=list(lists.get("kinds", ())),
        reference_date=reference_date,
        opens_at=opens_at,
        due_at=due_at,
        steps=[one for one in policy_at(clock.today()).steps if one.key in keys],
        note=typed.get("note", ""),
        repeats=typed.get("repeats", ""),
    )


def _said(moment: dt.datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


def _scope_unit(account: Account, asked: str) -> Unit:
    offered = [one.value for one in _scopes(account, "")]
    wanted = asked or (offered[0] if offered else "")
    if wanted not in offered:
        raise NotFoundError
    return Unit.objects.get(pk=int(wanted))


@dataclass(frozen=True, slots=True)
class Preview:
    """What opening will do, in sentences."""

    owed: int
    words: str  # 114 所学校要填报
    names: str
    by_kind: Sequence[tuple[str, str]]
    times: str
    steps: Sequence[tuple[str, str]]  # day, what goes to whom
    warnings: Sequence[str]


def preview_round(asked: Asked) -> Preview:
    """Who will owe, until when, and what goes out on which day. RefusedError (`round-empty`) where nobody would."""
    today = clock.today()
    schema = schema_of(asked.register, asked.reference_date)
    check_round(
        asked.register,
        asked.period,
        asked.title,
        asked.scope_unit,
        asked.opens_at,
        asked.due_at,
        schema_of(asked.register).period,
    )
    ids = asked_units(asked.scope_unit, schema.level, asked.reference_date, asked.kinds)
    if not ids:
        told = (
            f"{asked.reference_date:%Y-%m-%d} 在“{name_of(asked.scope_unit, asked.reference_date)}”下没有要填报的单位，"
            "请核对统计时点、范围和学校类别"
        )
        raise RefusedError("round-empty", told, places={"reference_date": told})
    facts = facts_at(ids, asked.reference_date)
    names = names_at(ids, asked.reference_date)
    table = code_tables().get("school_kind")
    labels = {one.code: one.label for one in table.items} if table is not None else {}
    counts = Counter(one.kind for one in facts.values() if one.kind) if schema.level == "school" else Counter()
    noun = _NOUNS.get(schema.level, "个单位")
    return Preview(
        owed=len(ids),
        words=f"{len(ids):,} {noun}要填报",
        names=names_words([names.get(one, "") for one in ids]),
        by_kind=[(labels.get(one, one), f"{count:,} 所") for one, count in counts.most_common()],
        times=f"{due_words(asked.opens_at, today)} 开始，{due_words(asked.due_at, today)} 截止",
        steps=_step_days(asked),
        warnings=_warnings(asked),
    )


def _step_days(asked: Asked) -> list[tuple[str, str]]:
    due = clock.local(asked.due_at).date()
    made = []
    for step in sorted(asked.steps, key=lambda one: one.days):
        try:
            day = clock.day_words(workday_shifted(due, step.days))
        except RefusedError:  # a year without a published calendar
            day = "校历还没有这一年，届时再定"
        made.append((day, step.words))
    return made


def _warnings(asked: Asked) -> list[str]:
    told = []
    due = clock.local(asked.due_at).date()
    try:
        if not is_workday(due):
            told.append(f"截止日 {due:%Y-%m-%d} 不是工作日。")
    except RefusedError as refused:
        told.append(str(refused))
    if not asked.steps:
        told.append("没有留下催办步骤，系统不会自动提醒，只能手工催办。")
    return told
