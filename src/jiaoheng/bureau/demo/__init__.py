"""The demonstration: the synthetic county put into an empty database, at its own times, through the audited writers."""
