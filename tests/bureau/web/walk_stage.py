"""The ground of the permission walk: the small county, one person a role, and one thing of each kind on every side.

Sides are the schools 甲, 乙 (both 东镇), 丙 (西镇); the class 甲101 and the offices have their own. Each side's things carry
the side's mark in their content, so that anything of it that shows where it must not is found by its word.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import openpyxl
from django.db import connection

from bureau.ledgers.registers_for_tests import store
from bureau.ledgers.rounds_stage import DUE, OPENS, REFERENCE, Stage, add_person, listing, make_stage
from bureau.world import START, World, make_world
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.actions_files import store_file, store_result
from jiaoheng.bureau.core.actions_tokens import do_make_token
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Job, Membership, Unit
from jiaoheng.bureau.core.search_index import index_accounts, index_units
from jiaoheng.bureau.core.slips import Slip, keep
from jiaoheng.bureau.ledgers.actions_drafts import do_save_draft
from jiaoheng.bureau.ledgers.actions_views import do_save_view
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.imports.starting import do_start_import
from jiaoheng.bureau.ledgers.listing_query import ListQuery
from jiaoheng.bureau.ledgers.models import (
    Draft,
    Filing,
    ImportBatch,
    Record,
    RegisterDraft,
    RegisterRow,
    Round,
    SavedView,
)
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.actions import do_open_round
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.loading import to_json
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register, Sensitive

NOW = clock.beijing(2025, 10, 20, 10)
SIDES = ("甲", "乙", "丙")
MARKS = {"甲": "槐甲记号", "乙": "柳乙记号", "丙": "枫丙记号", "甲101": "桐一记号", "西": "西镇学区"}
ACTORS = {
    "leader": "局长", "department": "股长", "research": "教研", "inspector": "督学", "district": "东学区",
    "township": "乡镇", "principal": "甲校长", "clerk": "甲填报", "class_teacher": "甲班主任", "teacher": "甲教师",
    "admin": "管理员",
}  # fmt: skip
assert set(ACTORS) == set(ROLES), "a role without an actor"
MISSING = {"number": 987654321, "uuid": "00000000-0000-4000-8000-000000000000", "name": "no-such-register"}
ID_NUMBERS = {"甲": "990000201204070001", "乙": "990000201204070028", "丙": "990000201204070044"}

_TEXT = FieldType.STRING
ACTIVITIES = Register(
    "activities", "活动台账", 1, START, Level.SCHOOL, PeriodKind.NONE,
    (Field("name", _TEXT, "活动", required=True, identity=True, filter=True, search=True),),
    key=("name",),
)  # fmt: skip
CLASS_BOOK = Register(
    "class_book", "班级手册", 1, START, Level.CLASS, PeriodKind.NONE,
    (Field("name", _TEXT, "事项", required=True, identity=True, filter=True, search=True),),
    key=("name",),
)  # fmt: skip
ROSTER = Register(
    "roster", "学生名册", 1, START, Level.SCHOOL, PeriodKind.NONE,
    (
        Field("name", _TEXT, "姓名", required=True, identity=True, filter=True, search=True),
        Field("id_number", _TEXT, "身份证", sensitive=Sensitive.ID_NUMBER),
        Field("points", FieldType.INTEGER, "积分", filter=True, minimum=Decimal(0)),
        Field("papers", FieldType.FILE, "材料"),
    ),
    key=("name",),
)  # fmt: skip


@dataclass
class Ground:
    """Everything of the walk by kind and side: `things["record"]["丙"]` is an id."""

    world: World
    stage: Stage
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, kind: str, side: str, value: Any) -> None:
        """Note one thing."""
        self.things.setdefault(kind, {})[side] = value


def make_ground() -> Ground:
    """Make it all. The caller has set the folders of files and anchor, and the clock to NOW."""
    _number_apart()
    world = make_world()
    add_person(world, "教研", "research", "股")
    add_person(world, "别校班主任", "class_teacher", "甲102")
    stage = make_stage(world, listing())
    ground = Ground(world, stage)
    roster, activities, book = store(ROSTER), store(ACTIVITIES), store(CLASS_BOOK)
    for side in SIDES:
        _rows(ground, side, roster, activities)
        ground.put("account", side, world[f"{side}填报"].pk)
    [row] = _write(book, world["甲101"], [{"name": MARKS["甲101"]}], acting_user=world["甲班主任"])
    ground.put("book", "甲101", row)
    for side in SIDES:
        _own_things(ground, side, f"{side}填报", world[side])
    _rounds(ground)
    for name, unit in world.units.items():
        ground.put("unit", name, unit.pk)
    ground.put("account", "县", world["局长"].pk)
    ground.put("register_draft", "县", _register_draft(world["管理员"]).pk)
    index_units(world.units.values())
    index_accounts(world.people.values())
    return ground


def _number_apart() -> None:
    """Every table counts from a number of its own: an id in a page is the thing's and nothing else."""
    models = (Unit, Account, Membership, Record, Round, Filing, ImportBatch, Draft, SavedView, RegisterDraft)
    with connection.cursor() as cursor:
        for place, model in enumerate(models, start=1):
            table, first = model._meta.db_table, place * 1_000_000 + 54_321
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])
            else:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first])


def _rows(ground: Ground, side: str, roster: RegisterRow, activities: RegisterRow) -> None:
    world, mark, clerk = ground.world, MARKS[side], ground.world[f"{side}填报"]
    ground.stage.fill(side, name=f"{mark}1班", pupils=41)
    row = {"name": f"{mark}生", "id_number": ID_NUMBERS[side], "points": 5}
    [pupil] = _write(roster, world[side], [row], acting_user=clerk)
    [deed] = _write(activities, world[side], [{"name": f"{mark}活动"}], acting_user=clerk)
    last = Record.objects.filter(register=ground.stage.row, unit=world[side]).latest("pk")
    for kind, pk in (("row", last.pk), ("record", pupil), ("deed", deed)):
        ground.put(kind, side, pk)
    photo = store_file(
        _picture(), f"{mark}.png", "photo", unit=world[side], acting_user=clerk, object=("record", pupil)
    )
    ground.put("photo", side, str(photo.pk))


def _own_things(ground: Ground, side: str, who: str, unit: Any) -> None:
    """What belongs to one person alone: his import, job, files, draft, view, slips."""
    account, mark = ground.world[who], MARKS[side]
    roster = RegisterRow.objects.get(name="roster")
    batch = do_start_import(roster, unit, [(_workbook(mark), f"{mark}.xlsx")], at_once=True, acting_user=account)
    ground.put("import", side, batch.pk)
    ground.put("workbook", side, str(batch.attachment_id))
    made = store_result(mark.encode(), f"{mark}.csv", unit=unit, acting_user=account)
    ground.put("result", side, str(made.pk))
    job = Job.objects.create(kind="import-read", title=f"核对 {mark}", owner=account, unit=unit, created_at=clock.now())
    ground.put("job", side, str(job.pk))
    draft = do_save_draft(roster, unit, None, {"name": f"{mark}草稿", "points": "约30"}, acting_user=account)
    ground.put("draft", side, draft.id)
    view = do_save_view("roster", f"{mark}视图", ListQuery(text=mark), acting_user=account)
    ground.put("view", side, view.id)
    token, _secret = do_make_token(f"{mark}程序", ["read"], clock.today() + dt.timedelta(days=30), acting_user=account)
    ground.put("token", side, token.pk)
    ground.put("slips", side, keep([Slip(f"{mark}人", mark, "", "x", "y")], account))


def _rounds(ground: Ground) -> None:
    """A round of the whole county and one of 西镇 alone."""
    whole = ground.stage.open()
    ground.put("round", "县", whole.pk)
    for side in SIDES:
        ground.stage.submit(side)
        ground.put("filing", side, whole.filings.get(unit=ground.world[side]).pk)
    with clock.at(clock.beijing(2025, 10, 20, 10, 1)):
        west = do_open_round(
            register=RegisterRow.objects.get(name="activities"), period=None, title=f"{MARKS['丙']}采集",
            scope_unit=ground.world["西"], kinds=[], reference_date=REFERENCE, opens_at=OPENS, due_at=DUE,
            acting_user=ground.world["股长"],
        )  # fmt: skip
    ground.put("round", "丙", west.pk)


def _register_draft(owner: Account) -> RegisterDraft:
    shape = Register(
        "fresh", f"{MARKS['西']}新台账", 1, START, Level.SCHOOL, PeriodKind.NONE,
        (Field("name", _TEXT, "名称", required=True, identity=True),), key=("name",),
    )  # fmt: skip
    made: RegisterDraft = RegisterDraft.objects.create(
        owner=owner, schema=to_json(shape), columns={"name": 1}, rows=1, changed_at=clock.now()
    )
    return made


@audit.action
def _write(register: RegisterRow, unit: Any, rows: list[dict[str, Any]], *, acting_user: Account) -> list[int]:
    audit.note("test.write", actor=acting_user, unit_id=unit.pk)
    batch = Batch(register, schema_of(register), None, acting_user, "form")
    return [one.record_id for one in write(batch, [Change(unit.pk, data) for data in rows])]


def _workbook(mark: str) -> io.BytesIO:
    book = openpyxl.Workbook()
    for row in (["姓名", "积分"], [f"{mark}新生", 7]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


def _picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 6), (120, 80, 40)).save(out, "PNG")
    return out.getvalue()
