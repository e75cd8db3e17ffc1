"""Pure functions of the field: each a function of a summary that adds up, with formula, units and source."""
