"""The merged workbook of a round."""

from __future__ import annotations

import pytest
from openpyxl import load_workbook

from bureau.ledgers.rounds_stage import Stage, listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Attachment
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.ledgers.imports.files import path_of
from jiaoheng.bureau.ledgers.rounds.actions import do_approve_filing, do_merge
from jiaoheng.bureau.ledgers.rounds.approved import Basis


@pytest.fixture
def stage(world: World) -> Stage:
    made = make_stage(world, listing())
    with clock.at(clock.beijing(2025, 9, 20)):
        made.open()
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        for name, rooms in [("丙", 1), ("乙", 2), ("甲", 3)]:
            for number in range(rooms):
                made.fill(name, name=f"一（{number + 1}）班", pupils=40 + number)
        made.submit("甲")
        made.submit("乙")
        do_approve_filing(made.filing("甲"), acting_user=world["东学区"])
        do_approve_filing(made.filing("甲"), acting_user=world["股长"])
    return made


def test_the_file_says_in_its_name_which_figures_it_holds(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 11, 3, 9, 5)):
        made = [do_merge(stage.round, acting_user=stage.world["股长"], basis=basis).name for basis in Basis]
    assert made == [
        "2025 年秋季师资概况_汇总_已审定_20251103_0905.xlsx",
        "2025 年秋季师资概况_汇总_当前数_20251103_0905.xlsx",
    ]


def sheets(kept: Attachment) -> dict[str, list[list[object]]]:
    book = load_workbook(path_of(kept))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def test_all_units_rows_in_one_sheet_with_the_reporting_status(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 11, 3, 9)):
        found = sheets(do_merge(stage.round, acting_user=stage.world["股长"]))
    rows = [row for row in found["班额台账"] if isinstance(row[-1], (int, float))]
    assert {row[4] for row in rows} == {"2025 年秋季"}  # the period's name and not its code
    assert [row[3] for row in rows] == ["东镇甲小学"] * 3 + ["东镇乙小学"] * 2 + ["西镇丙小学"]
    status = {row[1]: (row[3], row[5], row[6]) for row in found["报送情况"][1:]}
    assert status == {
        "东镇甲小学": ("已审定", "按时", 3),
        "东镇乙小学": ("待学区审核", "按时", 2),
        "西镇丙小学": ("填报中", "逾期未交", 1),
        "青槐县实验中学": ("未开始", "逾期未交", 0),
    }
    told = dict(row[:2] for row in found["说明"] if row[0])
    assert told["截至"] == "2025-11-03 09:00"
    assert told["行数"] == "6"
    assert "当前数（含未审）；应交 4 个单位，已交 2 个；3 校的数还没有审定" in told["筛选"]


def test_approved_figures_only(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 10)):
        found = sheets(do_merge(stage.round, acting_user=stage.world["股长"], basis=Basis.APPROVED))
    rows = [row for row in found["班额台账"] if isinstance(row[-1], (int, float))]
    assert {row[3] for row in rows} == {"东镇甲小学"}


def test_a_district_merges_its_own_schools_and_a_school_is_told_where_its_data_is(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 10)):
        found = sheets(do_merge(stage.round, acting_user=stage.world["西学区"]))
        assert [row[1] for row in found["报送情况"][1:]] == ["西镇丙小学"]
        with pytest.raises(ForbiddenError, match="台账列表"):
            do_merge(stage.round, acting_user=stage.world["甲填报"])
