"""Subject combinations: counts of the schemes, every spelling, and those read from scores."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.combinations import CombinationError, counts, names_of, of_scores, parse, scheme, subject_counts

THREE_ONE_TWO = scheme("3+1+2")


@pytest.mark.parametrize(("key", "number"), [("3+1+2", 12), ("3+3", 20), ("浙江", 35)])
def test_number_of_combinations(key: str, number: int) -> None:
    """Standards §2.2."""
    found = scheme(key)
    assert len(found.combinations) == number
    assert len({one.name for one in found.combinations}) == number
    assert len({one.code for one in found.combinations}) == number


def test_names_and_codes() -> None:
    names = "物化生 物化政 物化地 物生政 物生地 物政地 史化生 史化政 史化地 史生政 史生地 史政地"
    assert [one.name for one in THREE_ONE_TWO.combinations] == names.split()
    assert THREE_ONE_TWO.combinations[0].code == "W化生"
    assert THREE_ONE_TWO.combinations[-1].code == "L政地"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("物化生", "物化生"),
        ("生化物", "物化生"),
        ("物理+化学+生物", "物化生"),
        ("物理、化学、生物学", "物化生"),
        (" 物 化 生 ", "物化生"),
        ("W化生", "物化生"),
        ("w化生", "物化生"),
        ("Ｗ化生", "物化生"),
        ("WHS", "物化生"),
        ("物理类（化学、生物）", "物化生"),
        ("首选物理 再选化学,地理", "物化地"),
        ("史政地", "史政地"),
        ("历政地", "史政地"),
        ("历史/思想政治/地理", "史政地"),
        ("L-政-地", "史政地"),
        ("地理;政治;历史方向", "史政地"),
        ("历史类：生物和政治", "史生政"),
        ("wuli huaxue dili", "物化地"),
    ],
)
def test_spellings(text: str, name: str) -> None:
    assert parse(text, THREE_ONE_TWO).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "物史生",
            "认出的是物理、历史、生物，不符合 3\\+1\\+2 方案（物理、历史中选 1 科，化学、生物、政治、地理中选 2 科）",
        ),
        ("物化", "认出的是物理、化学，不符合"),
        ("物化生地", "认出的是物理、化学、生物、地理，不符合"),
        ("物化音", "里的“音”不认识。请写成科目简称"),
        ("", "认出的是没有科目"),
    ],
)
def test_what_is_no_combination_is_said(text: str, message: str) -> None:
    with pytest.raises(CombinationError, match=message):
        parse(text, THREE_ONE_TWO)


def test_an_unknown_scheme_names_those_there_are() -> None:
    with pytest.raises(CombinationError, match=r"没有名为“4\+2”的选科方案。可用的方案有：3\+1\+2、3\+3、浙江"):
        scheme("4+2")


@pytest.mark.parametrize("key", ["3+1+2", "3+3", "浙江"])
def test_every_order_of_every_combination(key: str) -> None:
    of = scheme(key)
    for one in of.combinations:
        for order in permutations(one.subjects):
            assert parse("+".join(order), of) == one
            assert parse("".join(order), of) == one
        assert parse(one.name, of) == one
        assert parse(one.code, of) == one


def test_technology_of_zhejiang_is_one_subject() -> None:
    assert parse("物理 信息技术 通用技术 化学", scheme("浙江")).name == "物化技"


class TestFromScores:
    def test_by_subjects_taken(self) -> None:
        """The fourth has both first subjects, the fifth only two subjects; neither is guessed."""
        chosen = {
            "物理": [True, False, True, True, True],
            "历史": [False, True, False, True, False],
            "化学": [True, False, True, True, True],
            "生物": [True, False, False, False, False],
            "政治": [False, True, False, False, False],
            "地理": [False, True, True, False, False],
            "语文": [True] * 5,
        }
        places = of_scores(chosen, THREE_ONE_TWO)
        assert names_of(places, THREE_ONE_TWO) == ["物化生", "史政地", "物化地", None, None]

    def test_an_exam_without_some_subjects(self) -> None:
        places = of_scores({"物理": [True], "化学": [True], "生物": [True]}, THREE_ONE_TWO)
        assert names_of(places, THREE_ONE_TWO) == ["物化生"]

    def test_no_subject_of_the_scheme(self) -> None:
        with pytest.raises(ValueError, match="no subject of the scheme"):
            of_scores({"语文": [True]}, THREE_ONE_TWO)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 11)), max_size=60), st.integers(0, 60))
def test_counts_by_unit(pupils: list[tuple[int, int]], cut: int) -> None:
    """Counted one by one, and the counts of parts add."""
    units = np.array([unit for unit, _ in pupils], dtype=np.int64)
    places = np.array([place for _, place in pupils], dtype=np.int64)
    found = counts(places, THREE_ONE_TWO, units, 3)
    for unit in range(3):
        for place in range(12):
            assert found[unit, place] == pupils.count((unit, place))
        assert found[unit, 12] == pupils.count((unit, -1))
    parts = counts(places[:cut], THREE_ONE_TWO, units[:cut], 3) + counts(places[cut:], THREE_ONE_TWO, units[cut:], 3)
    assert parts.tolist() == found.tolist()
    chemistry = subject_counts(found, THREE_ONE_TWO)["化学"]
    for unit in range(3):
        taking = [p for u, p in pupils if u == unit and p >= 0 and "化学" in THREE_ONE_TWO.combinations[p].subjects]
        assert chemistry[unit] == len(taking)
