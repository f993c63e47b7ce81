import json
from pathlib import Path

import pandas as pd
import pytest

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(scope="session")
def reference():
    """Path to (value, tolerance), as R gave it."""
    entries = json.loads((GOLDEN / "values.json").read_text(encoding="utf-8"))
    return {entry["path"]: (entry["value"], entry["tol_abs"]) for entry in entries}


@pytest.fixture(scope="session")
def df_binary():
    return pd.read_csv(GOLDEN / "df_binary.csv")


@pytest.fixture(scope="session")
def df_surv():
    return pd.read_csv(GOLDEN / "df_surv.csv")


@pytest.fixture(scope="session")
def waltons():
    return pd.read_csv(GOLDEN / "waltons.csv")


@pytest.fixture(scope="session")
def gbsg2():
    return pd.read_csv(GOLDEN / "gbsg2.csv")
