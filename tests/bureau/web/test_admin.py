"""The system settings: for system administrators only, in Chinese, and nothing can be written there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from bureau.web.units_stage import set_up
from bureau.world import World
from jiaoheng.bureau.core.models import Account, AuditEntry, Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(world: World, noon: dt.datetime, client: Client) -> Client:
    """Signed in as a system administrator, with registers and units there."""
    set_up(world)
    Account.objects.filter(pk=world["管理员"].pk).update(is_system_admin=True)
    client.force_login(Account.objects.get(pk=world["管理员"].pk))
    return client


def address(model: Any, rest: str = "") -> str:
    return f"/settings/{model._meta.app_label}/{model._meta.model_name}/{rest}"


def test_only_our_lists_are_there() -> None:
    names = {model._meta.label for model in admin.site._registry}
    assert names == {
        "core.Unit",
        "core.Account",
        "core.AuditEntry",
        "core.Job",
        "core.CalendarDay",
        "ledgers.RegisterRow",
        "ledgers.CodeRow",
    }


def test_no_list_offers_to_write(world: World) -> None:
    request = RequestFactory().get("/settings/")
    request.user = world["管理员"]
    request.user.is_system_admin = True
    for model, shown in admin.site._registry.items():
        offered = (
            shown.has_view_permission(request),
            shown.has_add_permission(request),
            shown.has_change_permission(request),
            shown.has_delete_permission(request),
            shown.get_actions(request),
        )
        assert offered == (True, False, False, False, {}), model


def test_every_list_and_entry_opens_and_every_write_is_refused(keeper: Client, world: World) -> None:
    for model in admin.site._registry:
        one = model.objects.first()
        assert keeper.get(address(model)).status_code == 200, model
        assert keeper.get(address(model, "add/")).status_code == 403, model
        if one is None:
            continue
        assert keeper.get(address(model, f"{one.pk}/change/")).status_code == 200, model
        assert keeper.post(address(model, f"{one.pk}/change/"), {"name": "x"}).status_code == 403, model
        assert keeper.post(address(model, f"{one.pk}/delete/"), {"post": "yes"}).status_code == 403, model
        ticked = {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
        keeper.post(address(model), ticked)
        assert model.objects.filter(pk=one.pk).exists(), model


def test_no_password_is_shown(keeper: Client, world: World) -> None:
    page = keeper.get(address(Account, f"{world['甲填报'].pk}/change/")).content.decode()
    assert "argon2" not in page
    assert "甲填报" in page


def test_the_heads_are_chinese_and_links_lead_to_the_pages(keeper: Client, world: World) -> None:
    front = keeper.get("/settings/").content.decode()
    assert "教衡 系统设置" in front
    for words in ("单位", "账号", "操作记录", "后台任务", "工作日历", "代码", "台账"):
        assert words in front
    listed = keeper.get(address(Unit)).content.decode()
    assert f'href="/units/{world["甲"].pk}/"' in listed
    trail = keeper.get(address(AuditEntry)).content.decode()
    for english in ("Number", "Actor name", "Object name"):
        assert english not in trail


def test_who_is_no_system_administrator_is_told_so(world: World, noon: dt.datetime, client: Client) -> None:
    assert client.get("/settings/")["Location"].startswith("/login/")
    client.force_login(world["局长"])
    answer = client.get("/settings/", follow=True)
    assert answer.status_code == 403
    assert "系统管理员" in answer.content.decode()
    assert client.get(address(Account), follow=True).status_code == 403


def test_the_settings_have_no_change_of_password_of_their_own(keeper: Client) -> None:
    assert keeper.get("/settings/password_change/")["Location"] == "/password/"
    left = keeper.post("/settings/logout/")
    assert left.status_code == 302
    assert AuditEntry.objects.order_by("-number").first().action == "sign_out"
