"""`python -m core VERB`."""

from core.cli import main

main()
