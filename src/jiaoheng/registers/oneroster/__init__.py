"""OneRoster 1.2 CSV (1EdTech): an archive of tables that school systems exchange, read, checked and written."""
