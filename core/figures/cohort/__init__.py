"""Figures and tables of a cohort's evaluation."""
