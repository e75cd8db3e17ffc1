"""P27: accounts by the hundred from a workbook."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest

from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.accounts_file import write_people_template
from jiaoheng.bureau.core.actions_accounts import do_add_account, do_close_account
from jiaoheng.bureau.core.actions_accounts_file import PeoplePreview, confirm_people, load_preview, preview_people
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError, RefusedError

HEAD = ["姓名", "单位代码", "角色", "手机"]
A, B = "2199000001", "2199000002"


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "人员"
    for row in [HEAD, *rows]:
        sheet.append(row)
    book.save(path)
    return path


def hundred() -> list[list[object]]:
    """Sheet rows 2 to 101; row 57 of the people has an unknown code, row 80 has an account."""
    letters = "甲乙丙丁戊己庚辛壬癸"
    rows: list[list[object]] = [
        [f"陈{letters[number // 10]}{letters[number % 10]}", A if number % 2 else B, "教师", None]
        for number in range(100)
    ]
    rows[9] = ["王伟", A, "教师", "13900000001"]
    rows[10] = ["王伟", B, "教师", 13900000001]
    rows[56][1] = "2199009999"
    rows[79] = ["孙在", A, "教师", None]
    return rows


@pytest.fixture
def known(world: World, noon: dt.datetime) -> Account:
    account, _ = do_add_account("孙在", world["甲"], "teacher", acting_user=None)
    return account


def preview(world: World, tmp_path: Path, rows: list[list[object]], who: str = "东学区") -> PeoplePreview:
    return preview_people(world[who], workbook(tmp_path / "people.xlsx", rows), "人员.xlsx")


def test_p27_a_hundred_rows(world: World, known: Account, tmp_path: Path) -> None:
    rows, before = hundred(), Account.objects.count()
    first = preview(world, tmp_path, rows)
    assert first.counts == {"new": 98, "role": 0, "same": 1, "wrong": 1}
    assert Account.objects.count() == before
    (wrong,) = first.wrong
    assert wrong.told == "工作表“人员” B58：单位代码“2199009999”：无此单位，请按模板的“单位”表改正"
    assert first.rows[79].username == known.username
    with pytest.raises(RefusedError, match="有 1 行有误，没有建任何账号。工作表“人员” B58"):
        confirm_people(first.id, acting_user=world["东学区"])
    assert Account.objects.count() == before

    rows[56][1] = A
    second = preview(world, tmp_path, rows)
    assert second.counts == {"new": 99, "role": 0, "same": 1, "wrong": 0}
    slips = confirm_people(second.id, acting_user=world["东学区"])
    assert Account.objects.count() == before + 99
    assert len(slips) == len({slip.username for slip in slips}) == 99
    wei = {slip.unit: slip.username for slip in slips if slip.name == "王伟"}
    assert len(set(wei.values())) == 2
    assert all(Account.objects.get(username=slip.username).check_password(slip.password) for slip in slips[:5])
    assert Account.objects.filter(must_change_password=True).count() == 100
    assert AuditEntry.objects.filter(action="account.add").count() == 100

    passwords = dict(Account.objects.values_list("username", "password"))
    third = preview(world, tmp_path, rows)
    assert third.counts == {"new": 0, "role": 0, "same": 100, "wrong": 0}
    assert {one.unit_name: one.username for one in third.rows if one.row.name == "王伟"} == wei
    with pytest.raises(RefusedError, match="100 行都已有账号"):
        confirm_people(third.id, acting_user=world["东学区"])
    assert dict(Account.objects.values_list("username", "password")) == passwords


def test_names_do_not_follow_from_the_order_of_the_rows(world: World, known: Account, tmp_path: Path) -> None:
    rows = hundred()
    forward = {(one.row.name, one.row.unit): one.username for one in preview(world, tmp_path, rows).rows}
    backward = {(one.row.name, one.row.unit): one.username for one in preview(world, tmp_path, rows[::-1]).rows}
    assert forward["王伟", A] == backward["王伟", A]
    assert forward["王伟", B] == backward["王伟", B]


@pytest.mark.parametrize(
    ("row", "cell", "told"),
    [
        (["", A, "教师"], "A2", "姓名是空的"),
        (["赵一", "", "教师"], "B2", "单位代码是空的"),
        (["赵一", "2199000003", "教师"], "B2", "无此单位"),
        (["赵一", A, "厨师"], "C2", "角色“厨师”不在列表中"),
        (["赵一", A, "校长"], "C2", "“校长”的权限超出您在东镇甲小学的权限"),
        (["赵一", A, "班主任"], "C2", "角色“班主任”不设在学校"),
        (["赵一", A, "教师", "电话不详"], "D2", "手机“电话不详”不是电话号码"),
    ],
)
def test_each_fault_has_its_cell(world: World, tmp_path: Path, row: list[object], cell: str, told: str) -> None:
    (wrong,) = preview(world, tmp_path, [row]).wrong
    assert f"工作表“人员” {cell}：" in wrong.told
    assert told in wrong.told


def test_one_person_in_two_lines_is_one_account_with_two_roles(world: World, tmp_path: Path) -> None:
    rows: list[list[object]] = [["赵一", A, "教师"], ["赵一", A, "学校填报员"], ["赵一", f"{A}-101", "班主任"]]
    first = preview(world, tmp_path, rows)
    assert first.counts == {"new": 1, "role": 2, "same": 0, "wrong": 0}
    (slip,) = confirm_people(first.id, acting_user=world["东学区"])
    account = Account.objects.get(username=slip.username)
    assert account.home == world["甲"]
    assert set(Membership.objects.filter(account=account).values_list("role", flat=True)) == {
        "teacher", "clerk", "class_teacher",
    }  # fmt: skip
    assert preview(world, tmp_path, rows).counts["same"] == 3


def test_the_same_line_twice_and_two_namesakes_of_one_school(world: World, tmp_path: Path) -> None:
    (wrong,) = preview(world, tmp_path, [["赵一", A, "教师"], ["赵一", A, "教师"]]).wrong
    assert "赵一与第 2 行相同" in wrong.told
    two: list[list[object]] = [["赵一", A, "教师", "13900000001"], ["赵一", A, "教师", "13900000002"]]
    first = preview(world, tmp_path, two)
    assert first.counts["new"] == 2
    confirm_people(first.id, acting_user=world["东学区"])
    (wrong,) = preview(world, tmp_path, [["赵一", A, "教师"]]).wrong
    assert "本单位有 2 个赵一有账号，请填手机区分" in wrong.told


def test_a_namesake_of_a_closed_account_inherits_nothing(world: World, known: Account, tmp_path: Path) -> None:
    do_close_account(known, acting_user=None, reason="调离")
    (row,) = preview(world, tmp_path, [["孙在", A, "教师"]]).rows
    assert (row.state, row.account_id) == ("new", 0)
    assert row.username != known.username
    assert f"原账号 {known.username} 已停用" in row.told


def test_a_file_without_the_columns_is_refused_in_words(world: World, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["姓名", "手机"])
    book.active.append(["赵一", "13900000001"])
    book.save(tmp_path / "x.xlsx")
    found = preview_people(world["东学区"], tmp_path / "x.xlsx", "x.xlsx")
    assert "表头缺少：单位代码、角色" in found.problems[0]
    with pytest.raises(RefusedError, match="表头缺少"):
        confirm_people(found.id, acting_user=world["东学区"])
    (tmp_path / "y.xlsx").write_bytes(b"no workbook")
    assert preview_people(world["东学区"], tmp_path / "y.xlsx", "y.xlsx").problems


def test_a_preview_is_ones_own_and_goes_stale(world: World, tmp_path: Path) -> None:
    found = preview(world, tmp_path, [["赵一", A, "教师"]])
    for who, wanted in (("甲校长", found.id), ("东学区", "x"), ("东学区", "0" * 32)):
        with pytest.raises(NotFoundError):
            load_preview(world[who], wanted)
    from jiaoheng.bureau.core.actions_accounts_file import do_add_people

    do_add_account("赵一", world["甲"], "teacher", acting_user=None)
    with pytest.raises(ConflictError, match="没有建任何账号"):
        do_add_people(found, {found.rows[0].username: "x"}, acting_user=world["东学区"])


def test_the_template_filled_in_is_read_again(world: World, tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_people_template(path, world["东学区"])
    book = openpyxl.load_workbook(path)
    codes = [row[0] for row in book["单位"].iter_rows(min_row=2, max_col=1, values_only=True) if row[0]]
    assert set(codes) == {"T01", A, B, f"{A}-101", f"{A}-102"}
    for column, value in enumerate(["赵一", A, "教师", "13900000001"], start=1):
        book["人员"].cell(2, column, value)
    book.save(path)
    found = preview_people(world["东学区"], path, "模板.xlsx")
    assert found.counts == {"new": 1, "role": 0, "same": 0, "wrong": 0}


def test_a_preview_that_nobody_confirmed_goes_after_a_day(world: World, tmp_path: Path, settings: object) -> None:
    first = preview(world, tmp_path, [["赵一", A, "教师"]])
    (path,) = (settings.FILES / "account-previews").glob("*.json")  # type: ignore[attr-defined]
    with clock.at(dt.datetime.now(dt.UTC) + dt.timedelta(hours=23)):
        preview(world, tmp_path, [["赵一", A, "教师"]])
        assert path.exists()
    with clock.at(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)):
        second = preview(world, tmp_path, [["赵一", A, "教师"]])
    with pytest.raises(NotFoundError):
        load_preview(world["东学区"], first.id)
    assert load_preview(world["东学区"], second.id).count("new") == 1
