"""How the method does on many simulated cohorts."""
