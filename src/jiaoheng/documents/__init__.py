"""Documents from tables: Word, workbook, self-contained page, CSV and charts. `model.py` is the contract."""
