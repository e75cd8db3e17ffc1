"""The years of the county as one list of moments: everything happens in the order in which it happened."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.demo.planting import do_note_event
from jiaoheng.bureau.demo.rounds import RoundLife, do_keep_draft
from jiaoheng.bureau.demo.rows import Ground, do_load_rows
from jiaoheng.bureau.ledgers.rounds.reminding import sweep
from jiaoheng.registers.county import Batch, County, FilingSeed, PeriodKey, StepSeed

Moment = tuple[dt.datetime, int, str, str, Callable[[], Any]]  # when, order at one moment, stage, door, what
ROWS, ROUNDS, STEPS = "台账", "填报轮次", "填报进度"


def moments(
    county: County, ground: Ground, accounts: Mapping[str, Account], *, history: bool = True
) -> tuple[list[Moment], list[RoundLife]]:
    """Everything that happened, in order. history: without it the optional batches are left out."""
    lives = [RoundLife(seed, ground, accounts) for seed in county.rounds]
    first = _first_sent(county)
    found = [
        _moment(_written_at(one, first), 1, ROWS, one.door, partial(do_load_rows, ground, one, acting_user=None))
        for one in county.batches
        if history or not one.optional
    ]
    admin = next((accounts[one.username] for one in county.accounts if one.demo == "admin"), None)
    for event in county.events:
        at = clock.beijing(event.happened_on.year, event.happened_on.month, event.happened_on.day, 9)
        name = county.by_code[event.unit].name
        found.append(
            _moment(at, 0, ROUNDS, "page", partial(do_note_event, event, ground.units, name, acting_user=admin))
        )
    for draft in county.drafts:
        work = partial(do_keep_draft, ground, draft, acting_user=accounts[draft.by])
        found.append(_moment(draft.at, 2, STEPS, "page", work))
    for life in lives:
        found += _round_moments(life, county.now)
    found += _sweeps(county)
    return sorted(found, key=lambda one: one[:2]), lives


def _moment(at: dt.datetime, order: int, stage: str, door: str, work: Callable[[], Any]) -> Moment:
    return at, order, stage, door, work


def _round_moments(life: RoundLife, now: dt.datetime) -> list[Moment]:
    seed = life.seed
    found = [_moment(seed.opens_at, 0, ROUNDS, "page", life.open), *_step_moments(life)]
    pressed: dict[dt.datetime, list[FilingSeed]] = defaultdict(list)
    for filing in seed.filings:
        if filing.extended_to is not None:
            at = max(seed.opens_at, now - dt.timedelta(days=2, hours=1))
            found.append(_moment(at, 8, STEPS, "page", partial(life.extend, filing)))
        if filing.reminded_at is not None:
            pressed[filing.reminded_at].append(filing)
    found += [_moment(at, 9, STEPS, "page", partial(life.remind, late)) for at, late in pressed.items()]
    if seed.closed_at is not None:
        found.append(_moment(seed.closed_at, 9, ROUNDS, "page", life.close))
    return found


def _step_moments(life: RoundLife) -> list[Moment]:
    """Steps of a running round one by one, of one that is through by the day: nobody looks at its minutes."""
    steps = [(step.at, number, one, step) for one in life.seed.filings for number, step in enumerate(one.steps)]
    steps.sort(key=lambda one: one[:2])
    groups: dict[object, list[tuple[FilingSeed, StepSeed]]] = defaultdict(list)
    for at, number, one, step in steps:
        groups[clock.local(at).date() if life.seed.closed_at else (at, number, one.unit)].append((one, step))
    return [
        _moment(group[-1][1].at, 2 + len(group[-1][0].steps), STEPS, "page", partial(life.take, group))
        for group in groups.values()
    ]


def _first_sent(county: County) -> dict[tuple[str, PeriodKey], dt.datetime]:
    """Register and period → when the first unit sent its rows."""
    found: dict[tuple[str, PeriodKey], dt.datetime] = {}
    for one in county.rounds:
        sent = [step.at for filing in one.filings for step in filing.steps]
        if sent and one.closed_at is not None:
            found[one.register, one.period] = min(sent)
    return found


def _written_at(batch: Batch, first: Mapping[tuple[str, PeriodKey], dt.datetime]) -> dt.datetime:
    """When a batch is written: what was collected in an old round stood there before the first unit sent it."""
    sent = first.get((batch.register, batch.period))
    return batch.at if sent is None or batch.later else min(batch.at, sent - dt.timedelta(minutes=5))


def _sweeps(county: County) -> list[Moment]:
    """The worker's own reminders, every morning since the first open round began."""
    running = [one.opens_at for one in county.rounds if one.closed_at is None]
    found, at = [], min(running, default=county.now).replace(hour=8, minute=31)
    while at < county.now:
        found.append(_moment(at, 7, STEPS, "worker", sweep))
        at += dt.timedelta(days=1)
    return found


def play(moment: Moment) -> None:
    """Let one moment happen, at its time and by its door."""
    at, _order, _stage, door, work = moment
    with clock.at(at), audit.through(door):
        work()
