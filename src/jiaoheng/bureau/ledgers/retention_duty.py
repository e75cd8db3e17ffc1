"""The daily duty of retention; loaded with the app so that the worker knows it."""

from __future__ import annotations

from jiaoheng.bureau.core import schedule
from jiaoheng.bureau.ledgers.retention import daily

schedule.every("retention", minutes=24 * 60, run=daily)
