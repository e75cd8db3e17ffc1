"""Management commands of the app `core`."""
