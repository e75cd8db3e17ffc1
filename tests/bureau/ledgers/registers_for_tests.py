"""Registers made for tests, stored as the loader stores them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Level, PeriodKind, Register, Sensitive

GRADES = CodeTable(
    "test_grade",
    "等级",
    (
        CodeItem("A", "甲级"),
        CodeItem("B", "乙级", until=dt.date(2025, 9, 1)),
        CodeItem("B", "良好", from_=dt.date(2025, 9, 1)),
        CodeItem("C", "丙级", until=dt.date(2025, 9, 1)),
    ),
)

CONDITIONS = Register(
    name="t_conditions",
    title="办学条件",
    version=1,
    effective_from=dt.date(2020, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.YEAR,
    fields=(
        Field("teachers", FieldType.INTEGER, "教师数", unit="名", required=True, filter=True, minimum=0),  # type: ignore[arg-type]
        Field("classes", FieldType.INTEGER, "班级数", unit="个", required=True, filter=True),
        Field("area", FieldType.NUMBER, "面积", unit="㎡", decimals=2),
        Field("grade", FieldType.STRING, "等级", codes="test_grade", filter=True),
        Field("note", FieldType.STRING, "说明", widget="textarea"),
    ),
    tables={"test_grade": GRADES},
)

ROSTER = Register(
    name="t_roster",
    title="学生名册",
    version=1,
    effective_from=dt.date(2020, 9, 1),
    level=Level.SCHOOL,
    period=PeriodKind.NONE,
    fields=(
        Field("code", FieldType.STRING, "学号", required=True, filter=True),
        Field("name", FieldType.STRING, "姓名", required=True, filter=True, search=True, identity=True),
        Field("class_name", FieldType.STRING, "班级", filter=True),
        Field("id_number", FieldType.STRING, "身份证", sensitive=Sensitive.ID_NUMBER),
        Field("points", FieldType.INTEGER, "积分", filter=True),
    ),
    key=("code",),
)


def store(register: Register) -> Any:
    """The register as a row with one version; a second version of the same name is added to it."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow, RegisterVersion
    from jiaoheng.registers.schema_json import schema_hash, to_json

    row, _new = RegisterRow.objects.get_or_create(
        name=register.name, defaults={"title": register.title, "created_at": clock.now()}
    )
    RegisterVersion.objects.create(
        register=row,
        number=register.version,
        effective_from=register.effective_from,
        schema=to_json(register),
        hash=schema_hash(register),
        loaded_at=clock.now(),
    )
    for table in register.tables.values():
        for order, item in enumerate(table.items):
            CodeRow.objects.get_or_create(
                table=table.name,
                code=item.code,
                label=item.label,
                defaults={
                    "table_title": table.title,
                    "order": order,
                    "starts_on": item.from_,
                    "ends_on": item.until,
                    "changed_at": clock.now(),
                },
            )
    return row


def year(code: int) -> Any:
    """The academic year that begins in September of a year."""
    from jiaoheng.bureau.core.models import Period

    found, _new = Period.objects.get_or_create(
        code=f"{code}",
        defaults={
            "kind": "year",
            "name": f"{code} 学年",
            "starts_on": dt.date(code, 9, 1),
            "ends_on": dt.date(code + 1, 9, 1),
        },
    )
    return found
