"""Pages by key: `cursor` is where the last page ended; a thing added or deleted meanwhile repeats and skips no other."""

from __future__ import annotations

from typing import Annotated

from ninja import Schema
from pydantic import Field

from jiaoheng.bureau.api.problems import ApiProblem
from jiaoheng.bureau.api.schemas import MOST_ID

Cursor = Annotated[str, Field(max_length=500, description="上一页给出的 next；第一页不写")]


class Paging(Schema):
    """Parameters of every list."""

    cursor: Cursor = ""
    limit: Annotated[int, Field(ge=1, le=500, description="一页最多多少条")] = 100


def number_of(cursor: str) -> int:
    """A cursor that is an id; 0 for the first page. Raises ApiProblem for what no page has given."""
    if not cursor:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18 or int(cursor) > MOST_ID:
        told = f"翻页位置“{cursor[:40]}”无法识别，请用上一页给出的 next"
        raise ApiProblem(400, "cursor-wrong", told, places={"cursor": "请用上一页给出的 next"})
    return int(cursor)


def text_of(after: int | None) -> str | None:
    """The `next` of a page that ended at an id."""
    return str(after) if after is not None else None
