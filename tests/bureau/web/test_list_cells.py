"""What keeps long lists quick stays right: cells made in one step are escaped, a register is asked for once a page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.listing import Cell
from jiaoheng.bureau.ledgers.models import RegisterVersion
from jiaoheng.bureau.web.templatetags.rows import row_cells


def head(numeric: bool = False, protected: bool = False) -> Any:
    return SimpleNamespace(column=SimpleNamespace(numeric=numeric, protected=protected))


def test_every_text_of_a_row_is_escaped() -> None:
    bad = '<script>alert("1")</script>&'
    cells = [Cell(bad), Cell(bad), Cell("", missing=True, why=bad), Cell("45")]
    made = row_cells(cells, [head(), head(protected=True), head(), head(numeric=True)])
    assert "<script" not in made
    assert made.count("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;") == 4
    assert '<td><span class="masked">&lt;script' in made
    assert made.endswith('<td class="num">45</td>')


@pytest.mark.django_db
def test_a_page_asks_for_a_register_once_and_a_change_is_seen_by_the_next(
    world: World, noon: Any, django_assert_num_queries: Any
) -> None:
    row = store(ROSTER)
    registry.schema_of(row)
    with registry.remembered(), django_assert_num_queries(1):
        assert registry.newest_schema(row) is registry.schema_of(row)
        assert registry.schema_numbered(row, 1) is registry.schema_versions(row)[0]
    row.versions.update(number=2)
    with registry.remembered():
        with pytest.raises(RegisterVersion.DoesNotExist):
            registry.schema_numbered(row, 1)
        assert registry.schema_numbered(row, 2)
