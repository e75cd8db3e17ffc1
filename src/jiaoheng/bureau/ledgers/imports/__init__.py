"""A workbook's way into a register: upload → preview → confirm, and back again.

`starting.do_start_import` → `preview_of` → `answering.do_answer_questions` / `do_fix_cells` →
`confirming.do_confirm_import` → `undoing.do_undo_import`; `starting.do_cancel_import` at any time before.
"""
