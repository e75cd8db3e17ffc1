"""Whether the data hang together: checks that are written as data (`integrity.yaml`), one expression each.

The expression is a SELECT whose rows are the faults (`id`, `name`, `note`). The same one gives the number and the
details, so that the two can never differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from django.db import connection, transaction

from jiaoheng.bureau.operations.doctor.findings import Doctor, Health, check

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """One rule of the data file."""

    key: str
    title: str
    severity: str  # bad, look
    introduction: str  # what the rule is and why it matters
    recommendation: str
    faults: str  # SELECT id, name, note


@cache
def integrity_checks() -> tuple[IntegrityCheck, ...]:
    """The rules of the data file."""
    body = yaml.safe_load(Path(__file__).with_name("integrity.yaml").read_text(encoding="utf-8"))
    return tuple(IntegrityCheck(key=key, **one) for key, one in body["checks"].items())


def faults_of(one: IntegrityCheck, limit: int = _SHOWN) -> tuple[int, list[tuple[str, str, str]]]:
    """How many faults, and the first of them as (id, name, note)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({one.faults}) AS faults")  # noqa: S608 (our own data file)
        count = int(cursor.fetchone()[0])
        if not count:
            return 0, []
        cursor.execute(f"SELECT id, name, note FROM ({one.faults}) AS faults ORDER BY 1 LIMIT {int(limit)}")  # noqa: S608 (our own data file)
        return count, [(str(row[0]), str(row[1] or ""), str(row[2] or "")) for row in cursor.fetchall()]


@check("integrity", "数据")
def integrity(doctor: Doctor) -> None:
    """Every rule of the data file."""
    well = 0
    for one in integrity_checks():
        count, first = faults_of(one)
        if not count:
            well += 1
            continue
        details = tuple(" ".join(part for part in (f"编号 {pk}", name, note) if part) for pk, name, note in first)
        tell = doctor.bad if one.severity == Health.BAD else doctor.look
        tell(f"{one.title}：{count} 处。{one.introduction}", one.recommendation, details)
    if well:
        doctor.good(f"{well} 项数据检查都没有问题")
