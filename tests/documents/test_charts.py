"""Charts: legal specs, right groups, drawn pictures without empty boxes."""

from __future__ import annotations

import random
import struct
import zlib

import altair
import pytest

from jiaoheng.documents import chart_theme, charts
from jiaoheng.documents.charts import Caption, Estimate, Point, chart_png, chart_svg
from jiaoheng.documents.fonts import east_asian_runs, missing_glyph_message, uncovered
from jiaoheng.documents.model import Chart
from jiaoheng.documents.pictures import TALLEST, Picture, Pictures, static_spec

from .sample import MARKUP, RARE, sample_charts

CAPTION = Caption("c", "结论", "口径", "说明")
SAMPLES = sample_charts(random.Random(7))


@pytest.mark.parametrize("chart", SAMPLES.values(), ids=list(SAMPLES))
def test_every_spec_is_legal_vega_lite(chart: Chart) -> None:
    altair.Chart.from_dict(static_spec(chart))  # validates against the schema


@pytest.fixture(scope="module")
def pictures() -> dict[str, str]:
    with Pictures(SAMPLES.values()) as drawn:
        return {key: drawn.get(chart).svg for key, chart in SAMPLES.items()}


def test_charts_are_drawn_with_their_texts(pictures: dict[str, str]) -> None:
    assert "高于全县 4" in pictures["intervals"]
    assert "&lt;b&gt;A&amp;B&lt;/b&gt;实验学校" in pictures["bars"]
    assert "<b>" not in pictures["bars"]
    assert "italic" not in "".join(pictures.values())
    assert all("Jiaoheng Sans" in svg for svg in pictures.values())


def test_interval_groups_follow_the_interval() -> None:
    rows = [
        Estimate("甲", 2, 1, 3),
        Estimate("乙", 1, 0, 2),
        Estimate("丙", -2, -3, -1),
        Estimate("丁", 9, 8, 10, rated=False),
    ]
    chart = charts.interval_plot(CAPTION, rows, reference=0, reference_label="全县", unit="分")
    words = {value["名称"]: value["结论"] for value in chart.spec["data"]["values"]}
    assert words == {"甲": "高于全县", "乙": "与全县看不出差别", "丙": "低于全县", "丁": "人数不足，不评"}


def test_bars_are_sorted_and_start_at_zero() -> None:
    chart = charts.bars(CAPTION, [("甲", 1), ("乙", 3), ("丙", 2)], unit="分")
    assert [value["名称"] for value in chart.spec["data"]["values"]] == ["乙", "丙", "甲"]
    assert chart.spec["layer"][0]["encoding"]["x"]["scale"]["zero"] is True


def test_no_more_than_seven_series() -> None:
    series = {str(i): [(0, 1)] for i in range(8)}
    with pytest.raises(ValueError, match="at most 7 series"):
        charts.distribution(CAPTION, series, x_title="分", y_title="人")
    with pytest.raises(ValueError, match="at most 7 series"):
        charts.scatter(CAPTION, [Point("a", 0, 0, str(i)) for i in range(8)], x_title="x", y_title="y")


def test_a_subject_keeps_its_colour() -> None:
    assert charts.subject_colour("数学") == chart_theme.series_colours(["总分", "新学科", "数学"])[2]
    assert charts.subject_colour("武术") == charts.subject_colour("武术")
    colours = chart_theme.series_colours(["甲", "乙", "语文", "丙"])
    assert len(set(colours)) == 4


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*chart_theme.SERIES, "#4f7a28", "#00788c"])
def test_colours_stand_out_on_white_and_their_twins_on_dark(colour: str) -> None:
    assert 1.05 / (_luminance(colour) + 0.05) >= 3
    dark = _luminance(chart_theme.DARK[colour]) + 0.05
    assert dark / (_luminance(chart_theme.DARK[chart_theme.SHEET]) + 0.05) >= 3


def test_two_units_of_one_name_are_two_rows() -> None:
    svg = chart_svg(charts.bars(CAPTION, [("同名校", 1), ("同名校", 2)], unit="分"))
    assert svg.count(">同名校<") == 2


def test_many_rows_fit_one_page() -> None:
    rows = [Estimate(f"学校{i}", i, i - 1, i + 1) for i in range(120)]
    chart = charts.interval_plot(CAPTION, rows, reference=60, reference_label="全县", unit="分")
    assert chart.height > TALLEST
    assert struct.unpack(">I", chart_png(chart, scale=1)[20:24])[0] < TALLEST + 90


def test_a_hostile_label_cannot_leave_its_expression() -> None:
    label = '"],alert(1),["\\u2028\'\\'
    svg = chart_svg(charts.bars(CAPTION, [(label, 1)], unit="分"))
    assert "alert(1)" in svg  # as text
    assert "<script" not in svg


def test_a_spec_that_cannot_be_drawn_says_so() -> None:
    broken = Chart("broken", "图", "", {"mark": "no such mark", "data": {"values": []}}, "图")
    with pytest.raises(ValueError, match="chart broken"):
        chart_svg(broken)
    with Pictures([broken, SAMPLES["bars"]]) as drawn:
        assert drawn.get(SAMPLES["bars"]).png.startswith(b"\x89PNG")
        with pytest.raises(ValueError, match="chart broken"):
            drawn.get(broken)


def test_pictures_are_drawn_here_where_no_child_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jiaoheng.engine.helper.sys.executable", "/absent/python")
    with Pictures([SAMPLES["mastery"]]) as drawn:
        assert drawn.get(SAMPLES["mastery"]).svg.startswith("<svg")


def _ink(text: str) -> bytes:
    """The pixels of one text drawn by the chart engine."""
    spec = {
        "data": {"values": [{}]},
        "mark": {"type": "text", "fontSize": 40},
        "encoding": {"text": {"value": text}},
        "width": 60,
    }
    png = chart_png(Chart("glyph", "", "", spec, "", height=60), scale=1)
    data, at = b"", 8
    while at < len(png):
        size = struct.unpack(">I", png[at : at + 4])[0]
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return zlib.decompress(data)


def test_rare_characters_are_not_empty_boxes() -> None:
    box = _ink("\U0010fffd")  # a private character that no font maps: .notdef
    drawn = {character: _ink(character) for character in RARE + "𬭎䴙"}
    assert all(pixels != box for pixels in drawn.values())
    assert len(set(drawn.values())) == len(drawn)  # and each is its own character


def test_uncovered_characters_are_named_with_a_remedy() -> None:
    assert uncovered(frozenset(RARE + "张三")) == frozenset()
    message = missing_glyph_message(frozenset("𪚥"))
    assert "𪚥" in message
    assert "请安装" in message
    assert missing_glyph_message(frozenset()) == ""


def test_word_gets_a_font_that_has_the_character() -> None:
    assert east_asian_runs("张垚A䶮𬭎", "仿宋_GB2312") == [
        ("张", "仿宋_GB2312"),
        ("垚", "仿宋"),
        ("A", "仿宋_GB2312"),
        ("䶮", "宋体"),
        ("𬭎", "SimSun-ExtB"),
    ]
    assert MARKUP


@pytest.mark.parametrize("scale", [1.0, 1.33, 1.7, 2.0])
def test_the_size_of_a_picture_is_known_before_its_pixels(scale: float, pictures: dict[str, str]) -> None:
    """The size told from the SVG is that in the PNG's head."""
    for svg in list(pictures.values())[:4]:
        picture = Picture(svg, scale)
        assert picture.size == struct.unpack(">II", picture.png[16:24])
