"""Train as a page asked: `python -m core.training.run FOLDER LOCK`, LOCK being the descriptor of the held lock."""

import sys
from pathlib import Path

from core.training.run.work import main

main(Path(sys.argv[1]), int(sys.argv[2]))
