"""Exhibits of recurrence-free survival."""
