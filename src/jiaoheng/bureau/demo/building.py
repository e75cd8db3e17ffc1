"""`build`: an empty database becomes the demonstration."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.actions_calendar import do_seed_calendar
from jiaoheng.bureau.core.demo_clock import mark_demo
from jiaoheng.bureau.core.models import Account, Notice
from jiaoheng.bureau.core.periods import ensure_periods
from jiaoheng.bureau.demo.authors import Authors
from jiaoheng.bureau.demo.guard import check_allowed, check_empty
from jiaoheng.bureau.demo.indexing import do_index_all
from jiaoheng.bureau.demo.people import do_add_people
from jiaoheng.bureau.demo.planting import do_plant_units
from jiaoheng.bureau.demo.replay import moments, play
from jiaoheng.bureau.demo.rows import Ground
from jiaoheng.bureau.demo.slips import write_slips
from jiaoheng.bureau.ledgers.actions_registers import load_pack
from jiaoheng.registers.county import County, make_county
from jiaoheng.registers.loading import load_shipped

SEED = 20261128
BEGIN = clock.beijing(2024, 8, 20, 8, 30)  # the bureau's first day with the system
YEARS = range(2024, 2027)
_LOOKED = dt.timedelta(days=4)  # so long ago the people of the sign-in page last looked at what changed
Progress = Callable[[str, int, int], None]


@dataclass
class Built:
    """What was built, and how long each stage took (seconds)."""

    county: County
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)
    slips: Path | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of a block."""
        begin = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - begin


def build(
    *,
    acting_user: Account | None = None,
    seed: int = SEED,
    scale: float = 1.0,
    history: bool = True,
    progress: Progress = lambda _stage, _done, _total: None,
) -> Built:
    """Put the synthetic county into the empty database of a demo environment, each thing at its own time.

    scale: 1 is the whole county, less a small one. history: without it pupils have no versions of earlier years.
    Raises RefusedError (`demo-production`, `demo-not-empty`).
    """
    check_allowed()
    check_empty()
    begin = time.perf_counter()
    made = Built(make_county(seed, scale))
    made.seconds["虚构数据"] = time.perf_counter() - begin
    with _quick_writes():
        with clock.at(BEGIN), audit.through("command"):
            ground, accounts = _lay_ground(made, acting_user)
        happened, _lives = moments(made.county, ground, accounts, history=history)
        for number, one in enumerate(happened, 1):
            with made.stage(one[2]):
                play(one)
            made.counts[one[2]] += 1
            progress("重演三年台账", number, len(happened))
        with clock.at(made.county.now), audit.through("command"), made.stage("检索"):
            made.counts["检索"] = do_index_all(acting_user=acting_user)
            _put_away_old_notices(made.county.now)
    made.slips = write_slips(settings.DATA, made.county, ground)
    mark_demo(settings.DATA, made.county.now)
    return made


def _lay_ground(made: Built, acting_user: Account | None) -> tuple[Ground, dict[str, Account]]:
    county = made.county
    with made.stage("校历、台账定义"):
        do_seed_calendar(acting_user=acting_user)
        for year in YEARS:
            ensure_periods(year)
    with made.stage("单位、账号"):
        units = do_plant_units(county.units, acting_user=acting_user)
        accounts = do_add_people(county.accounts, units, acting_user=acting_user)
    with made.stage("校历、台账定义"):
        load_pack(load_shipped(), acting_user=acting_user, source="随程序提供")
    made.counts.update({"单位": len(units), "账号": len(accounts)})
    return Ground(units, Authors.make(county, accounts)), accounts


def _put_away_old_notices(now: dt.datetime) -> None:
    """What people were told before they last looked counts as seen: 有变化的 shows the last days."""
    looked = now - _LOOKED
    Notice.objects.filter(at__lt=looked).update(seen_at=looked)
    Account.objects.filter(must_change_password=False).update(seen_until=looked)


@contextmanager
def _quick_writes() -> Iterator[None]:
    """SQLite without waiting for the disk: a demonstration that was cut off is built anew."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.execute("PRAGMA optimize")
