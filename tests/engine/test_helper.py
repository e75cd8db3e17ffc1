"""The helper process: answers, errors that come back whole, its death, and no orphan."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from jiaoheng.engine import helper as room
from jiaoheng.engine.helper import Helper

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and /dev/full of POSIX")


@pytest.fixture(autouse=True)
def _functions_of_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper imports what it is asked to call: this file too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def test_answers_come_from_another_process() -> None:
    """Results of several calls, each with its own question, made elsewhere."""
    with Helper() as helper:
        assert helper.running
        asked = [helper.submit(divmod, n, 7) for n in range(20)]
        other = helper.submit(os.getpid)
        assert [one.result() for one in asked] == [divmod(n, 7) for n in range(20)]
        assert other.result() != os.getpid()


def test_exact_numbers_stay_exact() -> None:
    """Fractions travel as integers."""
    values = [Fraction(1, 3), Fraction(-7), Fraction(10**30, 7)]
    with Helper() as helper:
        back = helper.submit(list, values).result()
    assert back == values
    assert all(type(one) is Fraction for one in back)


@POSIX
def test_a_full_disk_comes_back_with_number_and_name() -> None:
    """An OSError of the helper is an OSError here, with errno and file name."""
    with Helper() as helper:
        with pytest.raises(OSError, match="No space left") as caught:
            helper.submit(_write_full, "/dev/full").result()
        assert helper.submit(abs, -1).result() == 1  # it lives on
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == "/dev/full"


def _write_full(path: str) -> None:
    try:
        with open(path, "wb", buffering=0) as file:
            file.write(b"x" * 10)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


class _StubbornError(Exception):
    """Pickles, and cannot be made again from its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def _stubborn() -> None:
    raise _StubbornError("甲", "乙")


def test_an_error_that_cannot_travel_is_told_in_words() -> None:
    """Its type and text arrive."""
    with Helper() as helper, pytest.raises(RuntimeError, match="_StubbornError: 甲乙"):
        helper.submit(_stubborn).result()


def test_prints_do_not_get_among_the_answers(capfd: pytest.CaptureFixture[str]) -> None:
    """What a library prints in the helper is not read as an answer and not shown."""
    with Helper() as helper:
        helper.submit(print, "噪音").result()
        helper.submit(os.write, 1, b"noise").result()
        assert helper.submit(abs, -2).result() == 2
    assert capfd.readouterr().out == ""


@POSIX
def test_what_a_dead_helper_did_not_answer_is_done_here() -> None:
    """Killed in the middle: the waiting calls are made in this process."""
    with Helper() as helper:
        elsewhere = helper.submit(os.getpid).result()
        slow = helper.submit(_wait_as, elsewhere)
        next_one = helper.submit(abs, -3)
        os.kill(elsewhere, signal.SIGKILL)
        assert slow.result() == "here"
        assert next_one.result() == 3
        assert helper.submit(abs, -4).result() == 4


def _wait_as(process: int) -> str:
    """Waits for ever in the process of that number."""
    while os.getpid() == process:
        time.sleep(1)
    return "here"


def test_without_a_process_calls_are_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second process wanted, or none can be started: the same results, one call each."""
    with Helper(start=False) as alone:
        assert not alone.running
        assert alone.submit(os.getpid).result() == os.getpid()
    monkeypatch.setattr(room.sys, "executable", "/absent/python")
    made: list[int] = []
    with Helper() as none:
        assert not none.running
        answer = none.submit(made.append, 1)
        answer.result()
        answer.result()
        with pytest.raises(ZeroDivisionError):
            none.submit(divmod, 1, 0).result()
    assert made == [1]


def test_close_ends_it_whatever_it_does() -> None:
    """Closing does not wait for a long call."""
    helper = Helper()
    number = helper.submit(os.getpid).result()
    helper.submit(time.sleep, 600)
    helper.close()
    helper.close()
    assert not psutil.pid_exists(number)


@POSIX
def test_it_ends_with_its_asker() -> None:
    """The asker is killed without a chance to clean up: no orphan stays."""
    words = "from jiaoheng.engine.helper import Helper; import os, time; h = Helper(); " + (
        "print(h.submit(os.getpid).result(), flush=True); time.sleep(600)"
    )
    asker = subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True)
    assert asker.stdout is not None
    number = int(asker.stdout.readline())
    asker.kill()
    asker.communicate()
    _wait_for_end(number)


def _wait_for_end(number: int) -> None:
    for _ in range(600):
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {number} goes on")
