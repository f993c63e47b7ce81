"""The archive on a page: which image of which study, and results on their way back."""
