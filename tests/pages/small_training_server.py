"""The app whose trainings have a tiny network and few refits: `python -m tests.pages.small_training_server OPTIONS`."""

import sys

from streamlit.web.cli import main

from core.training.run import process

if __name__ == "__main__":
    process.COMMAND = (sys.executable, "-m", "tests.pages.small_training_run")
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    main()
