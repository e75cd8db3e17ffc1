"""Value-added: files in, effects with their uncertainty and a report out."""
