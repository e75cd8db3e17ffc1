"""Dated defaults of rounds from the pack `reminders.yaml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.packs import load

RECEIVERS = {"filler": "填报人", "head": "本单位负责人", "district": "学区负责人", "county": "发起股室"}
MOST_DAYS = 60  # working days from the limit; further away nobody would understand the step


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder step: working days from the limit (negative: before), and the kinds of receivers."""

    days: int
    to: tuple[str, ...]

    @property
    def key(self) -> str:
        """Stable name of the step in its rows."""
        return f"{self.days:+d}:{'+'.join(self.to)}"[:40]

    @property
    def words(self) -> str:
        """截止前 3 个工作日，填报人."""
        when = "截止当天" if self.days == 0 else f"截止{'前' if self.days < 0 else '后'} {abs(self.days)} 个工作日"
        return f"{when}，{'、'.join(RECEIVERS[one] for one in self.to)}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds from a day on where a round says nothing else."""

    starts_on: dt.date
    source: str
    steps: tuple[Step, ...]
    correction_days: int
    review_days: int
    soon_days: int


def policy_at(day: dt.date) -> Policy:
    """The policy in force on a day, else the first one."""
    held = [one for one in _policies() if one.starts_on <= day]
    return held[-1] if held else _policies()[0]


@cache
def _policies() -> tuple[Policy, ...]:
    made = [
        Policy(
            starts_on=entry["from"],
            source=str(entry["source"]),
            steps=read_steps(entry["steps"]),
            correction_days=int(entry["correction_days"]),
            review_days=int(entry["review_days"]),
            soon_days=int(entry["soon_days"]),
        )
        for entry in load("reminders")
    ]
    return tuple(sorted(made, key=lambda one: one.starts_on))


def read_steps(rows: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Steps as stored in a round or pack. Raises RefusedError (`reminder-step`) for one that means nothing."""
    steps = []
    for row in rows:
        to = row.get("to", ())
        to = (to,) if isinstance(to, str) else tuple(to)
        days = row.get("days")
        known = bool(to) and all(one in RECEIVERS for one in to)
        if not known or not isinstance(days, int) or isinstance(days, bool) or abs(days) > MOST_DAYS:
            raise RefusedError(
                "reminder-step",
                f"催办步骤“{days} 个工作日，发给 {'、'.join(map(str, to)) or '（空）'}”不能用。"
                f"天数填 -{MOST_DAYS} 到 {MOST_DAYS} 的整数，接收人从{'、'.join(RECEIVERS.values())}中选",
                places={"reminders": "请改正这一步"},
            )
        steps.append(Step(days, to))
    return tuple(steps)
