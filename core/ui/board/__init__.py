"""The parts of the tumour board's page."""
