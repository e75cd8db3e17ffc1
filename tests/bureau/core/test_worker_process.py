"""P15 with real processes: a worker killed in the middle of an import leaves nothing, the next one says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bureau.ledgers import import_kit as kit
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import keys
from jiaoheng.bureau.core.actions_jobs import do_cancel_job, do_rerun_job
from jiaoheng.bureau.core.models import Job, Notice
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers.imports.answering import defaults, do_answer_questions
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.starting import do_start_import, preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch, Record, RecordVersion

# the worker as installed, on the test's own database; it stands still once 2,000 rows are counted
SCRIPT = """
import os, sys, time
sys.path.insert(0, os.environ["TESTS"])
import bureau_settings
name, options = os.environ["BASE"], bureau_settings.DATABASES["default"]
options["NAME"] = name
import django
django.setup()
from pathlib import Path
from django.conf import settings
settings.FILES = Path(os.environ["FILES"])
settings.ANCHOR = Path(os.environ["ANCHOR"])
from jiaoheng.bureau.core import jobs
from jiaoheng.bureau.core.worker import Worker
import threading
whole = jobs.Run.progress
def slow(run, done, total):
    whole(run, done, total)
    if os.environ.get("HOLD") and done == 2000:
        time.sleep(600)
jobs.Run.progress = slow
Worker(lease=2, beat=0.2).run(threading.Event())
"""


def _worker(settings: Any, hold: bool) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bureau_settings",
        "TESTS": str(Path(__file__).parents[2]),
        "BASE": str(connection.settings_dict["NAME"]),
        "FILES": str(settings.FILES),
        "JIAOHENG_KEYS": str(keys.folder()),
        "ANCHOR": str(settings.ANCHOR),
        "HOLD": "1" if hold else "",
    }
    return subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment)


def _until(job: Job, *states: str, done: int = 0, seconds: float = 50) -> Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job.refresh_from_db()
        if job.state in states and job.done >= done:
            return job
        time.sleep(0.1)
    raise AssertionError(f"job is {job.state} at {job.done}")


def _prepared(world: World, register: Any, first: int) -> ImportBatch:
    rows = [[f"{number:06d}", f"学生{number}", "1班", number % 50] for number in range(first, first + 5000)]
    upload = kit.sheet([["学号", "姓名", "班级", "积分"], *rows])
    batch = do_start_import(register, world["甲"], [upload], at_once=True, acting_user=world["甲填报"])
    do_answer_questions(batch, defaults(preview_of(batch)), acting_user=world["甲填报"])
    return do_confirm_import(batch, at_once=False, acting_user=world["甲填报"])


@pytest.mark.django_db(transaction=True)
def test_p15_a_killed_import_is_interrupted_stores_nothing_and_runs_anew(world: World, settings: Any) -> None:
    register = store(ROSTER)
    batch = _prepared(world, register, 0)
    job = batch.job
    first = _worker(settings, hold=True)
    try:
        _until(job, "running", done=2000)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    finally:
        first.kill()
    assert not Record.objects.exists()
    second = _worker(settings, hold=False)
    try:
        began = time.monotonic()
        _until(job, "interrupted")
        assert time.monotonic() - began < 60
        assert (job.done, job.total) == (2000, 5000)
        assert not Record.objects.exists()
        batch.refresh_from_db()
        assert batch.state == "preview"
        assert "已处理 2000 / 5000" in Notice.objects.get(account=world["甲填报"], key__contains="interrupted").text
        do_rerun_job(job, acting_user=world["甲填报"])
        _until(job, "done")
        assert Record.objects.count() == 5000
        other = _prepared(world, register, 5000)
        _until(other.job, "done")
        assert Record.objects.count() == 10_000
        assert RecordVersion.objects.count() == 10_000
    finally:
        second.terminate()
        second.wait(10)


@pytest.mark.django_db(transaction=True)
def test_p15_an_import_cancelled_on_its_way_stores_nothing(world: World, settings: Any) -> None:
    register = store(ROSTER)
    batch = _prepared(world, register, 0)
    do_cancel_job(batch.job, acting_user=world["甲填报"])
    Worker().work_off_one()
    batch.refresh_from_db()
    assert (batch.state, batch.job.state) == ("preview", "cancelled")
    assert not Record.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_read_by_the_worker_and_its_result_stands_in_the_inbox(world: World, settings: Any) -> None:
    register = store(ROSTER)
    rows = [[f"{number:06d}", f"学生{number}", "1班", number % 50] for number in range(9000)]
    upload = kit.sheet([["学号", "姓名", "班级", "积分"], *rows], "名册.xlsx")
    batch = do_start_import(register, world["甲"], [upload], at_once=False, acting_user=world["甲填报"])
    assert (batch.state, batch.job.state) == ("reading", "waiting")
    Worker().work_off_one()
    batch.refresh_from_db()
    assert (batch.state, batch.job.state, batch.job.done) == ("preview", "done", 9000)
    assert batch.counts["new"] == 9000
    notice = Notice.objects.get(account=world["甲填报"])
    assert "新增 9000" in notice.text
    assert notice.link == f"/imports/{batch.pk}/"
