"""What the schedule runs for rounds; loaded with the app so that the worker knows it."""

from __future__ import annotations

from jiaoheng.bureau.core import schedule
from jiaoheng.bureau.ledgers.rounds.reminding import sweep
from jiaoheng.bureau.ledgers.rounds.repeating import open_due

schedule.every("reminders", minutes=15, run=sweep)
schedule.every("next-rounds", minutes=60, run=open_due)  # a day begins at midnight, whenever the worker was started
