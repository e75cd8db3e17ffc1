"""P23: the chain proves that nothing was altered, taken out, cut off or written anew."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.actions_audit import archive
from jiaoheng.bureau.core.audit_archive import folder
from jiaoheng.bureau.core.audit_chain import verify
from jiaoheng.bureau.core.models import AuditEntry, AuditHead
from jiaoheng.bureau.core.refusals import RefusedError

pytestmark = pytest.mark.django_db(transaction=True)


def write(count: int) -> None:
    for number in range(count):
        audit.note("sign_in", actor=None, about=("account", number, f"甲{number}"), reason="试")


@pytest.fixture
def fifty() -> None:
    write(50)


def rehash(first: int) -> None:
    """What a clever hand does after altering an entry: hash everything behind it anew, head included."""
    before = AuditEntry.objects.get(number=first - 1).hash
    for entry in AuditEntry.objects.filter(number__gte=first).order_by("number"):
        before = entry.hash = audit.hash_of(entry, before)
        entry.save()
    AuditHead.objects.update(hash=before)


def test_p23_fifty_entries_are_whole_and_the_head_is_told(fifty: None) -> None:
    verdict = verify()
    newest = AuditEntry.objects.get(number=50)
    assert (verdict.whole, verdict.count, verdict.head) == (True, 50, newest.hash)
    assert "完整，共 50 条" in verdict.sentence
    assert newest.hash in verdict.sentence


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("reason", "改"),
        ("actor_name", "别人"),
        ("object_name", "乙"),
        ("count", 7),
        ("changes", [{"field": "x"}]),
        ("action", "sign_out"),
        ("unit_id", 3),
        ("door", "api"),
    ],
)
def test_p23_one_altered_value_names_its_entry(fifty: None, column: str, value: object) -> None:
    AuditEntry.objects.filter(number=20).update(**{column: value})
    verdict = verify()
    assert (verdict.whole, verdict.number) == (False, 20)
    assert "第 20 条" in verdict.sentence


def test_p23_an_entry_taken_out_is_named(fifty: None) -> None:
    AuditEntry.objects.filter(number=20).delete()
    verdict = verify()
    assert (verdict.whole, verdict.number) == (False, 20)
    assert "缺第 20 条" in verdict.sentence


@pytest.mark.parametrize("head_too", [False, True])
def test_p23_a_cut_tail_is_seen_by_the_anchor(fifty: None, head_too: bool) -> None:
    AuditEntry.objects.filter(number__gt=47).delete()
    if head_too:
        AuditHead.objects.update(number=47, hash=AuditEntry.objects.get(number=47).hash)
    verdict = verify()
    assert (verdict.whole, verdict.number) == (False, 50 if head_too else 48)
    assert "第 50 条" in verdict.sentence if head_too else "缺第 48 条" in verdict.sentence


def test_p23_hashing_everything_anew_does_not_fit_the_anchor(fifty: None) -> None:
    AuditEntry.objects.filter(number=20).update(reason="改")
    rehash(20)
    verdict = verify()
    assert (verdict.whole, verdict.number) == (False, 20)
    assert "锚记" in verdict.sentence


def test_a_lost_anchor_or_head_is_no_proof(fifty: None) -> None:
    settings.ANCHOR.rename(settings.ANCHOR.with_suffix(".away"))
    assert not verify().whole
    settings.ANCHOR.with_suffix(".away").rename(settings.ANCHOR)
    assert verify().whole
    AuditHead.objects.all().delete()
    assert not verify().whole


def test_an_entry_beyond_the_head_is_seen(fifty: None) -> None:
    entry = AuditEntry.objects.get(number=50)
    entry.number = 52
    entry.save(force_insert=True)
    assert (verify().whole, verify().number) == (False, 52)


def test_p23_thirty_writes_at_once_leave_one_line(fifty: None) -> None:
    faults: list[BaseException] = []
    start = threading.Barrier(30)

    def one() -> None:
        try:
            start.wait(30)
            write(1)
        except BaseException as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    verdict = verify()
    assert (verdict.whole, verdict.count) == (True, 80)
    assert len(settings.ANCHOR.read_text().splitlines()) == 80


def test_p23_archiving_is_an_entry_and_not_a_gap(fifty: None) -> None:
    thirtieth = AuditEntry.objects.get(number=30).hash
    archive(30, acting_user=None, reason="满一年")
    newest = AuditEntry.objects.order_by("-number")[0]
    assert (newest.number, newest.action, newest.digest, newest.count) == (51, "audit.archive", thirtieth, 30)
    assert AuditEntry.objects.count() == 21
    verdict = verify()
    assert (verdict.whole, verdict.archived_to, verdict.notes) == (True, 30, ())
    assert verdict.sentence.startswith("自 31 起连续，1–30 已归档")


def test_a_second_archive_goes_on_where_the_first_ended(fifty: None) -> None:
    archive(30, acting_user=None)
    archive(51, acting_user=None)
    assert verify().sentence.startswith("自 52 起连续，1–51 已归档")
    assert verify().notes == ()
    assert len(list(folder().glob("*.jsonl.gz"))) == 2


def test_a_cut_front_that_is_called_archived_is_seen(fifty: None) -> None:
    archive(30, acting_user=None)
    AuditHead.objects.update(archived_to=40, archived_hash=AuditEntry.objects.get(number=40).hash)
    AuditEntry.objects.filter(number__lte=40).delete()
    verdict = verify()
    assert (verdict.whole, verdict.number) == (False, 40)


def test_an_archive_file_that_is_lost_or_altered_is_told(fifty: None) -> None:
    path = archive(30, acting_user=None)
    body = path.read_bytes()
    path.write_bytes(body[:-40])
    assert verify().notes
    path.unlink()
    assert "缺 1–30" in verify().notes[0]


@pytest.mark.parametrize("to", [0, 51, 60])
def test_an_archive_up_to_a_wrong_number_is_refused(fifty: None, to: int) -> None:
    with pytest.raises(RefusedError, match="可以归档到第 1 至 50 条"):
        archive(to, acting_user=None)
    assert AuditEntry.objects.count() == 50


def test_a_broken_chain_is_not_archived(fifty: None) -> None:
    AuditEntry.objects.filter(number=20).update(reason="改")
    with pytest.raises(RefusedError, match="先查明再归档"):
        archive(30, acting_user=None)
    assert AuditEntry.objects.count() == 50
    assert not folder().exists()


def test_the_command_answers_by_its_exit_code(fifty: None, capsys: pytest.CaptureFixture[str]) -> None:
    from jiaoheng.cli.audit import _archive, _verify

    assert _verify() == 0
    assert "完整，共 50 条" in capsys.readouterr().out
    assert _archive(30, "满一年") == 0
    assert _verify() == 0
    assert "自 31 起连续，1–30 已归档" in capsys.readouterr().out
    AuditEntry.objects.filter(number=40).delete()
    assert _verify() == 2
    assert "缺第 40 条" in capsys.readouterr().err


def test_reading_goes_by_key_and_not_by_one_long_cursor(fifty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiaoheng.bureau.core.audit_chain._CHUNK", 7)
    assert (verify().whole, verify().count) == (True, 50)


def test_the_anchor_lies_outside_the_database(fifty: None) -> None:
    lines = Path(settings.ANCHOR).read_text().splitlines()
    assert [line.split()[0] for line in lines] == [str(number) for number in range(1, 51)]
    assert str(settings.ANCHOR) != str(connection.settings_dict["NAME"])
