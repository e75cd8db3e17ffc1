"""The bureau's people and classes as OneRoster sets, and sets taken back; matched by sourcedId only (P13)."""
