"""Linear mixed models from sums: nested groups, any number of pupils."""
