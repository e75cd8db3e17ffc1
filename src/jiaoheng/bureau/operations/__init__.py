"""Keeping a bureau's system alive: backup, restore, moving house, upgrade, doctor, logs, figures for the office."""
