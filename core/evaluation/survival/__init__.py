"""Times to recurrence: curves, tests, models, follow-up."""
