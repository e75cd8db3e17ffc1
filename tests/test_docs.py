"""What the documents say is what the program does: messages, schema, commands, snippets, extension examples."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command
from typer.testing import CliRunner

from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.cli.main import app
from jiaoheng.exams.pipeline import prepare
from jiaoheng.exams.report import build_report
from jiaoheng.exams.sample import make_sample
from jiaoheng.exams.settings_file import load_settings
from jiaoheng.exams.summary_json import summary
from jiaoheng.sheets.annotate_memory import Memory, memory_rows, parse_memory
from message_codes import FITS, MODELS, OFFICE, REFUSALS, Codes

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RECORDS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
SEVERITY_WORDS = {"错误": "error", "提醒": "warning", "说明": "note", "问题": "question"}
# not a parameter, a constant or a local: what they carry was made, and found, elsewhere
PASSED_ON = {
    ("findings.py", "code"),  # equal notes joined at the end
    ("wire.py", "str(code)"),  # findings of the reading process
    ("looking.py", "one.key"),  # names of the doctor's own checks
    ("preview.py", "one['code']"),  # the stored preview of an import
    ("settings_checks.py", "code"),  # the tuples of the rules
}


@pytest.fixture(scope="module")
def codes() -> Codes:
    return Codes(ROOT / "src" / "jiaoheng")


@pytest.fixture(scope="module")
def fits() -> Codes:
    return Codes(ROOT / "src" / "jiaoheng", FITS, MODELS)


@pytest.fixture(scope="module")
def refusals() -> Codes:
    return Codes(ROOT / "src" / "jiaoheng", REFUSALS, OFFICE)


MODELS_HEAD = "## Value-added models"


def documented(part: int = 0) -> dict[str, set[str]]:
    """Code → severities of docs/messages.md; part 1: those of the value-added models, part 0: all others."""
    found: dict[str, set[str]] = {}
    text = (DOCS / "messages.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(MODELS_HEAD)
    own, _, after = rest.partition("\n## ")
    for line in (own if part else before + after).splitlines():
        row = re.match(r"\| `([a-z0-9-]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", line)
        if row:
            assert row[1] not in found, f"{row[1]} stands twice in docs/messages.md"
            found[row[1]] = {SEVERITY_WORDS[word] for word in row[2].split()}
    return found


def test_every_message_can_be_followed_to_its_code(codes: Codes) -> None:
    assert codes.unresolved == PASSED_ON
    assert len(codes.found) > 150


def test_every_code_is_documented_and_no_dead_one(codes: Codes) -> None:
    listed = set(documented())
    assert set(codes.found) - listed == set(), "missing in docs/messages.md"
    assert listed - set(codes.found) == set(), "no longer in the source"


def test_every_code_of_the_models_is_documented_and_no_dead_one(fits: Codes) -> None:
    assert fits.unresolved == set()
    assert documented(1) == {code: set(severities) for code, severities in fits.found.items()}


def test_documented_severities_are_those_of_the_source(codes: Codes) -> None:
    from jiaoheng.sheets.reading import _OTHER_DOCUMENTS

    for code, severities in documented().items():
        shown = codes.found[code] | ({"warning"} if code in _OTHER_DOCUMENTS else set())
        if shown:
            assert severities == shown, code


def test_every_refusal_of_the_bureau_is_documented_and_no_dead_one(refusals: Codes) -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| [^|]+ \|$", (DOCS / "messages.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert refusals.unresolved == set()
    assert len(rows) == len(set(rows)), "a refusal stands twice in docs/messages.md"
    assert set(refusals.found) - set(rows) == set(), "missing in docs/messages.md"
    assert set(rows) - set(refusals.found) == set(), "no longer in the source"
    assert {"version-moved", "filing-wrong", "round-closed", "merge-choose"} <= set(rows)  # made, passed on, by default


# ------------------------------------------------------------------------------------------------ summary.json


SMALL = "班级,姓名,语文,数学\n九(1)班,张三,88,92\n九(1)班,李四,75,缺考\n九(2)班,王五,0,66\n"


def senior() -> str:
    """Two senior schools with electives."""
    lines = ["学校,班级,考号,姓名,语文,数学,外语,物理,化学,生物"]
    for i in range(60):
        marks = [60 + (i * step) % 71 for step in (3, 7, 11)] + [30 + (i * step) % 61 for step in (13, 17, 19)]
        school = ("甲中学", "乙中学")[i % 2]
        lines.append(f"{school},高三({i % 4 // 2 + 1})班,{20260001 + i},学生{i},{','.join(map(str, marks))}")
    return "\n".join(lines) + "\n"


SENIOR = (
    "name: 模拟\ndate: 2026-04-21\ngrade: 高三\nnature: 毕业班模拟\nlines: {lines: [{name: 本科线, score: 400}]}\n"
    "scaling: {rule: 3+1+2, subjects: [化学, 生物]}\n"
)


def summary_of(folder: Path) -> dict[str, Any]:
    prepared = prepare([folder], yes=True, today=dt.date(2026, 5, 1))
    assert prepared.ready, [str(problem) for problem in prepared.errors]
    found: dict[str, Any] = json.loads(json.dumps(summary(build_report(prepared), prepared)))
    return found


@pytest.fixture(scope="module", params=["clean", "messy", "senior", "small"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param in ("clean", "messy"):
        make_sample(folder, schools=4, pupils=240, seed=3, messy=request.param == "messy")
        shutil.copy(folder / "exam-answered.yaml", folder / "exam.yaml")
    elif request.param == "senior":
        (folder / "成绩.csv").write_text(senior(), encoding="utf-8")
        (folder / "exam.yaml").write_text(SENIOR, encoding="utf-8")
    else:
        (folder / "成绩.csv").write_text(SMALL, encoding="utf-8")
    return summary_of(folder)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads((DOCS / "summary.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_summary_holds_to_its_schema(made: dict[str, Any], validator: Draft202012Validator) -> None:
    assert [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(made)] == []


def test_every_key_of_a_definition_opens(made: dict[str, Any]) -> None:
    used = {column["definition"] for table in made["tables"] for column in table["columns"]}
    used |= {figure["definition"] for figure in made["headline"]}
    assert used - {None} <= set(made["definitions"])
    keys = [table["key"] for table in made["tables"]]
    assert len(keys) == len(set(keys))
    for table in made["tables"]:
        columns = [column["key"] for column in table["columns"]]
        assert len(columns) == len(set(columns)), table["key"]
        assert all(list(row) == columns for row in table["rows"]), table["key"]


def test_every_problem_of_a_summary_is_documented(made: dict[str, Any]) -> None:
    listed = documented()
    for problem in made["problems"]:
        assert problem["severity"] in listed[problem["code"]]


def _first_number(data: dict[str, Any]) -> dict[str, Any]:
    cells = (cell for table in data["tables"] for row in table["rows"] for cell in row.values())
    return next(cell for cell in cells if isinstance(cell, dict) and isinstance(cell.get("value"), int | float))


BREAKS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no version": lambda d: d.pop("schema_version"),
    "another version": lambda d: d.update(schema_version="2"),
    "an unknown field": lambda d: d.update(extra=1),
    "no tables": lambda d: d["tables"].clear(),
    "a float as date": lambda d: d["exam"].update(date=20260421.0),
    "no date of the calendar": lambda d: d["exam"].update(date="21.4.2026"),
    "an unknown rule of N": lambda d: d["exam"].update(denominator="B9"),
    "a bare number in a row": lambda d: d["tables"][0]["rows"][0].update(n=3),
    "a number as text": lambda d: _first_number(d).update(value="3"),
    "a number without print": lambda d: _first_number(d).pop("text"),
    "no value and no reason": lambda d: _first_number(d).update(value=None),
    "an unknown kind of column": lambda d: d["tables"][0]["columns"][0].update(kind="ratio"),
    "an error in a report": lambda d: d["problems"].append(
        {"code": "x", "severity": "error", "place": "", "message": "x", "remedy": ""}
    ),
    "a short digest": lambda d: d["files"][0].update(sha256="abc"),
}


@pytest.mark.parametrize("made", ["senior"], indirect=True, scope="module")
@pytest.mark.parametrize("what", BREAKS)
def test_the_schema_refuses(what: str, made: dict[str, Any], validator: Draft202012Validator) -> None:
    broken = copy.deepcopy(made)
    BREAKS[what](broken)
    assert not validator.is_valid(broken)


# ------------------------------------------------------------------------------------------------ commands and snippets


GUIDES = [
    ROOT / "README.md",
    ROOT / "README.zh-CN.md",
    DOCS / "guide.zh-CN.md",
    DOCS / "platform.zh-CN.md",
    DOCS / "registers.md",
]


def commands(path: Path) -> list[list[str]]:
    """Every `jiaoheng …` of a document, in code blocks and in running text, without its comment."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^(?:\$ )?(jiaoheng [^#\n]*)", text, re.MULTILINE) + re.findall(r"`(jiaoheng [^`\n]+)`", text)
    return [shlex.split(line)[1:] for line in found]


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_every_command_of_the_guides_is_understood(path: Path) -> None:
    lines = commands(path)
    assert len(lines) >= 2
    for words in lines:
        command, rest = get_command(app), list(words)
        context = command.make_context("jiaoheng", rest, resilient_parsing=False)
        while hasattr(command, "resolve_command"):
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            context = command.make_context(command.name, rest, parent=context)
        assert set(context.params) == {one.name for one in command.params if one.expose_value}, words


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, with a smaller county; the workbook is answered in its cells and reported alone."""
    monkeypatch.chdir(tmp_path)
    codes = []
    for words in commands(ROOT / "README.md"):
        if words[0] != "exam":  # the server's commands have their tests in tests/cli and tests/bureau
            continue
        small = ["--schools", "3", "--pupils", "120", "--seed", "3"] if words[1] == "sample" else []
        if words[:3] == ["exam", "report", "待确认.xlsx"]:
            answer_all(Path("待确认.xlsx"))
        codes.append((words[1], CliRunner().invoke(app, [*words, *small]).exit_code))
    assert codes == [("sample", 0), ("check", 2), ("report", 0), ("report", 0), ("template", 0)]
    data = json.loads(Path("result/summary.json").read_text(encoding="utf-8"))
    assert data["exam"]["nature"] == "毕业班模拟"


def answer_all(path: Path) -> None:
    """Write 默认 beside each question; where there is no default, the first choice."""
    book = openpyxl.load_workbook(path)
    sheet = book["待确认"]
    for row in range(4, sheet.max_row + 1):
        if str(sheet.cell(row, 7).value or "").startswith("["):
            sheet.cell(row, 6).value = "默认" if "无" not in str(sheet.cell(row, 5).value) else "1"
    book.save(path)


def test_a_marked_workbook_alone_carries_the_whole_exam(tmp_path: Path) -> None:
    """Whoever gets only the marked workbook gives the same report as who has the folder and its settings."""
    folder, marked = tmp_path / "county", tmp_path / "marked.xlsx"
    make_sample(folder, schools=3, pupils=120, seed=3, messy=True)
    answered = folder / "exam-answered.yaml"
    CliRunner().invoke(app, ["exam", "check", str(folder), "--settings", str(answered), "--annotate", str(marked)])
    day = dt.date(2026, 5, 1)
    alone = prepare([marked], yes=True, today=day)
    whole = prepare([folder], settings_path=answered, yes=True, today=day)
    assert alone.ready
    assert alone.settings == whole.settings
    assert alone.declared == whole.declared
    mine, theirs = (json.loads(json.dumps(summary(build_report(p), p))) for p in (alone, whole))
    told = {"data.files", "data.problems"}  # name the file that was read
    mine, theirs = ([t for t in data["tables"] if t["key"] not in told] for data in (mine, theirs))
    assert len(mine) > 20
    assert mine == theirs


def test_settings_of_any_length_are_remembered() -> None:
    for text in ("", "name: a\n", '  # _x0041_ "引号" \\ \t\n' * 2000):
        rows, _ = memory_rows(Memory(settings=text))
        assert parse_memory(rows).settings == text
        assert max(len(cell) for row in rows for cell in row) < 32_767


def blocks(path: Path, language: str) -> list[str]:
    """Fenced blocks of a language; "" for those without one."""
    found = re.findall(r"^```([a-z]*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_snippet_of_the_readme_runs() -> None:
    (snippet,) = blocks(ROOT / "README.md", "python")
    assert run_python(snippet + "\nprint(county.n.tolist())").strip() == "[5]"


def test_the_settings_of_the_guide_are_valid(tmp_path: Path) -> None:
    """As printed, and with the same fields under their Chinese names."""
    text = next(block for block in blocks(DOCS / "guide.zh-CN.md", "") if block.startswith("name:"))
    english, chinese = tmp_path / "exam.yaml", tmp_path / "考试.yaml"
    english.write_text(text, encoding="utf-8")
    chinese.write_text(text.replace("name: 2026", "考试名称: 2026").replace("grade:", "年级:"), encoding="utf-8")
    settings, problems = load_settings(english)
    assert problems == []
    assert load_settings(chinese) == (settings, [])
    assert settings.grade == "九年级"
    assert len(settings.lines.lines) == 1


def test_links_between_the_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert "://" in target or (path.parent / target).exists(), f"{path.name}: {target}"


SHOW = """
import datetime as dt, sys
from pathlib import Path
from jiaoheng.exams.pipeline import prepare
from jiaoheng.methods.scaling_rules import find_rule
prepared = prepare([Path(sys.argv[1])], yes=True, today=dt.date(2026, 5, 1))
print([s.name for s in prepared.roster.subjects], prepared.roster.pupils.height,
      [a.value for a in prepared.resolution.assumptions if a.key == ("thresholds", "excellent")],
      find_rule("新省", dt.date(2026, 9, 1)).name)
"""


def test_own_packs_add_subject_word_threshold_and_province(tmp_path: Path) -> None:
    """The extension example of docs/architecture.md, as it stands there."""
    (example,) = blocks(DOCS / "architecture.md", "python")
    scores = next(block for block in blocks(DOCS / "architecture.md", "") if block.startswith("学员"))
    packs = tmp_path / "packs"
    packs.mkdir()
    (tmp_path / "成绩.csv").write_text(scores, encoding="utf-8")
    run_python(example, JIAOHENG_PACKS=str(packs))
    show = SHOW.replace("sys.argv[1]", repr(str(tmp_path / "成绩.csv")))
    assert run_python(show, JIAOHENG_PACKS=str(packs)).strip() == "['语文', '心理健康'] 2 ['0.8'] 新省等级赋分"


def test_every_room_and_pack_of_the_map_exists() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    for pack in re.findall(r"`([a-z_]+\.yaml)`", text):
        assert (ROOT / "src/jiaoheng/packs" / pack).is_file(), pack
    rooms = "exams|sheets|documents|cli|methods|engine|registers|bureau|core|ledgers|web|demo"
    for name in ("architecture.md", "glossary.md", "decisions/README.md", *(f"decisions/{p.name}" for p in RECORDS)):
        for module in re.findall(rf"`((?:{rooms})/[\w/]+\.py)", (DOCS / name).read_text(encoding="utf-8")):
            floor = (
                "src/jiaoheng/bureau" if module.split("/")[0] in ("core", "ledgers", "web", "demo") else "src/jiaoheng"
            )
            assert (ROOT / floor / module).is_file(), f"{name}: {module}"


def test_every_decision_is_listed_under_its_title() -> None:
    text = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    titles = dict(re.findall(r"^\| \[(\d{3})\]\(\1-[a-z-]+\.md\) \| (.+) \|$", text, re.MULTILINE))
    heads = {p.name[:3]: p.read_text(encoding="utf-8").splitlines()[0] for p in RECORDS}
    assert {number: f"# {number} {title}" for number, title in titles.items()} == heads


def test_the_words_of_the_guide_stand_on_the_pages() -> None:
    """What docs/platform.zh-CN.md prints in bold is a word of a page, a state or a service."""
    guide = (DOCS / "platform.zh-CN.md").read_text(encoding="utf-8")
    bureau = ROOT / "src/jiaoheng/bureau"
    source = "\n".join(p.read_text(encoding="utf-8") for p in bureau.rglob("*") if p.suffix in (".html", ".py"))
    words = set(re.findall(r"\*\*([^*]+)\*\*", guide))
    assert len(words) > 40
    assert {word for word in words if word not in source} == set()


def test_every_role_of_the_table_is_in_the_guide() -> None:
    guide = (DOCS / "platform.zh-CN.md").read_text(encoding="utf-8")
    assert [role.title for role in ROLES.values() if f"| {role.title} |" not in guide] == []
