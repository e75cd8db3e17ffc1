"""A small county for tests: 县 with 东镇 (甲, 乙) and 西镇 (丙), a 县直 school, an office, and one person a role."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

START = dt.date(2020, 9, 1)
PASSWORD = "槐树下的钟声42"


@dataclass
class World:
    """Units by short name, accounts by role and place."""

    units: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.units[name] if name in self.units else self.people[name]


def make_world() -> World:
    """Plant the units and make the accounts. Passwords are all PASSWORD and already changed."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.models import Account, Membership
    from jiaoheng.bureau.core.tree_writing import Seed, plant

    seeds = [
        Seed("990100", "county", "青槐县", "", START),
        Seed("D01", "department", "基础教育股", "990100", START),
        Seed("T01", "district", "东镇学区", "990100", START, township="东镇"),
        Seed("T02", "district", "西镇学区", "990100", START, township="西镇"),
        Seed("2199000001", "school", "东镇甲小学", "T01", START, kind="211", ownership="1", locality="3"),
        Seed("2199000002", "school", "东镇乙小学", "T01", START, kind="211", ownership="1", locality="3"),
        Seed("2199000003", "school", "西镇丙小学", "T02", START, kind="211", ownership="1", locality="3"),
        Seed("3199000004", "school", "青槐县实验中学", "990100", START, kind="311", ownership="1", locality="1"),
        Seed("2199000001-101", "class", "一（1）班", "2199000001", START, kind="1"),
        Seed("2199000001-102", "class", "一（2）班", "2199000001", START, kind="1"),
    ]
    planted = plant(seeds)
    names = {
        "县": "990100", "股": "D01", "东": "T01", "西": "T02", "甲": "2199000001", "乙": "2199000002",
        "丙": "2199000003", "直": "3199000004", "甲101": "2199000001-101", "甲102": "2199000001-102",
    }  # fmt: skip
    world = World(units={short: planted[code] for short, code in names.items()})
    people = [
        ("局长", "leader", "县"), ("股长", "department", "股"), ("东学区", "district", "东"), ("西学区", "district", "西"),
        ("甲校长", "principal", "甲"), ("甲填报", "clerk", "甲"), ("乙填报", "clerk", "乙"), ("丙填报", "clerk", "丙"),
        ("直填报", "clerk", "直"), ("甲班主任", "class_teacher", "甲101"), ("甲教师", "teacher", "甲"), ("督学", "inspector", "股"),
        ("管理员", "admin", "县"), ("乡镇", "township", "东"),
    ]  # fmt: skip
    for number, (name, role, unit) in enumerate(people, start=1):
        account = Account(
            username=f"u{number:03d}",
            name=name,
            home=world.units[unit],
            must_change_password=False,
            created_at=clock.beijing(2020, 9, 1),
        )
        account.set_password(PASSWORD)
        account.save()
        Membership.objects.create(account=account, role=role, unit=world.units[unit], starts_on=START)
        world.people[name] = account
    return world
