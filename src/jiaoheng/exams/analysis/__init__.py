"""From the roster to the chapters of the report: every module builds one chapter's tables, pictures and sentences."""
