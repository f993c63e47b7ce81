"""How the board's database came to be, step by step."""
