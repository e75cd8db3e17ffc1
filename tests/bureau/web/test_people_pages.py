"""The pages of people: the list, one person, a new one, a workbook of them, the slips that are shown once."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pytest
import xlsxwriter
from django.test import Client

from bureau.world import World
from jiaoheng.bureau.core.models import Account, AuditEntry, Membership

pytestmark = pytest.mark.django_db


def come(world: World, client: Client, who: str) -> Client:
    client.force_login(world[who])
    return client


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def body_of(response: Any) -> str:
    """A page without the token that every answer makes anew."""
    return re.sub(r"[A-Za-z0-9]{64}", "", response.content.decode())


def act(client: Client, world: World, who: str, what: str, **values: Any) -> Any:
    return client.post(f"/people/{world[who].pk}/", {"act": what, **values})


def secret_of(client: Client, answer: Any) -> str:
    """Follow to the slips and read the one password."""
    assert answer.status_code == 303
    address = answer["Location"]
    opened = client.get(address)
    assert "secret" not in opened.content.decode(), "opening the address alone shows nothing"
    shown = client.post("/people/slips", {"token": opened.context["token"], "form": "page"})
    assert shown["Cache-Control"] == "no-store"
    return str(shown.context["slips"][0].password)


def workbook(rows: list[list[str]]) -> io.BytesIO:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("人员")
        for number, row in enumerate([["姓名", "单位代码", "角色", "手机"], *rows]):
            for column, value in enumerate(row):
                sheet.write_string(number, column, value)
    out.seek(0)
    out.name = "人员.xlsx"
    return out


def test_the_list_holds_whom_one_manages_and_nobody_else(world: World, noon: dt.datetime, client: Client) -> None:
    mine = text_of(come(world, client, "甲校长").get("/people/"))
    assert "甲填报" in mine
    assert "乙填报" not in mine
    assert come(world, client, "督学").get("/people/").status_code == 403
    every = come(world, client, "管理员")
    assert every.get("/people/").context["found"].total == 14
    assert every.get("/people/?role=clerk").context["found"].total == 4
    assert every.get(f"/people/?unit={world['西'].pk}").context["found"].total == 2


def test_a_foreign_person_is_as_missing_as_nobody(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "甲校长")
    assert client.get(f"/people/{world['甲填报'].pk}/").status_code == 200
    foreign, nobody = client.get(f"/people/{world['乙填报'].pk}/"), client.get("/people/999999/")
    assert (foreign.status_code, nobody.status_code) == (404, 404)
    assert body_of(foreign) == body_of(nobody)
    refused = client.post(f"/people/{world['乙填报'].pk}/", {"act": "reset"})
    assert refused.status_code == 404
    assert not AuditEntry.objects.filter(action="password.reset").exists()


def test_a_new_password_is_shown_once_and_works(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "甲校长")
    answer = act(client, world, "甲填报", "reset", reason="忘了密码")
    token = client.get(answer["Location"]).context["token"]
    password = secret_of(client, answer)
    assert client.post("/people/slips", {"token": token}).status_code == 404, "a second time there is nothing"
    assert Account.objects.get(pk=world["甲填报"].pk).check_password(password)


def test_nobody_takes_over_a_stronger_account(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "甲填报")
    shown = client.get(f"/people/{world['甲校长'].pk}/")
    assert "权限超出您在这里的权限" in text_of(shown)
    assert act(client, world, "甲校长", "reset").status_code == 403
    assert act(client, world, "甲校长", "close", reason="换人").status_code == 403
    assert Account.objects.get(pk=world["甲校长"].pk).closed_at is None


def test_roles_are_added_and_ended_one_by_one(world: World, noon: dt.datetime, client: Client) -> None:
    """P04: adding or ending one leaves the others."""
    come(world, client, "管理员")
    done = act(client, world, "甲填报", "add", role="district", unit=world["西"].pk, starts_on="2025-10-01")
    assert done.status_code == 303
    added = Membership.objects.get(account=world["甲填报"], role="district")
    assert (added.starts_on, added.ends_on) == (dt.date(2025, 10, 1), None)
    page = text_of(client.get(f"/people/{world['甲填报'].pk}/"))
    assert "西镇学区" in page
    assert "未到任" in page
    first = Membership.objects.get(account=world["甲填报"], role="clerk")
    assert act(client, world, "甲填报", "end", membership=first.pk).status_code == 303
    first.refresh_from_db()
    assert first.ends_on == dt.date(2025, 9, 15)
    assert Membership.objects.filter(pk=added.pk, ends_on__isnull=True).exists()


def test_a_role_that_does_not_fit_is_refused_at_the_field(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "管理员")
    misfit = act(client, world, "甲填报", "add", role="district", unit=world["乙"].pk)
    assert misfit.status_code == 400
    assert "角色“学区”只设在学区" in misfit.context["wrong"]["role"]
    days = act(
        client, world, "甲填报", "add", role="clerk", unit=world["乙"].pk, starts_on="2025-10-01", ends_on="2025-09-20"
    )
    assert set(days.context["wrong"]) == {"ends_on"}
    assert "2025-10-01" in days.content.decode(), "what was typed stays"
    assert Membership.objects.filter(account=world["甲填报"]).count() == 1


def test_closing_needs_a_reason_and_can_be_taken_back(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "管理员")
    bare = act(client, world, "甲填报", "close", reason=" ")
    assert (bare.status_code, bare.context["wrong"]) == (400, {"reason": "请写明原因"})
    assert act(client, world, "甲填报", "close", reason="调走").status_code == 303
    assert Account.objects.get(pk=world["甲填报"].pk).closed_at is not None
    assert "停用" in text_of(client.get(f"/people/{world['甲填报'].pk}/"))
    assert client.get("/people/?closed=1").context["found"].total == 1
    assert secret_of(client, act(client, world, "甲填报", "reopen", reason="又调回"))


def test_one_new_person(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "甲校长")
    wrong = client.post("/people/new", {"name": "", "unit": world["甲"].pk, "role": "clerk"})
    assert wrong.status_code == 400
    assert set(wrong.context["wrong"]) == {"name"}
    foreign = client.post("/people/new", {"name": "王芳", "unit": world["乙"].pk, "role": "clerk"})
    assert foreign.status_code in (403, 404)
    made = client.post("/people/new", {"name": "王芳", "unit": world["甲"].pk, "role": "clerk"})
    password = secret_of(client, made)
    account = Account.objects.get(name="王芳")
    assert account.check_password(password)
    assert account.must_change_password


def test_a_workbook_of_people_is_judged_then_made(world: World, noon: dt.datetime, client: Client) -> None:
    """P27 on the page: nothing is made while one line is wrong; the file corrected, everybody is, once."""
    come(world, client, "管理员")
    rows = [["张一", "2199000001", "学校填报员", ""], ["李二", "2199009999", "学校填报员", ""]]
    answer = client.post("/people/import", {"file": workbook(rows)})
    assert answer.status_code == 303
    judged = client.get(answer["Location"])
    assert judged.context["preview"].counts == {"new": 1, "role": 0, "same": 0, "wrong": 1}
    assert "2199009999" in text_of(judged)
    early = client.post("/people/import", {"preview": judged.context["preview"].id})
    assert early.status_code == 400
    assert not Account.objects.filter(name="张一").exists()
    rows[1][1] = "2199000002"
    answer = client.post("/people/import", {"file": workbook(rows)})
    judged = client.get(answer["Location"])
    made = client.post("/people/import", {"preview": judged.context["preview"].id})
    token = client.get(made["Location"]).context["token"]
    slips = client.post("/people/slips", {"token": token, "form": "xlsx"})
    assert slips["Content-Type"].startswith("application/vnd.openxmlformats")
    assert b"".join(slips.streaming_content).startswith(b"PK")
    assert Account.objects.filter(name__in=["张一", "李二"]).count() == 2


def test_the_import_refuses_nothing_and_strangers(world: World, noon: dt.datetime, client: Client) -> None:
    come(world, client, "管理员")
    assert client.post("/people/import", {}).status_code == 400
    answer = client.post("/people/import", {"file": workbook([["张一", "2199000001", "学校填报员", ""]])})
    template = client.get("/people/import?template=1")
    assert b"".join(template.streaming_content).startswith(b"PK")
    come(world, client, "甲校长")
    assert client.get(answer["Location"]).status_code == 404
    assert come(world, client, "督学").get("/people/import").status_code == 403


def test_the_list_costs_the_same_whatever_the_people(
    world: World, noon: dt.datetime, client: Client, django_assert_max_num_queries: Any
) -> None:
    come(world, client, "管理员").get("/people/")
    counted = []
    for number in range(2):
        with django_assert_max_num_queries(30) as queries:
            client.get("/people/")
        counted.append(len(queries))
        if number == 0:
            for one in range(30):
                made = Account.objects.create(
                    username=f"new{one:02d}", name=f"新人{one}", home=world["甲"], created_at=noon
                )
                Membership.objects.create(account=made, role="clerk", unit=world["甲"], starts_on=noon.date())
    assert counted[1] <= counted[0]
