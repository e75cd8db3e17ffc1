"""The doctor sees each fault that is made here, says what to do, and is silent where all is well."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core import keys as data_keys
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.models import (
    Account,
    Attachment,
    AuditEntry,
    Beat,
    Job,
    Membership,
    Unit,
    UnitEdge,
    UnitFacts,
)
from jiaoheng.bureau.operations import keys
from jiaoheng.bureau.operations.backup import back_up
from jiaoheng.bureau.operations.doctor import base, keeping, machine
from jiaoheng.bureau.operations.doctor.findings import CHECKS, Finding, Health
from jiaoheng.bureau.operations.doctor.integrity import faults_of, integrity_checks
from jiaoheng.bureau.operations.doctor.looking import examine, worst

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.4\n" + b"x" * 500 + b"\n%%EOF\n"


def found(key: str, *, thorough: bool = False) -> list[Finding]:
    return CHECKS[key].look(thorough)


def told(key: str, state: Health, *, thorough: bool = False) -> str:
    """The sentences of one state; each that is not good says what to do."""
    chosen = [one for one in found(key, thorough=thorough) if one.state is state]
    assert all(one.remedy for one in chosen if state is not Health.GOOD)
    return "；".join(one.sentence for one in chosen)


@pytest.fixture
def well(world: World, settings: Any, tmp_path: Path) -> World:
    """Everything as it should be."""
    settings.STATIC_ROOT = settings.DATA / "static"
    for name in ("theme.css", "app.js"):
        (settings.STATIC_ROOT / "web").mkdir(parents=True, exist_ok=True)
        (settings.STATIC_ROOT / "web" / name).write_text("x")
    secret = settings.DATA / "secret-key"
    secret.write_text("x")
    secret.chmod(0o600)
    settings.DEMO = False
    audit.note("export", actor=world["股长"])
    Beat.objects.update_or_create(name="alive", defaults={"due_at": clock.now(), "ran_at": clock.now()})
    for short in ("乙", "丙"):
        assert Membership.objects.filter(unit=world[short], role="clerk").exists()
    store_file(PDF, "a.pdf", "document", unit=world["甲"], acting_user=world["甲填报"])
    (tmp_path / "备份").mkdir()
    back_up(tmp_path / "备份")
    return world


def test_all_is_well(well: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIAOHENG_SECRET_KEY", raising=False)
    monkeypatch.setattr(machine, "_LOW", 0)
    monkeypatch.setattr(machine, "_FULL", 0)
    everything = examine(thorough=True)
    assert [one for one in everything if one.state is not Health.GOOD] == []
    assert worst(everything) is Health.GOOD
    assert {one.key for one in everything} == set(CHECKS)
    assert len(CHECKS) >= 11


def test_disk(well: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_LOW", 1 << 60)
    monkeypatch.setattr(machine, "_FULL", 0)
    assert "剩余" in told("disk", Health.LOOK)
    monkeypatch.setattr(machine, "_FULL", 1 << 60)
    assert "剩余" in told("disk", Health.BAD)


def test_keys(well: World, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JIAOHENG_SECRET_KEY", raising=False)
    keys.key_path().chmod(0o644)
    assert "别的账号也能读（权限 644）" in told("keys", Health.BAD)
    keys.key_path().chmod(0o600)
    (settings.DATA / "secret-key").unlink()
    assert "secret-key 不在" in told("keys", Health.BAD)
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY_FILE", str(tmp_path / "无"))
    assert "还没有备份密钥" in told("keys", Health.LOOK)
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY", "abc")
    assert "不是备份密钥" in told("keys", Health.BAD)
    moved = settings.DATA / "keys"
    moved.mkdir(exist_ok=True)
    (moved / data_keys.FILE).write_text(data_keys.key_file().read_text())
    (moved / data_keys.FILE).chmod(0o600)
    monkeypatch.setenv("JIAOHENG_KEYS", str(moved))
    data_keys.forget()
    assert "谁拷走这个文件夹" in told("keys", Health.LOOK)


def test_clock_set_back(well: World) -> None:
    with clock.at(clock.now() - dt.timedelta(hours=1)):
        assert "被往回拨过" in told("clock", Health.BAD)
    assert told("clock", Health.BAD) == ""


def test_worker_and_jobs(well: World) -> None:
    now = clock.now()
    Beat.objects.filter(name="alive").update(ran_at=now - dt.timedelta(minutes=10))
    common = {"kind": "x", "title": "x"}
    Job.objects.create(**common, state="running", created_at=now, lease_until=now - dt.timedelta(minutes=1))
    Job.objects.create(**common, state="waiting", created_at=now - dt.timedelta(hours=1))
    Job.objects.create(**common, state="failed", created_at=now, finished_at=now)
    sentence = told("worker", Health.LOOK)
    for part in ("后台任务没有运行", "1 个任务执行到一半", "1 个任务排队超过 15 分钟", "近 7 天有 1 个任务未成功"):
        assert part in sentence


def test_a_worker_gives_its_sign_of_life(world: World) -> None:
    from jiaoheng.bureau.core.worker import Worker

    assert "alive" in Worker().look_around()
    assert "后台任务在运行" in told("worker", Health.GOOD)


def test_backups(well: World, tmp_path: Path) -> None:
    (file,) = (tmp_path / "备份").iterdir()
    assert "打开核对过，完整" in told("backups", Health.GOOD, thorough=True)
    raw = file.read_bytes()
    file.write_bytes(raw[:-100])
    assert "不完整或被改过" in told("backups", Health.BAD, thorough=True)
    with clock.at(clock.now() + dt.timedelta(days=3)):
        assert "已过去 3 天" in told("backups", Health.LOOK)
    file.unlink()
    assert "文件已不在" in told("backups", Health.LOOK)


def test_attachments(well: World, settings: Any) -> None:
    row = Attachment.objects.get()
    path = settings.FILES / row.path
    path.write_bytes(PDF.replace(b"x", b"y"))
    assert told("attachments", Health.BAD) == ""  # as long as it was: only a thorough look reads it
    assert "与上传时不同" in told("attachments", Health.BAD, thorough=True)
    path.unlink()
    assert "1 个附件的文件不在磁盘上" in told("attachments", Health.BAD)
    orphan = settings.FILES / "zz" / "orphan.pdf"
    orphan.parent.mkdir()
    orphan.write_bytes(PDF)
    assert told("attachments", Health.LOOK) == ""  # young: an upload may be under way
    old = (clock.now() - dt.timedelta(days=2)).timestamp()
    os.utime(orphan, (old, old))
    assert "1 个文件没有附件指向它" in told("attachments", Health.LOOK)


def test_audit_trail(well: World) -> None:
    AuditEntry.objects.order_by("number").first().delete()
    assert "不完整" in told("audit", Health.BAD)


def test_schema_and_half_a_restore(well: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from jiaoheng.bureau.operations.schema_state import SchemaState

    monkeypatch.setattr(base, "state_of", lambda _: SchemaState((), (("core", "0009_x"),), ()))
    assert "还差 1 步升级" in told("schema", Health.BAD)
    monkeypatch.setattr(base, "state_of", lambda _: SchemaState((), (), (("core", "9999_x"),)))
    assert "9999_x" in told("schema", Health.BAD)
    (settings.DATA / "restoring").write_text('{"backup": "b.jhb"}')
    assert told("database", Health.BAD) == ""  # the rows are there: only the mark was left, and is gone now
    assert not (settings.DATA / "restoring").exists()
    (settings.DATA / "restoring").write_text('{"backup": "b.jhb"}')
    monkeypatch.setattr("jiaoheng.bureau.operations.restore.holds_people", lambda _: "")
    assert "“b.jhb”没有做完" in told("database", Health.BAD)


def test_static_files(well: World, settings: Any) -> None:
    (settings.STATIC_ROOT / "web" / "app.js").unlink()
    assert "缺 web/app.js" in told("static", Health.LOOK)


def test_a_silent_database_is_a_finding_and_no_traceback(well: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.utils import OperationalError

    def gone(*_: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(base, "verify", gone)
    (one,) = [one for one in examine() if one.key == "audit"]
    assert one.state is Health.BAD
    assert "没有应答" in one.sentence


# ------------------------------------------------------------------------------------------------ checks of the data


def _unit(world: World) -> Unit:
    return Unit.objects.get(pk=world["甲101"].pk)


BREAKS: dict[str, Callable[[World], object]] = {
    "unit-without-parent": lambda w: UnitEdge.objects.filter(unit=_unit(w)).delete(),
    "unit-two-parents": lambda w: UnitEdge.objects.create(unit=_unit(w), parent=w["乙"], starts_on="2021-09-01"),
    "unit-without-name": lambda w: UnitFacts.objects.filter(unit=_unit(w)).delete(),
    "school-without-filler": lambda w: Membership.objects.filter(unit=w["丙"]).update(ends_on="2026-01-01"),
    "membership-of-ended-unit": lambda w: Unit.objects.filter(pk=w["丙"].pk).update(ends_on="2026-01-01"),
    "account-name-case": lambda w: Account.objects.filter(pk=w["督学"].pk).update(username="Upper"),
}


@pytest.mark.parametrize("key", BREAKS)
def test_a_fault_in_the_data_is_counted_and_shown_by_one_expression(world: World, key: str) -> None:
    (one,) = [one for one in integrity_checks() if one.key == key]
    assert faults_of(one) == (0, [])
    BREAKS[key](world)
    count, first = faults_of(one)
    assert count == len(first) == 1
    (finding,) = [line for line in found("integrity") if line.sentence.startswith(one.title)]
    assert finding.state == one.severity
    assert finding.remedy == one.recommendation
    assert len(finding.details) == 1


def test_faults_of_records(world: World) -> None:
    from bureau.ledgers.registers_for_tests import ROSTER, store
    from jiaoheng.bureau.ledgers.actions_records import do_save_record
    from jiaoheng.bureau.ledgers.models import Record, RecordVersion

    row = store(ROSTER)
    for number in range(4):
        do_save_record(row, world["甲"], None, {"code": f"0{number}", "name": "生"}, acting_user=world["甲填报"])
    checks = {one.key: one for one in integrity_checks()}
    mine = ("record-without-version", "record-two-current", "record-number", "version-backwards")
    assert {key: faults_of(checks[key])[0] for key in mine} == dict.fromkeys(mine, 0)
    one, two, three, four = RecordVersion.objects.order_by("pk")
    RecordVersion.objects.filter(pk=one.pk).delete()
    copy = RecordVersion.objects.get(pk=two.pk)
    copy.pk, copy.number = None, 1000
    copy.save()
    Record.objects.filter(pk=two.record_id).update(number=1000)
    Record.objects.filter(pk=three.record_id).update(number=7)
    RecordVersion.objects.filter(pk=four.pk).update(valid_to=four.valid_from - dt.timedelta(days=1))
    counts = {key: faults_of(checks[key]) for key in mine}
    assert {key: [pk for pk, _, _ in first] for key, (_, first) in counts.items()} == {
        "record-without-version": [str(one.record_id)],
        "record-two-current": [str(two.record_id)],
        "record-number": [str(three.record_id)],
        "version-backwards": [str(four.record_id)],
    }


def test_every_check_of_the_data_is_complete_and_runs(world: World) -> None:
    assert len(integrity_checks()) >= 12
    for one in integrity_checks():
        assert one.severity in ("bad", "look")
        assert one.introduction.endswith("。")
        assert one.recommendation.endswith("。")
        assert isinstance(faults_of(one)[0], int), one.key
    assert connection.in_atomic_block is False


def test_exit_codes_and_json(well: World, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import json

    from jiaoheng.cli import doctor as command

    good = Finding("a", "甲", Health.GOOD, "好")
    look = Finding("b", "乙", Health.LOOK, "注意一下", "去看看。")
    bad = Finding("c", "丙", Health.BAD, "坏了", "修好它", ("第 3 行",))
    for findings, code in (([good], 0), ([good, look], 2), ([good, look, bad], 1)):
        monkeypatch.setattr("jiaoheng.bureau.operations.doctor.looking.examine", lambda thorough, f=findings: f)
        assert command._examine(False, True) == code
        body = json.loads(capsys.readouterr().out)
        assert [one["sentence"] for one in body["findings"]] == [one.sentence for one in findings]
    command._examine(False, False)
    said = capsys.readouterr().out
    assert "故障　丙：坏了。" in said
    assert "怎么办：修好它。" in said
    assert "。。" not in said
    assert dt.timedelta(days=1) < keeping.OLD
