"""Pages and forms: no arithmetic, no SQL."""
