"""How well scores and readers tell high from low."""
