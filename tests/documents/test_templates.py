"""Word templates: values cannot break the file, templates cannot reach Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn

from jiaoheng.documents.fonts import is_east_asian
from jiaoheng.documents.templates import WordTemplateError, fill_template


def _template(folder: Path, text: str, font: str = "") -> Path:
    document = docx.Document()
    run = document.add_paragraph().add_run(text)
    if font:
        run.font.name = font  # sets only the Latin fonts: the trap
    document.save(str(folder / "t.docx"))
    return folder / "t.docx"


def _unnamed_chinese_runs(document: Any) -> list[str]:
    found = []
    for run in document.element.body.iter(qn("w:r")):
        fonts = run.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
        text = "".join(item.text or "" for item in run.iter(qn("w:t")))
        if any(is_east_asian(c) for c in text) and (fonts is None or not fonts.get(qn("w:eastAsia"))):
            found.append(text)
    return found


def test_case_c24(shared_cases: Path, tmp_path: Path) -> None:
    context = json.loads((shared_cases / "C24_context.json").read_text(encoding="utf-8"))
    fill_template(shared_cases / "C24_template.docx", context, tmp_path / "out.docx")
    document = docx.Document(str(tmp_path / "out.docx"))
    assert document.paragraphs[0].text == "学校：A&B<实验>学校"
    assert len(document.tables) == 1
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["第1题", "得分率<60%"],
        ["第2题", "P&Q"],
    ]
    assert _unnamed_chinese_runs(document) == []


@pytest.mark.parametrize(
    "value", ["<w:p/>", "]]>", "&amp;", "{{ 7*7 }}", "a\x00b\x0b", "\"'", "</w:t></w:r>", "垚䶮𬭎"]
)
def test_values_stay_text(value: str, tmp_path: Path) -> None:
    fill_template(_template(tmp_path, "校名：{{ name }}", "Arial"), {"name": value}, tmp_path / "o.docx")
    document = docx.Document(str(tmp_path / "o.docx"))
    assert document.paragraphs[0].text == "校名：" + value.replace("\x00", "").replace("\x0b", "")
    assert _unnamed_chinese_runs(document) == []


def test_the_font_of_the_style_is_kept(tmp_path: Path) -> None:
    document = docx.Document()
    style = document.styles["Title"]
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "方正小标宋简体")
    document.add_paragraph("{{ title }}", style="Title")
    document.save(str(tmp_path / "t.docx"))
    fill_template(tmp_path / "t.docx", {"title": "质量分析"}, tmp_path / "o.docx")
    run = docx.Document(str(tmp_path / "o.docx")).paragraphs[0].runs[0]
    assert run._r.rPr.rFonts.get(qn("w:eastAsia")) == "方正小标宋简体"


@pytest.mark.parametrize(
    "text", ["{{ ''.__class__.__mro__ }}", "{{ name.__init__.__globals__ }}", "{% for x in %}", "{{ absent }}"]
)
def test_bad_templates_are_refused_with_the_reason(text: str, tmp_path: Path) -> None:
    with pytest.raises(WordTemplateError, match=r"模板“t\.docx”.*请改正"):
        fill_template(_template(tmp_path, text), {"name": "甲"}, tmp_path / "o.docx")
    assert not (tmp_path / "o.docx").exists()


def test_a_file_that_is_no_word_file(tmp_path: Path) -> None:
    (tmp_path / "t.docx").write_text("不是 Word", encoding="utf-8")
    with pytest.raises(WordTemplateError, match=r"另存为 \.docx"):
        fill_template(tmp_path / "t.docx", {}, tmp_path / "o.docx")
    with pytest.raises(FileNotFoundError):
        fill_template(tmp_path / "absent.docx", {}, tmp_path / "o.docx")
