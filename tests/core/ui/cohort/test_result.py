"""Files of the cohort pages say where they come from and what was read."""

import json

from core.cohort import read_predictions
from core.ui.cohort.current import Cohort
from core.ui.cohort.result import render_json
from core.ui.cohort.view import ALL, View
from models.cutoff import Cutoff
from tests.pages.cohorts import encode, make_table


def test_numbers_come_with_hash_cutoff_and_counts():
    read = read_predictions(encode(make_table()), cutoff=Cutoff(20, ">"))
    cohort = Cohort("the uploaded cohort", read, read.reading.sha256, False, None)
    record = json.loads(render_json(View(cohort, read.table, ALL), "roc", {"auc": 0.8}))
    assert record["roc"] == {"auc": 0.8}
    assert record["input"]["sha256"] == read.reading.sha256
    assert record["input"]["cutoff"] == Cutoff(20, ">").to_json()
    assert (record["input"]["rows"], record["input"]["refused"]["count"]) == (120, 0)
