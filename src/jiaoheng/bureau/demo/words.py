"""What the demonstration is called and entered with."""

from __future__ import annotations

PASSWORD = "jiaoheng-demo"  # noqa: S105 (told to everybody: all data are invented, production refuses the demo)
FILES = "演示文件"  # folder in the data folder: what a visitor may hand in
SLIPS = "待导入_2026年学校办学条件_有填错的格子.xlsx"
