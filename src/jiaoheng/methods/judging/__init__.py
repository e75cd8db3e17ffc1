"""What may be said of effects and what may not: pairs, stability, sorting, power, ceilings, missing pupils."""
