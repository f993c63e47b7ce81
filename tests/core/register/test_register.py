"""Estimates and outcomes in the chain: kept once, never overwritten, paged, counted, laid out as a table."""

import io
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sqlalchemy import select, text

from core.errors import InputError
from core.imaging import Roi, read_frame
from core.inference import Case
from core.inference.predictor import Predictor
from core.register.database import connect
from core.register.estimate.entry import Estimate
from core.register.estimate.table import read_estimates
from core.register.listing import PAGE, Filter, count_entries, count_estimates, list_estimates, sum_estimates
from core.register.models import ENTRIES
from core.register.outcome_entry import NOTHING, check_outcome, make_entry, read_kept
from core.register.outcome_import import judge_rows
from core.register.patients import choose_estimates, tabulate_register
from core.register.store import Store
from core.register.withdrawal import REASONS, reinstate, withdraw
from core.simulation import render_frame
from core.simulation.parameters import LATENTS
from tests.core.register.databases import tamper
from tests.core.register.register_entries import AB, ESTIMATE, add_estimates, enter

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from dataclasses import replace
from core.register.store import Store
from core.simulation import render_frame
from core.simulation.parameters import LATENTS
from tests.core.register.databases import tamper
from tests.core.register.register_entries import ESTIMATE
store = Store(sys.argv[1])
for i in range(250):
    record = store.append(replace(ESTIMATE, patient=f"{sys.argv[2]}-{i}").to_entry("AB"))
    print(record.hash, flush=True)
"""


def test_an_estimate_comes_back_and_the_same_is_kept_once(store):
    add_estimates(store, ["P-001", "P-001"])
    add_estimates(store, ["P-001"])
    add_estimates(store, ["P-001"], bundle_sha256="c" * 64)
    table = tabulate_register(store)
    assert table["bundle_sha256"].tolist() == ["b" * 64, "c" * 64]
    row = table.iloc[0]
    assert (row["prob"], row["high"], row["age"], row["birads"], row["n_views"]) == (0.1 + 0.2, 1 / 3, 54.0, "4C", 1)
    assert (row["image_device"], row["gate"], row["exam_date"]) == ("Maker Model", "ok", "2026-03-01")
    assert store.verify_chain().holds


def test_board_and_register_share_the_chain_and_see_nothing_of_each_other(store):
    add_estimates(store, ["P-001"])
    assert store.read("P-001") == []
    assert store.verify_chain().entries == 1


@pytest.mark.parametrize("column", ["details", "identity", "exam_date", "centre", "bundle", "probability"])
def test_a_changed_estimate_breaks_the_chain(store, url, column):
    add_estimates(store, ["P-001"])
    value = "0.9" if column == "probability" else "'2020-01-01'"
    tamper(url, f"UPDATE entries SET {column} = {value}")
    assert "entry 1 was changed" in store.verify_chain().reason


def test_an_outcome_is_put_together_and_a_correction_names_the_old_one(store):
    enter(store, "P-001", ki67_pct=35, ki67_laboratory="Lab A", pn="N0")
    enter(store, "P-001", ki67_pct=99)  # beside nothing: somebody else was first
    kept = read_kept(store, ["P-001"])["P-001", "outcome"]
    assert kept.values == {"ki67_pct": 35.0, "ki67_laboratory": "Lab A", "pn": "N0"}
    assert kept.judge("outcome", {"ki67_pct": 35.0}) == "matched"
    assert kept.judge("outcome", {"ki67_pct": 35.0, "pt": "T2"}) == "new"
    with pytest.raises(InputError, match="reason for the correction"):
        make_entry("P-001", "outcome", {"ki67_pct": 30.0}, kept, AB)
    entry = make_entry("P-001", "outcome", {"ki67_pct": 30.0}, kept, AB, reason="Typing error.")
    record = store.append(entry)
    assert record.corrects == kept.last
    after = read_kept(store)["P-001", "outcome"]
    assert (after.values, after.first) == ({"ki67_pct": 30.0}, kept.first)


def test_a_withdrawn_outcome_can_be_entered_anew(store):
    enter(store, "P-001", ki67_pct=35)
    for values, reason in (({}, "Of another patient."), ({"ki67_pct": 35.0}, "")):
        kept = read_kept(store, ["P-001"])["P-001", "outcome"]
        assert store.append_all([make_entry("P-001", "outcome", values, kept, AB, reason=reason)])
    assert read_kept(store)["P-001", "outcome"].values == {"ki67_pct": 35.0}


def test_a_later_follow_up_contradicts_nothing_an_earlier_one_does():
    kept = NOTHING.add(1, {"rfs_months": 12.0, "rfs_event": 0}, is_correction=False)
    assert kept.judge("follow-up", {"rfs_months": 24.0, "rfs_event": 1}) == "new"
    assert kept.judge("follow-up", {"rfs_months": 6.0, "rfs_event": 0}) == "contradicting"
    recurred = kept.add(2, {"rfs_months": 24.0, "rfs_event": 1}, is_correction=False)
    assert recurred.judge("follow-up", {"rfs_months": 36.0, "rfs_event": 0}) == "contradicting"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"ki67_pct": 120}, "outside 0 to 100"),
        ({"pn": "N1"}, "needs the surgical Ki-67"),
        ({"ki67_pct": 20, "nodes_removed": 2, "nodes_positive": 3}, "More nodes are positive"),
        ({"rfs_months": 12}, "needs both"),
        ({"rfs_months": 1, "rfs_event": 0, "last_followup": "2999-01-01"}, "lies in the future"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(raw, sentence):
    with pytest.raises(InputError, match=sentence):
        check_outcome(raw)


def test_the_list_is_paged_newest_first_and_filtered(store):
    names = [f"P-{i:03d}" for i in range(PAGE + 5)]
    add_estimates(store, names)
    add_estimates(store, ["Q_1"], centre="South", exam_date="2026-05-01", bundle_sha256="c" * 64)
    enter(store, "P-003", ki67_pct=20)
    first, second = (list_estimates(store, Filter(), page=page) for page in (0, 1))
    assert first["patient"].tolist() == ["Q_1", *names[:5:-1]]
    assert second["patient"].tolist() == names[5::-1]
    assert second.set_index("patient")["has_outcome"].to_dict() == {name: name == "P-003" for name in names[:6]}
    for wanted, count in (
        (Filter(search="p-00"), 10),
        (Filter(search="_"), 1),
        (Filter(centre="South"), 1),
        (Filter(bundle_sha256="b" * 64), PAGE + 5),
        (Filter(since="2026-04-01"), 1),
        (Filter(until="2026-04-01"), PAGE + 5),
        (Filter(has_outcome=True), 1),
        (Filter(has_outcome=False), PAGE + 5),
    ):
        assert count_estimates(store, wanted) == count
    sums = sum_estimates(store)
    assert sums[["centre", "estimates", "with_outcome"]].to_numpy().tolist() == [
        ["North", PAGE + 5, 1],
        ["South", 1, 0],
    ]
    assert count_entries(store) == {"estimates": PAGE + 6, "outcomes": 1, "follow_ups": 0, "withdrawn": 0}


def test_only_an_estimate_before_the_outcome_is_prospective(store):
    add_estimates(store, ["P-1", "P-2"])
    enter(store, "P-1", ki67_pct=40, rfs_months=12, rfs_event=1)
    add_estimates(store, ["P-1"], input_sha256="2" * 64, probability=0.9)
    table = tabulate_register(store)
    assert table["is_prospective"].tolist() == [True, True, False]
    assert table["ki67_pct"].fillna(-1).tolist() == [40, -1, 40]
    assert table["rfs_event"].fillna(-1).tolist() == [1, -1, 1]
    assert choose_estimates(table)["prob"].tolist() == [0.1 + 0.2, 0.1 + 0.2]
    assert choose_estimates(table[~table["is_prospective"]])["prob"].tolist() == [0.9]


def test_an_empty_register_has_a_table(store):
    assert tabulate_register(store).empty
    assert list_estimates(store, Filter()).empty
    assert sum_estimates(store).empty


def test_a_case_and_its_scored_row_are_the_same_estimate(bundle_dir):
    predictor = Predictor.load(bundle_dir, engine="torch", precision="fp32")
    latents, rng = dict.fromkeys(LATENTS, 0.0), np.random.default_rng(4)
    drawn = render_frame(rng, "B", latents, size_mm=18.0, size_ap_mm=12.0, background="homog_fibroglandular")
    png = io.BytesIO()
    Image.fromarray(drawn.pixels).save(png, format="PNG")
    frame = read_frame(png.getvalue())
    case = Case.of(
        frame, frame.to_frame(Roi(*drawn.box)), {"age": 54.0, "birads": "4C", "aln_suspicious": "suspicious"}
    )
    prediction = predictor.predict(case)
    about = {"patient": "P-1", "centre": "A", "exam_date": "", "engine": "x"}
    own = Estimate.of_case(case, prediction, **about)
    row = {
        "patient_id": "P-1",
        "centre": "A",
        "prob": own.probability,
        "gate": own.gate,
        "views": "1,2,3,4",
        "aln_us": 1,
    }
    row |= {"input_sha256": own.input_sha256, "age": 54, "birads": "4C"}
    (scored,) = read_estimates(pd.DataFrame([row]), predictor.bundle, engine="x").estimates
    assert scored.identity == own.identity
    assert scored.image_score == pytest.approx(own.image_score, abs=1e-6)
    assert scored.imputed == own.imputed
    assert (scored.low, scored.high) == (None, None)
    row |= {"interval_low": own.low, "interval_high": own.high}
    (scored,) = read_estimates(pd.DataFrame([row]), predictor.bundle, engine="x").estimates
    assert (scored.low, scored.high) == (own.low, own.high)
    wrong = row | {"interval_low": 0.9, "interval_high": 0.1}
    found = read_estimates(pd.DataFrame([wrong, row]), predictor.bundle, engine="x")
    assert found.estimates == (scored,)
    ((row_number, reason),) = found.number((7, 9))
    assert row_number == 7
    assert "lower end lies above" in reason


def test_of_a_thousand_concurrent_writes_none_that_was_acknowledged_is_lost_by_kill(url):
    command = [sys.executable, "-c", WRITER, url]
    writers = [subprocess.Popen([*command, n], cwd=ROOT, stdout=subprocess.PIPE, text=True) for n in "abcd"]
    acknowledged = []
    for writer in writers[:2]:
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline().strip() for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
    for writer in writers:
        acknowledged += [line for line in writer.communicate(timeout=300)[0].split() if len(line) == 64]
    assert [writer.returncode for writer in writers] == [-9, -9, 0, 0]
    assert len(acknowledged) >= 560
    store = Store(url)
    kept = {row["hash"] for row in store.select(select(ENTRIES.c.hash))}
    assert set(acknowledged) <= kept
    assert len(kept) <= 1000
    assert store.verify_chain().holds
    for name in "ab":  # what was not acknowledged is written again: nothing is there twice
        add_estimates(store, [f"{name}-{i}" for i in range(250)])
    assert count_entries(store)["estimates"] == 1000
    assert store.verify_chain().holds
    store.close()


def test_a_day_in_the_future_is_refused():
    with pytest.raises(InputError, match="lies in the future"):
        replace(ESTIMATE, exam_date="2999-01-01")


@pytest.mark.parametrize("day", ["20260301", "2026-W09-7", "0001-01-01", "1989-12-31", "2026-3-1", "01.03.2026"])
def test_a_day_of_another_form_or_before_ultrasound_is_refused(day):
    with pytest.raises(InputError, match="write it as YYYY-MM-DD, from 1990-01-01 on"):
        replace(ESTIMATE, exam_date=day)


def test_of_rows_of_one_patient_that_differ_none_is_taken(store):
    add_estimates(store, ["P-1", "P-2"])
    values = [("P-1", 35.0), ("P-2", 20.0), ("P-1", 5.0), ("P-2", 20.0)]
    rows = judge_rows(store, [(i, name, {"ki67_pct": value}) for i, (name, value) in enumerate(values, start=2)])
    assert [row.status for row in rows] == ["not used", "new", "not used", "not used"]
    assert "several rows that differ" in rows[0].reason
    assert rows[0].reason == rows[2].reason
    assert rows[3].reason == "the same as row 3"


LISTED = "SELECT * FROM estimates ORDER BY number"
BEFORE_LISTS = {
    "sqlite": ["DROP TRIGGER keep_estimate_0", "DROP TRIGGER keep_estimate_1", "DROP TRIGGER keep_estimate_2"],
    "postgresql": ["DROP TRIGGER keep_estimate ON entries", "DROP FUNCTION keep_estimate"],
}


def test_what_the_lists_read_follows_the_entries_is_rebuilt_and_a_change_of_it_found(store, url):
    add_estimates(store, ["P-1", "P-2"])
    enter(store, "P-2", ki67_pct=20)
    add_estimates(store, ["P-2"], bundle_sha256="c" * 64)
    withdraw(store, 1, AB, reason=REASONS[0])
    reinstate(store, 1, AB, text="It was right.")
    withdraw(store, 2, AB, reason=REASONS[0])
    engine = connect(url)
    with engine.execution_options(writes=True).begin() as connection:
        kept = connection.execute(text(LISTED)).all()
        assert [(row.number, row.first_outcome, row.withdrawals) for row in kept] == [
            (1, None, 0),
            (2, 3, 1),
            (4, 3, 0),
        ]
        for statement in BEFORE_LISTS[connection.dialect.name]:
            connection.execute(text(statement))
        connection.execute(text("DROP TABLE estimates"))
        connection.execute(text("CREATE INDEX ix_entries_register ON entries (kind)"))
        connection.execute(text("DROP INDEX ix_entries_taken_back"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    again = Store(url)
    with engine.execution_options(writes=True).begin() as connection:
        assert connection.execute(text(LISTED)).all() == kept
        assert again.verify_chain().holds
        connection.execute(text("UPDATE estimates SET withdrawals = 1 WHERE number = 4"))
    report = again.verify_chain()
    assert (report.broken_at, report.reason) == (4, "the lists show estimate 4 otherwise than the entries do")
    again.close()
    engine.dispose()
