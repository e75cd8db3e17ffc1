"""P08: what was typed is kept, as typed, for its person only."""

from __future__ import annotations

import datetime as dt

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.actions_drafts import do_drop_draft, do_save_draft
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.drafts import access_draft, drafts_of
from jiaoheng.bureau.ledgers.models import Draft, RecordVersion

pytestmark = pytest.mark.django_db
TYPED = {"teachers": "约30", "note": " 两栋楼  ", "area": "", "grade": "良好"}


def test_p08_a_draft_keeps_what_was_typed_and_marks_what_is_wrong(world: World, noon: dt.datetime) -> None:
    """约30 stays 约30; the submission then lists the same problems."""
    row, clerk = store(CONDITIONS), world["甲填报"]
    slow = clock.beijing(2025, 9, 14, 12)
    shown = do_save_draft(row, world["甲"], year(2025), TYPED, device_at=slow, acting_user=clerk)
    assert shown.typed == TYPED
    assert shown.count_words == "3 项"
    assert (shown.saved_at, shown.device_at) == (noon, slow)
    assert set(shown.marks) == {"teachers", "classes"}
    with pytest.raises(RefusedError) as refused:
        do_save_record(row, world["甲"], year(2025), TYPED, acting_user=clerk)
    assert refused.value.places == shown.marks
    assert Draft.objects.get().typed == TYPED


def test_p08_one_draft_a_form_and_none_after_success(world: World, noon: dt.datetime) -> None:
    """Saved three times: one draft; submitted: one record, one entry in its history, nothing left over."""
    row, clerk = store(CONDITIONS), world["甲填报"]
    for teachers in ("1", "2", "3"):
        do_save_draft(row, world["甲"], year(2025), {"teachers": teachers}, acting_user=clerk)
    assert [one.typed for one in drafts_of(clerk)] == [{"teachers": "3"}]
    do_save_record(row, world["甲"], year(2025), {"teachers": "3", "classes": "1"}, acting_user=clerk)
    assert drafts_of(clerk) == []
    assert RecordVersion.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="record").count() == 1


def test_p08_another_person_never_sees_it(world: World, noon: dt.datetime) -> None:
    """Neither in his list nor by its number, though he fills the same school."""
    row = store(CONDITIONS)
    shown = do_save_draft(row, world["甲"], year(2025), TYPED, acting_user=world["甲填报"])
    assert drafts_of(world["甲校长"]) == []
    with pytest.raises(NotFoundError):
        access_draft(world["甲校长"], shown.id)
    with pytest.raises(NotFoundError):
        do_drop_draft(shown.id, acting_user=world["甲校长"])
    do_drop_draft(shown.id, acting_user=world["甲填报"])
    assert not Draft.objects.exists()


def test_p08_a_draft_of_a_foreign_school_is_a_missing_thing(world: World, noon: dt.datetime) -> None:
    """Drafts are kept only where one may fill."""
    row = store(CONDITIONS)
    with pytest.raises(NotFoundError):
        do_save_draft(row, world["乙"], year(2025), TYPED, acting_user=world["甲填报"])
