"""The wheel alone is the whole program: it is installed apart from the checkout and does the job in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = {".yaml", ".ttf", ".txt", ".css", ".js", ".j2", ".typed", ".html", ".svg"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a fresh environment with the wheel, beside the dependencies of the running one but not the checkout."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / ("python.exe" if os.name == "nt" else "python")
    ours = sysconfig.get_path("purelib")
    theirs = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # a folder named in a .pth file is searched, but its own .pth files (the editable checkout) are not followed
    (Path(theirs) / "dependencies.pth").write_text(ours + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "-q"]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return python


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command line, in a folder of its own, with no trace of the checkout in its environment."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "JIAOHENG_PACKS")}
    command = [python.parent / "jiaoheng", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


def test_the_wheel_holds_every_file_that_is_no_code(wheel: Path) -> None:
    source = ROOT / "src"
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if Path(name).suffix in DATA and name.startswith("jiaoheng/")}
    here = {str(p.relative_to(source).as_posix()) for p in (source / "jiaoheng").rglob("*") if p.suffix in DATA}
    assert packed == here
    assert {Path(name).suffix for name in packed} == DATA


def test_the_wheel_holds_nothing_of_tests_and_no_large_strangers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        large = {info.filename for info in archive.infolist() if info.file_size > 1_000_000}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jiaoheng"}
    assert {Path(name).suffix for name in large} == {".ttf"}


def test_the_installed_wheel_makes_checks_and_reports_an_exam(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [installed, "-c", "import jiaoheng; print(jiaoheng.__file__)"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert str(installed.parent.parent) in where, "the checkout was imported, not the wheel"

    made = run(
        installed, tmp_path, "exam", "sample", "--out", "样例", "--schools", "2", "--pupils", "60", "--seed", "5"
    )
    assert made.returncode == 0, made.stderr
    checked = run(installed, tmp_path, "exam", "check", "样例", "--json", "--yes", "--annotate", "待确认.xlsx")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["pupils"] == 60
    assert (tmp_path / "待确认.xlsx").is_file()
    reported = run(installed, tmp_path, "exam", "report", "样例", "--out", "结果", "--yes", "--school-packs")
    assert reported.returncode == 0, reported.stderr
    names = {path.name for path in (tmp_path / "结果").iterdir()}
    assert names == {"report.html", "report.docx", "tables.xlsx", "lists.xlsx", "summary.json", "学校"}
    page = (tmp_path / "结果" / "report.html").read_text(encoding="utf-8")
    assert "<style" in page
    assert "<script" in page
    assert "<svg" in page or "data:image" in page


SERVE = """
from jiaoheng.bureau.setup import start_django
start_django()
from django.contrib.staticfiles import finders
from django.test import Client
from jiaoheng.cli.serve import prepare
prepare()
page = Client().get("/login/")
print(page.status_code, "用账号登录" in page.content.decode(), Client().get("/healthz").status_code)
print([one for one in ("web/theme.css", "web/app.js", "web/icon.svg", "bootstrap/css/bootstrap.min.css") if not finders.find(one)])
"""


def test_the_installed_wheel_serves_the_bureau(installed: Path, tmp_path: Path) -> None:
    """Tables, pages and static files come out of the wheel alone; the shipped registers go into its database."""
    place = {**os.environ, "JIAOHENG_DATA": str(tmp_path / "data")}
    for name in ("PYTHONPATH", "JIAOHENG_PACKS", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "JIAOHENG_ENV"):
        place.pop(name, None)
    run_here = {"cwd": tmp_path, "env": place, "capture_output": True, "text": True, "encoding": "utf-8"}
    served = subprocess.run([installed, "-c", SERVE], check=False, **run_here)  # type: ignore[call-overload]
    assert served.returncode == 0, served.stderr
    assert served.stdout.splitlines() == ["200 True 200", "[]"]
    command = [installed.parent / "jiaoheng", "pack", "load"]
    loaded = subprocess.run(command, check=False, **run_here)  # type: ignore[call-overload]
    assert loaded.returncode == 0, loaded.stderr
    assert "代码：新增" in loaded.stdout


def test_the_module_speaks_like_the_command(installed: Path, tmp_path: Path) -> None:
    module = [installed, "-m", "jiaoheng", "--help"]
    spoken = subprocess.run(module, cwd=tmp_path, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    assert "exam" in spoken
    assert spoken.replace("python -m jiaoheng", "jiaoheng") == run(installed, tmp_path, "--help").stdout
