"""The synthetic exam: repeatable to the byte, legal, and its truth equals what an independent reader counts."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from lxml import html

from jiaoheng.exams.defaults import ExamHints, resolve
from jiaoheng.exams.gate import check_permission
from jiaoheng.exams.sample import SampleTruth, make_sample
from jiaoheng.exams.settings_file import load_settings

SCHOOLS, PUPILS = 18, 1500
FULL = {
    "语文": 120,
    "数学": 120,
    "英语": 120,
    "物理": 100,
    "化学": 100,
    "生物": 60,
    "道德与法治": 80,
    "历史": 80,
    "地理": 60,
}
SPELLED = {"外语": "英语", "道法": "道德与法治", "政治": "道德与法治"}
TODAY = dt.date(2026, 4, 22)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> SampleTruth:
    return make_sample(tmp_path_factory.mktemp("clean"), schools=SCHOOLS, pupils=PUPILS, seed=11)


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> SampleTruth:
    return make_sample(tmp_path_factory.mktemp("messy"), schools=SCHOOLS, pupils=PUPILS, seed=11, messy=True)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("messy", [False, True])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, messy: bool) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_sample(tmp_path / name, schools=10, pupils=120, seed=seed, messy=messy, errors=messy)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_clean_workbooks_hold_what_truth_says(clean: SampleTruth) -> None:
    marks: dict[str, list[Decimal]] = defaultdict(list)
    states: dict[str, Counter[str]] = defaultdict(Counter)
    pupils, classes, schools = 0, 0, 0
    for path in sorted((clean.out / "成绩").glob("*.xlsx")):
        book = openpyxl.load_workbook(path, read_only=True)
        schools += 1
        for sheet in book:
            classes += 1
            header, full, *rows = sheet.iter_rows(values_only=True)
            assert dict(zip(header[6:-1], full[6:-1], strict=True)) == FULL
            for row in rows:
                pupils += 1
                assert row[5] == sheet.title
                assert row[4] == path.stem
                for name, value in zip(header[6:-1], row[6:-1], strict=True):
                    if isinstance(value, str):
                        states[name][value] += 1
                    else:
                        marks[name].append(Decimal(str(value)))
    data = clean.data
    assert (pupils, classes, schools) == (PUPILS, data["classes"], SCHOOLS)
    for name, truth in data["subjects"].items():
        assert len(marks[name]) == truth["n"] == truth["states"]["scored"]
        assert sum(marks[name]) == Decimal(truth["sum"])
        assert (max(marks[name]), min(marks[name])) == (Decimal(truth["max"]), Decimal(truth["min"]))
        assert states[name]["缺考"] == truth["states"].get("absent", 0)
        assert states[name]["违纪"] == truth["states"].get("cheated", 0)
        full = FULL[name]
        assert truth["rates"]["excellent"] == sum(1 for value in marks[name] if value * 100 >= 85 * full)
        assert truth["rates"]["pass"] == sum(1 for value in marks[name] if value * 100 >= 60 * full)
        assert truth["rates"]["low"] == sum(1 for value in marks[name] if value * 100 < 40 * full)
        assert sum(school["n"] for school in truth["schools"].values()) == truth["n"]


def test_items_add_up_to_the_subject_and_to_the_blueprint(clean: SampleTruth) -> None:
    blueprint = openpyxl.load_workbook(clean.out / "双向细目表.xlsx")
    assert set(clean.data["items"]) == {"数学", "物理"}
    for name, truth in clean.data["items"].items():
        frame = pd.read_csv(clean.out / "小题分" / f"{name}小题分.csv", dtype=str, encoding="utf-8-sig")
        full, rows = frame.iloc[0, 5:].astype(int), frame.iloc[1:, 5:].astype(int)
        assert full.sum() == FULL[name]
        assert (rows.max() <= full).all()
        assert rows.to_numpy().min() >= 0
        assert len(rows) == truth["n"] == clean.data["subjects"][name]["n"]
        assert rows.to_numpy().sum() == int(clean.data["subjects"][name]["sum"])
        sums = {re.sub(r"\D", "", column): int(rows[column].sum()) for column in rows}
        assert sums == {number: item["sum"] for number, item in truth["items"].items()}
        lines = list(blueprint[f"{name}双向细目表"].iter_rows(min_row=2, values_only=True))
        assert [line[3] for line in lines] == full.tolist()
        assert all(line[4] and line[5] for line in lines)


def test_prior_exam(clean: SampleTruth) -> None:
    path = clean.out / "前次考试" / "九年级上学期期末成绩.csv"
    frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig").iloc[1:]
    assert frame["学号"].is_unique
    today = set()
    for book in (clean.out / "成绩").glob("*.xlsx"):
        for sheet in openpyxl.load_workbook(book, read_only=True):
            today |= {row[0] for row in sheet.iter_rows(min_row=3, values_only=True)}
    truth = clean.data["prior"]
    assert len(set(frame["学号"]) & today) == truth["matched"]
    assert len(today - set(frame["学号"])) == truth["joined"] > 0
    assert len(set(frame["学号"]) - today) == truth["left"] > 0
    for name, sums in truth["subjects"].items():
        numbers = pd.to_numeric(frame[name], errors="coerce").dropna()
        assert (len(numbers), str(int(numbers.sum()))) == (sums["n"], sums["sum"])


def test_the_settings_are_valid_and_the_exam_is_legal(clean: SampleTruth, messy: SampleTruth) -> None:
    for path in (clean.settings, clean.answered, messy.settings, messy.answered):
        settings, problems = load_settings(path)
        assert problems == []
        resolved = resolve(settings, {}, ExamHints(schools=SCHOOLS), today=TODAY).settings
        decision = check_permission(resolved, SCHOOLS, TODAY)
        assert decision.allowed
        assert decision.rule_ids == ("2025日常考试/毕业班模拟",)
        assert resolved.approval_document
        assert (clean.out / settings.prior.files[0]).is_file()
    assert load_settings(clean.settings)[0] == load_settings(messy.answered)[0]
    open_ = load_settings(messy.settings)[0]
    assert {name for name, subject in open_.subjects.items() if subject.full is None} == {"生物", "地理"}
    assert open_.marks == {}


def test_it_looks_like_a_county(clean: SampleTruth) -> None:
    data = clean.data
    means = [float(school["mean"]) for school in data["subjects"]["数学"]["schools"].values()]
    assert max(means) - min(means) > 6  # schools differ
    for name, subject in data["subjects"].items():
        assert 0.4 < float(subject["mean"]) / FULL[name] < 0.85
        assert 0 < subject["states"]["absent"] < 0.06 * PUPILS
    frames = []
    for path in (clean.out / "成绩").glob("*.xlsx"):
        frames += list(pd.read_excel(path, sheet_name=None, skiprows=[1], engine="openpyxl").values())
    whole = pd.concat(frames)
    scores = whole[list(FULL)].apply(pd.to_numeric, errors="coerce")
    corr = scores.corr().to_numpy()
    assert corr.min() > 0.35
    assert sorted(corr.ravel())[-len(FULL) - 1] < 0.95
    assert whole["考号"].astype(str).str.len().nunique() == 1
    names = Counter(whole["姓名"])
    assert names.most_common(1)[0][1] > 1  # homonyms happen
    assert any(ch in "".join(names) for ch in "垚喆玥䶮㛃犇翀赟祎旻玹堃")


# an independent, slow reader of the nine messy layouts


def number(cell: object) -> Decimal | str | None:
    text = unicodedata.normalize("NFKC", "" if cell is None else str(cell)).strip().removesuffix("分")
    if not text or text == "nan":
        return None
    return Decimal(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text


def subject_of(head: object) -> str | None:
    text = re.sub(r"\s|成绩$|分数$", "", str(head or ""))
    return text if text in FULL else SPELLED.get(text)


def tables(path: Path) -> list[list[list[Any]]]:
    if path.suffix == ".csv":
        data = path.read_bytes()
        text = data.decode("utf-8-sig") if data.startswith(b"\xef\xbb\xbf") else data.decode("gb18030")
        return [list(csv.reader(io.StringIO(text)))]
    if path.suffix == ".xls":
        page = html.fromstring(path.read_bytes().decode())
        return [[[cell.text for cell in row.findall("td")] for row in page.findall(".//tr")]]
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in openpyxl.load_workbook(path)]


def read_messy(folder: Path) -> dict[str, dict[str, dict[str, Decimal | str | None]]]:
    """School file → student number → subject → mark."""
    found: dict[str, dict[str, dict[str, Decimal | str | None]]] = {}
    for path in sorted(folder.iterdir()):
        pupils = found.setdefault(path.name, {})
        for rows in tables(path):
            at = next(i for i, row in enumerate(rows) if any(str(c) in ("学号", "学籍号") for c in row))
            head = rows[at]
            key = next(i for i, cell in enumerate(head) if str(cell) in ("学号", "学籍号"))
            for row in rows[at + 1 :]:
                if not re.fullmatch(r"2023\d{7}", str(row[key])):
                    continue
                if "科目" in head:
                    pupils.setdefault(row[key], {})[row[head.index("科目")]] = number(row[head.index("成绩")])
                    continue
                marks = {subject_of(cell): number(row[i]) for i, cell in enumerate(head) if subject_of(cell)}
                assert pupils.setdefault(row[key], marks) == marks  # rows that stand twice are the same
    return found


def test_messy_files_hold_what_truth_says(messy: SampleTruth) -> None:
    found = read_messy(messy.out / "成绩")
    everybody = [marks for school in found.values() for marks in school.values()]
    assert len(everybody) == PUPILS
    words = {"缺考": "absent", "缺": "absent", "/": "absent", "违纪": "cheated", "作弊": "cheated", None: "missing"}
    for name, truth in messy.data["subjects"].items():
        values = [marks[name] for marks in everybody]
        numbers = [value for value in values if isinstance(value, Decimal)]
        assert (len(numbers), sum(numbers)) == (truth["n"], Decimal(truth["sum"]))
        states = Counter(words[value] for value in values if not isinstance(value, Decimal))
        assert states == {key: count for key, count in truth["states"].items() if key != "scored"}
    assert {"absent", "missing"} <= set(messy.data["subjects"]["语文"]["states"])


def test_every_fault_stands_where_truth_says(messy: SampleTruth, tmp_path: Path) -> None:
    kinds = {fault["kind"] for fault in messy.data["faults"]}
    assert kinds >= {"duplicate-row", "wrong-total", "encoding", "lying-extension", "lost-zeros", "hidden-row"}
    assert not any(fault["expected"] == "error" for fault in messy.data["faults"])
    hard = make_sample(tmp_path, schools=9, pupils=300, seed=1, messy=True, errors=True)
    errors = [fault for fault in hard.data["faults"] if fault["expected"] == "error"]
    assert {fault["kind"] for fault in errors} == {"score-above-full", "negative-score", "not-a-number"}
    for sample, faults in ((messy, messy.data["faults"]), (hard, errors)):
        for fault in faults:
            path = sample.out / "成绩" / fault["file"]
            assert path.is_file()
            if fault["kind"] in ("wrong-total", "score-above-full", "negative-score", "not-a-number"):
                cell = openpyxl.load_workbook(path)[fault["sheet"]][fault["cell"]]
                assert str(cell.value) == fault["now"]
            if fault["kind"] == "hidden-row":
                sheet = openpyxl.load_workbook(path)[fault["sheet"]]
                assert sheet.row_dimensions[int(fault["cell"])].hidden


def test_layouts_of_real_schools_occur(messy: SampleTruth) -> None:
    folder = messy.out / "成绩"
    assert {path.suffix for path in folder.iterdir()} == {".xlsx", ".xls", ".csv"}
    books = [openpyxl.load_workbook(path) for path in sorted(folder.glob("*.xlsx"))]
    assert any(sheet.merged_cells.ranges for book in books for sheet in book)
    cells = [str(cell) for book in books for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    for wanted in ("平均分", "满分", "班名次", "全校汇总"):
        assert wanted in cells or any(wanted in book.sheetnames for book in books)
    assert any(re.fullmatch(r"[０-９]+", cell) for cell in cells)
    assert any(cell.endswith("分") and cell[:-1].isdigit() for cell in cells)


def test_senior_sample_has_tracks_and_subjects_not_chosen(tmp_path: Path) -> None:
    for messy in (False, True):
        found = make_sample(tmp_path / str(messy), schools=9, pupils=600, seed=5, stage="高中", messy=messy)
        data = found.data["subjects"]
        assert data["物理"]["n"] + data["历史"]["n"] <= 600
        assert data["物理"]["states"]["not_chosen"] + data["历史"]["states"]["not_chosen"] == 600
        chosen = sum(600 - data[name]["states"]["not_chosen"] for name in ("化学", "生物", "政治", "地理"))
        assert chosen == 1200
        settings, problems = load_settings(found.answered)
        assert problems == []
        assert {line.track for line in settings.lines.lines} == {"物理类", "历史类"}


@pytest.mark.parametrize(("schools", "pupils"), [(1, 1), (1, 60), (3, 3), (40, 100)])
def test_small_counties(tmp_path: Path, schools: int, pupils: int) -> None:
    for messy in (False, True):
        found = make_sample(tmp_path / str(messy), schools=schools, pupils=pupils, messy=messy)
        assert found.data["pupils"] == pupils
        assert json.loads((found.out / "truth.json").read_text(encoding="utf-8")) == found.data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"schools": 0}, "至少 1 所"), ({"pupils": 5}, "不少于学校数"), ({"stage": "大学"}, "没有学段“大学”")],
)
def test_impossible_counties_are_refused(tmp_path: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_sample(tmp_path, **arguments)


def test_progress_is_counted(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_sample(tmp_path, schools=3, pupils=30, progress=lambda done, count: told.append((done, count)))
    assert [done for done, _ in told] == [1, 2, 3, 7]
    assert {count for _, count in told} == {7}
