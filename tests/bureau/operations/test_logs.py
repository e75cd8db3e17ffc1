"""No name, number or phone of a person gets into the logs, whoever logs what."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from bureau.world import PASSWORD, World
from jiaoheng.bureau.operations.logs import DayFile, JsonLines

ID, PHONE, NAME = "320106201509120034", "13912345678", "欧阳修远"


def line(name: str, message: object, *arguments: object, error: BaseException | None = None) -> dict[str, Any]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.WARNING, "x.py", 1, message, arguments, info)  # type: ignore[arg-type]
    found: dict[str, Any] = json.loads(JsonLines().format(record))
    return found


def clean(found: dict[str, Any]) -> bool:
    text = json.dumps(found, ensure_ascii=False)
    return not any(secret in text for secret in (ID, PHONE, NAME, "xiuyuan@example.com"))


@pytest.mark.parametrize("logger", ["jiaoheng.bureau.core.worker", "django.request", "axes", "some.library"])
@pytest.mark.parametrize(
    "secret", [ID, PHONE, NAME, "xiuyuan@example.com", f"{NAME} {ID}", int(ID[:-1]), [NAME], {"a": PHONE}]
)
def test_an_argument_is_never_written(logger: str, secret: object) -> None:
    assert clean(line(logger, "a value %s came", secret))
    assert clean(line(logger, "a value %(who)s came", {"who": secret}))
    if logger != "jiaoheng.bureau.core.worker" or not isinstance(secret, str):
        assert clean(line(logger, f"a value {secret} came"))


def test_a_text_put_together_by_its_maker_is_masked_even_of_our_own() -> None:
    assert clean(line("jiaoheng.x", f"the pupil {NAME}"))
    assert clean(line("jiaoheng.x", f"the pupil {ID}"))


def test_what_is_harmless_stays_readable() -> None:
    found = line("jiaoheng.bureau.core.worker", "job %s (%s) failed after %d rows", "0a1b-import", "import-read", 2000)
    assert found["message"] == "job 0a1b-import (import-read) failed after 2000 rows"
    assert found["level"] == "warning"


def test_an_exception_is_its_kind_and_places() -> None:
    try:
        try:
            {}[NAME]
        except KeyError as error:
            raise ValueError(f"{NAME} {ID} {PHONE}") from error
    except ValueError as error:
        found = line("jiaoheng.x", "broken", error=error)
    assert clean(found)
    assert found["exception"] == ["ValueError", "KeyError"]
    assert any(place.startswith("test_logs.py:") for place in found["places"])


@pytest.fixture
def log(tmp_path: Path, settings: Any) -> Path:
    """The request log in the test's folder."""
    from jiaoheng.bureau.operations.logs import REQUESTS

    handler = DayFile(str(settings.DATA / "logs"), "requests")
    handler.setFormatter(JsonLines())
    faults = DayFile(str(settings.DATA / "logs"), "faults")
    faults.setFormatter(JsonLines())
    logger, root = logging.getLogger(REQUESTS), logging.getLogger()
    logger.addHandler(handler)
    root.addHandler(faults)
    yield settings.DATA / "logs"
    logger.removeHandler(handler)
    root.removeHandler(faults)
    handler.close()
    faults.close()


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for path in folder.glob("requests-*.jsonl") for one in path.read_text("utf-8").splitlines()]


@pytest.mark.django_db
def test_requests_are_counted_without_their_contents(
    world: World, client: Any, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/login/", {"username": world["甲填报"].username, "password": PASSWORD})
    client.get("/search/", {"q": NAME})
    client.get(f"/people/{PHONE}/")
    client.get(f"/{NAME}/{ID}")
    client.get("/", headers={"User-Agent": NAME, "X-Request-Id": "a" * 32})
    client.post("/login/", {"username": PHONE, "password": ID})

    from jiaoheng.bureau.web.views import home

    def broken(*_: Any) -> None:
        raise RuntimeError(f"{NAME} {ID} {PHONE}")

    assert home.urls
    monkeypatch.setattr("jiaoheng.bureau.web.context.name_of", broken)
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
    text = "".join(path.read_text("utf-8") for path in log.iterdir())
    for secret in (NAME, ID, PHONE, world["甲填报"].name, world["甲填报"].username, PASSWORD):
        assert secret not in text, secret
    lines = written(log)
    assert len(lines) == 7
    assert lines[0]["route"] == "login/"
    assert {one["account"] for one in lines[1:5]} == {world["甲填报"].pk}
    assert lines[3]["route"] == "(none)"
    assert lines[4]["request"] == "a" * 32
    assert lines[-1]["status"] == 500
    assert all(re.fullmatch(r"[0-9a-f]{16,32}", one["request"]) and one["ms"] >= 0 for one in lines)


@pytest.mark.django_db
def test_every_answer_carries_its_id_and_a_forged_one_is_not_taken(world: World, client: Any) -> None:
    for forged in (NAME, "<script>", "a" * 200, "x\ty"):
        assert client.get("/login/", headers={"X-Request-Id": forged})["X-Request-Id"] != forged
    assert client.get("/login/", headers={"X-Request-Id": "0123456789abcdef"})["X-Request-Id"] == "0123456789abcdef"


@pytest.mark.django_db
def test_the_figures_page_is_for_those_who_keep_the_system(world: World, client: Any, log: Path) -> None:
    for who, status in (
        ("局长", 200),
        ("股长", 200),
        ("管理员", 200),
        ("甲校长", 403),
        ("甲填报", 403),
        ("东学区", 403),
    ):
        client.force_login(world[who])
        answer = client.get("/operations/")
        assert answer.status_code == status, who
    client.force_login(world["管理员"])
    page = client.get("/operations/").content.decode()
    assert "今天 6 人用过" in page
    assert "/operations/" in page
    assert "没有运行" in page


@pytest.mark.django_db
def test_ready_says_what_is_not(world: World, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.utils import OperationalError

    from jiaoheng.bureau.operations.schema_state import SchemaState
    from jiaoheng.bureau.web import health

    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    newer = SchemaState((), (), (("core", "9999_future"),))
    monkeypatch.setattr(health, "state_of", lambda _connection: newer)
    assert (client.get("/readyz").status_code, client.get("/readyz").json()["status"]) == (503, "schema-newer")

    def gone(_connection: object) -> None:
        raise OperationalError("no")

    monkeypatch.setattr(health, "state_of", gone)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_a_full_disk_loses_lines_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    handler = DayFile(str(tmp_path / "logs"), "requests")
    handler.setFormatter(JsonLines())
    handler.handle(logging.LogRecord("x", logging.INFO, "x", 1, "y", (), None))
    handler.close()
