"""What a helper process imports and starts while it has nothing else to do. Light itself: the asker imports it too."""

from __future__ import annotations


def wake_for_sheets() -> None:
    """Ready to understand sheets."""
    import jiaoheng.exams.understanding  # noqa: F401


def wake_for_documents() -> None:
    """Ready to draw charts and to write workbooks."""
    import jiaoheng.documents.excel  # noqa: F401
    from jiaoheng.documents.pictures import warm_up

    warm_up()
