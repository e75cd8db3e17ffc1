"""Jiaoheng 教衡: a county education bureau's work as one closed loop that a person can check."""

__version__ = "0.1.0"
