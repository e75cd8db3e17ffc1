"""The exam reports in the office: who reads the whole county sees and takes them, nobody else does, nothing else opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from bureau.world import World
from jiaoheng.bureau.core import clock

pytestmark = pytest.mark.django_db
NOON = clock.beijing(2025, 9, 15, 12)


@pytest.fixture
def reports(tmp_path: Path, settings: Any) -> Path:
    """One report in the data folder, and a file beside it that is none of it."""
    settings.DATA = tmp_path
    folder = tmp_path / "exams" / "期中"
    (folder / "学校").mkdir(parents=True)
    (folder / "report.html").write_text("<p>全县报告</p>", encoding="utf-8")
    (folder / "tables.xlsx").write_bytes(b"PK tables")
    (folder / "summary.json").write_text(json.dumps({"exam": {"name": "2025 年期中"}}), encoding="utf-8")
    (folder / "学校" / "东镇甲小学.docx").write_bytes(b"PK school")
    (tmp_path / "secret-key").write_text("key", encoding="utf-8")
    return folder


def reader(account: Any) -> Client:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_who_reads_the_county_sees_and_takes_the_report(world: World, reports: Path) -> None:
    with clock.at(NOON):
        client = reader(world["局长"])
        listed = client.get("/exams/").content.decode()
        assert "2025 年期中" in listed
        assert "分校材料 1 份" in listed
        shown = client.get("/exams/期中/report.html")
        assert b"".join(shown) == "<p>全县报告</p>".encode()
        assert shown["Content-Type"].startswith("text/html")
        assert "attachment" not in shown.get("Content-Disposition", "")
        taken = client.get("/exams/期中/tables.xlsx")
        assert b"".join(taken) == b"PK tables"
        assert "attachment" in taken["Content-Disposition"]
        assert b"".join(client.get("/exams/期中/学校/东镇甲小学.docx")) == b"PK school"


def test_a_school_sees_none_and_gets_none(world: World, reports: Path) -> None:
    with clock.at(NOON):
        client = reader(world["甲填报"])
        page = client.get("/exams/")
        assert page.status_code == 200
        assert "2025 年期中" not in page.content.decode()
        assert client.get("/exams/期中/report.html").status_code == 404
        assert client.get("/exams/期中/学校/东镇甲小学.docx").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/exams/期中/../../secret-key", "/exams/%2e%2e/secret-key", "/exams/期中/absent.xlsx", "/exams/无/report.html"],
)
def test_nothing_else_opens(world: World, reports: Path, path: str) -> None:
    with clock.at(NOON):
        assert reader(world["局长"]).get(path).status_code == 404


def test_who_has_not_signed_in_is_sent_to_the_door(world: World, reports: Path) -> None:
    assert Client().get("/exams/期中/report.html").status_code == 302
