"""A known cohort in random dialects reads to the same figures or is refused; one cell changed changes one patient."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.cohort import read_predictions
from core.errors import TableError

N = 40
NAMES = {
    "patient_id": ["patient_id", "CaseID", "Patienten-ID", "ID paciente", "患者编号"],
    "centre": ["centre", "Hospital", "Klinik", "Centro", "中心"],
    "y": ["y", "High Ki-67", "outcome", "Ki67 hoch", "ki67_alto"],
    "ki67_pct": ["ki67_pct", "Ki-67 (%)", "MIB-1", "Ki67", "Ki-67 Prozent"],
    "prob": ["prob", "Probability", "Wahrscheinlichkeit", "probabilité", "概率"],
    "size_mm": ["size_mm", "Size [mm]", "Tumorgröße (mm)", "taille mm", "大小（mm）"],
    "age": ["age", "Alter", "Edad", "年龄", "age_years"],
}
YES_NO = [
    ("1", "0"),
    ("yes", "no"),
    ("ja", "nein"),
    ("hoch", "niedrig"),
    ("positif", "négatif"),
    ("TRUE", "FALSE"),
    ("是", "否"),
]
TIMES = {"rfs_months": 1.0, "RFS (days)": 30.4375, "follow_up_years": 1 / 12, "DFS [weeks]": 30.4375 / 7}
MISSING = ["", "NA", "not available", "nicht bekannt", "k.A.", "-", "?", "inconnu", "sin datos", "未知"]


def make_cohort() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    ki67 = rng.uniform(1, 80, N).round(1)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i:03d}" for i in range(N)],
            "centre": np.tile(["North", "South"], N // 2),
            "y": (ki67 >= 20).astype(float),
            "ki67_pct": ki67,
            "prob": rng.uniform(0.01, 0.99, N).round(4),
            "size_mm": rng.uniform(6, 60, N).round(1),
            "age": rng.integers(30, 85, N).astype(float),
            "rfs_months": rng.uniform(2, 90, N).round(1),
        }
    )


COHORT = make_cohort()


@st.composite
def dialects(draw) -> tuple[bytes, list[str]]:
    """Write the cohort in some dialect; give the fields that it holds."""
    comma = draw(st.booleans())
    mark = draw(st.sampled_from([";", "\t", "|"] if comma else [",", ";", "\t", "|"]))
    fields = ["patient_id", "prob", *draw(st.sampled_from([["y"], ["ki67_pct"], ["y", "ki67_pct"]]))]
    fields += [name for name in ("centre", "size_mm", "age", "rfs_months") if draw(st.booleans())]
    fields = draw(st.permutations(fields))
    heads, columns = [], []
    for name in fields:
        head, cells = write_column(draw, name, "," if comma else ".")
        heads.append(head)
        columns.append(cells)
    order = draw(st.permutations(range(N))) if draw(st.booleans()) else range(N)
    quoted = draw(st.booleans())
    lines = [heads, *([column[i] for column in columns] for i in order)]
    lines = [[f'"{cell}"' if quoted or mark in cell else cell for cell in line] for line in lines]
    text = [mark.join(line) for line in lines]
    if draw(st.booleans()):
        text.insert(draw(st.integers(1, N)), "")
    if draw(st.booleans()):
        text.insert(0, "Our cohort")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return (end.join(text) + end).encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))), fields


def write_column(draw, name: str, point: str) -> tuple[str, list[str]]:
    values = COHORT[name]
    if name == "rfs_months":
        head = draw(st.sampled_from(sorted(TIMES)))
        return head, [f"{value * TIMES[head]:.6f}".replace(".", point) for value in values]
    head = draw(st.sampled_from(NAMES[name]))
    if name in {"patient_id", "centre"}:
        return head, list(values)
    if name == "y":
        yes, no = draw(st.sampled_from(YES_NO))
        return head, [yes if value else no for value in values]
    if name in {"ki67_pct", "prob"}:
        form = draw(st.sampled_from(["plain", "percent sign", "other"]))
        scale, sign = (1, "") if form == "plain" else (100 if name == "prob" else 1, " %")
        if form == "other" and name == "ki67_pct":
            scale, sign = 0.01, ""
        elif form == "other":
            scale, sign = 1, ""
        return head, [f"{value * scale:.6g}{sign}".replace(".", point) for value in values]
    return head, [f"{value:g}".replace(".", point) for value in values]


@given(dialects())
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_dialect_gives_the_same_figures_or_is_refused(dialect):
    content, fields = dialect
    try:
        read = read_predictions(content)
    except TableError:
        return
    assert read.refused == ()
    table = read.table.set_index("patient_id").reindex(COHORT["patient_id"])
    assert table["y"].tolist() == COHORT["y"].tolist()
    for name in fields:
        if name in table and name not in {"patient_id", "centre", "y"}:
            assert table[name].to_numpy() == pytest.approx(COHORT[name].to_numpy(), rel=1e-4), name
    lost = [name for name in fields if name != "patient_id" and name not in table]
    assert {c.name for c in read.reading.columns if c.problem} >= set(lost)


def test_most_dialects_are_read():
    kept = []

    @given(dialects())
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def count(dialect):
        try:
            kept.append(len(read_predictions(dialect[0]).columns) == len(dialect[1]))
        except TableError:
            kept.append(False)

    count()
    assert np.mean(kept) > 0.8


CELLS = st.sampled_from(
    ["", "x", "2", "0", "1", "-1", "0.5", "1e9", "yes", "12,5", "1.234", "<1", "20-30", "nan", "9", '5"', "P001"]
)


@given(st.integers(0, N - 1), st.integers(0, len(COHORT.columns) - 1), CELLS)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_one_cell_changed_changes_that_patient_or_nothing(row, column, cell):
    plain = COHORT.assign(rfs_event=(COHORT["age"] > 60).astype(int), y=COHORT["y"].astype(int)).astype(object)
    before = read_predictions(plain.to_csv(index=False).encode()).table.set_index("patient_id")
    patient = plain.loc[row, "patient_id"]
    plain.iloc[row, column] = cell
    read = read_predictions(plain.to_csv(index=False).encode())
    assert len(read.table) + len(read.refused) == N
    others = [name for name in before.index if name not in {patient, cell}]
    after = read.table.set_index("patient_id")
    assert set(others) <= set(after.index)
    assert before.loc[others].equals(after.loc[others, list(before.columns)])


@pytest.mark.parametrize("word", MISSING)
def test_words_for_not_known_cost_no_patient_and_are_no_fault(word):
    table = COHORT.astype(object)
    table.loc[range(0, 10), ["age", "size_mm", "y"]] = word
    read = read_predictions(table.to_csv(index=False).encode())
    assert read.refused == ()
    assert read.table[["age", "size_mm", "y"]].isna().sum().tolist() == [10, 10, 10]
    assert not any(column.left_out for column in read.reading.columns)
