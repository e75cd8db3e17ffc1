"""P06: a protected value is nowhere but where one looked with a purpose."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core.models import AuditEntry, SearchEntry
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_unmask import do_note_full_export, do_unmask
from jiaoheng.bureau.ledgers.listing import list_page
from jiaoheng.bureau.ledgers.listing_query import Filter, ListQuery

pytestmark = pytest.mark.django_db
NUMBER = "990000201204070001"
MASKED = "990000********0001"


@pytest.fixture
def pupil(world: World, noon: dt.datetime) -> Any:
    """Pupil 甲 of school 甲, and another one."""
    row = store(ROSTER)
    values = {"code": "01", "name": "甲", "id_number": NUMBER}
    saved = do_save_record(row, world["甲"], None, values, acting_user=world["甲填报"])
    other = {"code": "02", "name": "乙", "id_number": "990000201204070017"}
    do_save_record(row, world["甲"], None, other, acting_user=world["甲填报"])
    return saved.record_id


def test_p06_lists_show_the_mask(world: World, pupil: int) -> None:
    """In every list, for whoever reads it."""
    for person in ("甲填报", "甲校长", "股长", "局长"):
        page = list_page(world[person], "t_roster", ListQuery(columns=("name", "id_number")))
        assert next(one.cells[1].text for one in page.rows) == MASKED
        assert NUMBER not in repr(page)
    assert not SearchEntry.objects.filter(folded__contains=NUMBER[:8]).exists()


def test_p06_sort_and_filter_on_the_column_are_refused(world: World, pupil: int) -> None:
    """400, not an order that tells the values."""
    for query in (
        ListQuery(sort="id_number"),
        ListQuery(filters=(Filter("id_number", "from", ("99",)),)),
        ListQuery(filters=(Filter("id_number", "begins", ("99",)),)),
        ListQuery(filters=(Filter("id_number", "is", (NUMBER,)),)),
    ):
        with pytest.raises(RefusedError) as refused:
            list_page(world["甲校长"], "t_roster", query)
        assert refused.value.code == "column-protected"


def test_p06_only_a_whole_number_is_found(world: World, pupil: int) -> None:
    """A part finds nothing and says why; the whole finds this one."""
    for part in ("990000", "20120407", NUMBER[:-1], "0001"):
        page = list_page(world["甲填报"], "t_roster", ListQuery(text=part))
        assert page.rows == ()
        assert "只按完整号码查找" in page.notice
    page = list_page(world["甲填报"], "t_roster", ListQuery(text=f" {NUMBER} "))
    assert [one.record_id for one in page.rows] == [pupil]


def test_p06_one_value_is_shown_with_a_purpose_and_an_entry(world: World, pupil: int) -> None:
    """Who, whom, what for; never the number itself."""
    with pytest.raises(RefusedError, match="用途"):
        do_unmask(pupil, "id_number", " ", acting_user=world["甲校长"])
    assert do_unmask(pupil, "id_number", "核对学籍", acting_user=world["甲校长"]) == NUMBER
    entry = AuditEntry.objects.get(action="record.unmask")
    assert (entry.actor_name, entry.object_name, entry.reason) == (
        "甲校长（东镇甲小学）",
        "学生名册 甲",
        "核对学籍",
    )
    assert NUMBER not in str(list(AuditEntry.objects.values()))


def test_p06_without_the_right_nothing_is_shown(world: World, pupil: int) -> None:
    """403 for a reader, 404 for a stranger; neither leaves an entry."""
    with pytest.raises(ForbiddenError):
        do_unmask(pupil, "id_number", "核对学籍", acting_user=world["甲填报"])
    with pytest.raises(NotFoundError):
        do_unmask(pupil, "id_number", "核对学籍", acting_user=world["乙填报"])
    assert not AuditEntry.objects.filter(action="record.unmask").exists()


def test_p06_an_export_with_full_numbers_leaves_its_count(world: World, pupil: int) -> None:
    """40 人."""
    row = store_row()
    do_note_full_export(row, 40, "学籍核查", acting_user=world["股长"])
    assert AuditEntry.objects.get(action="export.full").count == 40
    with pytest.raises(ForbiddenError):
        do_note_full_export(row, 40, "学籍核查", acting_user=world["甲校长"])


def store_row() -> Any:
    """The roster's row."""
    from jiaoheng.bureau.ledgers.models import RegisterRow

    return RegisterRow.objects.get(name="t_roster")
