"""Registers 台账 as data: a Table Schema with level, period, filler, approver, codes; their Excel forms. No Django."""
