"""Untrusted workbooks and texts, read and understood."""
