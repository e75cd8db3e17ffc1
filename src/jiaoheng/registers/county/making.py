"""The synthetic county put together: places, people, three years of rows, rounds in the middle of their work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from jiaoheng.packs import load
from jiaoheng.registers.county import class_life, conditions, life, rounds, writing_times
from jiaoheng.registers.county.accounts import DEMO_SCHOOL, make_accounts
from jiaoheng.registers.county.classes import NEWEST, Klass, class_unit, make_classes
from jiaoheng.registers.county.making_people import pupil_batches, teacher_batches
from jiaoheng.registers.county.making_years import Ground, year_batches
from jiaoheng.registers.county.mistakes import as_typed, typical_mistakes
from jiaoheng.registers.county.model import STANDING, Batch, County, DraftSeed, FilingSeed, Mistake, RoundSeed
from jiaoheng.registers.county.places import YEARS, School, make_schools, school_events, school_unit, upper_units
from jiaoheng.registers.county.pupils import Pupils, class_rows_now, class_rows_of, make_pupils
from jiaoheng.registers.county.rounds import People, moment
from jiaoheng.registers.county.school_rows import earlier, principals, school_rows
from jiaoheng.registers.county.teachers import Staff, make_staff
from jiaoheng.registers.model import Data

_LATER_FORM = 2  # version of the form of school conditions since 2025
_BOOKS = 0.3  # of the classes have a class teacher's book
_GROWTH = 0.08  # of the classes have growth records


def make_county(seed: int = 20261128, scale: float = 1.0) -> County:
    """The county 青槐县: the same seed and scale give the same county.

    scale: 1 is the whole county (114 schools, 60,000 pupils, 5,000 teachers); less gives a small one with all kinds of
    schools and all events, for tests.
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale must be in (0, 1]: {scale}")
    rng = np.random.default_rng(seed)
    exact = scale >= 1
    schools = make_schools(scale, rng)
    classes = make_classes(schools, rng, exact)
    used: dict[tuple[int, bool], int] = {}
    pupils = make_pupils(classes, used, rng)
    staff = make_staff(schools, pupils.classes, used, rng, exact)
    by_school = conditions.staff_of(staff, schools)
    leaders = principals(schools, by_school, rng)
    accounts = make_accounts(schools, classes, by_school, leaders, rng)
    actors = People.of(accounts)
    terms = _terms(classes, pupils, staff, rng)
    ground = Ground(schools, classes, by_school, leaders, pupils, terms, rng)
    old_batches, condition_now = year_batches(ground)
    batches = [*_school_batches(schools, leaders, rng), *teacher_batches(staff), *pupil_batches(pupils), *old_batches]
    batches += _life(ground, staff)
    term_batches = [_term_batch(terms, year, spring, code) for code, year, spring in writing_times.TERMS]
    sizes = _open_sizes(ground, actors)
    form = _open_conditions(ground, actors, condition_now)
    batches += [*term_batches, *sizes.batches, *form.batches]
    old_rounds = _old_rounds(ground, actors)
    units = [*upper_units(), *(school_unit(one) for one in schools), *(class_unit(one) for one in classes)]
    return County(
        name=load("county")["county"]["name"],
        seed=seed,
        now=writing_times.NOW,
        units=units,
        events=school_events(schools),
        accounts=accounts,
        batches=sorted(batches, key=lambda one: one.at),
        rounds=[*old_rounds, sizes.round, form.round],
        drafts=form.drafts,
        mistakes=_mistakes(schools, condition_now),
        slips_row=condition_now[next(one.code for one in schools if one.name == DEMO_SCHOOL)],
    )


@dataclass(slots=True)
class _Open:
    round: RoundSeed
    batches: list[Batch]
    drafts: list[DraftSeed]


def _terms(
    classes: Sequence[Klass], pupils: Pupils, staff: Staff, rng: np.random.Generator
) -> dict[str, tuple[list[str], list[Data]]]:
    """Term → units and class rows; the newest agree with the pupils."""
    found = {code: class_rows_of(classes, year, spring, rng) for code, year, spring in writing_times.TERMS}
    found[writing_times.THIS_TERM[1]] = (
        [one.school.code for one in pupils.classes],
        class_rows_now(pupils, staff.heads),
    )
    return found


def _term_batch(terms: dict[str, tuple[list[str], list[Data]]], year: int, spring: bool, code: str) -> Batch:
    units, rows = terms[code]
    return Batch("classes", 1, ("term", code), writing_times.term_day(year, spring), units, rows)


def _school_batches(schools: Sequence[School], leaders: dict[str, str], rng: np.random.Generator) -> list[Batch]:
    """The standing forms: as they were in 2024, then each change on its day."""
    rows = school_rows(schools, leaders, rng)
    before = earlier(schools, rows, rng)
    there = [at for at, one in enumerate(schools) if one.starts_on < dt.date(YEARS[0], 9, 1)]
    found = [
        Batch(
            "schools",
            1,
            STANDING,
            writing_times.autumn(2024, 9, 10),
            [schools[at].code for at in there],
            [before[at] for at in there],
        )
    ]
    for day, reason in ((dt.date(2025, 9, 5), "校长调整、学校更名"), (dt.date(2026, 9, 4), "开学核对")):
        changed = [
            at
            for at in there
            if before[at] != rows[at] and (day.year == 2025) == (str(rows[at]["principal_since"]) < "2026-01-01")
        ]
        if changed:
            found.append(
                Batch(
                    "schools",
                    1,
                    STANDING,
                    moment(day, 16),
                    [schools[at].code for at in changed],
                    [rows[at] for at in changed],
                    reason,
                    later=True,
                    door="page",
                )
            )
    new = [at for at, one in enumerate(schools) if at not in set(there)]
    if new:
        found.append(
            Batch(
                "schools",
                1,
                STANDING,
                writing_times.autumn(2026, 9, 3),
                [schools[at].code for at in new],
                [rows[at] for at in new],
                "新建学校",
                door="page",
            )
        )
    return found


def _life(ground: Ground, staff: Staff) -> list[Batch]:
    """Activities, publicity, documents, party branches, class teachers' books, contacts and growth records."""
    rng, by_school, schools = ground.rng, ground.staff, ground.open_now
    found: list[Batch] = []
    totals = load("county")["totals"]
    units, rows = life.document_rows(schools, by_school, writing_times.TODAY, rng)
    found.append(Batch("documents", 1, STANDING, writing_times.autumn(2026, 9, 21), units, rows))
    for year in YEARS:
        last = min(dt.date(year + 1, 7, 10), writing_times.TODAY)
        at = min(moment(last, 8), writing_times.NOW)
        own = [one for one in schools if one.open_in(year)]
        key = ("year", str(year))
        units, rows = life.activity_rows(own, by_school, year, last, ground.share * (1 if year < NEWEST else 0.3), rng)
        found.append(Batch("activities", 1, key, at, units, rows))
        share = {2024: 0.8, 2025: 1.0}.get(year, 0.36)
        count = max(10, round(totals["publicity"] * share * ground.share))
        units, rows = life.publicity_rows(own, by_school, count, dt.date(year, 9, 1), last, rng)
        found.append(Batch("publicity", 1, key, at, units, rows))
        units, rows = life.party_rows(own, by_school, year, writing_times.TODAY, rng)
        found.append(Batch("party_branches", 1, key, writing_times.autumn(year, 10, 30), units, rows))
    classes = ground.pupils.classes
    chosen = sorted(rng.permutation(len(classes))[: max(6, round(len(classes) * _BOOKS))].tolist())
    demo = [at for at, one in enumerate(classes) if one.school.name == DEMO_SCHOOL]
    chosen = sorted({*chosen, *demo})
    units, rows = class_life.book_rows(ground.pupils, staff.heads, chosen, rng)
    found.append(
        Batch(
            "class_teacher_book",
            1,
            writing_times.THIS_TERM,
            writing_times.autumn(2026, 9, 28),
            units,
            rows,
            door="page",
        )
    )
    units, rows = class_life.contact_rows(ground.pupils, chosen, writing_times.TODAY, rng)
    found.append(
        Batch("home_contacts", 1, writing_times.THIS_TERM, moment(writing_times.TODAY, 8), units, rows, door="page")
    )
    able = [
        at
        for at, one in enumerate(classes)
        if one.grade(NEWEST - 1) and not one.grades[0].startswith("K") and not one.special
    ]
    some = sorted(rng.permutation(able)[: max(4, round(len(able) * _GROWTH))].tolist())
    units, rows = class_life.growth_rows(ground.pupils, some, rng)
    found.append(Batch("pupil_development", 1, ("term", "2025-2"), moment(dt.date(2026, 7, 3), 9), units, rows))
    return found


def _open_sizes(ground: Ground, actors: People) -> _Open:
    """The round of class sizes of this autumn: its date is over, nine schools are late."""
    units, rows = ground.terms[writing_times.THIS_TERM[1]]
    by_school: dict[str, list[Data]] = {}
    for unit, row in zip(units, rows, strict=True):
        by_school.setdefault(unit, []).append(row)
    for own in by_school.values():
        own.sort(key=lambda row: (str(row["grade"]), str(row["class_code"])))
    states = rounds.size_states(ground.open_now, ground.rng)
    filings, batches = [], []
    for school in ground.open_now:
        own = by_school[school.code]
        filled = rounds.filled_rows(school, states[school.code], len(own))
        remarks = rounds.size_comments(by_school)
        one = rounds.filing(
            school, states[school.code], len(own), filled, writing_times.SIZES_OPENED, writing_times.SIZES_DUE,
            writing_times.NOW, actors, ground.rng, remarks,
        )  # fmt: skip
        filings.append(one)
        if filled:
            batches.append(
                Batch("classes", 1, writing_times.THIS_TERM, _written(one), [school.code] * filled, own[:filled])
            )
    seed = rounds.make_round(
        "sizes-2026", "classes", writing_times.THIS_TERM, "2026 年秋季班额台账", writing_times.SIZES_OPENED,
        writing_times.SIZES_DUE, dt.date(2026, 10, 15), filings, actors, "按实际在读人数逐班填报，与学生花名册一致。",
    )  # fmt: skip
    return _Open(seed, batches, [])


def _open_conditions(ground: Ground, actors: People, rows: dict[str, Data]) -> _Open:
    """The round of school conditions: opened two weeks ago, one school has more time."""
    states = rounds.condition_states(ground.open_now, ground.rng)
    filings: list[FilingSeed] = []
    batches: list[Batch] = []
    drafts: list[DraftSeed] = []
    remarks = rounds.condition_comments(rows)
    for school in ground.open_now:
        state, row = states[school.code], rows[school.code]
        filled = 0 if state == "empty" else 1
        one = rounds.filing(
            school, state, 1, filled, writing_times.CONDITIONS_OPENED, writing_times.CONDITIONS_DUE, writing_times.NOW,
            actors, ground.rng, remarks,
        )  # fmt: skip
        if state == "empty" and school.name != DEMO_SCHOOL and not any(each.extended_to for each in filings):
            until = moment(dt.date(2026, 12, 9), 17, 30)
            one = FilingSeed(school.code, "empty", 0, 1, extended_to=until, extension_reason="校舍维修，资产正在盘点")
        if state == "draft":
            slips = typical_mistakes(school.code, writing_times.THIS_YEAR, row)
            typed = as_typed(row, slips[:1] if school.index % 2 else [])
            kept = dict(list(typed.items())[: 8 + school.index % 12])
            at = one.touched_at or writing_times.NOW
            drafts.append(
                DraftSeed(
                    school.code, "school_conditions", writing_times.THIS_YEAR, actors.clerks[school.code], kept, at
                )
            )
        elif filled:
            batches.append(
                Batch(
                    "school_conditions",
                    _LATER_FORM,
                    writing_times.THIS_YEAR,
                    _written(one),
                    [school.code],
                    [row],
                    door="file" if school.index % 3 else "page",
                )
            )
        filings.append(one)
    seed = rounds.make_round(
        "conditions-2026", "school_conditions", writing_times.THIS_YEAR, "2026 年学校办学条件", writing_times.CONDITIONS_OPENED,
        writing_times.CONDITIONS_DUE, dt.date(2026, 10, 15), filings, actors, "统计时点 10 月 15 日；与去年相差两成以上的请写一句说明。",
    )  # fmt: skip
    return _Open(seed, batches, drafts)


def _written(one: FilingSeed) -> dt.datetime:
    """Rows are written a little before they are sent, or when the school last touched them."""
    at = one.steps[0].at if one.steps else one.touched_at
    assert at is not None  # noqa: S101 (rows only where somebody wrote)
    return at - dt.timedelta(minutes=25)


def _old_rounds(ground: Ground, actors: People) -> list[RoundSeed]:
    """Rounds that are through, everything approved."""
    found: list[RoundSeed] = []
    plans: Iterable[tuple[str, str, tuple[str, str], str, dt.date, dt.date]] = (
        (
            "conditions-2024",
            "school_conditions",
            ("year", "2024"),
            "2024 年学校办学条件",
            dt.date(2024, 10, 16),
            dt.date(2024, 11, 1),
        ),
        (
            "conditions-2025",
            "school_conditions",
            ("year", "2025"),
            "2025 年学校办学条件",
            dt.date(2025, 10, 16),
            dt.date(2025, 10, 31),
        ),
        ("sizes-2025", "classes", ("term", "2025-2"), "2026 年春季班额台账", dt.date(2026, 3, 2), dt.date(2026, 3, 13)),
    )
    for key, register, period, title, opened, due in plans:
        year = int(period[1][:4])
        counts: dict[str, int] = {}
        if register == "classes":
            for unit in ground.terms[period[1]][0]:
                counts[unit] = counts.get(unit, 0) + 1
        filings = []
        for school in ground.schools:
            if not school.open_in(year):
                continue
            owed = counts.get(school.code, 1)
            end = moment(due + dt.timedelta(days=12), 12)
            filings.append(
                rounds.filing(school, "approved", owed, owed, opened, due, end, actors, ground.rng, lambda _school: [])
            )
        closed = due + dt.timedelta(days=14)
        found.append(
            rounds.make_round(key, register, period, title, opened, due, opened, filings, actors, closed=closed)
        )
    return found


def _mistakes(schools: Sequence[School], rows: dict[str, Data]) -> list[Mistake]:
    """The slips of the demonstration's clerk."""
    demo = next(one for one in schools if one.name == DEMO_SCHOOL)
    return typical_mistakes(demo.code, writing_times.THIS_YEAR, rows[demo.code])
