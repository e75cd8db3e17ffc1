"""What the schedule runs for rounds; loaded with the app so that the worker knows it."""

from __future__ import annotations

from jiaoheng.bureau.core import schedule
from jiaoheng.bureau.ledgers.rounds.reminding import sweep

schedule.every("reminders", minutes=15, run=sweep)
