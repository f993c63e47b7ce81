"""The command line: `python -m core VERB`, one file per verb. Data go to stdout, messages to stderr.

Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 3 the input was refused.
"""

import sys

from core.cli import (
    audit,
    benchmark,
    bundle,
    collect,
    deidentify,
    evaluate,
    export,
    federate,
    meeting,
    monitor,
    predict,
    pretrain,
    register,
    report,
    score,
    send,
    simulate,
    train,
    update,
)
from core.cli.console import app, say
from core.cli.table_options import say_refused
from core.errors import AppError, TableError

INSTALL = "`make app` without CPU=1, or `pip install -r requirements.txt`, adds it"

__all__ = [
    "app",
    "audit",
    "benchmark",
    "bundle",
    "collect",
    "deidentify",
    "evaluate",
    "export",
    "federate",
    "main",
    "meeting",
    "monitor",
    "predict",
    "pretrain",
    "register",
    "report",
    "score",
    "send",
    "simulate",
    "train",
    "update",
]


def main() -> None:
    """Run the command line and turn errors into one sentence and an exit code."""
    try:
        app()
    except AppError as error:
        say(str(error))
        if isinstance(error, TableError):
            say_refused(error.rows)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in {"", "core", "models"}:
            raise
        say(f"This install lacks the package {package}, which this verb needs: {INSTALL}.")
        sys.exit(1)
