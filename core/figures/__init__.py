"""Results in, plotly figures out; nothing is computed here."""
