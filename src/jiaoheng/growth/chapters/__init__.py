"""The chapters of the value-added report."""
