"""What a person reads of the registers of classes, pupils and teachers, and the units above them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Period, Unit, UnitEdge
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at, holds
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.model import Data

CLASSES, PUPILS, TEACHERS = "classes", "pupils", "teachers"
IN_SCHOOL = ("01", "08")  # 在读, 借读
AT_WORK = ("1", "3", "4", "5")  # 在岗, 交流, 病假, 产假


@dataclass(frozen=True, slots=True)
class Person:
    """One record of pupils or teachers, or a class, with its school."""

    record_id: int
    unit_id: int
    version: int
    data: Data


@dataclass(frozen=True, slots=True)
class Org:
    """One unit of a set."""

    unit_id: int
    code: str
    level: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that a set is made of."""

    term: Period
    year: Period
    orgs: Mapping[int, Org]
    classes: Mapping[tuple[int, str], Person]  # school and class code
    pupils: tuple[Person, ...]
    teachers: Mapping[tuple[int, str], Person]  # school and staff number
    grades: Mapping[str, str]


def sources_of(account: Account, term: Period) -> Sources:
    """The sources inside a person's reading scope on the term's days. RefusedError `roster-term`, `roster-register`."""
    if term.kind != Period.Kind.TERM or term.parent is None:
        raise RefusedError("roster-term", f"“{term.name}”不是学期，名册按学期交换，请选学期")
    scope = scope_of(account, Can.READ)
    if not scope:
        raise NotFoundError
    day = term.starts_on
    classes = _rows(account, CLASSES, term)
    pupils = [one for one in _rows(account, PUPILS, None) if one.data.get("status") in IN_SCHOOL]
    teachers = [one for one in _rows(account, TEACHERS, None) if one.data.get("status") in AT_WORK]
    units = scope.units(day).filter(level__in=("county", "district", "school"))
    register = RegisterRow.objects.get(name=CLASSES)
    table = schema_of(register, day).tables.get("grade")
    grades = table.valid(day) if table is not None else {}
    return Sources(
        term=term,
        year=term.parent,
        orgs=_orgs(units, day),
        classes={(one.unit_id, str(one.data.get("class_code", ""))): one for one in classes},
        pupils=tuple(pupils),
        teachers={(one.unit_id, str(one.data.get("staff_number", ""))): one for one in teachers},
        grades=grades,
    )


def _rows(account: Account, name: str, period: Period | None) -> list[Person]:
    register = RegisterRow.objects.filter(name=name).first()
    if register is None:
        raise RefusedError("roster-register", f"没有装入“{name}”台账，名册要用学生、教师、班级三个台账，请先装入")
    schema = schema_of(register)
    rows = RecordVersion.objects.filter(
        CURRENT, scope_of(account, Can.READ).rows(name), register=register, period=period
    )
    return [
        Person(one.record_id, one.unit_id, one.number, carried(schema, one.data)) for one in rows.order_by("record_id")
    ]


def _orgs(units: Iterable[Unit], day: dt.date) -> dict[int, Org]:
    found = {one.pk: one for one in units}
    facts = facts_at(found, day)
    edges = UnitEdge.objects.filter(holds(day), unit_id__in=list(found)).values_list("unit_id", "parent_id")
    parents = dict(edges)
    made = {}
    for pk, one in sorted(found.items()):
        parent = found.get(parents.get(pk, 0))
        name = facts[pk].name if pk in facts else one.code
        made[pk] = Org(pk, one.code, one.level, name, parent.code if parent is not None else "")
    return made
