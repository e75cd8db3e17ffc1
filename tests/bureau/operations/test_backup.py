"""P30: a backup that can be used. Every table row by row, every file, the audit chain, signing in."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from bureau.operations.conftest import as_default, second_base, use_folder
from bureau.world import PASSWORD, World
from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.audit_chain import verify as verify_trail
from jiaoheng.bureau.core.models import Account, Attachment, AuditEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.sealed_files import plain_digest
from jiaoheng.bureau.operations import backup as backup_module
from jiaoheng.bureau.operations import keys
from jiaoheng.bureau.operations.archive import verify
from jiaoheng.bureau.operations.backup import back_up, tables_of
from jiaoheng.bureau.operations.catalogue import listed, sha256_of
from jiaoheng.bureau.operations.columns import Table
from jiaoheng.bureau.operations.moving import same
from jiaoheng.bureau.operations.restore import _check_tables, restore
from jiaoheng.bureau.operations.rows import frozen
from jiaoheng.bureau.operations.schema_state import state_of

pytestmark = pytest.mark.django_db(transaction=True)
NOT_A_VALUE = "没有"


def rows_of(alias: str) -> dict[str, list[list[Any]]]:
    """Every row of every table, read by a query of its own, JSON as values."""
    tables = tables_of(state_of(connections["default"]).applied)
    with frozen(connections[alias]) as source:
        return {
            table.name: sorted((same(row, table) for part in source.parts(table) for row in part), key=repr)
            for table in tables
        }


def pdf(number: int) -> bytes:
    return b"%PDF-1.4\n" + f"{number}".encode() * 900 + b"\n%%EOF\n"


@pytest.fixture
def full(world: World, settings: Any) -> World:
    """12 attachments, 50 audit entries, a partition of scores, an exam."""
    for number in range(12):
        store_file(pdf(number), f"材料{number}.pdf", "document", unit=world["甲"], acting_user=world["甲填报"])
    while AuditEntry.objects.count() < 50:
        audit.note("export", actor=world["股长"], about=("register", 1, "学生名册"), reason="核对")
    lake = settings.DATA / "scores" / "year=2025"
    lake.mkdir(parents=True)
    (lake / "part-0.parquet").write_bytes(b"PAR1" + bytes(range(256)) * 40 + b"PAR1")
    report = settings.DATA / "exams" / "期末"
    report.mkdir(parents=True)
    (report / "report.html").write_text("<p>报告</p>", encoding="utf-8")
    for derived in ("snapshots/a.parquet", "static/web/app.js", "secret-key", "keys/data-keys", "run/x"):
        path = settings.DATA / derived
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"secret or derived")
    return world


def files_of(folder: Path, *names: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for name in names
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def made(full: World, tmp_path: Path) -> Path:
    return back_up(tmp_path / "备份.jhb", noted=False).path


@pytest.fixture
def empty(made: Path, settings: Any, tmp_path: Path) -> Iterator[str]:
    use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        yield alias


def test_p30_everything_comes_back(
    full: World, made: Path, empty: str, settings: Any, tmp_path: Path, client: Any
) -> None:
    kept = ("files", "scores", "exams")
    before, files = rows_of("default"), files_of(tmp_path / "一", *kept)
    restored = restore(made, using=empty)
    after = rows_of(empty)
    assert {name: len(rows) for name, rows in after.items()} == {name: len(rows) for name, rows in before.items()}
    assert after == before
    assert len(after["core_auditentry"]) == 50
    assert files_of(tmp_path / "二", *kept) == files
    assert len(files_of(tmp_path / "二", "files")) == 12
    assert restored.upgraded == ()
    there = {path.name for path in (tmp_path / "二").iterdir()}
    assert there - {"data-keys-made"} == {
        "files",
        "scores",
        "exams",
        "audit-anchor.log",
    }  # nothing derived, no key, no mark left
    with as_default(empty):
        verdict = verify_trail()
        assert verdict.whole, verdict.sentence
        assert verdict.count == 50
        answer = client.post("/login/", {"username": full["甲填报"].username, "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        for row in Attachment.objects.all():
            assert plain_digest(settings.FILES / row.path) == row.sha256
        fresh = Account.objects.create(username="xin", name="新", created_at="2025-09-15T00:00:00Z")
        assert fresh.pk > max(row[0] for row in before["core_account"])


def test_numbers_once_given_never_come_again(full: World, settings: Any, tmp_path: Path) -> None:
    gone = Account.objects.create(username="gone", name="走", created_at="2025-09-15T00:00:00Z")
    number = gone.pk
    gone.delete()
    path = back_up(tmp_path / "备份.jhb", noted=False).path
    use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        restore(path, using=alias)
        with as_default(alias):
            assert (
                Account.objects.create(username="next", name="来", created_at="2025-09-15T00:00:00Z").pk == number + 1
            )


def nothing_written(alias: str, folder: Path) -> bool:
    return not connections[alias].introspection.table_names() and not list(folder.iterdir())


def test_p30_without_the_key_nothing_is_written_and_the_key_is_named(
    made: Path, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = keys.need_key("").name
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY_FILE", str(tmp_path / NOT_A_VALUE))
    with pytest.raises(RefusedError) as refused:
        restore(made, using=empty)
    assert refused.value.code == "backup-key-missing"
    assert name in str(refused.value)
    assert nothing_written(empty, tmp_path / "二")
    other = keys.make_key(tmp_path / "另一把.key")
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY_FILE", str(tmp_path / "另一把.key"))
    with pytest.raises(RefusedError) as refused:
        restore(made, using=empty)
    assert refused.value.code == "backup-key-other"
    assert name in str(refused.value)
    assert other.name in str(refused.value)
    assert nothing_written(empty, tmp_path / "二")


def test_p30_without_the_data_keys_nothing_is_written_and_they_are_named(
    full: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module.data_keys, "fingerprints", lambda: [("k1", "aabbccdd"), ("search", "11223344")])
    path = back_up(tmp_path / "备份.jhb", noted=False).path
    monkeypatch.setattr(backup_module.data_keys, "fingerprints", lambda: [("k1", "00000000"), ("search", "11223344")])
    folder = use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        with pytest.raises(RefusedError) as refused:
            restore(path, using=alias)
        assert refused.value.code == "restore-data-keys"
        assert "k1（指纹 aabbccdd）" in str(refused.value)
        assert "search" not in str(refused.value)
        assert nothing_written(alias, folder)
        restore(path, using=alias, without_data_keys=True)


@pytest.mark.parametrize("left", [0.0, 0.001, 0.5, 0.9, 0.999])
def test_p30_a_cut_archive_is_refused(made: Path, empty: str, tmp_path: Path, left: float) -> None:
    raw = made.read_bytes()
    cut = tmp_path / "截断.jhb"
    cut.write_bytes(raw[: int(len(raw) * left)])
    with pytest.raises(RefusedError) as refused:
        restore(cut, using=empty)
    assert refused.value.code in ("backup-broken", "backup-not-one")
    assert nothing_written(empty, tmp_path / "二")


def test_p30_into_a_base_with_data_is_refused(made: Path, settings: Any, tmp_path: Path) -> None:
    use_folder(settings, tmp_path / "二")
    with pytest.raises(RefusedError) as refused:
        restore(made)
    assert refused.value.code == "restore-not-empty"
    (tmp_path / "二" / "files").mkdir()
    (tmp_path / "二" / "files" / "a.pdf").write_bytes(b"%PDF")
    with second_base(tmp_path / "二.sqlite3") as alias:
        with pytest.raises(RefusedError) as refused:
            restore(made, using=alias)
        assert refused.value.code == "restore-not-empty"
        assert (tmp_path / "二" / "files" / "a.pdf").exists()


def test_p30_into_a_base_that_was_set_up_but_never_used(made: Path, empty: str) -> None:
    call_command("migrate", database=empty, interactive=False, verbosity=0)
    restore(made, using=empty)
    assert rows_of(empty) == rows_of("default")


def test_p30_a_newer_programs_backup_is_refused(full: World, settings: Any, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('core', '9999_future', '2030-01-01 00:00:00')"
        )
    try:
        path = back_up(tmp_path / "备份.jhb", noted=False).path
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_future'")
    use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        with pytest.raises(RefusedError) as refused:
            restore(path, using=alias)
        assert refused.value.code == "backup-newer"
        assert "9999_future" in str(refused.value)
        assert nothing_written(alias, tmp_path / "二")


def test_p30_an_older_versions_backup_is_restored_and_upgraded(full: World, settings: Any, tmp_path: Path) -> None:
    """A base at the first migrations, with people and units in it, as an old version would have left it."""
    from jiaoheng.bureau.operations.columns import table_of
    from jiaoheng.bureau.operations.rows import write_rows
    from jiaoheng.bureau.operations.schema_state import models_at

    now = rows_of("default")
    with frozen(connection) as source:
        raw = {
            table.name: [row for part in source.parts(table) for row in part]
            for table in tables_of(state_of(connection).applied)
        }
    with second_base(tmp_path / "旧.sqlite3") as old:
        call_command("migrate", "ledgers", "0001", database=old, interactive=False, verbosity=0)
        call_command("migrate", "core", "0001", database=old, interactive=False, verbosity=0)
        call_command("migrate", "sessions", database=old, interactive=False, verbosity=0)
        tables = {one._meta.db_table: table_of(one) for one in models_at(state_of(connections[old]).applied)}
        today = {one.name: [name for name, _ in one.columns] for one in tables_of(state_of(connection).applied)}
        with transaction.atomic(using=old):
            for name in (
                "core_unit",
                "core_unitfacts",
                "core_unitedge",
                "core_unitpath",
                "core_auditentry",
                "core_audithead",
            ):
                at = [today[name].index(column) for column, _kind in tables[name].columns]
                write_rows(connections[old], tables[name], ([row[i] for i in at] for row in raw[name]))
        path = back_up(tmp_path / "旧.jhb", using=old, noted=False).path
    use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        restored = restore(path, using=alias)
        assert ("core", "0002_protected") in restored.upgraded
        assert state_of(connections[alias]).pending == ()
        after = rows_of(alias)
        assert after["core_unit"] == now["core_unit"]
        assert after["core_auditentry"] == now["core_auditentry"]
        with as_default(alias):
            assert verify_trail().whole


def test_p30_a_backup_taken_during_an_import_has_all_of_it_or_none(full: World, tmp_path: Path) -> None:
    from bureau.ledgers import import_kit as kit
    from bureau.ledgers.registers_for_tests import ROSTER, store
    from jiaoheng.bureau.ledgers.imports.answering import defaults, do_answer_questions
    from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
    from jiaoheng.bureau.ledgers.imports.starting import do_start_import, preview_of

    register = store(ROSTER)
    rows = [[f"{number:06d}", f"学生{number}", "1班", number % 50] for number in range(3000)]
    upload = kit.sheet([["学号", "姓名", "班级", "积分"], *rows])
    batch = do_start_import(register, full["甲"], [upload], at_once=True, acting_user=full["甲填报"])
    do_answer_questions(batch, defaults(preview_of(batch)), acting_user=full["甲填报"])
    faults: list[BaseException] = []

    def write() -> None:
        try:
            do_confirm_import(batch, at_once=True, acting_user=full["甲填报"])
        except BaseException as error:
            faults.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    counts = [verify(back_up(tmp_path / "前.jhb", noted=False, check=False).path, keys.need_key("")).contents.tables]
    writer.start()
    number = 0
    while writer.is_alive() or number == 0:
        number += 1
        path = back_up(tmp_path / f"{number}.jhb", noted=False, check=False).path
        counts.append(verify(path, keys.need_key("")).contents.tables)
    writer.join()
    assert faults == []
    counts.append(verify(back_up(tmp_path / "后.jhb", noted=False).path, keys.need_key("")).contents.tables)
    seen = {(one["ledgers_record"]["rows"], one["ledgers_recordversion"]["rows"]) for one in counts}
    assert seen == {(0, 0), (3000, 3000)}


def test_a_backup_says_what_is_missing_or_damaged(full: World, settings: Any, tmp_path: Path) -> None:
    first, second = Attachment.objects.order_by("path")[:2]
    (settings.FILES / first.path).unlink()
    (settings.FILES / second.path).write_bytes(b"changed")
    made = back_up(tmp_path / "备份.jhb", noted=False)
    assert made.contents.missing == [f"files/{first.path}"]
    assert made.contents.damaged == [f"files/{second.path}"]


def test_a_backup_never_overwrites_and_leaves_nothing_half(
    full: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "备份们"
    folder.mkdir()
    made = back_up(folder / "a.jhb")
    with pytest.raises(RefusedError) as refused:
        back_up(folder / "a.jhb")
    assert refused.value.code == "backup-there"

    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(backup_module, "_put_files", full_disk)
    with pytest.raises(OSError, match="No space"):
        back_up(folder / "b.jhb")
    assert [path.name for path in folder.iterdir()] == ["a.jhb"]
    newest = AuditEntry.objects.order_by("-number").first()
    assert (newest.action, newest.object_name, newest.digest) == ("backup.make", "a.jhb", sha256_of(made.path))


def test_no_plain_text_of_a_person_stands_in_a_backup(made: Path) -> None:
    raw = made.read_bytes()
    for text in ("甲填报", "东镇甲小学", "core_account", "report.html", "manifest"):
        assert text.encode() not in raw
    assert made.stat().st_mode & 0o077 == 0


def test_only_the_newest_are_kept(full: World, tmp_path: Path) -> None:
    from jiaoheng.bureau.core import clock

    folder = tmp_path / "备份们"
    folder.mkdir()
    (folder / "别的.txt").write_text("x")
    back_up(folder / "自己起的名.jhb", noted=False, check=False)
    for day in range(1, 6):
        with clock.at(clock.beijing(2025, 9, day, 3)):
            back_up(folder, keep=3, noted=False, check=False)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [*(f"jiaoheng-2025090{day}-030000.jhb" for day in (3, 4, 5)), "别的.txt", "自己起的名.jhb"]
    assert len(listed(folder)) == 4


def test_a_restore_that_was_cut_off_can_be_done_again(
    made: Path, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jiaoheng.bureau.operations import restore as restore_module
    from jiaoheng.bureau.operations.upgrading import check_may_run

    real = restore_module._put_rows

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restore_module, "_put_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(made, using=empty)
    assert len(files_of(tmp_path / "二", "files")) == 12
    with pytest.raises(RefusedError) as refused:
        check_may_run(using=empty)
    assert refused.value.code == "restore-unfinished"
    monkeypatch.setattr(restore_module, "_put_rows", real)
    restore(made, using=empty)
    assert rows_of(empty) == rows_of("default")
    check_may_run(using=empty)


def test_every_table_of_the_program_is_in_a_backup(full: World, made: Path) -> None:
    kept = set(verify(made, keys.need_key("")).contents.tables)
    # SQLite's own tables (statistics of a base that was analysed) are made anew, not kept
    there = {name for name in connection.introspection.table_names() if not name.startswith("sqlite_")}
    assert there - kept == {"django_migrations", "django_session"}


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    made = keys.make_key(tmp_path / "新" / "k.key")
    assert (tmp_path / "新" / "k.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(RefusedError) as refused:
        keys.make_key(tmp_path / "新" / "k.key")
    assert refused.value.code == "backup-key-there"
    assert made.name in repr(made)
    assert made.secret.hex() not in repr(made)


@pytest.mark.parametrize("text", ["", "abc", "很长的密钥", "A" * 100, "AAAA" * 8])
def test_a_wrong_key_is_told(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "k.key"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("JIAOHENG_BACKUP_KEY_FILE", str(path))
    with pytest.raises(RefusedError) as refused:
        keys.need_key("备份")
    assert refused.value.code == "backup-key-wrong"


def test_a_member_that_leads_out_of_the_folder_is_refused() -> None:
    from jiaoheng.bureau.operations.places import target_of

    for name in ("files/../../x", "files//x", "files/", "etc/passwd", "/files/x", "data/..", "files/a\\b", "files/./x"):
        with pytest.raises(ValueError, match=r".+"):
            target_of(name)


def test_a_sqlite_base_stays_open_for_writing_while_it_is_read(full: World) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    with frozen(connection) as source:
        table = next(one for one in tables_of(state_of(connection).applied) if one.name == "core_account")
        before = [row for part in source.parts(table) for row in part]
        Account.objects.create(username="while", name="同时", created_at="2025-09-15T00:00:00Z")
        assert [row for part in source.parts(table) for row in part] == before
    with sqlite3.connect(connection.settings_dict["NAME"]) as raw:
        assert raw.execute("SELECT count(*) FROM core_account").fetchone()[0] == len(before) + 1
    assert json.dumps(before)


def test_p30_protected_numbers_open_again_with_their_keys_and_figures_are_the_same(
    full: World, settings: Any, tmp_path: Path
) -> None:
    """40 sealed 身份证: none of them in the archive, each unmasks to the same number, the as-of snapshot row by row."""
    from bureau.ledgers.registers_for_tests import ROSTER, store
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.ledgers import registry
    from jiaoheng.bureau.ledgers.actions_records import do_save_record
    from jiaoheng.bureau.ledgers.actions_unmask import do_unmask
    from jiaoheng.bureau.ledgers.snapshot import snapshot

    register = store(ROSTER)
    numbers = [_numbered(number) for number in range(40)]
    saved = [
        do_save_record(
            register,
            full["甲"],
            None,
            {"code": f"{number:02d}", "name": f"生{number}", "id_number": numbers[number], "points": str(number)},
            acting_user=full["甲填报"],
        ).record_id
        for number in range(40)
    ]
    moment = clock.now()
    before = snapshot("t_roster", moment).order_by("_record").to_polars().rows()
    assert len(before) == 40
    path = back_up(tmp_path / "备份.jhb", noted=False).path
    use_folder(settings, tmp_path / "二")
    with second_base(tmp_path / "二.sqlite3") as alias:
        restore(path, using=alias)
        text = json.dumps(rows_of(alias)["ledgers_recordversion"], ensure_ascii=False)
        assert not any(number in text for number in numbers)
        with as_default(alias):
            registry.forget()
            for record, number in zip(saved, numbers, strict=True):
                assert do_unmask(record, "id_number", "核对学籍", acting_user=full["甲校长"]) == number
            after = snapshot("t_roster", moment).order_by("_record").to_polars().rows()
    registry.forget()
    assert after == before


def _numbered(order: int) -> str:
    """A number of the county that does not exist, with its right check digit."""
    body = f"99000020120407{order:03d}"
    total = sum(int(one) * 2 ** (17 - place) for place, one in enumerate(body))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize(
    "table",
    [
        Table('core_unit"; DROP TABLE core_account; --', (("id", "integer"),), "id"),
        Table("core_unit", (('id" FROM core_account; --', "integer"),), "id"),
        Table("core_unit", (("id", "integer"),), 'id"; --'),
        Table("core_unit", (("id", "integer"),), "id", 'id"; --'),
        Table("sqlite_master", (("sql", "text"), ("nowhere", "text")), "sql"),
    ],
)
def test_an_archive_names_only_tables_and_columns_of_its_own_schema(table: Table) -> None:
    with pytest.raises(RefusedError, match="与它自己的版本不符") as refused:
        _check_tables(connection, SimpleNamespace(tables=(table,)))
    assert refused.value.code == "backup-broken"
