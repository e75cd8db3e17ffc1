"""What the ledger benchmarks import: a register of 20 columns, a county of 114 schools, workbooks with known mistakes."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

SCHOOLS, DISTRICTS = 114, 12
START = dt.date(2020, 9, 1)
INTEGERS = tuple(f"n{number}" for number in range(1, 8))
DECIMALS = ("m1", "m2", "m3")
LEVELS = {"1": "优", "2": "良", "3": "中", "4": "差"}
HEADS = [
    "单位代码", "编号", "姓名", "性别", "出生日期", "班级", "等级", "住宿", "电话", "备注",
    *(f"数量{number}" for number in range(1, 8)), *(f"金额{number}" for number in range(1, 4)),
]  # fmt: skip
# what is wrong → (0-based column, the cell)
MISTAKES: dict[str, tuple[int, Any]] = {
    "text in a number": (10, "约30"),
    "below the minimum": (11, -3),
    "no such choice": (6, "优秀"),
    "impossible date": (4, "2025-13-01"),
    "required and blank": (2, None),
}


def register() -> Any:
    """The register: 19 fields, the unit's code is the 20th column."""
    from decimal import Decimal

    from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Level, PeriodKind, Register

    zero, most = Decimal(0), Decimal(100000)
    fields = (
        Field(
            "code", FieldType.STRING, "编号", required=True, filter=True, pattern="[0-9]{8}", pattern_words="8 位数字"
        ),
        Field("name", FieldType.STRING, "姓名", required=True, filter=True, identity=True, max_length=20),
        Field("gender", FieldType.STRING, "性别", required=True, codes="b_gender", filter=True),
        Field("born", FieldType.DATE, "出生日期", required=True),
        Field("class_name", FieldType.STRING, "班级", filter=True, max_length=20),
        Field("level", FieldType.STRING, "等级", codes="b_level"),
        Field("boards", FieldType.BOOLEAN, "住宿"),
        Field("phone", FieldType.STRING, "电话", pattern="1[0-9]{10}", pattern_words="11 位手机号"),
        Field("note", FieldType.STRING, "备注", max_length=100),
        *(
            Field(name, FieldType.INTEGER, f"数量{name[1:]}", required=True, minimum=zero, maximum=most)
            for name in INTEGERS
        ),
        *(Field(name, FieldType.NUMBER, f"金额{name[1:]}", minimum=zero, decimals=2) for name in DECIMALS),
    )
    gender = CodeTable("b_gender", "性别", (CodeItem("1", "男"), CodeItem("2", "女")))
    level = CodeTable("b_level", "等级", tuple(CodeItem(code, label) for code, label in LEVELS.items()))
    return Register(
        name="bench",
        title="一览表",
        version=1,
        effective_from=START,
        level=Level.SCHOOL,
        period=PeriodKind.NONE,
        fields=fields,
        key=("code",),
        tables={"b_gender": gender, "b_level": level},
    )


def school_codes() -> list[str]:
    """Ten digits each."""
    return [f"21990{number:05d}" for number in range(1, SCHOOLS + 1)]


def rows(count: int, first: int = 0, seed: int = 9) -> list[list[Any]]:
    """Rows without a mistake."""
    chance = random.Random(seed)
    schools = school_codes()

    def one(number: int) -> list[Any]:
        return [
            schools[number % SCHOOLS],
            f"{number:08d}",
            chance.choice("赵钱孙李周吴郑王陈林")
            + chance.choice("伟芳娜敏静丽强磊军洋")
            + chance.choice("一二三四五六七八九"),
            chance.choice(("男", "女")),
            (dt.date(2008, 1, 1) + dt.timedelta(days=chance.randrange(3000))).isoformat(),
            f"{chance.choice('一二三四五六')}（{chance.randrange(1, 7)}）班",
            chance.choice(tuple(LEVELS.values())),
            chance.choice(("是", "否")),
            f"139{chance.randrange(10**8):08d}",
            chance.choice(("", "走读", "随迁", "留守")) or None,
            *(chance.randrange(0, 500) for _ in INTEGERS),
            *(round(chance.random() * 1000, 2) for _ in DECIMALS),
        ]

    return [one(number) for number in range(first, first + count)]


def spoil(good: list[list[Any]], share: float = 0.01, seed: int = 5) -> tuple[list[list[Any]], set[tuple[int, int]]]:
    """A copy in which a share of the rows has one known mistake; (row, column) of each as a sheet counts them."""
    chance = random.Random(seed)
    bad = [list(row) for row in good]
    places = set()
    kinds = list(MISTAKES.values())
    for turn, number in enumerate(sorted(chance.sample(range(len(good)), int(len(good) * share)))):
        column, cell = kinds[turn % len(kinds)]
        bad[number][column] = cell
        places.add((number + 2, column + 1))
    return bad, places


def write(path: Path, content: list[list[Any]]) -> None:
    """A workbook with the heads and these rows."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet("一览表")
        for column, head in enumerate(HEADS):
            sheet.write_string(0, column, head)
        for number, row in enumerate(content, start=1):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, column, cell)


def make_files(folder: Path, count: int) -> None:
    """good.xlsx, bad.xlsx and where bad.xlsx is wrong."""
    good = rows(count)
    bad, places = spoil(good)
    write(folder / "good.xlsx", good)
    write(folder / "bad.xlsx", bad)
    (folder / "places.json").write_text(json.dumps(sorted(places)))


def make_books(folder: Path, each: int) -> list[Path]:
    """A workbook a school, as schools send them."""
    folder.mkdir()
    by_school: dict[str, list[list[Any]]] = {}
    for row in rows(each * SCHOOLS, first=50_000_000):
        by_school.setdefault(row[0], []).append(row)
    made = []
    for number, (_, content) in enumerate(sorted(by_school.items()), start=1):
        made.append(folder / f"{number:03d}校.xlsx")
        write(made[-1], content)
    return made


def plant_county() -> Any:
    """The county in the database, with the account that imports: (county, account)."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.core.models import Account, Membership
    from jiaoheng.bureau.core.tree_writing import Seed, plant

    seeds = [Seed("990100", "county", "青槐县", "", START)]
    seeds += [Seed(f"T{number:02d}", "district", f"{number} 学区", "990100", START) for number in range(DISTRICTS)]
    seeds += [
        Seed(code, "school", f"第{number}小学", f"T{number % DISTRICTS:02d}", START, kind="211")
        for number, code in enumerate(school_codes(), start=1)
    ]
    seeds += [Seed("D01", "department", "基础教育股", "990100", START)]
    units = plant(seeds)
    account = Account.objects.create(
        username="bench", name="股长", home=units["D01"], must_change_password=False, created_at=clock.now()
    )
    Membership.objects.create(account=account, role="department", unit=units["D01"], starts_on=START)
    return units["990100"], account


def load_register() -> Any:
    """The register in the database."""
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow, RegisterVersion
    from jiaoheng.registers.schema_json import schema_hash, to_json

    made = register()
    row = RegisterRow.objects.create(name=made.name, title=made.title, created_at=clock.now())
    RegisterVersion.objects.create(
        register=row,
        number=1,
        effective_from=START,
        schema=to_json(made),
        hash=schema_hash(made),
        loaded_at=clock.now(),
    )
    for table in made.tables.values():
        for order, item in enumerate(table.items):
            CodeRow.objects.create(
                table=table.name,
                table_title=table.title,
                code=item.code,
                label=item.label,
                order=order,
                changed_at=clock.now(),
            )
    return row
