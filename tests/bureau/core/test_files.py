"""Attachments: known by content, photos upright and stripped, stored whole or not at all, added once, opened by right."""

from __future__ import annotations

import datetime as dt
import io
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image, TiffImagePlugin

from jiaoheng.bureau.core import clock, files
from jiaoheng.bureau.core.actions_files import attach, do_remove_file, store_file, store_result
from jiaoheng.bureau.core.models import Attachment, AuditEntry, Membership
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.schedule import orphan_files

pytestmark = pytest.mark.django_db


def phone_photo(width: int = 4032, height: int = 3024) -> bytes:
    """A phone's picture lying on its side: orientation 6, a place, a device; its top left corner is red."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), (0, 0, width // 4, height // 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "PHONEMAKER"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", tuple(TiffImagePlugin.IFDRational(one) for one in (31, 10, 5))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=90)
    assert b"PHONEMAKER" in out.getvalue()
    return out.getvalue()


def stored_files(settings: object) -> list[Path]:
    return [one for one in Path(settings.FILES).rglob("*") if one.is_file()]  # type: ignore[attr-defined]


def send(world, data, name="楼道.jpg", kind="photo", who="甲填报", unit="甲", **more):
    return store_file(data, name, kind, unit=world[unit], acting_user=world[who], **more)


def test_p28_photo_stands_upright_without_place_or_device(world, noon):
    """The served picture stands upright and holds no GPS, no device, in full and in small."""
    made = send(world, phone_photo())
    for variant in ("", "small"):
        served = files.open_file(world["甲填报"], made.pk, variant)
        data = served.read()
        with Image.open(io.BytesIO(data)) as image:
            assert image.height > image.width
            assert image.height / image.width == pytest.approx(4032 / 3024, abs=0.01)
            assert not image.getexif()
            red = image.convert("RGB").getpixel((image.width - 5, 5))
            assert red[0] > 200
            assert red[1] < 80
        assert b"PHONEMAKER" not in data
        assert b"Exif" not in data


def test_p28_only_who_may_read_gets_bytes(world, noon):
    """Another school: like a missing file, also for the small picture; after rights end at the next request."""
    made = send(world, phone_photo(800, 600))
    for variant in ("", "small"):
        with pytest.raises(NotFoundError):
            files.open_file(world["乙填报"], made.pk, variant)
        assert files.open_file(world["东学区"], made.pk, variant).read()
    with pytest.raises(NotFoundError):
        files.open_file(world["甲填报"], "00000000-0000-0000-0000-000000000000")
    Membership.objects.filter(account=world["东学区"]).update(ends_on=clock.today())
    with pytest.raises(NotFoundError):
        files.open_file(world["东学区"], made.pk)


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"\xff\xd8\xff" + b"0" * (25 << 20), "大.jpg", ["25 MB", "最多 20 MB", "JPG"]),
        (b"MZ\x90\x00" + b"\0" * 500, "照片.jpg", ["照片.jpg", "JPG、PNG、WebP", "20 MB"]),
        (b"", "空.jpg", ["空文件"]),
        (b"\xff\xd8\xff\xe0" + b"junk" * 40, "坏.jpg", ["打不开"]),
        (b"\0\0\0\x18ftypheic" + b"\0" * 90, "苹果.heic", ["HEIC", "JPG"]),
    ],
)
def test_p28_refusals_say_limit_and_kinds_and_leave_nothing(world, noon, settings, data, name, told):
    """A sentence, no row, no file."""
    with pytest.raises(RefusedError) as refused:
        send(world, data, name)
    for words in told:
        assert words in str(refused.value)
    assert not Attachment.objects.exists()
    assert not stored_files(settings)


def test_too_many_pixels_are_refused_before_they_are_unpacked(world, noon):
    """A small file that unpacks to a gigabyte of pixels."""
    out = io.BytesIO()
    Image.new("1", (12000, 12000)).save(out, "PNG")
    assert len(out.getvalue()) < 1_000_000
    with pytest.raises(RefusedError, match="像素太多"):
        send(world, out.getvalue(), "炸弹.png")


@pytest.mark.parametrize(
    ("kind", "mode", "stored"), [("PNG", "RGBA", "PNG"), ("WEBP", "RGB", "JPEG"), ("PNG", "P", "PNG")]
)
def test_other_pictures_are_encoded_anew(world, noon, kind, mode, stored):
    """Screenshots stay lossless, everything else becomes JPEG; texts inside are gone."""
    from PIL.PngImagePlugin import PngInfo

    note = PngInfo()
    note.add_text("Place", "31N 110E SECRET")
    out = io.BytesIO()
    Image.new(mode, (3000, 1200)).save(out, kind, **({"pnginfo": note} if kind == "PNG" else {}))
    data = files.open_file(world["甲填报"], send(world, out.getvalue(), "截图.png").pk).read()
    assert b"SECRET" not in data
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == (stored, (2560, 1024))


def office(part: str, more: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", part, *more):
            archive.writestr(name, "<x/>")
    return out.getvalue()


def test_documents_are_known_by_content(world, noon):
    """PDF, Word and Excel by their content; the ending follows it; macros and plain archives are refused."""
    assert send(world, b"%PDF-1.7 x", "方案.docx", "document").name == "方案.pdf"
    assert send(world, office("word/document.xml"), "方案.docx", "document").media_type == files.DOCX
    assert send(world, office("xl/workbook.xml"), "表.xlsx", "document").media_type == files.XLSX
    with pytest.raises(RefusedError, match="宏"):
        send(world, office("xl/workbook.xml", ("xl/vbaProject.bin",)), "表.xlsx", "document")
    with pytest.raises(RefusedError, match="可以上传"):
        send(world, office("a.txt"), "包.docx", "document")


def test_p09_the_same_photo_sent_again_is_added_once(world, noon):
    """Three photos, the second breaks off; sending all again adds only the missing one."""
    pictures = [phone_photo(400 + 40 * number, 300) for number in range(3)]
    first = [send(world, pictures[number], upload_key="K") for number in (0, 2)]
    assert files.count_words(len(first), 3) == "附件 2/3"
    again = [send(world, one, upload_key="K") for one in pictures]
    assert [again[0].pk, again[2].pk] == [first[0].pk, first[1].pk]
    assert Attachment.objects.count() == 3
    assert files.count_words(3, 3) == "附件 3"
    assert send(world, pictures[0], upload_key="other").pk != first[0].pk


def test_who_may_store(world, noon):
    """Not for a unit one cannot see (as if it were missing), not where one only reads."""
    with pytest.raises(NotFoundError):
        send(world, phone_photo(80, 60), who="乙填报")
    with pytest.raises(ForbiddenError):
        send(world, phone_photo(80, 60), who="局长")


def test_workbooks_and_results_are_one_own(world, noon):
    """What a person uploaded to be read, or had made, no other person opens, whatever his rights."""
    sheet = send(world, office("xl/workbook.xml"), "名册.xlsx", "workbook")
    marked = store_result(b"PK", "标注.xlsx", unit=world["甲"], acting_user=world["甲填报"])
    for one in (sheet, marked):
        assert files.open_file(world["甲填报"], one.pk).read()
        for other in ("股长", "管理员", "甲校长"):
            with pytest.raises(NotFoundError):
                files.open_file(world[other], one.pk)
    with clock.at(clock.now() + dt.timedelta(days=31)), pytest.raises(NotFoundError):
        files.open_file(world["甲填报"], marked.pk)


def test_headers_keep_a_file_a_file(world, noon):
    """Nothing is guessed, nothing runs, nothing is kept by the browser; the name survives in Chinese."""
    made = send(world, b"%PDF-1.7", "方案\r\nX: 1.pdf", "document")
    headers = files.open_file(world["甲填报"], made.pk).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert "%E6%96%B9%E6%A1%88" in headers["Content-Disposition"]
    assert not any("\n" in value or "\r" in value for value in headers.values())
    assert "no-store" in headers["Cache-Control"]


def test_names_lose_folders_and_tricks():
    """No folder, no control sign, no reversed ending."""
    assert files.safe_name("..\\..\\etc/passwd") == "passwd"
    assert files.safe_name("a\u202egpj.exe", "image/jpeg") == "agpj.jpg"
    assert files.safe_name("") == "文件"
    assert len(files.safe_name("长" * 400 + ".pdf", "application/pdf")) <= 200


def test_attach_takes_only_ones_own_loose_files(world, noon):
    """Somebody else's file cannot be pulled into a record one may read."""
    mine, other = send(world, phone_photo(80, 60)), send(world, phone_photo(90, 60), who="乙填报", unit="乙")
    attach([str(mine.pk)], ("record", 7), acting_user=world["甲填报"])
    mine.refresh_from_db()
    assert (mine.object_type, mine.object_id) == ("record", "7")
    attach([str(mine.pk)], ("record", 7), acting_user=world["股长"])
    for wrong in (mine, other):
        with pytest.raises(RefusedError, match="附件"):
            attach([str(wrong.pk)], ("record", 8), acting_user=world["甲填报"])
    with pytest.raises(RefusedError, match="历史"):
        do_remove_file(mine, acting_user=world["甲填报"])


@pytest.mark.django_db(transaction=True)
def test_sweep_removes_expired_and_ownerless_files(world, settings):
    """An old file without a row goes, a fresh one and an owned one stay; expired ones go with their rows."""
    with clock.at(clock.beijing(2025, 9, 15, 12)):
        kept = send(world, phone_photo(80, 60))
        store_result(b"x", "旧.xlsx", unit=world["甲"], acting_user=world["甲填报"])
        for path in ("ab/cd/old.jpg", "ab/cd/new.jpg"):
            files.write_whole(path, b"x")
        for one in stored_files(settings):
            if one.name != "new.jpg":
                os.utime(one, (1, 1))
    os.utime(files.full_path("ab/cd/new.jpg"), (clock.beijing(2025, 12, 15, 11).timestamp(),) * 2)
    with clock.at(clock.beijing(2025, 12, 15, 12)):
        assert orphan_files() == "清理过期文件 1 个、无主文件 1 个"
        assert orphan_files() == "清理过期文件 0 个、无主文件 0 个"
    names = {one.name for one in stored_files(settings)}
    assert names == {Path(kept.path).name, Path(kept.path).name + files.SMALL_SUFFIX, "new.jpg"}
    assert AuditEntry.objects.filter(action="file.expire", count=1).count() == 1
