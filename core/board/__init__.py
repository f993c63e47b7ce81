"""The tumour board: decisions kept, documents on paper, results for the archive."""
