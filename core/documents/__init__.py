"""One patient or one meeting on paper: PDF/UA or one HTML file."""
