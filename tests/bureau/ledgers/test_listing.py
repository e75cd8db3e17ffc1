"""Lists: scope, filter, sort, key-set pages, masks, as-of; the same rows for page and file."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.actions_units import do_rename_unit
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.search_index import index_units
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_views import do_drop_view, do_save_view
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.listing import count, iter_rows, list_page
from jiaoheng.bureau.ledgers.listing_query import Filter, ListQuery, from_parameters
from jiaoheng.bureau.ledgers.models import RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.reslotting import reslot_if_moved
from jiaoheng.bureau.ledgers.views import access_view, views_of
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.model import Data, Field, FieldType

pytestmark = pytest.mark.django_db


@audit.action
def do_put(row: Any, unit: Any, rows: list[Data], *, acting_user: Any) -> list[int]:
    """Rows straight through the writer, as an import puts them."""
    batch = Batch(row, schema_of(row), None, acting_user, "file")
    written = write(batch, [Change(unit.pk, data) for data in rows])
    audit.note("test.put", actor=acting_user, count=len(rows))
    return [one.record_id for one in written]


def _roster(count_: int) -> list[Data]:
    draw = random.Random(25)
    rows: list[Data] = []
    for number in range(count_):
        row: Data = {"code": f"{number:04d}", "name": f"张{number % 7}", "class_name": f"{draw.choice((1, 2, 10))}班"}
        if number % 3:
            row["points"] = draw.randint(-2, 3)
        rows.append(row)
    return rows


@pytest.mark.parametrize("sort", ["", "points", "class_name", "name"])
@pytest.mark.parametrize("descending", [False, True])
def test_p25_pages_hold_every_record_once(world: World, noon: dt.datetime, sort: str, descending: bool) -> None:
    """606 records, seven pages; one added and one deleted between pages 3 and 4; blanks at the end both ways."""
    row = store(ROSTER)
    ids = do_put(row, world["甲"], _roster(606), acting_user=world["甲填报"])
    query = ListQuery(sort=sort, descending=descending, columns=("points", "class_name"))
    seen: list[int] = []
    texts: list[str] = []
    after, pages = "", 0
    while True:
        page = list_page(world["局长"], "t_roster", query, after=after)
        seen += [one.record_id for one in page.rows]
        texts += [one.cells[0].text for one in page.rows]
        pages += 1
        after = page.after
        if not after:
            break
        if pages == 3:
            do_put(row, world["甲"], [{"code": "9999", "name": "张3", "points": 1}], acting_user=world["甲填报"])
            RecordVersion.objects.filter(record_id=ids[300]).update(deleted=True)
    assert pages == 7
    assert len(seen) == len(set(seen))
    assert set(ids) - {ids[300]} <= set(seen)
    if sort == "points":
        blanks = texts.index("—")
        assert set(texts[blanks:]) == {"—"}
        numbers = [int(text) for text in texts[:blanks]]
        assert numbers == sorted(numbers, reverse=descending)


def test_p25_classes_stand_in_natural_order(world: World, noon: dt.datetime) -> None:
    """1班 2班 10班."""
    row = store(ROSTER)
    do_put(row, world["甲"], _roster(60), acting_user=world["甲填报"])
    page = list_page(world["甲填报"], "t_roster", ListQuery(sort="class_name", columns=("class_name",)))
    assert list(dict.fromkeys(one.cells[0].text for one in page.rows)) == ["1班", "2班", "10班"]


def test_p05_each_sees_his_own(world: World, noon: dt.datetime) -> None:
    """Two schools of 东 and one of 西: lists, counts and files hold what one may read."""
    row = store(ROSTER)
    for unit, clerk in (("甲", "甲填报"), ("乙", "乙填报"), ("丙", "丙填报")):
        do_put(row, world[unit], _roster(3), acting_user=world[clerk])
    for person, expected in (("局长", 9), ("东学区", 6), ("丙填报", 3), ("甲教师", 0)):
        query = ListQuery()
        assert count(world[person], "t_roster", query) == expected
        assert len(list_page(world[person], "t_roster", query).rows) == expected
        assert len(list(iter_rows(world[person], "t_roster", query))) == expected
    assert count(world["局长"], "t_roster", ListQuery(unit_id=world["东"].pk)) == 6
    for unit_id in (world["东"].pk, 987_654_321):  # its name would stand over the list: like one that is not there
        with pytest.raises(NotFoundError):
            count(world["丙填报"], "t_roster", ListQuery(unit_id=unit_id))


def test_p20_the_file_is_what_the_screen_shows(world: World, noon: dt.datetime) -> None:
    """Same rows, same order, same columns; ticked ones alone."""
    row = store(ROSTER)
    do_put(row, world["甲"], _roster(340), acting_user=world["甲填报"])
    query = from_parameters({"f.points.from": ["2"], "f.class_name.is": ["10班"], "sort": ["-name"]})
    pages, after = [], ""
    while True:
        page = list_page(world["局长"], "t_roster", query, after=after, size=7)
        pages += page.rows
        after = page.after
        if not after:
            break
    file_rows = list(iter_rows(world["局长"], "t_roster", query))
    expected = [one for one in _roster(340) if one.get("points", 0) >= 2 and one["class_name"] == "10班"]  # type: ignore[operator]
    assert file_rows == pages
    assert len(pages) == len(expected) == page.total > 10
    ticked = replace(query, record_ids=(pages[3].record_id, pages[1].record_id))
    assert [one.record_id for one in iter_rows(world["局长"], "t_roster", ticked)] == [
        pages[1].record_id,
        pages[3].record_id,
    ]


def test_p19_a_filter_finds_a_choice_whatever_it_is_called(world: World, noon: dt.datetime) -> None:
    """Four B: found by code and by both labels; printed as the day calls it."""
    row = store(CONDITIONS)
    with clock.at(clock.beijing(2025, 3, 1)):
        for unit, clerk in (("甲", "甲填报"), ("乙", "乙填报"), ("丙", "丙填报"), ("直", "直填报")):
            values = {"teachers": 1, "classes": 1, "grade": "乙级"}
            do_save_record(row, world[unit], year(2024), values, acting_user=world[clerk])
    for value in ("B", "乙级", "良好"):
        query = ListQuery(filters=(Filter("grade", "is", (value,)),), columns=("grade",))
        page = list_page(world["局长"], "t_conditions", query)
        assert [one.cells[0].text for one in page.rows] == ["良好"] * 4
    then = from_parameters({"as_of": ["2025-08-31"], "columns": ["grade"]})
    assert [one.cells[0].text for one in list_page(world["局长"], "t_conditions", then).rows] == ["乙级"] * 4


def test_a_list_as_of_a_moment_shows_what_stood_then(world: World, noon: dt.datetime) -> None:
    """Changed and deleted since: the old values, the old rows."""
    row, clerk = store(ROSTER), world["甲填报"]
    saved = do_save_record(row, world["甲"], None, {"code": "1", "name": "张伟", "points": 1}, acting_user=clerk)
    with clock.at(noon + dt.timedelta(days=2)):
        do_save_record(row, world["甲"], None, {"points": 9}, record_id=saved.record_id, base=1, acting_user=clerk)
        do_save_record(row, world["甲"], None, {"code": "2", "name": "王芳"}, acting_user=clerk)
        now = list_page(clerk, "t_roster", ListQuery(columns=("name", "points"), sort="name"))
        then = list_page(clerk, "t_roster", ListQuery(columns=("name", "points"), as_of=noon + dt.timedelta(days=1)))
    assert [tuple(cell.text for cell in one.cells) for one in now.rows] == [("王芳", "—"), ("张伟", "9")]
    assert [tuple(cell.text for cell in one.cells) for one in then.rows] == [("张伟", "1")]


def test_p18_the_list_keeps_what_a_new_version_dropped(world: World, noon: dt.datetime) -> None:
    """v1 教师数 电脑台数 图书册数, v2 renames, drops and adds: five rows, one column of computers, — with its reason."""
    first = replace(
        CONDITIONS,
        name="t_things",
        period=ROSTER.period,
        key=("teachers",),
        tables={},
        fields=(
            Field("teachers", FieldType.INTEGER, "教师数", required=True, filter=True),
            Field("pcs", FieldType.INTEGER, "电脑台数", filter=True),
            Field("books", FieldType.INTEGER, "图书册数"),
        ),
    )
    second = replace(
        first,
        version=2,
        effective_from=dt.date(2025, 9, 1),
        dropped=("books",),
        fields=(
            Field("rooms", FieldType.INTEGER, "多媒体教室", filter=True),
            Field("teachers", FieldType.INTEGER, "教师数", required=True, filter=True),
            Field("computers", FieldType.INTEGER, "计算机台数", renamed_from=("pcs",), filter=True),
        ),
    )
    row, clerk = store(first), world["甲填报"]
    with clock.at(clock.beijing(2025, 8, 1)):
        old = [
            do_save_record(row, world["甲"], None, {"teachers": n, "pcs": n * 10, "books": n * 100}, acting_user=clerk)
            for n in (1, 2, 3)
        ]
    store(second)
    assert reslot_if_moved(row) == 3
    for n in (4, 5):
        do_save_record(
            row, world["甲"], None, {"teachers": n, "computers": n * 10, "rooms": 2 * n - 4}, acting_user=clerk
        )
    names = ("teachers", "computers", "books", "rooms", "schema_version")
    query = ListQuery(columns=names, sort="computers")
    page = list_page(clerk, "t_things", query)
    assert [column.title for column in page.columns] == ["教师数", "计算机台数", "图书册数", "多媒体教室", "表样版本"]
    table = [[cell.text for cell in one.cells] for one in page.rows]
    assert [line[1] for line in table] == ["10", "20", "30", "40", "50"]
    assert [line[2] for line in table] == ["100", "200", "300", "—", "—"]
    assert [line[3] for line in table] == ["—", "—", "—", "4", "6"]
    assert page.rows[0].cells[3].why == "填报时的表样没有这一项"
    do_save_record(row, world["甲"], None, {"rooms": 2}, record_id=old[0].record_id, base=1, acting_user=clerk)
    table = [[cell.text for cell in one.cells] for one in list_page(clerk, "t_things", query).rows]
    assert table[0] == ["1", "10", "100", "2", "2"]
    found = list_page(clerk, "t_things", ListQuery(filters=(Filter("computers", "from", ("30",)),)))
    assert found.total == 3
    then = list_page(clerk, "t_things", ListQuery(as_of=clock.beijing(2025, 8, 31), columns=("pcs",), sort="pcs"))
    assert [column.title for column in then.columns] == ["电脑台数"]
    assert [one.cells[0].text for one in then.rows] == ["10", "20", "30"]


def test_search_in_a_list_finds_by_name_and_code(world: World, noon: dt.datetime) -> None:
    """Two characters, one character, several words."""
    row = store(ROSTER)
    names = ("张伟", "张伟强", "李张伟", "王芳")
    do_put(
        row,
        world["甲"],
        [{"code": f"0{n}", "name": name} for n, name in enumerate(names)],
        acting_user=world["甲填报"],
    )
    for text, expected in (("张伟", 3), ("伟", 3), ("王芳 赵", 0), ("张　伟", 3), ("赵", 0)):
        assert count(world["局长"], "t_roster", ListQuery(text=text)) == expected, text
    assert count(world["局长"], "t_roster", ListQuery(text="张伟", as_of=noon)) == 3


def test_search_in_a_list_finds_by_the_unit(world: World, noon: dt.datetime) -> None:
    """P24: a part of the unit's name, its short or earlier name, initials, its code; with a person's name too."""
    row = store(ROSTER)
    for unit in ("甲", "丙"):
        rows: list[Data] = [{"code": f"{number}", "name": name} for number, name in enumerate(("张伟", "王芳"))]
        do_put(row, world[unit], rows, acting_user=world[f"{unit}填报"])
    do_rename_unit(
        world["甲"],
        "东镇第一小学",
        short_name="一小",
        acting_user=world["管理员"],
        day=dt.date(2025, 9, 1),
        reason="定名",
    )

    @audit.action
    def do_index(*, acting_user: Any) -> None:
        index_units([world["甲"], world["丙"], world["东"], world["县"]])
        audit.note("test.put", actor=acting_user)

    do_index(acting_user=None)
    boss, code = world["局长"], world["丙"].code
    wanted = {"东镇第一": 2, "一小": 2, "甲小学": 2, "dzdyxx": 2, "dzd": 2, "yx": 2, "张伟 东镇": 1, "zw 一小": 1}
    wanted |= {"丙小": 2, code: 2, code[:6]: 0, "丙": 0, "zx": 0, "赵 东镇": 0, "西镇 东镇": 0, "小学": 4}
    found = {text: count(boss, "t_roster", ListQuery(text=text)) for text in wanted}
    assert found == wanted
    assert count(world["甲填报"], "t_roster", ListQuery(text="西镇丙小学")) == 0, "only within one's own scope"
    assert count(boss, "t_roster", ListQuery(text="东镇第一", as_of=noon)) == 2


def test_a_list_without_names_is_searched_by_unit(world: World, noon: dt.datetime) -> None:
    """One form a school: the unit is all that one can call it by. A word asks one question more, however many rows."""
    row = store(CONDITIONS)

    @audit.action
    def do_index(*, acting_user: Any) -> None:
        batch = Batch(row, schema_of(row), year(2025), None, "file")
        write(batch, [Change(world[name].pk, {"teachers": 5, "classes": 2}) for name in ("甲", "乙")])
        index_units([world["甲"], world["乙"]])
        audit.note("test.put", actor=acting_user)

    do_index(acting_user=None)
    counted = []
    for text, total in (("", 2), ("东镇甲", 1)):
        query = ListQuery(text=text)
        with CaptureQueriesContext(connection) as seen:
            found = list_page(world["局长"], "t_conditions", query)
        assert found.total == total
        counted.append(len(seen))
    assert counted[1] <= counted[0] + 1


def test_a_search_says_that_new_records_are_still_being_indexed(world: World, noon: dt.datetime) -> None:
    """After a large import the worker indexes; until then the list says so beside what it found, and no longer."""
    row = store(ROSTER)
    do_put(row, world["甲"], _roster(2001), acting_user=world["甲填报"])
    page = list_page(world["局长"], "t_roster", ListQuery(text="张3"))
    assert page.total == 0
    assert "还在编入检索，几分钟内可以查到" in page.notice
    assert list_page(world["局长"], "t_roster", ListQuery()).notice == ""
    Job.objects.update(state=Job.State.DONE)
    assert list_page(world["局长"], "t_roster", ListQuery(text="张3")).notice == ""


def test_saved_views_belong_to_their_person(world: World, noon: dt.datetime) -> None:
    """Kept, written over by the same name, dropped; a stranger's is a missing thing."""
    row = store(ROSTER)
    query = ListQuery(filters=(Filter("points", "from", ("2",)),), sort="name", descending=True, columns=("name",))
    view = do_save_view("t_roster", "积分高的", query, acting_user=world["甲填报"])
    do_save_view("t_roster", "积分高的", replace(query, text="张"), acting_user=world["甲填报"])
    assert [(one.name, one.query) for one in views_of(world["甲填报"], row)] == [
        ("积分高的", replace(query, text="张"))
    ]
    assert views_of(world["甲校长"], row) == []
    with pytest.raises(NotFoundError):
        access_view(world["甲校长"], view.id)
    with pytest.raises(RefusedError, match="受保护"):
        do_save_view("t_roster", "按证号", replace(query, sort="id_number"), acting_user=world["甲填报"])
    do_drop_view(view.id, acting_user=world["甲填报"])
    assert views_of(world["甲填报"], row) == []


def test_a_query_survives_its_address(world: World, noon: dt.datetime) -> None:
    """as_pairs and from_parameters are each other's inverse."""
    query = ListQuery(
        period_id=3, unit_id=4, filters=(Filter("grade", "in", ("A", "B")), Filter("points", "blank", ("1",))),
        text="张 伟", sort="name", descending=True, columns=("name", "unit"), as_of=noon, record_ids=(5, 6),
    )  # fmt: skip
    pairs: dict[str, list[str]] = {}
    for name, value in query.as_pairs():
        pairs.setdefault(name, []).append(value)
    assert from_parameters(pairs) == query
    with pytest.raises(RefusedError):
        from_parameters({"period": ["x"]})
