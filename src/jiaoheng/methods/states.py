"""The states of a score, kept apart everywhere: scored (zero included), absent, exempt, cheated …"""

from __future__ import annotations

from enum import IntEnum


class ScoreState(IntEnum):
    """Why there is, or is no, score; stored as uint8. Zero marks are SCORED.

    Source: standards §1.1 and case C06.
    """

    SCORED = 0
    MISSING = 1  # blank
    ABSENT = 2  # 缺考
    EXEMPT = 3  # 免考
    CHEATED = 4  # 违纪作弊
    NOT_CHOSEN = 5  # 未选考
    DEFERRED = 6  # 缓考
    LEFT = 7  # 休学、转出
    UNRESOLVED = 8  # a mark that the settings must explain
    INVALID = 9  # an error was reported at this cell
