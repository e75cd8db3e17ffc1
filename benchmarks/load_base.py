"""The base of a load run, asked in a process of its own: who signs in before it, what lies there after it.

python benchmarks/load_base.py people USERS   accounts as JSON; those that are used have changed their first password
python benchmarks/load_base.py check LEDGER   what the ledger of acknowledged writes finds in the base, as JSON
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

# of a hundred people; whoever is there in fewer accounts signs in from several places
MIX = {
    "clerk": 53, "principal": 12, "district": 10, "class_teacher": 5, "program": 5, "department": 5, "township": 3,
    "teacher": 2, "leader": 2, "research": 1, "inspector": 1, "admin": 1,
}  # fmt: skip


def shares(users: int) -> list[str]:
    """The role of each of so many people: by MIX, and every part of the day is there however few they are."""
    roles = [role for role, count in MIX.items() for _ in range(count)]
    if users >= len(MIX) * 2:
        picked = list(MIX)  # one of each, the others by their share
        step = len(roles) / (users - len(picked))
        return [*picked, *(roles[int(number * step)] for number in range(users - len(picked)))]
    return (["clerk", "district", "program", "department", "clerk", *MIX] * 2)[:users]


def people(users: int) -> dict[str, Any]:
    """Role, account, unit of each person, and the newest numbers of the tables before the run."""
    from django.db.models import Max

    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.models import Account, AuditEntry, Membership
    from jiaoheng.bureau.core.tree import holds
    from jiaoheng.bureau.ledgers.models import Filing, FilingStep, Record, RecordVersion

    rows = Membership.objects.filter(holds(clock.today()), account__closed_at__isnull=True)
    by_role: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for role, pk, name, unit in rows.order_by("account_id").values_list(
        "role", "account_id", "account__username", "unit_id"
    ):
        by_role[role].append((pk, name, unit))
    owing = set(Filing.objects.filter(state__in=("draft", "returned")).values_list("unit_id", flat=True))
    by_role["clerk"].sort(key=lambda one: one[2] not in owing)  # every second one still has something to hand in
    used: Counter[str] = Counter()
    found = []
    for role in shares(users):
        of = by_role["clerk" if role == "program" else role]
        number = used[role]
        used[role] += 1
        # programs act for clerks from the other end of the list
        pk, name, unit = of[(-1 - number if role == "program" else number) % len(of)]
        found.append({"role": role, "account": pk, "username": name, "unit": unit})
    Account.objects.filter(pk__in=[one["account"] for one in found]).update(must_change_password=False)
    tables = {"version": RecordVersion, "record": Record, "step": FilingStep}
    newest = {name: table.objects.aggregate(last=Max("pk"))["last"] or 0 for name, table in tables.items()}
    newest["entry"] = AuditEntry.objects.aggregate(last=Max("number"))["last"] or 0
    sizes = {"records": Record.objects.count(), "accounts": Account.objects.count()}
    day = clock.today() - dt.timedelta(days=1)
    return {"people": found, "newest": newest, "sizes": sizes, "day": day.isoformat()}


def check(ledger: Path, newest: dict[str, int]) -> dict[str, Any]:
    """Every acknowledged write exactly once, and nothing that nobody acknowledged but what was in doubt."""
    lines = [json.loads(one) for one in ledger.read_text(encoding="utf-8").splitlines()]
    told = [one for one in lines if one["sure"]]
    doubt = len(lines) - len(told)
    wrong = [*_texts(told, newest), *_imports(told), *_steps(told, newest, doubt)]
    versions, records = _counts(newest)
    for what, there, owed in (
        ("versions", versions, sum(one.get("versions", 0) for one in told)),
        ("records", records, sum(one.get("records", 0) for one in told)),
    ):
        if there < owed or (there > owed and not doubt):
            wrong.append(f"{there} new {what}, {owed} acknowledged, {doubt} writes in doubt")
    done = Counter(one["what"] for one in told)
    return {"writes": dict(done), "versions": versions, "doubt": doubt, "wrong": wrong}


def _counts(newest: dict[str, int]) -> tuple[int, int]:
    from jiaoheng.bureau.ledgers.models import Record, RecordVersion

    return (
        RecordVersion.objects.filter(pk__gt=newest["version"]).count(),
        Record.objects.filter(pk__gt=newest["record"]).count(),
    )


def _texts(told: list[dict[str, Any]], newest: dict[str, int]) -> list[str]:
    """Each marked text came into exactly one record by exactly one version, and the record is the one that was said."""
    from jiaoheng.bureau.ledgers.models import RecordVersion

    fields = {"remark", "title"}
    came: dict[str, list[int]] = defaultdict(list)
    rows = RecordVersion.objects.filter(pk__gt=newest["version"]).order_by("record_id", "number")
    before: dict[tuple[int, str], Any] = {}
    for record_id, data in rows.values_list("record_id", "data"):
        for name in fields & set(data):
            if before.get((record_id, name)) != data[name]:
                came[str(data[name])].append(record_id)
            before[record_id, name] = data[name]
    wrong = []
    for one in told:
        for text in one.get("texts", ()):
            there = came.get(text, [])
            if len(there) != 1 or one.get("record") not in (None, there[0]):
                wrong.append(f"{one['what']} of record {one.get('record')}: “{text}” came {len(there)} times")
    return wrong


def _imports(told: list[dict[str, Any]]) -> list[str]:
    from jiaoheng.bureau.ledgers.models import ImportBatch, RecordVersion

    wrong = []
    for one in told:
        if one["what"] == "import":
            state = ImportBatch.objects.get(pk=one["import"]).state
            rows = RecordVersion.objects.filter(batch_id=one["import"]).count()
            if state != "done" or rows != one["versions"]:
                wrong.append(f"import {one['import']}: {state}, {rows} versions instead of {one['versions']}")
    return wrong


def _steps(told: list[dict[str, Any]], newest: dict[str, int], doubt: int) -> list[str]:
    from jiaoheng.bureau.ledgers.models import FilingStep

    there = Counter(FilingStep.objects.filter(pk__gt=newest["step"]).values_list("filing_id", "kind", "by_id"))
    owed = Counter((one["filing"], one["what"], one["account"]) for one in told if "filing" in one)
    wrong = [
        f"filing {key}: {there[key]} steps, {count} acknowledged" for key, count in owed.items() if there[key] < count
    ]
    if there != owed and not wrong and not doubt:
        wrong = [f"steps that nobody acknowledged: {dict(there - owed)}"]
    return wrong


def main() -> None:
    os.environ.setdefault("JIAOHENG_ENV", "demo")
    from jiaoheng.bureau.setup import start_django

    start_django()
    if sys.argv[1] == "people":
        print(json.dumps(people(int(sys.argv[2]))))
    else:
        print(json.dumps(check(Path(sys.argv[2]), json.loads(sys.argv[3])), ensure_ascii=False))


if __name__ == "__main__":
    main()
