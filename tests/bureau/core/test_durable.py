"""What a loss of power, a full disk, a clock set back may leave, met in one process (the runs with real ones: tests/faults)."""

from __future__ import annotations

import datetime as dt
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client

from bureau.ledgers import import_kit as kit
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import audit, clock, durable, jobs, outages, schedule
from jiaoheng.bureau.core.actions_files import store_file, store_result
from jiaoheng.bureau.core.audit_chain import verify
from jiaoheng.bureau.core.models import AuditEntry, Beat, Job
from jiaoheng.bureau.core.worker import take_back
from jiaoheng.bureau.ledgers.imports import housekeeping
from jiaoheng.bureau.ledgers.imports.starting import do_cancel_import, do_start_import
from jiaoheng.bureau.ledgers.models import ImportBatch


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Inodes of files and folders that were brought to the disk."""
    found: set[int] = set()
    real = os.fsync

    def note(opened: int) -> None:
        real(opened)
        found.add(os.fstat(opened).st_ino)

    monkeypatch.setattr(os, "fsync", note)
    return found


def _unsynced(root: Path, synced: set[int]) -> list[str]:
    paths = [one for one in root.rglob("*") if one.suffix != ".small"]
    return [str(one.relative_to(root)) for one in (root, *paths) if one.stat().st_ino not in synced]


@pytest.mark.django_db(transaction=True)
def test_a_file_its_name_and_its_folders_are_on_the_disk_before_its_row(
    world: World, settings: Any, synced: set[int]
) -> None:
    clerk, root = world["甲填报"], Path(settings.FILES)
    root.mkdir(parents=True)
    store_file(b"%PDF-1.4 text", "说明.pdf", "document", unit=world["甲"], acting_user=clerk)
    store_result(b"made", "结果.xlsx", unit=world["甲"], acting_user=clerk)
    assert _unsynced(root, synced) == []
    do_start_import(store(ROSTER), world["甲"], [kit.sheet([kit.HEADS, ["1", "王", "1班", 1]])], acting_user=clerk)
    two = [kit.sheet([kit.HEADS, [f"{number}", "王", "1班", 1]], f"{number}.xlsx") for number in (2, 3)]
    do_start_import(store_again(), world["甲"], two, at_once=False, acting_user=clerk)
    assert _unsynced(root, synced) == []


def store_again() -> Any:
    from jiaoheng.bureau.ledgers.models import RegisterRow

    return RegisterRow.objects.get(name=ROSTER.name)


@pytest.mark.django_db
def test_an_answered_commit_of_sqlite_is_on_the_disk() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own setting")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone()[0] == 2  # FULL


def test_a_line_after_one_that_was_cut_off_is_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    durable.append_line(path, "one")
    with path.open("ab") as out:
        out.write(b"tw")
    durable.append_line(path, "three")
    assert path.read_text(encoding="ascii").splitlines() == ["one", "tw", "three"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("left", [1, 5, 30, 60, 90])
def test_an_anchor_that_was_cut_off_does_not_accuse_the_trail(world: World, settings: Any, left: int) -> None:
    for number in range(3):
        audit.note("test.note", actor=world["甲填报"], reason=f"{number}")
    whole = settings.ANCHOR.read_bytes()
    settings.ANCHOR.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1 + left])
    assert verify().whole
    audit.note("test.note", actor=world["甲填报"])
    assert verify().whole


@pytest.mark.django_db(transaction=True)
def test_an_anchor_that_cannot_be_written_refuses_no_commit(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    audit.note("test.note", actor=world["甲填报"], reason="先")
    with monkeypatch.context() as patched:
        patched.setattr(audit, "append_line", full)
        audit.note("test.note", actor=world["甲填报"], reason="满")
    audit.note("test.note", actor=world["甲填报"], reason="后")
    assert AuditEntry.objects.count() == 3
    assert verify().whole


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_back_an_hour_does_not_turn_the_trail_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.note("test.note", actor=world["甲填报"])
    before = AuditEntry.objects.latest("number").at
    monkeypatch.setattr(clock, "_shift", [-dt.timedelta(hours=1)])
    audit.note("test.note", actor=world["甲填报"])
    assert before < AuditEntry.objects.latest("number").at < before + dt.timedelta(seconds=1)
    with clock.not_before(audit.anchored_moment()):  # of a request that only reads
        assert clock.now() > before
    monkeypatch.setattr(clock, "_shift", [-dt.timedelta(days=2)])  # it had stood days ahead: nothing is held up
    audit.note("test.note", actor=world["甲填报"])
    assert AuditEntry.objects.latest("number").at < before


@pytest.mark.django_db
def test_a_lease_and_a_duty_of_before_the_clock_was_set_back_hold_nothing_up(world: World, noon: dt.datetime) -> None:
    hour = dt.timedelta(hours=1)
    dead = Job.objects.create(
        kind="none", title="导入", arguments={}, state=Job.State.RUNNING, worker="dead", created_at=noon,
        lease_until=noon + hour,
    )  # fmt: skip
    assert take_back() == 0  # a living worker renews it meanwhile
    with clock.at(noon + jobs.LEASE + dt.timedelta(seconds=1)):
        assert take_back() == 1
    dead.refresh_from_db()
    assert dead.state == Job.State.INTERRUPTED
    Beat.objects.create(name="sweep", due_at=noon + hour)
    schedule.every("sweep", minutes=15, run=lambda: "做了")
    try:
        assert "sweep" in schedule.run_due("one")
        assert "sweep" not in schedule.run_due("two")
    finally:
        schedule.DUTIES.pop("sweep")


@pytest.mark.django_db(transaction=True)
def test_a_reading_whose_server_was_killed_is_taken_up(world: World, settings: Any) -> None:
    clerk = world["甲填报"]
    batch = do_start_import(
        store(ROSTER), world["甲"], [kit.sheet([kit.HEADS, ["1", "王", "1班", 1]])], acting_user=clerk
    )
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=ImportBatch.State.READING, preview="", created_at=clock.now() - dt.timedelta(minutes=6)
    )
    assert housekeeping.broken_readings().endswith("1 个")
    batch.refresh_from_db()
    assert (batch.job.state, batch.job.owner) == (Job.State.WAITING, clerk)
    assert housekeeping.broken_readings().endswith("0 个")


@pytest.mark.django_db(transaction=True)
def test_a_preview_goes_only_with_the_commit_that_gives_it_up(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = world["甲填报"]
    batch = do_start_import(
        store(ROSTER), world["甲"], [kit.sheet([kit.HEADS, ["1", "王", "1班", 1]])], acting_user=clerk
    )
    folder = Path(settings.FILES) / batch.preview

    def broken(*_arguments: object, **_more: object) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(audit, "_append", broken)
        with pytest.raises(OperationalError):
            do_cancel_import(batch, acting_user=clerk)
    assert (folder / "head.json").is_file()
    do_cancel_import(batch, acting_user=clerk)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("database or disk is full"), "disk-full"),
        (OperationalError("database is locked"), "database-busy"),
        (OperationalError("server closed the connection unexpectedly"), "database-away"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
        (ValueError("fault of ours"), ""),
        (OperationalError("no such table: x"), ""),
    ],
)
def test_an_outage_is_told_from_a_fault_of_ours(error: Exception, code: str) -> None:
    found = outages.outage_of(error)
    assert (found.code if found is not None else "") == code


@pytest.mark.django_db
def test_a_page_says_what_is_the_matter_when_the_disk_is_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world["甲填报"], backend="django.contrib.auth.backends.ModelBackend")

    def full(*_arguments: object, **_more: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("jiaoheng.bureau.web.views.home.page", full)
    answer = client.get("/")
    assert answer.status_code == 507
    assert "磁盘已满" in answer.content.decode()
    assert client.get("/", headers={"accept": "application/json"}).json()["code"] == "disk-full"
