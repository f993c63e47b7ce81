"""A paper's figures, tables, text and checklists from a bundle's evidence."""
