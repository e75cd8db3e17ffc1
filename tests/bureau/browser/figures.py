"""School conditions of the browser tests: one school's year by field, and how a set-up stores or fills them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl

from bureau.ledgers.import_kit import column_of, data_sheet, head_row
from bureau.world import World

FIGURES: dict[str, str] = {
    "classes": "12", "pupils": "480", "boarders": "0", "teachers": "36", "full_time_teachers": "33",
    "above_standard_teachers": "30", "backbone_teachers": "4", "arts_sports_teachers": "5", "land_area": "12000",
    "building_area": "5200", "teaching_area": "3600", "indoor_sports_area": "0", "sports_area": "4100",
    "dangerous_area": "0", "music_rooms": "1", "art_rooms": "1", "computers": "60", "pupil_computers": "45",
    "multimedia_rooms": "14", "books": "14400", "equipment_value": "96.5", "network": "1", "reporter": "王芳",
}  # fmt: skip
OLD_NAMES = {"computers": "pc_count"}
NEW_ONLY = ("music_rooms", "art_rooms", "multimedia_rooms", "pupil_computers", "dangerous_area", "network")


def store(world: World, school: str, year: int, **changed: str) -> Any:
    """Save a school's figures of an academic year by its clerk, through the service."""
    from jiaoheng.bureau.core.models import Period
    from jiaoheng.bureau.ledgers.actions_records import do_save_record
    from jiaoheng.bureau.ledgers.models import RegisterRow

    values = {**FIGURES, **changed}
    if year < 2025:
        values = {OLD_NAMES.get(name, name): value for name, value in values.items() if name not in NEW_ONLY}
    return do_save_record(
        RegisterRow.objects.get(name="school_conditions"),
        world[school],
        Period.objects.get(code=f"Y{year}"),
        values,
        acting_user=world[f"{school}填报"],
    )


def fill(path: Path, **cells: Any) -> Path:
    """Write values into the first row of one of our workbooks below its heads, as a clerk does in Excel."""
    book = openpyxl.load_workbook(path)
    sheet = data_sheet(book)
    for field, value in cells.items():
        sheet.cell(head_row(sheet) + 1, column_of(sheet, field)).value = value
    book.save(path)
    return path
