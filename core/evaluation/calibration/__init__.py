"""How well probabilities agree with what was observed."""
