"""The pages of units: the list, 一校一册 with its figures, who sees what, the guided changes with their refusals."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client

from bureau.web.units_stage import NOW, classes, set_up
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_units import do_move_unit
from jiaoheng.bureau.core.models import AuditEntry, Unit
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.unit_figures import figures_of, small
from jiaoheng.bureau.ledgers.unit_numbers import numbers_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(world: World, noon: dt.datetime) -> World:
    """The small county with classes and teachers."""
    set_up(world)
    return world


def come(world: World, client: Client, who: str) -> Client:
    client.force_login(world[who])
    return client


def body_of(response: Any) -> str:
    """A page without the token that every answer makes anew."""
    return re.sub(r"[A-Za-z0-9]{64}", "", response.content.decode())


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_figures_of_a_school_are_the_sums_of_its_rows(office: World) -> None:
    found = figures_of(office["局长"], office["甲"], clock.today())
    shown = {one.title: (one.value, one.note) for one in found.figures}
    assert shown["班数"] == ("2", "个，大班额 1 个，其中超大 0 个")
    assert shown["在校生"][0] == "100"
    assert shown["平均班额"] == ("50.0", "名，最大 60，全县 43.8")  # 175 pupils in 4 classes: 43.75, half up
    assert shown["专任教师"] == ("4", "名，生师比 25.0")  # the retired one is not on the staff
    assert shown["随班就读"] == ("*", "不足 5 名，隐去")
    assert all(one.definition and str(office["甲"].pk) in one.query for one in found.figures)
    assert found.sizes is not None
    assert [(bar.name, bar.total, bar.band) for bar in found.sizes.bars] == [
        ("一（1）班", 60, "large"),
        ("一（2）班", 40, ""),
    ]


def test_small_groups_are_hidden_but_nobody_is_zero() -> None:
    assert [small(one) for one in (None, 0, 1, 4, 5)] == ["—", "0", "*", "*", "5"]


def test_three_years_stand_side_by_side(office: World) -> None:
    years = figures_of(office["局长"], office["东"], clock.today()).years
    assert years is not None
    assert years.heads == ("2023", "2024", "2025")
    assert years.mark == ""
    rows = {one.title: (one.values, one.change) for one in years.rows}
    assert rows["在校生（名）"] == (("—", "133", "130"), "−3")
    assert rows["班数（个）"] == (("—", "3", "3"), "0")


def test_a_school_that_moved_in_between_marks_the_change(office: World) -> None:
    """P01 on the page: the old figure keeps the old tree, the change says so and gives the comparison on one tree."""
    do_move_unit(office["乙"], office["西"], acting_user=office["管理员"], day=dt.date(2025, 9, 1), reason="区划调整")
    years = figures_of(office["局长"], office["东"], clock.today()).years
    assert years is not None
    pupils = next(one for one in years.rows if one.title.startswith("在校生"))
    assert (pupils.values[1:], pupils.change, pupils.note) == (("133", "100"), "−33", "口径变化")
    assert years.mark == "口径变化：东镇乙小学 划出"
    assert "同口径 100 → 100 名" in years.sentence


def test_a_county_shows_its_units_with_the_reporting_rate(office: World) -> None:
    found = figures_of(office["局长"], office["县"], clock.today())
    assert found.below is not None
    assert found.filed == "已报 3/4"
    rows = {one.name: (one.filed, one.cells[1]) for one in found.below.rows}
    assert rows == {
        "东镇学区": ("已报 2/2", "130"),
        "西镇学区": ("已报 1/1", "45"),
        "青槐县实验中学": ("已报 0/1", "—"),
    }
    assert found.below.total.cells[:2] == ("4", "175")
    assert found.below.missing == ("青槐县实验中学",)


def test_the_page_as_of_a_day_shows_that_day(office: World) -> None:
    before = numbers_on(dt.date(2025, 9, 5)).size_of(office["甲"])
    assert (before.pupils, numbers_on(NOW).size_of(office["甲"]).pupils) == (None, 100)


def test_who_opens_which_unit(office: World, client: Client) -> None:
    """One set-up: the own school opens; another's is the page of what does not exist, with the same body."""
    come(office, client, "甲填报")
    assert client.get(f"/units/{office['甲'].pk}/").status_code == 200
    foreign, nothing = client.get(f"/units/{office['丙'].pk}/"), client.get("/units/999999/")
    assert (foreign.status_code, nothing.status_code) == (404, 404)
    assert body_of(foreign) == body_of(nothing)
    listed = client.get("/units/").content.decode()
    assert "东镇甲小学" in listed
    assert "东镇乙小学" not in listed
    assert f'href="/units/{office["东"].pk}/"' not in listed  # the heading of a district that the reader cannot open


@pytest.mark.parametrize(
    "who", ["甲填报", "甲校长", "东学区", "股长", "局长", "甲班主任", "甲教师", "管理员", "督学", "乡镇"]
)
def test_no_link_of_the_main_pages_is_dead(office: World, client: Client, who: str) -> None:
    """Whatever a page offers to somebody opens for him: a link to what he may not read would tell him it is missing."""
    come(office, client, who)
    dead = set()
    for address in (
        "/",
        "/ledgers/",
        "/rounds/",
        "/units/",
        "/exams/",
        "/calendar/",
        "/me",
        f"/units/{office['甲'].pk}/",
    ):
        page = client.get(address)
        links = set(re.findall(r'href="(/[^"#]*)', page.content.decode())) if page.status_code == 200 else set()
        for link in links - {"/static/"}:
            if link.startswith("/static/"):
                continue
            status = client.get(html.unescape(link)).status_code
            if status >= 400:
                dead.add((address, link, status))
    assert dead == set()


def test_the_page_says_who_can_see_only_to_whom_it_concerns(office: World, client: Client) -> None:
    page = client.get
    come(office, client, "甲校长")
    mine = page(f"/units/{office['甲'].pk}/").content.decode()
    assert "谁能看到" in mine
    assert "管理账号" in mine
    assert "/change/" not in mine
    come(office, client, "督学")
    assert "谁能看到" not in page(f"/units/{office['甲'].pk}/").content.decode()
    come(office, client, "管理员")
    assert f"/units/{office['甲'].pk}/change/merge/" in page(f"/units/{office['甲'].pk}/").content.decode()


def test_a_district_sees_a_school_that_left_as_on_its_last_day(office: World, client: Client) -> None:
    do_move_unit(office["乙"], office["西"], acting_user=office["管理员"], day=dt.date(2025, 9, 1), reason="区划调整")
    come(office, client, "东学区")
    shown = client.get(f"/units/{office['乙'].pk}/")
    assert shown.status_code == 200
    said = text_of(shown)
    assert "只显示到 2025-08-31 的内容" in said
    assert "西镇学区" not in said


def test_the_list_is_filtered_by_name_and_kind(office: World, client: Client) -> None:
    come(office, client, "局长")
    every = text_of(client.get("/units/"))
    assert "2 个学区，4 所学校" in every
    assert "县直属" in every
    assert "找到 1 所" in text_of(client.get("/units/?text=乙"))
    assert "找到 1 所" in text_of(client.get("/units/?kind=311"))
    assert client.get("/units/?as_of=2025-02-31").status_code == 200


def test_a_page_costs_the_same_whatever_the_rows(
    office: World, client: Client, django_assert_max_num_queries: Any
) -> None:
    come(office, client, "局长")
    address = f"/units/{office['县'].pk}/"
    client.get(address)
    counted = []
    for number in range(2):
        with django_assert_max_num_queries(70) as queries:
            assert client.get(address).status_code == 200
        counted.append(len(queries))
        if number == 0:
            classes(office, "直", NOW, [41] * 30)
            client.get(address)
    assert counted[1] <= counted[0]


def change(world: World, client: Client, unit: str, what: str, **values: Any) -> Any:
    return client.post(f"/units/{world[unit].pk}/change/{what}/", values)


def basis_of(response: Any) -> str:
    return str(response.context["preview"].basis)


def test_a_merge_is_previewed_then_carried_out(office: World, client: Client) -> None:
    come(office, client, "管理员")
    asked = {
        "receiver": office["甲"].pk,
        "day": "2025-09-20",
        "reason": "县政府批复并校",
        "document": "青政〔2025〕7号",
    }
    shown = change(office, client, "乙", "merge", act="preview", **asked)
    said = text_of(shown)
    assert "东镇乙小学自 2025-09-20 起并入东镇甲小学" in said
    assert "转到青槐县待分配" in said
    assert Unit.objects.get(pk=office["乙"].pk).ends_on is None, "a preview writes nothing"
    done = change(office, client, "乙", "merge", act="confirm", basis=basis_of(shown), **asked)
    assert (done.status_code, done["Location"]) == (303, f"/units/{office['乙'].pk}/")
    assert Unit.objects.get(pk=office["乙"].pk).ends_on == dt.date(2025, 9, 20)
    entry = AuditEntry.objects.get(action="unit-merge")
    assert (entry.actor_id, entry.reason) == (office["管理员"].pk, "县政府批复并校")
    assert "并入东镇甲小学" in text_of(client.get(f"/units/{office['乙'].pk}/"))
    before = text_of(client.get(f"/units/{office['乙'].pk}/?as_of=2025-09-19"))
    told = text_of(client.get(f"/units/{office['乙'].pk}/?as_of=2025-10-20"))
    assert "最后一天的样子" in told
    assert "9 月 19 日（周五）" in told
    figures = re.compile(r"班数 (.*?) 在校生 (.*?) 平均班额")
    assert figures.search(told)[0] == figures.search(before)[0]  # those of its last day, whatever day it is
    assert not re.search(r"— （[^）]*） 名", told)


def test_a_refused_change_is_told_at_the_field_and_keeps_what_was_typed(office: World, client: Client) -> None:
    come(office, client, "管理员")
    asked = {"day": "2025-09-20", "reason": "县政府批复并校"}
    same = change(office, client, "乙", "merge", act="preview", receiver=office["乙"].pk, **asked)
    assert same.status_code == 400
    assert set(same.context["wrong"]) == {"receiver"}
    assert "县政府批复并校" in same.content.decode()
    nobody = change(office, client, "乙", "merge", act="preview", receiver="", **asked)
    assert nobody.context["wrong"] == {"receiver": "请选择并入哪个单位"}
    why = change(office, client, "乙", "close", act="preview", day="2025-09-20", reason=" ")
    assert set(why.context["wrong"]) == {"reason"}
    day = change(office, client, "乙", "close", act="preview", day="九月", reason="并校")
    assert set(day.context["wrong"]) == {"day"}
    assert "九月" in day.context["wrong"]["day"]
    assert Unit.objects.get(pk=office["乙"].pk).ends_on is None


def test_a_stale_preview_is_shown_anew(office: World, client: Client) -> None:
    come(office, client, "管理员")
    asked = {"receiver": office["甲"].pk, "day": "2025-09-20", "reason": "并校"}
    answer = change(office, client, "乙", "merge", act="confirm", basis="seen-before", **asked)
    assert answer.status_code == 409
    assert answer.context["preview"].basis != "seen-before"
    assert "请按下面的最新内容再核对一次" in text_of(answer)


def test_renaming_moving_and_founding(office: World, client: Client) -> None:
    come(office, client, "管理员")
    common = {"day": "2025-09-20", "reason": "镇改街道"}
    change(office, client, "乙", "rename", act="confirm", name="东镇第二小学", short_name="二小", **common)
    assert name_of(office["乙"], dt.date(2025, 9, 20)) == "东镇第二小学"
    assert name_of(office["乙"], dt.date(2025, 9, 19)) == "东镇乙小学"
    moved = change(office, client, "乙", "move", act="confirm", parent=office["西"].pk, **common)
    assert moved.status_code == 303
    made = client.post(
        "/units/new",
        {"act": "confirm", "level": "school", "code": "2199000009", "name": "东镇丁小学", "kind": "211"}
        | {"parent": office["东"].pk}
        | common,
    )
    assert made.status_code == 303
    assert Unit.objects.filter(code="2199000009").exists()
    again = client.post(
        "/units/new",
        {"act": "preview", "level": "school", "code": "2199000009", "name": "又一所", "parent": office["东"].pk}
        | common,
    )
    assert again.status_code == 400
    assert "不重复使用" in again.context["wrong"]["code"]


def test_only_who_may_change_units_comes_to_the_form(office: World, client: Client) -> None:
    """The same address for four people: the administrator, a reader, a stranger, and a change that does not exist."""
    address = f"/units/{office['甲'].pk}/change/close/"
    answers = {}
    for who in ("管理员", "甲校长", "丙填报"):
        answers[who] = come(office, client, who).get(address).status_code
        assert who == "管理员" or client.post(address, {"act": "confirm"}).status_code == answers[who]
    assert answers == {"管理员": 200, "甲校长": 403, "丙填报": 404}
    assert come(office, client, "管理员").get(f"/units/{office['甲'].pk}/change/erase/").status_code == 404
    assert come(office, client, "甲校长").get("/units/new").status_code == 403


def test_splitting_closing_and_reopening(office: World, client: Client) -> None:
    come(office, client, "管理员")
    asked = {"day": "2025-09-20", "reason": "校区独立"}
    split = {"code": "2199000008", "name": "东镇新小学", "children": [str(office["甲102"].pk)]} | asked
    shown = change(office, client, "甲", "split", act="preview", **split)
    assert "1 个下属单位转到东镇新小学：一（2）班" in text_of(shown)
    assert change(office, client, "甲", "split", act="confirm", basis=basis_of(shown), **split).status_code == 303
    made = Unit.objects.get(code="2199000008")
    assert "一（2）班" in text_of(client.get(f"/units/{made.pk}/?as_of=2025-09-20"))
    assert change(office, client, "乙", "close", act="confirm", day="2025-09-10", reason="生源不足").status_code == 303
    page = client.get(f"/units/{office['乙'].pk}/")
    assert "已撤销 2025-09-10" in text_of(page)
    assert [one.key for one in page.context["changes"]] == ["reopen"]
    assert change(office, client, "乙", "reopen", act="confirm", reason=" ").status_code == 400
    assert change(office, client, "乙", "reopen", act="confirm", reason="办错").status_code == 303
    assert Unit.objects.get(pk=office["乙"].pk).ends_on is None
    kind = {
        "kind": "218",
        "ownership": "831",
        "locality": "220",
        "township": "东镇",
        "day": "2025-09-20",
        "reason": "改设",
    }
    assert change(office, client, "乙", "facts", act="confirm", **kind).status_code == 303
