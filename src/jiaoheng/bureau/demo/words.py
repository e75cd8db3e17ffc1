"""What the demonstration is called and entered with."""

from __future__ import annotations

PASSWORD = "jiaoheng-demo"  # noqa: S105 (told to everybody: all data are invented, production refuses the demo)
MARK = "demo.json"  # in the data folder: says that this is a demonstration, and where its clock stands
SLIPS = "待导入：办学条件（有填错的格子）.xlsx"
