"""A bundle: image score, fusion, threshold, evidence, card."""
