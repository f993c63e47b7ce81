"""Which bundle answers: the folder of those to choose from, and the entries that put one into use."""
