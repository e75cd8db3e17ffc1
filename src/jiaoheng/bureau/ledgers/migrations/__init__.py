"""Migrations of the app `ledgers`."""
