"""The small county of the fault runs, made once and copied: `python -m faults.county NUMBER` in the environment of a base.

Prints a plan as JSON: ids, sessions and tokens of the people who write. The clock is the system's own: nothing is shifted.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import replace
from typing import Any

ROSTER, PEOPLE, STAFF = "f_roster", "f_people", "f_staff"
SCHOOLS = 6  # that file in each round
CSRF = "0123456789abcdefghijklmnopqrstuv"


def build(runs: int) -> dict[str, Any]:
    """Tables, units, people, registers, filled rounds; the plan. `runs`: how many mergers (three times as many schools wait for one) and approvals there will be."""
    from django.core.management import call_command

    from bureau.ledgers.rounds_stage import add_person, add_school
    from bureau.world import START, make_world

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    world = make_world()
    for number in range(SCHOOLS):
        add_school(world, f"校{number}", f"东镇第{number}小学", "东", f"21990001{number:02d}")
    merging = []
    for number in range(3 * runs):
        short = f"并{number}"
        add_school(world, short, f"西镇第{number}教学点", "西", f"21990002{number:02d}", starts_on=START)
        merging.append(world[short].pk)
    add_person(world, "导入员", "clerk", "甲")
    registers = _registers(world)
    _people_records(world, registers[PEOPLE], merging)
    people = {
        "clerk": world["甲填报"],
        "importer": world["导入员"],
        "district": world["东学区"],
        "office": world["股长"],
        "admin": world["管理员"],
    }
    return {
        "unit": world["甲"].pk,
        "receiver": world["丙"].pk,
        "merging": merging,
        "rounds": _rounds(world, runs),
        "people": {name: _entrance(account) for name, account in people.items()},
        "csrf": CSRF,
    }


def _registers(world: Any) -> dict[str, Any]:
    from bureau.ledgers.registers_for_tests import ROSTER as KNOWN
    from bureau.ledgers.registers_for_tests import store
    from jiaoheng.registers.model import Field, FieldType

    plain = tuple(one for one in KNOWN.fields if not one.sensitive)
    photo = Field("photo", FieldType.FILE, "照片")
    return {
        ROSTER: store(replace(KNOWN, name=ROSTER, title="名册", fields=plain)),
        PEOPLE: store(replace(KNOWN, name=PEOPLE, title="人员", fields=(*KNOWN.fields, photo))),
    }


def _people_records(world: Any, register: Any, merging: list[int]) -> None:
    """Records that hang on the schools that will be merged, with protected numbers for the rotation of keys."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.changes import Change
    from jiaoheng.bureau.ledgers.registry import schema_of
    from jiaoheng.bureau.ledgers.writing import Batch, write

    @audit.action
    def do_write(*, acting_user: Any) -> None:
        units = [*merging, *[world["甲"].pk] * 400]
        changes = [
            Change(unit, {"code": f"B{number:05d}", "name": f"张{number}", "id_number": _id_number(number)})
            for number, unit in enumerate(units)
        ]
        write(Batch(register, schema_of(register), None, acting_user, "load"), changes)
        audit.note("test.fill", actor=acting_user)

    do_write(acting_user=world["管理员"])


def _id_number(number: int) -> str:
    body = f"99000020100101{number % 1000:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(sign) * weight for sign, weight in zip(body, weights, strict=True)) % 11]


def _rounds(world: Any, runs: int) -> list[dict[str, Any]]:
    """Rounds in which every school of one district has handed in: the first third for single approvals, the rest for bulk."""
    from bureau.ledgers.registers_for_tests import store
    from bureau.ledgers.rounds_stage import Stage, form
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.calendar import seed_calendar
    from jiaoheng.bureau.core.models import Period
    from jiaoheng.bureau.ledgers.models import Filing
    from jiaoheng.bureau.ledgers.rounds.actions import do_open_round, do_submit_filing

    today = clock.today()
    seed_calendar(range(today.year - 1, today.year + 1))
    reference = today - dt.timedelta(days=3)
    period = Period.objects.create(
        kind="term", code="t9999-1", name="本学期", starts_on=today - dt.timedelta(days=60),
        ends_on=today + dt.timedelta(days=20),
    )  # fmt: skip
    made = []
    for number in range(runs // 3 + runs + 4):
        row = store(replace(form(), name=f"{STAFF}{number}", title=f"师资 {number}"))
        opens, due = clock.now() - dt.timedelta(days=1), clock.at_end_of(today + dt.timedelta(days=15))
        stage = Stage(world, row, period, period)
        stage.round = do_open_round(
            row, period, f"第 {number} 次采集", world["东"], [], reference_date=reference, opens_at=opens, due_at=due,
            acting_user=world["股长"],
        )  # fmt: skip
        for school in range(SCHOOLS):
            stage.fill(f"校{school}", teachers=10 + school, classes=6)
            do_submit_filing(stage.filing(f"校{school}"), acting_user=world[f"校{school}填报"])
        filings = Filing.objects.filter(round=stage.round, state=Filing.State.DISTRICT).order_by("pk")
        made.append({"id": stage.round.pk, "filings": [[one.pk, one.version] for one in filings]})
    return made


def _entrance(account: Any) -> dict[str, str]:
    """A token and a signed-in session of a person."""
    from django.test import Client

    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.actions_tokens import do_make_token

    _token, secret = do_make_token("故障测试", ["read", "write"], clock.today(), acting_user=account)
    browser = Client()
    browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return {"token": secret, "session": browser.cookies["sessionid"].value}


if __name__ == "__main__":
    from jiaoheng.bureau.setup import start_django

    start_django()
    json.dump(build(int(sys.argv[1])), sys.stdout)
