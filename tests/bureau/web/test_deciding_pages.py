"""Deciding as it was seen: bulk decisions by version, remarks that wait for their return, changes since a return."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.rounds_stage import Stage, add_person, form, listing, make_stage
from bureau.web.test_rounds_pages import NOW, at, entered, fill, press, seen, told
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError
from jiaoheng.bureau.ledgers.models import CellComment, Filing, RemarkDraft
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_approve_filings,
    do_approve_unit,
    do_keep_remarks,
    do_recall_filing,
    do_return_filing,
    do_return_filings,
)
from jiaoheng.bureau.ledgers.rounds.remarking import remarks_kept

LATER = clock.beijing(2025, 10, 21, 9)


@pytest.fixture
def stage(world: World) -> Stage:
    """A list register (班级, 人数) asked of the whole county."""
    made = make_stage(world, listing())
    with clock.at(NOW):
        made.open(title="2025 年秋季班额台账")
    return made


def ticked(stage: Stage, *names: str) -> list[str]:
    """The boxes of a board as it is now."""
    return [f"{stage.filing(name).pk}.{stage.filing(name).version}" for name in names]


def sent(stage: Stage, *names: str) -> None:
    for name in names:
        fill(stage, name)
        stage.submit(name)


def again(stage: Stage, name: str) -> None:
    """The school takes its filing back, changes a number and hands it in anew: the same state, another content."""
    do_recall_filing(stage.filing(name), acting_user=stage.world[f"{name}填报"])
    stage.fill(name, name="0班", pupils=44)
    stage.submit(name)


@pytest.mark.parametrize("what", ["approve", "return"])
def test_a_filing_handed_in_anew_since_the_board_was_opened_is_left_out_and_named(stage: Stage, what: str) -> None:
    district, address = entered(stage.world["东学区"]), f"/rounds/{stage.round.pk}/decide"
    with clock.at(NOW):
        sent(stage, "甲", "乙")
        boxes = ticked(stage, "甲", "乙")
        again(stage, "甲")
        entries = AuditEntry.objects.filter(action=f"filing.{what}").count()
        done = press(district, address, what=what, chosen=boxes, reason="核对")
        word = "通过" if what == "approve" else "退回"
        assert told(done) == (
            f"{word}：1 所已办，1 所在您打开页面后又改过，未办：东镇甲小学（甲填报 已于 10-20 10:00 提交）"
        )
    assert stage.filing("甲").state == Filing.State.DISTRICT
    assert stage.filing("乙").state != Filing.State.DISTRICT
    assert AuditEntry.objects.filter(action=f"filing.{what}").count() == entries + 1


def test_the_page_before_the_decision_says_which_moved_since_the_board(stage: Stage) -> None:
    district, address = entered(stage.world["东学区"]), f"/rounds/{stage.round.pk}/decide"
    with clock.at(NOW):
        sent(stage, "甲", "乙")
        assert all(
            f'value="{one}"' in seen(district, f"/rounds/{stage.round.pk}/") for one in ticked(stage, "甲", "乙")
        )
        boxes = ticked(stage, "甲", "乙")
        again(stage, "甲")
        looked = press(district, address, act="look", what="approve", chosen=boxes)
        page = seen(district, looked["Location"])
        assert "通过 1 所；另有 1 所这次不动" in page
        assert "在您打开页面后又改过" in page


def test_a_decision_without_a_version_does_nothing(stage: Stage) -> None:
    district, address = entered(stage.world["东学区"]), f"/rounds/{stage.round.pk}/decide"
    with clock.at(NOW):
        sent(stage, "甲")
        bare = press(district, address, what="approve", chosen=[stage.filing("甲").pk])
        assert bare.status_code == 409
    assert stage.filing("甲").state == Filing.State.DISTRICT


def test_one_refusal_undoes_the_whole_decision(stage: Stage) -> None:
    with clock.at(NOW):
        sent(stage, "甲", "丙")
        filings = [stage.filing("甲"), stage.filing("丙")]
        versions = {one.pk: one.version for one in filings}
        with pytest.raises(ForbiddenError):  # 丙 stands under another district
            do_approve_filings(filings, seen=versions, acting_user=stage.world["东学区"])
        with pytest.raises(ForbiddenError):
            do_return_filings(filings, reason="核对", seen=versions, acting_user=stage.world["东学区"])
    assert [stage.filing(name).state for name in ("甲", "丙")] == [Filing.State.DISTRICT] * 2


def test_a_whole_district_leaves_out_what_moved_since_the_board(stage: Stage) -> None:
    with clock.at(NOW):
        sent(stage, "甲", "乙")
        for name in ("甲", "乙"):
            do_approve_filing(stage.filing(name), acting_user=stage.world["东学区"])
        versions = {stage.filing(name).pk: stage.filing(name).version for name in ("甲", "乙")}
        do_return_filing(stage.filing("甲"), reason="核对", acting_user=stage.world["股长"])
        stage.fill("甲", name="0班", pupils=44)
        stage.submit("甲")
        do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"])
        done = do_approve_unit(stage.round, stage.world["东"], seen=versions, acting_user=stage.world["股长"])
        assert [one.unit_id for one in done.moved] == [stage.world["甲"].pk]
    assert [stage.filing(name).state for name in ("甲", "乙")] == [Filing.State.COUNTY, Filing.State.APPROVED]


def test_the_single_decision_is_bound_to_the_version_of_its_page(stage: Stage) -> None:
    with clock.at(NOW):
        sent(stage, "甲")
        version = stage.filing("甲").version
        again(stage, "甲")
        for act, more in (("approve", {}), ("return", {"reason": "核对"})):
            late = press(entered(stage.world["东学区"]), at(stage.filing("甲"), act), version=version, **more)
            assert late.status_code == 409, act
            assert "甲填报 已于 10-20 10:00 提交" in late.content.decode()
    assert stage.filing("甲").state == Filing.State.DISTRICT


def test_remarks_not_sent_yet_are_there_after_signing_in_anew_for_their_writer_alone(stage: Stage) -> None:
    other = add_person(stage.world, "张三", "district", "东")
    with clock.at(NOW):
        record = fill(stage, "甲")[0]
        filing = stage.submit("甲")
        cell = f"{record}:pupils"
        district = entered(stage.world["东学区"])
        assert press(district, at(filing, "remark"), cell=cell, text="差 1 名").status_code == 303
        district.logout()
    with clock.at(LATER):
        back = seen(entered(stage.world["东学区"]), at(filing))
        assert "您昨天 10:00 写的 1 格批注还没发出" in back
        assert "差 1 名" in back
        for stranger in (other, stage.world["股长"], stage.world["甲填报"]):
            assert "差 1 名" not in seen(entered(stranger), at(filing))
        assert AuditEntry.objects.filter(action="filing.remark").count() == 1
        done = press(entered(stage.world["东学区"]), at(filing, "return"), version=filing.version, reason="1 格要改")
        assert told(done).startswith("已退回")
    assert [(one.field, one.text) for one in CellComment.objects.all()] == [("pupils", "差 1 名")]
    assert not RemarkDraft.objects.exists()


def test_an_empty_remark_takes_it_away_and_a_refused_return_keeps_what_was_typed(stage: Stage) -> None:
    with clock.at(NOW):
        first, second = fill(stage, "甲")
        filing, district = stage.submit("甲"), stage.world["东学区"]
        do_keep_remarks(filing, {f"{first}:pupils": "差 1 名", f"{second}:pupils": "差 2 名"}, acting_user=district)
        typed = {f"remark-{first}:pupils": "差 3 名", f"remark-{second}:pupils": " "}
        bare = press(entered(district), at(filing, "return"), version=filing.version, due_date="2000-01-01", **typed)
        assert bare.status_code == 400
        assert remarks_kept(filing, district)[0] == {f"{first}:pupils": "差 3 名"}
        do_keep_remarks(filing, {f"{first}:pupils": ""}, acting_user=district)
    assert not RemarkDraft.objects.exists()


def _approved(stage: Stage) -> None:
    do_approve_filing(stage.filing("甲"), acting_user=stage.world["东学区"])


def _returned(stage: Stage) -> None:
    do_return_filing(stage.filing("甲"), reason="核对", acting_user=stage.world["东学区"])


@pytest.mark.parametrize("move", [_approved, _returned, lambda stage: again(stage, "甲")])
def test_remarks_not_sent_are_dropped_when_the_filing_moves_on(stage: Stage, move: Any) -> None:
    with clock.at(NOW):
        record = fill(stage, "甲")[0]
        filing, district = stage.submit("甲"), stage.world["东学区"]
        do_keep_remarks(filing, {f"{record}:pupils": "差 1 名"}, acting_user=district)
        move(stage)
        assert not RemarkDraft.objects.exists()
        with pytest.raises(ConflictError):
            do_keep_remarks(filing, {f"{record}:pupils": "迟到的批注"}, version=filing.version, acting_user=district)
        late = press(entered(district), at(filing, "remark"), cell=f"{record}:pupils", text="迟到的批注",
                     version=filing.version)  # fmt: skip
        assert late.status_code == 409
        assert "您写的批注没有发出：0班 人数：迟到的批注" in late.content.decode()
    assert not RemarkDraft.objects.exists()


def test_only_one_who_decides_now_keeps_remarks(stage: Stage) -> None:
    with clock.at(NOW):
        record = fill(stage, "甲")[0]
        filing = stage.submit("甲")
        for name in ("股长", "西学区", "甲填报"):
            with pytest.raises(ForbiddenError):
                do_keep_remarks(filing, {f"{record}:pupils": "差 1 名"}, acting_user=stage.world[name])
        assert press(entered(stage.world["西学区"]), at(filing, "remark"), cell="1:x", text="x").status_code == 404


def returned(stage: Stage) -> list[int]:
    """Three classes of 甲, returned with remarks at two of them."""
    records = fill(stage, "甲", 3)
    filing = stage.submit("甲")
    remarks = [CellRemark("应为 41", records[0], "pupils"), CellRemark("应为 42", records[1], "pupils")]
    do_return_filing(filing, reason="2 格要改", remarks=remarks, acting_user=stage.world["东学区"])
    return records


def test_the_school_sees_which_remarks_it_has_answered(stage: Stage) -> None:
    with clock.at(NOW):
        returned(stage)
        clerk = entered(stage.world["甲填报"])
        assert "退回的 2 格改好再提交" in seen(clerk, at(stage.filing("甲")))
    with clock.at(LATER):
        stage.fill("甲", name="0班", pupils=41)
        page = seen(entered(stage.world["甲填报"]), at(stage.filing("甲")))
        assert "已改 1 格，共 2 格" in page
        assert "已改为 41" in page
        assert page.count("没有改动") == 1
        assert "退回的 2 格已改 1 格，还有 1 格没动" in page


def test_the_approver_sees_what_changed_since_the_return_and_can_look_at_that_alone(stage: Stage) -> None:
    with clock.at(NOW):
        records = returned(stage)
    with clock.at(LATER):
        stage.fill("甲", name="0班", pupils=41)
        stage.fill("甲", name="新班", pupils=33)
        filing = stage.submit("甲")
        district = entered(stage.world["东学区"])
        page = seen(district, at(filing))
        assert "退回的 2 格，改了 1 格" in page
        assert "<del>40</del><ins>41</ins>" in page
        assert "退回后改了 1 格，新增 1 条" in page
        assert page.count("退回后新增") == 1  # at its row
        assert page.count("c-changed") == 1
        assert "只看改动 2 条" in page
        changed = seen(district, f"{at(filing)}?rows=changed")
        assert f'id="row-{records[0]}"' in changed
        assert f'id="row-{records[1]}"' not in changed
        assert "新班" in changed
        assert f'id="row-{records[1]}"' in seen(district, f"{at(filing)}?rows=anything")


def test_a_first_content_shows_no_changes(stage: Stage) -> None:
    with clock.at(NOW):
        fill(stage, "甲")
        filing = stage.submit("甲")
        page = seen(entered(stage.world["东学区"]), at(filing))
    assert "只看改动" not in page
    assert "c-changed" not in page


def test_a_register_with_one_record_shows_what_changed_since_the_return(world: World) -> None:
    stage = make_stage(world, form())
    with clock.at(NOW):
        stage.open()
        record = stage.fill("甲", teachers=10, classes=2)
        filing = stage.submit("甲")
        remarks = [CellRemark("应为 12", record, "teachers")]
        do_return_filing(filing, reason="1 格要改", remarks=remarks, acting_user=world["东学区"])
    with clock.at(LATER):
        stage.fill("甲", teachers=12, classes=2)
        stage.submit("甲")
        page = seen(entered(world["东学区"]), at(filing))
        only = seen(entered(world["东学区"]), f"{at(filing)}?rows=changed")
    assert "退回的 1 格，改了 1 格" in page
    assert page.count("<del>10</del><ins>12</ins>") == 1
    assert "只看改动 1 格" in page
    assert "<dt>班级数</dt>" in page
    assert "<dt>教师数</dt>" in only
    assert "<dt>班级数</dt>" not in only


def test_a_filing_after_a_return_asks_as_many_questions_for_many_rows(stage: Stage) -> None:
    with clock.at(NOW):
        returned(stage)
    district = entered(stage.world["东学区"])

    def count() -> int:
        seen(district, at(stage.filing("甲")))
        with CaptureQueriesContext(connection) as asked:
            seen(district, at(stage.filing("甲")))
        return len(asked)

    with clock.at(LATER):
        stage.fill("甲", name="0班", pupils=41)
        stage.submit("甲")
        few = count()
        _returned(stage)
        for number in range(30):
            stage.fill("甲", name=f"{number}班", pupils=50 + number)
        stage.submit("甲")
        assert count() <= few <= 40
