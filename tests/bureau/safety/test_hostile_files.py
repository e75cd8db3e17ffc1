"""Hostile files through every door that takes files: a sentence each, nothing stored, and whoever asks next is served."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import files, sealed_files
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.imports.starting import do_start_import
from jiaoheng.bureau.ledgers.models import Record, RegisterRow

pytestmark = pytest.mark.django_db
_SENTENCE = re.compile(r"[\u4e00-\u9fff].{6,}")
_ENGLISH = re.compile(r"Traceback|Error\b|Exception|line \d+")


@pytest.fixture
def kinds() -> Any:
    """The generated files: made only when a test of them runs."""
    from bureau.safety import hostile_files

    return hostile_files


def is_sentence(text: str) -> bool:
    return bool(_SENTENCE.search(text)) and not _ENGLISH.search(text)


def stored(settings: Any) -> list[Path]:
    root = Path(settings.FILES)
    return [one for one in root.rglob("*") if one.is_file()] if root.is_dir() else []


def signed(account: Account) -> Client:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_there_are_at_least_sixty(kinds: Any) -> None:
    print(f"{kinds.all_kinds()} kinds")
    assert kinds.all_kinds() >= 120


@pytest.mark.parametrize("group", ["REFUSED_PHOTOS", "DOCUMENTS"])
def test_attachments(world: World, settings: Any, kinds: Any, group: str) -> None:
    kind = "photo" if "PHOTO" in group else "document"
    wrong, count = [], Counter[str]()
    harmless = {"pdf with a script", "pdf that starts a program", "pdf with an embedded file",
                "docx with a remote frame", "docx with a remote template", "docx with an embedded program",
                "docx with DDE"}  # fmt: skip
    for what, (name, data) in getattr(kinds, group).items():
        try:
            store_file(data, name, kind, unit=world["甲"], acting_user=world["甲填报"])
        except RefusedError as refused:
            count["refused"] += 1
            if not is_sentence(str(refused)):
                wrong.append(f"{what}: {refused}")
            if stored(settings) or Attachment.objects.exists():
                wrong.append(f"{what}: something was stored")
        else:
            count["taken"] += 1
            wrong += [] if what in harmless else [f"{what}: taken"]
            for one in Attachment.objects.all():
                served = files.open_file(world["甲填报"], one.pk)
                if "attachment" not in served.headers.get("Content-Disposition", ""):
                    wrong.append(f"{what}: opens inside the browser")
                files.remove(one.path)
                one.delete()
    print(group, dict(count))
    assert not wrong, "\n".join(wrong)


def test_pictures_that_are_taken_are_made_anew(world: World, settings: Any, kinds: Any) -> None:
    from PIL import Image

    wrong = []
    for what, (name, data) in kinds.CLEANED_PHOTOS.items():
        try:
            made = store_file(data, name, "photo", unit=world["甲"], acting_user=world["甲填报"])
        except RefusedError as refused:
            if not is_sentence(str(refused)):
                wrong.append(f"{what}: {refused}")
            continue
        body = sealed_files.open_plain(files.full_path(made.path)).read()
        marks = (b"<script", b"<?php", b"PK\x03\x04", b"Exif", b"tEXt", b"zTXt", b"acTL", b"ANIM")
        wrong += [f"{what}: {mark!r} is still in it" for mark in marks if mark in body]
        if getattr(Image.open(io.BytesIO(body)), "n_frames", 1) != 1:
            wrong.append(f"{what}: moves")
        if Path(made.name).suffix not in (".jpg", ".jpeg", ".png"):
            wrong.append(f"{what}: is called {made.name}")
    assert not wrong, "\n".join(wrong)


def test_names(world: World, settings: Any, kinds: Any) -> None:
    wrong = []
    root = Path(settings.FILES).resolve()
    for number, name in enumerate(kinds.NAMES):
        data = kinds.picture((30 + number, 20))
        made = store_file(data, name, "photo", unit=world["甲"], acting_user=world["甲填报"])
        path = files.full_path(made.path).resolve()
        if not path.is_relative_to(root) or not re.fullmatch(r"[0-9a-f]{32}\.(jpg|png)", path.name):
            wrong.append(f"{name!r}: lies at {path}")
        head = files.open_file(world["甲填报"], made.pk).headers["Content-Disposition"]
        if re.search(r"[\r\n\0/\\<>\u200b\u202e]", made.name + head) or len(made.name) > 200:
            wrong.append(f"{name!r}: is called {made.name!r}, head {head!r}")
        if not made.name.lower().endswith((".jpg", ".jpeg", ".png")):
            wrong.append(f"{name!r}: ends as {made.name!r}")
    assert not wrong, "\n".join(wrong)


def test_workbooks_through_the_import(world: World, settings: Any, kinds: Any, noon: Any) -> None:
    """Read at once, in this process: a reader's death would be ours."""
    register = store(ROSTER)
    wrong, count = [], Counter[str]()
    for what, (name, data) in {**kinds.WORKBOOKS, **kinds.BUNDLES}.items():
        try:
            batch = do_start_import(
                register, world["甲"], [(io.BytesIO(data), name)], at_once=True, acting_user=world["甲填报"]
            )
        except RefusedError as refused:
            count["refused at the door"] += 1
            wrong += [] if is_sentence(str(refused)) else [f"{what}: {refused}"]
            continue
        except Exception as error:  # the finding
            wrong.append(f"{what}: {type(error).__name__}: {str(error)[:100]}")
            continue
        count[batch.state] += 1
        page = signed(world["甲填报"]).get(f"/imports/{batch.pk}/")
        text = page.content.decode()
        if page.status_code >= 500 or "root:x:0" in text or "hahahaha" in text or "<script>1" in text:
            wrong.append(f"{what}: the page is {page.status_code}")
        if batch.message and not is_sentence(batch.message):
            wrong.append(f"{what}: says {batch.message}")
    print("import", dict(count))
    assert not Record.objects.filter(register=register).exists()
    assert not wrong, "\n".join(wrong)


def test_workbooks_through_the_making_of_a_register(world: World, kinds: Any) -> None:
    _through_pages(world, kinds, signed(world["管理员"]), "/registers/make", "file", {"title": "试"})
    assert RegisterRow.objects.count() == 0


def test_workbooks_through_the_people_file(world: World, kinds: Any) -> None:
    before = Account.objects.count()
    _through_pages(world, kinds, signed(world["管理员"]), "/people/import", "file", {})
    assert Account.objects.count() == before


def _through_pages(world: World, kinds: Any, client: Client, address: str, field: str, more: dict[str, str]) -> None:
    from django.urls import reverse

    address = {"/registers/make": reverse("register_make"), "/people/import": reverse("people_import")}[address]
    client.raise_request_exception = False
    wrong, count = [], Counter[int]()
    for what, (name, data) in {**kinds.WORKBOOKS, **kinds.BUNDLES, **kinds.DOCUMENTS}.items():
        answer = client.post(address, {field: SimpleUploadedFile(name, data), **more})
        count[answer.status_code] += 1
        if answer.status_code >= 500:
            wrong.append(f"{what}: {answer.status_code}")
        if answer.status_code in (302, 303):  # something readable was in it: what the next page shows is text
            page = client.get(answer["Location"])
            text = page.content.decode() if not page.streaming else ""
            if page.status_code >= 500 or "root:x:0" in text or "<script>1" in text:
                wrong.append(f"{what}: then {page.status_code}")
    print(address, dict(count))
    assert not wrong, "\n".join(wrong)
    assert client.get("/").status_code == 200
