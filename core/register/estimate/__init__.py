"""Estimates as the register keeps them, taken from a case or from a table."""
