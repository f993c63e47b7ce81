"""The parts of the cohort's pages."""
