"""Collection rounds 填报: who owes, the way of a filing through its approvals, extensions, reminders, board, merging."""
