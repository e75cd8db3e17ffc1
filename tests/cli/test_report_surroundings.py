"""What lies around a report: earlier results among the score files, letters without a font, an interrupted helper."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from jiaoheng.cli.main import app
from jiaoheng.documents.excel import write_workbook
from jiaoheng.documents.model import Table, TableColumn
from jiaoheng.exams.own_results import without_results
from jiaoheng.exams.sample import make_sample
from jiaoheng.sheets.reading import read_files


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def county(tmp_path: Path) -> Path:
    folder = tmp_path / "成绩"
    folder.mkdir()
    make_sample(folder, schools=2, pupils=80, seed=3)
    return folder


def headline(out: Path) -> object:
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return next(table for table in summary["tables"] if table["key"] == "county.papers")


def test_results_among_the_files_are_not_read_again(county: Path) -> None:
    """--out inside the input folder, with school packs: the second run gives the same figures and says what it left."""
    out = county / "结果"
    for _ in range(2):
        done = run("exam", "report", county, "--out", out, "--yes", "--school-packs")
        assert done.exit_code == 0, done.stderr
        first = headline(out) if _ == 0 else first  # noqa: F821
    assert headline(out) == first
    checked = json.loads(run("exam", "check", county, "--yes", "--json").stdout)
    told = [problem["message"] for problem in checked["problems"] if problem["code"] == "results-left-out"]
    assert any("tables.xlsx" in text and "report.docx" in text for text in told)
    assert any("成绩条.xlsx" in text for text in told)
    assert not [sheet for sheet in checked["sheets"] if "结果" in sheet["file"] or "tables" in sheet["file"]]


def test_out_may_be_the_input_folder_itself(county: Path) -> None:
    """The results stand beside the score files; the files stay, the next run gives the same figures."""
    before = sorted(path.name for path in county.iterdir())
    assert run("exam", "report", county, "--out", county, "--yes").exit_code == 0
    first = headline(county)
    assert run("exam", "report", county, "--out", county, "--yes").exit_code == 0
    assert headline(county) == first
    assert set(before) < {path.name for path in county.iterdir()}


def test_a_table_of_ours_is_known_without_its_folder(tmp_path: Path) -> None:
    """tables.xlsx under another name in another place is known by its contents sheet; other files are kept."""
    table = Table("t", "名单", (TableColumn("a", "姓名"), TableColumn("b", "语文")), (("甲", 90), ("乙", 80)))
    write_workbook([table], tmp_path / "改了名.xlsx", title="表")
    (tmp_path / "report.html").write_text("<table><tr><td>姓名<td>语文<tr><td>丙<td>70</table>", encoding="utf-8")
    (tmp_path / "summary.json").write_text('{"schema_version": 1}', encoding="utf-8")
    kept, notes = without_results(read_files([tmp_path]))
    assert [source.label for source in kept] == ["report.html", "summary.json"]
    (note,) = notes
    assert "改了名.xlsx" in note.message


def test_letters_without_a_font_are_told(county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A school's name with a character that no font here draws: said once, with the remedy; the report is made."""
    asked: list[frozenset[str]] = []

    def none_has_it(characters: frozenset[str]) -> frozenset[str]:
        asked.append(characters)
        return characters & {"县"}

    monkeypatch.setattr("jiaoheng.documents.fonts.uncovered", none_has_it)
    done = run("exam", "report", county, "--out", tmp_path / "结果", "--yes")
    assert done.exit_code == 0
    assert "本机没有字体能画出这些字：县" in done.stderr
    assert "请安装" in done.stderr
    assert "学" in asked[0]  # names of units stand escaped in the specs and are looked at as they are drawn


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("whole_group", [True, False], ids=["Ctrl-C", "kill -INT"])
def test_no_process_outlives_an_interruption(whole_group: bool, county: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches every process of the group; a signal to the command alone ends the others too."""
    out = tmp_path / "结果"
    words = [sys.executable, "-m", "jiaoheng", "exam", "report", str(county), "--out", str(out), "--yes"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    family: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (family and list(tmp_path.glob(".结果-*"))):
        family = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.01)
    assert family
    if whole_group:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "已中断" in said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    assert not out.exists()
    assert not list(tmp_path.glob(".结果-*"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_in_the_helper_is_said(county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are written by the helper; its full disk ends the command as our own would."""
    from jiaoheng.cli import outputs

    real = outputs.tempfile.mkdtemp

    def with_full_lists(**options: str) -> str:
        folder = real(**options)
        (Path(folder) / "lists.xlsx").symlink_to("/dev/full")
        return folder

    monkeypatch.setattr(outputs.tempfile, "mkdtemp", with_full_lists)
    done = run("exam", "report", county, "--out", tmp_path / "结果", "--yes")
    assert done.exit_code == 1
    assert "磁盘空间不足" in done.stderr
    assert not (tmp_path / "结果").exists()
    shutil.rmtree(county)
    assert not list(tmp_path.iterdir())
