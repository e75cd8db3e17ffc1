"""Registers 台账: records with their whole history, collection rounds, Excel in and out."""
