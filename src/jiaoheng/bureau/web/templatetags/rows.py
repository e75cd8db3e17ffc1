"""The cells of long lists in one step: a page of a hundred rows would spend half its time in the template's loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from jiaoheng.bureau.web.templatetags.jh import missing

register = template.Library()


@register.simple_tag
def row_cells(cells: Iterable[Any], heads: Iterable[Any]) -> SafeString:
    """The `td` of one row of a list: figures to the right, protected texts as masked, what is missing with its reason."""
    made = []
    for cell, head in zip(cells, heads, strict=False):
        column = head.column
        if cell.missing:
            shown = missing(cell.why)
        else:
            shown = conditional_escape(cell.text)
            if column.protected:
                shown = f'<span class="masked">{shown}</span>'
        made.append(f'<td class="num">{shown}</td>' if column.numeric else f"<td>{shown}</td>")
    return SafeString("".join(made))  # nosec B703 (every text in it was escaped just above)
