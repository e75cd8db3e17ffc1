"""Tables of the app `ledgers`, one module a subject."""

from jiaoheng.bureau.ledgers.models.imports import ImportBatch, ResendKey
from jiaoheng.bureau.ledgers.models.records import Draft, Record, RecordVersion
from jiaoheng.bureau.ledgers.models.registers import CodeRow, RegisterDraft, RegisterRow, RegisterVersion
from jiaoheng.bureau.ledgers.models.rounds import (
    CellComment,
    Extension,
    Filing,
    FilingStep,
    RemarkDraft,
    Reminder,
    Round,
)
from jiaoheng.bureau.ledgers.models.views import SavedView

__all__ = [
    "CellComment",
    "CodeRow",
    "Draft",
    "Extension",
    "Filing",
    "FilingStep",
    "ImportBatch",
    "Record",
    "RecordVersion",
    "RegisterDraft",
    "RegisterRow",
    "RegisterVersion",
    "RemarkDraft",
    "Reminder",
    "ResendKey",
    "Round",
    "SavedView",
]
