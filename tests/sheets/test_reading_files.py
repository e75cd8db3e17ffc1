"""Files and folders: order, labels, what is left out, what cannot be opened, limits, progress, the reading process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from reading_makers import sheet_xml, xlsx

from jiaoheng.sheets.labels import labels, natural_key
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reader_process import ReaderProcess
from jiaoheng.sheets.reading import read_file, read_files
from jiaoheng.sheets.wire import SheetDecoder, SheetEncoder, WireError, read_frame
from jiaoheng.sheets.workbook import SourceFile

posix = pytest.mark.skipif(os.name != "posix", reason="the call is of POSIX")


def the_problem(source: SourceFile) -> tuple[str, str]:
    """Code and severity of the only problem; such a file has no sheets."""
    (problem,) = source.problems
    assert source.sheets == ()
    return problem.code, str(problem.severity)


def test_a_folder_opens_in_natural_order_and_says_what_it_left_out(tmp_path: Path) -> None:
    """2班 before 10班; lock files, hidden files and Apple's copies are noted and not read."""
    for name in ("九(10)班.xlsx", "九(2)班.xlsx", "高三/a.csv", "高二/a.csv", "~$九(2)班.xlsx", ".~九(2)班.xlsx"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(xlsx() if name.endswith("xlsx") else b"a,b\n1,2\n")
    (tmp_path / ".hidden.csv").write_text("a,b\n")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "九.xlsx").write_bytes(b"x")
    found = read_files([tmp_path])
    assert [one.label for one in found if one.sheets] == ["九(2)班.xlsx", "九(10)班.xlsx", "高二/a.csv", "高三/a.csv"]
    left_out = {one.label: the_problem(one) for one in found if not one.sheets}
    assert left_out == dict.fromkeys(
        ("~$九(2)班.xlsx", ".~九(2)班.xlsx", ".hidden.csv", "九.xlsx"), ("file-skipped", "note")
    )


def test_natural_order_knows_chinese_numerals() -> None:
    """一, 二, 三, 十, 十一, 二十 stand in their order."""
    names = ["初二十班", "初十一班", "初三班", "初一班", "初十班", "初二班"]
    assert sorted(names, key=natural_key) == ["初一班", "初二班", "初三班", "初十班", "初十一班", "初二十班"]


def test_labels_take_as_many_folders_as_they_need() -> None:
    """A name alone where it is alone, with folders where it repeats."""
    paths = [Path("/x/甲校/九/a.xlsx"), Path("/x/乙校/九/a.xlsx"), Path("/x/b.xlsx"), Path("/x/丙校/a.xlsx")]
    assert labels(paths) == ["甲校/九/a.xlsx", "乙校/九/a.xlsx", "b.xlsx", "丙校/a.xlsx"]


def test_other_documents_in_a_folder_warn_and_archives_stop(tmp_path: Path) -> None:
    """A notice in PDF beside the tables is a warning, given by name it is an error; a zip may hold scores."""
    (tmp_path / "通知.pdf").write_bytes(b"%PDF-1.4 x")
    (tmp_path / "成绩.rar").write_bytes(b"Rar!\x1a\x07\x00")
    rar, pdf = read_files([tmp_path])
    assert (the_problem(rar), the_problem(pdf)) == (("file-not-a-table", "error"), ("file-not-a-table", "warning"))
    named = read_file(tmp_path / "通知.pdf")
    assert the_problem(named) == ("file-not-a-table", "error")
    assert (named.true_format, "PDF 文档" in named.problems[0].message) == ("pdf", True)


def test_the_same_file_twice_is_read_once(tmp_path: Path) -> None:
    """Pupils are not doubled by a repeated argument."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    first, second = read_files([path, tmp_path])
    assert len(first.sheets) == 1
    assert the_problem(second) == ("file-skipped", "note")


def test_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    """Missing, empty, folder, empty folder, broken link: each its own sentence."""
    (tmp_path / "empty.xlsx").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    found = read_files([tmp_path / "no.xlsx", tmp_path / "empty.xlsx", tmp_path / "folder"])
    assert [the_problem(one)[0] for one in found] == ["file-missing", "file-empty", "empty-folder"]
    assert the_problem(read_file(tmp_path / "folder")) == ("file-not-regular", "error")
    assert all(one.problems[0].remedy for one in found)


@posix
def test_devices_pipes_and_links(tmp_path: Path) -> None:
    """A device or pipe is refused without being opened; a link is followed; a broken one is told."""
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "true.xlsx").write_bytes(xlsx())
    (tmp_path / "link.xlsx").symlink_to(tmp_path / "true.xlsx")
    (tmp_path / "broken.xlsx").symlink_to(tmp_path / "gone.xlsx")
    (tmp_path / "around").symlink_to(tmp_path)
    assert the_problem(read_file(tmp_path / "pipe.xlsx"))[0] == "file-not-regular"
    assert the_problem(read_file(Path("/dev/zero")))[0] == "file-not-regular"
    assert len(read_file(tmp_path / "link.xlsx").sheets) == 1
    broken = read_file(tmp_path / "broken.xlsx")
    assert "链接所指的文件不存在" in broken.problems[0].message
    codes = [one.problems[0].code for one in read_files([tmp_path]) if one.problems]
    assert sorted(codes) == ["file-missing", "file-not-regular", "file-skipped", "file-skipped"]


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="the administrator may read everything")
def test_no_permission(tmp_path: Path) -> None:
    """A file that may not be read is told so."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    path.chmod(0)
    assert the_problem(read_file(path))[0] == "file-no-permission"


@posix
def test_two_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    """The size alone is enough; not one byte is read."""
    path = tmp_path / "a.xlsx"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    source = read_file(path)
    assert the_problem(source) == ("file-too-large", "error")
    assert (source.problems[0].message, source.sha256) == ("文件有 2000 MB，超过上限 200 MB", "")


def test_a_file_that_vanishes_after_the_look(tmp_path: Path) -> None:
    """The reading process finds it gone and says so."""
    reader = ReaderProcess()
    try:
        (end,) = [head for head, _ in reader.frames(tmp_path / "gone.xlsx", Limits())]
    finally:
        reader.kill()
    assert end["refused"][0][0] == "file-missing"


def test_hash_and_size_are_those_of_the_file(tmp_path: Path) -> None:
    """SHA-256 as any tool computes it."""
    import hashlib

    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    source = read_file(path)
    assert (source.sha256, source.size) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


def test_progress_counts_every_file(tmp_path: Path) -> None:
    """Files done, files in all, label; in order."""
    for number in range(9):
        (tmp_path / f"{number}.xlsx").write_bytes(xlsx())
    seen: list[tuple[int, int, str]] = []
    read_files([tmp_path], progress=lambda *told: seen.append(told))
    assert seen == [(number + 1, 9, f"{number}.xlsx") for number in range(9)]


def test_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    """An interruption in the middle goes through, and the reading processes are gone."""
    for number in range(9):
        (tmp_path / f"{number}.xlsx").write_bytes(xlsx())

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_files([tmp_path], progress=interrupt)
    assert [one for one in psutil.Process().children() if "jiaoheng.sheets.child" in " ".join(one.cmdline())] == []


def test_too_slow_is_stopped(tmp_path: Path) -> None:
    """Processor time is bounded; the next file is read by a new process."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"/></row>' for n in range(1, 300_000))
    slow, good = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    slow.write_bytes(xlsx(sheet_xml("<!-- unusual -->" + rows * 4), method=0))
    good.write_bytes(xlsx())
    first, second = read_files([slow, good], limits=Limits(seconds=1))
    assert the_problem(first) == ("file-too-slow", "error")
    assert len(second.sheets) == 1


@posix
def test_a_killed_reading_process_costs_only_its_file(tmp_path: Path) -> None:
    """kill -9 from outside: that file is refused, reading goes on."""
    good = tmp_path / "a.xlsx"
    good.write_bytes(xlsx())
    reader = ReaderProcess()
    try:
        list(reader.frames(good, Limits()))
        process = reader._process
        assert process is not None
        os.kill(process.pid, 19)  # stopped, so that it cannot answer
        killer = threading.Timer(0.2, process.kill)
        killer.start()
        with pytest.raises(Exception, match="异常退出"):
            list(reader.frames(good, Limits()))
        killer.join()
        assert [head["t"] for head, _ in reader.frames(good, Limits())][-1] == "end"
    finally:
        reader.kill()
    assert not psutil.pid_exists(process.pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how Linux counts memory over exec")
def test_a_large_parent_does_not_wear_out_its_readers(tmp_path: Path) -> None:
    """A parent of several hundred MB keeps one reading process for many files."""
    ballast = bytearray(500 * 1024 * 1024)
    ballast[::4096] = b"x" * len(ballast[::4096])
    good = tmp_path / "a.xlsx"
    good.write_bytes(xlsx())
    reader = ReaderProcess()
    try:
        list(reader.frames(good, Limits()))
        first = reader._process
        list(reader.frames(good, Limits()))
        assert first is not None
        assert reader._process is first
    finally:
        reader.kill()
    assert len(ballast) > 0


def test_a_dead_parent_ends_the_reading_process(tmp_path: Path) -> None:
    """When our process is killed the reader sees its input end and goes."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom jiaoheng.sheets.limits import Limits\n"
        "from jiaoheng.sheets.reader_process import ReaderProcess\nreader = ReaderProcess()\n"
        "list(reader.frames(Path(sys.argv[1]), Limits()))\nprint(reader._process.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_module_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file named json.py among the user's files must not become our code."""
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    (tmp_path / "a.xlsx").write_bytes(xlsx())
    monkeypatch.chdir(tmp_path)
    assert len(read_file(Path("a.xlsx")).sheets) == 1


def test_many_at_once_from_several_threads(tmp_path: Path) -> None:
    """Concurrent calls do not mix their files."""
    for number in range(8):
        row = f'<row r="1"><c r="A1"><v>{number}</v></c></row>'
        (tmp_path / f"{number}.xlsx").write_bytes(xlsx(sheet_xml(row)))
    results: dict[int, object] = {}

    def work(number: int) -> None:
        results[number] = [one.sheets[0].rows[0][0] for one in read_files([tmp_path])]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [float(one) for one in range(8)] for number in range(4)}


def test_limits_come_from_the_environment() -> None:
    """Each limit has its variable; nonsense is refused by name."""
    assert Limits.from_environment({"JIAOHENG_READ_SECONDS": "5"}) == Limits(seconds=5)
    assert Limits.from_environment({}) == Limits()
    for wrong in ("0", "-1", "abc", "1.5"):
        with pytest.raises(ValueError, match="环境变量 JIAOHENG_READ_CELLS 应为正整数"):
            Limits.from_environment({"JIAOHENG_READ_CELLS": wrong})
    with pytest.raises(ValueError, match="读取上限 cells 应为正整数"):
        Limits(cells=0)


def test_limits_on_rows_columns_and_cells_are_kept(tmp_path: Path) -> None:
    """A smaller limit refuses the cell that breaks it, by name."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx())
    for limits in (Limits(rows=1), Limits(columns=1), Limits(cells=3)):
        source = read_file(path, limits=limits)
        assert the_problem(source) == ("cell-too-far", "error")
    assert len(read_file(path, limits=Limits(rows=2, columns=2, cells=4)).sheets) == 1


def test_the_wire_refuses_what_does_not_add_up() -> None:
    """A reading process that was taken over can send no more than cells, and no more of them than allowed."""
    import io

    for nonsense in (b"", b"JH01", b"\x80\x04pickle" + bytes(20), b"JH01" + b"\xff" * 8, b"JH01\x02\0\0\0\0\0\0\0[]"):
        with pytest.raises(WireError):
            read_frame(io.BytesIO(nonsense))
    ((head, body),) = SheetEncoder(100).blocks([["a", 1.0], ["b", ""]])
    decoder = SheetDecoder(4)
    decoder.add(head, body)
    assert decoder.finish(2, 2) == (("a", 1.0), ("b", None))
    with pytest.raises(WireError):
        decoder.add(head, body)
    for broken in (head | {"rows": 9}, head | {"columns": 3}, head | {"text": [1]}, head | {"rows": "x"}, {}):
        with pytest.raises(WireError):
            SheetDecoder(100).add(broken, body)
    with pytest.raises(WireError):
        SheetDecoder(100).add(head, body[:-1])
