"""Ways from page to page: the calendar from every page, who changed a record from the record, what a search still misses."""

from __future__ import annotations

import pytest

from bureau.web.walk_kit import entered
from bureau.web.walk_stage import Ground
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Job

pytestmark = pytest.mark.django_db


def test_ways_between_pages(ground: Ground) -> None:
    record = ground.things["record"]["甲"]
    link = f'href="/audit/?type=record&amp;id={record}"'
    shown = {role: entered(ground, role).get(f"/records/{record}/").content.decode() for role in ("leader", "clerk")}
    assert link not in shown["clerk"], "a clerk does not read the audit"
    admin = entered(ground, "admin")
    assert link in admin.get(f"/records/{record}/").content.decode()
    trail = admin.get(f"/audit/?type=record&id={record}")
    assert trail.status_code == 200
    assert '<a href="/calendar/">工作日历</a>' in shown["clerk"]

    clerk = entered(ground, "clerk")
    assert "编入检索" not in clerk.get("/search?q=记号").content.decode()
    Job.objects.create(
        kind="search-records", title="编入检索", arguments={"register": "roster"}, created_at=clock.now(), owner=None
    )
    assert "刚导入的记录还在编入检索，几分钟内可以查到" in clerk.get("/search?q=记号").content.decode()
    assert "刚导入的记录还在编入检索" in clerk.get("/ledgers/roster/?q=没有这个人").content.decode()
