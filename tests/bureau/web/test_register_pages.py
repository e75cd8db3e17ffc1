"""Registers made from a sheet and changed by versions, code tables: through the pages."""

from __future__ import annotations

import datetime as dt
import html as markup
import io
import re
from typing import Any

import pytest
import xlsxwriter
from django.test import Client

from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store
from bureau.ledgers.test_snapshot import put
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterDraft, RegisterRow, RegisterVersion

pytestmark = pytest.mark.django_db

HEADS = ["序号", "学校名称", "车牌号", "车辆类型", "核载人数"]


@pytest.fixture
def web(world: World, noon: Any) -> Client:
    return signed(world["股长"])


def signed(account: Any) -> Client:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sheet(name: str = "校车.xlsx") -> io.BytesIO:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet("校车台账")
    page.write_row(0, 0, HEADS)
    for number in range(9):
        kind = ("大型", "中型", "小型")[number % 3]
        page.write_row(number + 1, 0, [number, "东镇甲小学", f"青A{number:05d}", kind, 19 + number])
    book.close()
    out.seek(0)
    out.name = name
    return out


def text(answer: Any) -> str:
    return str(answer.content.decode())


def form_of(page: str) -> dict[str, str]:
    """What the browser would send of the register's form."""
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        found = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        name = found.get("name", "")
        if not name or found.get("type") in ("search", "file") or name == "csrfmiddlewaretoken":
            continue
        if found.get("type") == "checkbox" and " checked" not in tag:
            continue
        sent[name] = markup.unescape(found.get("value", ""))
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        sent[name] = markup.unescape(chosen[1]) if chosen else ""
    for name, inner in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        sent[name] = markup.unescape(inner)
    return sent


def row_named(sent: dict[str, str], title: str) -> str:
    """The prefix of the inputs of a field."""
    return next(name for name, value in sent.items() if name.endswith("-title") and value == title)[: -len("title")]


def proposal(web: Client) -> str:
    answer = web.post("/ledgers/make", {"file": sheet()})
    assert answer.status_code == 303, text(answer)
    return str(answer["Location"])


def test_a_sheet_becomes_a_register_that_is_filled_in_the_same_minute(web: Client, world: World) -> None:
    address = proposal(web)
    page = text(web.get(address))
    for words in ("车牌号", "车辆类型", "核载人数", "从选项里选一个", "“学校名称”没有当成项目", "建成台账，开始填报"):
        assert words in page
    sent = form_of(page)
    sent["title"] = "校车情况"
    kind = row_named(sent, "车辆类型")
    sent[f"{kind}choices"] += "\n新能源"
    blank = next(name for name, value in sent.items() if name.endswith("-title") and not value)[: -len("title")]
    sent |= {f"{blank}title": "司机电话", f"{blank}sensitive": "phone"}
    saved = web.post(address, sent | {"act": "save"}, follow=True)
    assert "草稿已存" in text(saved)
    assert not RegisterRow.objects.exists()
    sent = form_of(text(saved))
    assert "司机电话" in sent.values()
    made = web.post(address, sent | {"act": "make"})
    row = RegisterRow.objects.get()
    assert made["Location"] == f"/ledgers/{row.name}/"
    schema = registry.schema_of(row)
    assert [one.title for one in schema.fields] == ["车牌号", "车辆类型", "核载人数", "司机电话"]
    assert str(schema.by_name[schema.fields[3].name].sensitive) == "phone"
    assert schema.key == (schema.fields[0].name,)
    table = schema.codes_of(schema.fields[1])
    assert table is not None
    assert "新能源" in table.valid(clock.today()).values()
    clerk = signed(world["甲填报"])
    assert "校车情况" in text(clerk.get("/ledgers/"))
    assert "车牌号" in text(clerk.get(f"/ledgers/{row.name}/new"))
    assert clerk.get(f"/ledgers/{row.name}/import").status_code == 200


def test_who_fills_and_who_approves_and_how_often_are_taken_as_chosen(web: Client, world: World) -> None:
    address = proposal(web)
    sent = form_of(text(web.get(address)))
    sent |= {"period": "month", "filler": "principal", "chain": "department", "act": "make"}
    web.post(address, sent)
    schema = registry.schema_of(RegisterRow.objects.get())
    assert (str(schema.period), schema.fill.filler, schema.fill.approvers) == ("month", "principal", ("department",))


def test_a_wrong_form_is_told_at_its_row_and_keeps_what_was_typed(web: Client, world: World) -> None:
    address = proposal(web)
    sent = form_of(text(web.get(address)))
    seats = row_named(sent, "核载人数")
    sent |= {f"{seats}minimum": "很多", "title": "校车乙", "act": "make"}
    answer = web.post(address, sent)
    page = text(answer)
    assert answer.status_code == 400
    assert "很多" in page
    assert 'id="errors"' in page
    assert f'href="#{seats}title"' in page
    assert form_of(page)["title"] == "校车乙"
    assert not RegisterRow.objects.exists()
    sent |= {f"{seats}minimum": "", f"{row_named(sent, '车辆类型')}choices": ""}
    assert "没有写选项" in text(web.post(address, sent))
    assert not RegisterRow.objects.exists()


def test_a_field_may_be_left_out_and_a_name_is_given_once(web: Client, world: World) -> None:
    first, second = proposal(web), proposal(web)
    sent = form_of(text(web.get(first)))
    web.post(first, sent | {f"{row_named(sent, '核载人数')}drop": "1", "act": "make"})
    assert [one.title for one in registry.schema_of(RegisterRow.objects.get()).fields] == ["车牌号", "车辆类型"]
    again = web.post(second, form_of(text(web.get(second))) | {"act": "make"})
    assert again.status_code == 400
    assert "已有台账" in text(again)
    assert RegisterRow.objects.count() == 1


def test_drafts_are_ones_own_and_can_be_thrown_away(web: Client, world: World) -> None:
    address = proposal(web)
    assert signed(world["管理员"]).get(address).status_code == 404
    assert "校车" in text(web.get("/ledgers/make"))
    web.post(address, {"act": "drop"})
    assert not RegisterDraft.objects.exists()
    assert web.get(address).status_code == 404


@pytest.mark.parametrize("who", ["甲填报", "东学区", "督学"])
def test_without_the_right_no_register_is_made_or_changed(world: World, noon: Any, who: str) -> None:
    store(ROSTER)
    web = signed(world[who])
    for address in ("/ledgers/make", "/ledgers/t_roster/change"):
        assert web.get(address).status_code == 403
        assert web.post(address, {"file": sheet()}).status_code == 403
    assert not RegisterDraft.objects.exists()


def test_a_file_that_is_no_workbook_is_refused_on_the_first_page(web: Client) -> None:
    bad = io.BytesIO(b"MZ\x90\x00 program")
    bad.name = "校车.xlsx"
    answer = web.post("/ledgers/make", {"file": bad})
    assert answer.status_code == 400
    assert 'id="errors"' in text(answer)
    assert not RegisterDraft.objects.exists()


def own_register(web: Client) -> RegisterRow:
    address = proposal(web)
    web.post(address, form_of(text(web.get(address))) | {"act": "make"})
    return RegisterRow.objects.get()


def test_p12_a_new_version_says_first_what_happens_to_each_field(web: Client, world: World) -> None:
    row = own_register(web)
    plate, kind, seats = (one.name for one in registry.schema_of(row).fields)
    put(row, 1, [Change(world["甲"].pk, {plate: "青A1", kind: "1", seats: 19})], clock.now())
    address = f"/ledgers/{row.name}/change"
    sent = form_of(text(web.get(address)))
    blank = next(name for name, value in sent.items() if name.endswith("-title") and not value)[: -len("title")]
    sent |= {
        f"{row_named(sent, '车牌号')}title": "号牌",
        f"{row_named(sent, '核载人数')}drop": "1",
        f"{blank}title": "是否校车标牌",
        f"{blank}kind": "boolean",
        "effective_from": "2025-10-01",
    }
    look = text(web.post(address, sent | {"act": "look"}))
    for words in ("改名", "停用", "新增", "号牌", "是否校车标牌", "启用新表样", "其余 1 项不变"):
        assert words in look
    assert RegisterVersion.objects.filter(register=row).count() == 1
    confirm = form_of(look)
    assert confirm["effective_from"] == "2025-10-01"
    done = web.post(address, confirm | {"act": "confirm"})
    assert done["Location"] == f"/ledgers/{row.name}/about"
    assert RegisterVersion.objects.filter(register=row).count() == 2
    assert registry.schema_of(row, dt.date(2025, 9, 30)).fields[0].title == "车牌号"
    later = registry.schema_of(row, dt.date(2025, 10, 1))
    assert [one.title for one in later.fields] == ["号牌", "车辆类型", "是否校车标牌"]


def test_a_change_without_a_date_or_without_a_change_is_refused(web: Client) -> None:
    row = own_register(web)
    address = f"/ledgers/{row.name}/change"
    sent = form_of(text(web.get(address)))
    assert "请填新表样从哪天起用" in text(web.post(address, sent | {"effective_from": "", "act": "look"}))
    same = web.post(address, sent | {"act": "confirm"})
    assert same.status_code == 400
    assert "没有改动" in text(same)


def test_a_packs_register_says_where_it_is_changed(web: Client) -> None:
    store(ROSTER)
    page = text(web.get("/ledgers/t_roster/change"))
    assert "在台账包里改" in page
    assert "jiaoheng pack load" in page
    assert web.post("/ledgers/t_roster/change", {"act": "confirm"}).status_code == 200
    assert RegisterVersion.objects.count() == 1


def test_codes_are_added_ended_resumed_and_renamed_by_date(web: Client, world: World) -> None:
    store(CONDITIONS)
    assert "等级" in text(web.get("/codes/"))
    page = text(web.get("/codes/test_grade/"))
    assert "良好" in page
    assert "乙级（2025-09-01 前）" in page
    assert "2025-09-01 停用" in page
    assert "办学条件的等级" in page
    web.post("/codes/test_grade/", {"act": "add", "code": "D", "label": "丁级", "on": "2025-10-01"})
    assert CodeRow.objects.get(code="D").starts_on == dt.date(2025, 10, 1)
    web.post("/codes/test_grade/", {"act": "end", "code": "A", "on": "2026-01-01"})
    assert CodeRow.objects.get(code="A").ends_on == dt.date(2026, 1, 1)
    web.post("/codes/test_grade/", {"act": "resume", "code": "A"})
    assert CodeRow.objects.get(code="A").ends_on is None
    told = text(
        web.post("/codes/test_grade/", {"act": "rename", "code": "A", "label": "优", "on": "2025-10-01"}, follow=True)
    )
    assert "2025-10-01 起叫“优”" in told
    assert CodeRow.objects.filter(code="A").count() == 2


def test_p19_a_code_in_use_is_not_deleted_and_the_page_says_how_many(web: Client, world: World) -> None:
    row = store(CONDITIONS)
    data = {"teachers": 1, "classes": 1, "grade": "B"}
    put(row, 1, [Change(world[unit].pk, data) for unit in ("甲", "乙", "丙", "直")], clock.now())
    answer = web.post("/codes/test_grade/", {"act": "delete", "code": "B"})
    assert answer.status_code == 400
    assert "4 条在用，可停用" in text(answer)
    assert CodeRow.objects.filter(code="B").exists()
    assert web.post("/codes/test_grade/", {"act": "delete", "code": "A"}).status_code == 303
    assert not CodeRow.objects.filter(code="A").exists()
    taken = web.post("/codes/test_grade/", {"act": "add", "code": "C", "label": "别的"})
    assert "代码 C 已是" in text(taken)
    assert 'value="别的"' in text(taken)
    assert "日期" in text(web.post("/codes/test_grade/", {"act": "end", "code": "B", "on": "2025-13-01"}))


def test_codes_may_be_read_by_all_and_changed_by_few(world: World, noon: Any) -> None:
    store(CONDITIONS)
    clerk = signed(world["甲填报"])
    page = text(clerk.get("/codes/test_grade/"))
    assert "增加一项" not in page
    assert clerk.post("/codes/test_grade/", {"act": "delete", "code": "A"}).status_code == 403
    assert CodeRow.objects.filter(code="A").exists()
    assert clerk.get("/codes/no_such/").status_code == 404


def test_the_list_of_codes_costs_the_same_however_many_there_are(
    web: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    store(CONDITIONS)
    for number in range(40):
        CodeRow.objects.create(
            table=f"more_{number}", table_title=f"表{number}", code="1", label="一", changed_at=clock.now()
        )
    with django_assert_max_num_queries(30):
        assert "代码表 41 张" in text(web.get("/codes/"))
