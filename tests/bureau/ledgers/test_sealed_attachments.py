"""Photos and documents lie encrypted; what earlier versions stored in the clear is read and sealed by the rotation."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bureau.world import World
from jiaoheng.bureau.core import clock, files, keys, sealed_files
from jiaoheng.bureau.core.actions_files import store_file, store_result
from jiaoheng.bureau.core.actions_second_factor import prepare
from jiaoheng.bureau.core.models import Attachment, AuditEntry, SecondFactor
from jiaoheng.bureau.ledgers import key_rotation
from jiaoheng.bureau.ledgers.key_rotation import rotate
from jiaoheng.bureau.ledgers.key_use import key_state

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = b"%PDF-1.4\n" + "低保家庭 王小明 990000201204070001 ".encode() * 400 + b"\n%%EOF\n"
NUMBER = b"990000201204070001"


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "keys"))
    keys.forget()
    yield tmp_path / "keys"  # type: ignore[misc]
    keys.forget()


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((900, 700), 60).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def sent(world: World, data: bytes, name: str, kind: str) -> Attachment:
    return store_file(data, name, kind, unit=world["甲"], acting_user=world["甲填报"])


def on_disk(settings: Any) -> list[Path]:
    return [one for one in Path(settings.FILES).rglob("*") if one.is_file()]


def test_nothing_handed_in_lies_in_the_clear(world: World, noon: Any, own_keys: Path, settings: Any) -> None:
    """Photo, its small picture, document, result: sealed; size and hash are of the plain content; the door opens them."""
    pdf = sent(world, SECRET, "低保证明.pdf", "document")
    photo = sent(world, picture(), "楼道.jpg", "photo")
    made = store_result(b"code,name\n1,990000201204070001\n", "结果.csv", unit=world["甲"], acting_user=world["甲填报"])
    there = on_disk(settings)
    assert len(there) == 4
    for path in there:
        body = path.read_bytes()
        assert body.startswith(sealed_files.MAGIC)
        assert NUMBER not in body
        assert b"JFIF" not in body
        assert path.stat().st_mode & 0o077 == 0
    assert (pdf.size, pdf.sha256) == (len(SECRET), hashlib.sha256(SECRET).hexdigest())
    served = files.open_file(world["甲填报"], pdf.pk)
    assert served.headers["Content-Length"] == str(len(SECRET))
    assert served.read() == SECRET
    for variant in ("", "small"):
        with Image.open(io.BytesIO(files.open_file(world["东学区"], photo.pk, variant).read())) as shown:
            assert shown.format == "JPEG"
    assert files.open_file(world["甲填报"], made.pk).read().endswith(NUMBER + b"\n")


def laid_plain(one: Attachment) -> None:
    """As an earlier version stored it."""
    for suffix in ("", files.SMALL_SUFFIX):
        path = files.full_path(one.path + suffix)
        if path.is_file():
            data = sealed_files.open_plain(path).read()
            path.write_bytes(data)


def test_plain_files_are_read_and_the_rotation_seals_them(
    world: World, noon: Any, own_keys: Path, settings: Any
) -> None:
    """Found by `keys list`, sealed once, with both pictures; a second run finds nothing to do."""
    photo, pdf = sent(world, picture(), "楼道.jpg", "photo"), sent(world, SECRET, "证明.pdf", "document")
    whole, small = (files.open_file(world["甲填报"], photo.pk, one).read() for one in ("", "small"))
    laid_plain(photo)
    laid_plain(pdf)
    assert files.open_file(world["甲填报"], pdf.pk).read() == SECRET
    assert key_state().plain_files == 2
    assert any("2 个附件的文件还没有加密" in one for one in key_state().sentences)
    assert rotate(acting_user=None).rows == 2
    assert all(one.read_bytes().startswith(sealed_files.MAGIC) for one in on_disk(settings))
    assert len(on_disk(settings)) == 3
    assert files.open_file(world["甲填报"], photo.pk).read() == whole
    assert files.open_file(world["甲填报"], photo.pk, "small").read() == small
    pdf.refresh_from_db()
    assert (pdf.size, pdf.sha256) == (len(SECRET), hashlib.sha256(SECRET).hexdigest())
    assert key_state().plain_files == 0
    before = AuditEntry.objects.count()
    assert rotate(acting_user=None).rows == 0
    assert AuditEntry.objects.count() == before


def test_a_new_key_goes_through_files_and_second_factors(world: World, noon: Any, own_keys: Path) -> None:
    """After the rotation the old key can go: files and secrets of second factors open without it."""
    pdf = sent(world, SECRET, "证明.pdf", "document")
    secret = prepare(world["股长"]).secret
    old = keys.ring().newest
    new = keys.add_key()
    assert {one.key_id: one.files for one in key_state().keys} == {old: 1, new: 0}
    assert any("旧密钥" in one for one in key_state().sentences)
    assert rotate(acting_user=None).rows >= 2
    left = [line for line in keys.key_file().read_text().splitlines() if not line.startswith(f"{old}:")]
    keys.key_file().write_text("\n".join(left) + "\n")
    keys.forget()
    assert [one for one, _ in keys.ring().keys] == [new]
    assert files.open_file(world["甲填报"], pdf.pk).read() == SECRET
    assert SecondFactor.objects.get(account=world["股长"]).secret == secret


def test_the_secret_of_a_second_factor_is_not_in_the_base(world: World, noon: Any, own_keys: Path) -> None:
    from django.db import connection

    secret = prepare(world["股长"]).secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM core_secondfactor")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert stored.startswith(f"{keys.ring().newest}:core/second-factor:")


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_rotation_that_is_cut_off_loses_nothing(
    world: World, noon: Any, own_keys: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Cut off at any file: each one opens, and the command again does the rest and leaves no file behind."""
    photo, pdf = sent(world, picture(), "楼道.jpg", "photo"), sent(world, SECRET, "证明.pdf", "document")
    whole = files.open_file(world["甲填报"], photo.pk).read()
    keys.add_key()
    real, calls = sealed_files.reseal, []

    def cut(path: Path, target: Path) -> None:
        calls.append(path)
        if len(calls) == fails_at:
            target.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        real(path, target)

    monkeypatch.setattr(key_rotation.sealed_files, "reseal", cut)
    with pytest.raises(OSError, match="No space"):
        rotate(acting_user=None)
    assert files.open_file(world["甲填报"], photo.pk).read() == whole
    assert files.open_file(world["甲填报"], pdf.pk).read() == SECRET
    monkeypatch.setattr(key_rotation.sealed_files, "reseal", real)
    rotate(acting_user=None)
    assert key_state().keys[1].files == 0
    assert len(on_disk(settings)) == 3
    assert files.open_file(world["甲填报"], photo.pk).read() == whole
    assert clock.now()
