"""The client of docs/ against a served county: what the document shows is what happens."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from bureau.api.kit import token_of
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import make_world
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import RecordVersion

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture
def client_module() -> Any:
    spec = importlib.util.spec_from_file_location("api_client", DOCS / "api_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.django_db(transaction=True)
def test_the_client_of_the_documents(
    live_server: Any, client_module: Any, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.at(clock.beijing(2025, 9, 15, 12), everywhere=True):
        world = make_world()
        store(ROSTER)
        token = token_of(world["甲填报"])
        office = client_module.Office(live_server.url, token)
        made = [
            office.create("t_roster", world["甲"].pk, {"code": str(n), "name": f"张{n}", "points": n}) for n in range(5)
        ]
        assert [one["created"] for one in made] == [True] * 5
        rows = list(office.records("t_roster", limit=2, sort="-points"))
        assert [one["values"]["points"] for one in rows] == [4, 3, 2, 1, 0]
        assert office.change(made[0]["id"], {"points": 9}, "补登")["version"] == 2
        with pytest.raises(client_module.RefusedError, match="points: "):
            office.change(made[0]["id"], {"points": "约9"})
        # somebody is faster once: the client reads again
        other = client_module.Office(live_server.url, token_of(world["甲校长"]))
        real = office.call
        raced: list[bool] = []

        def call(method: str, path: str, **more: Any) -> Any:
            if method == "PATCH" and not raced:
                raced.append(True)
                other.change(made[1]["id"], {"class_name": "1班"})
            return real(method, path, **more)

        monkeypatch.setattr(office, "call", call)
        assert office.change(made[1]["id"], {"points": 7})["version"] == 3
        newest = RecordVersion.objects.get(record_id=made[1]["id"], number=3)
        assert newest.data == {"code": "1", "name": "张1", "points": 7, "class_name": "1班"}
        assert office.save_file("t_roster", str(tmp_path / "r.csv")) == 5
        assert len((tmp_path / "r.csv").read_text().splitlines()) == 6
        monkeypatch.setattr(sys, "argv", ["api_client.py", live_server.url, token])
        client_module.main()
        said = capsys.readouterr().out
        assert "甲填报，令牌“试验”：read、write、export" in said
        assert "学生名册：5 条，1 个单位" in said


@pytest.mark.django_db
def test_the_page_of_reference_needs_no_other_server(client: Any) -> None:
    from jiaoheng.bureau.api.app import api

    page = client.get("/api/v1/docs").content.decode()
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"] == "3.1.0"
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    for path, methods in schema["paths"].items():
        for one in methods.values():
            assert f'id="{one["operationId"]}"' in page
            assert path in page
    assert len(schema["paths"]) == len(api.get_openapi_schema()["paths"])
