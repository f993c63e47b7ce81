"""Figures of one patient's estimate."""
