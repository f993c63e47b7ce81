"""Cohort: the bundle's own at once, one of the user's, columns to be matched, bad rows named."""

import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.cohorts import encode, make_table, upload, words
from tests.pages.planted import NAME, find_words

PAGE, DISCRIMINATION = "pages/2_Cohort.py", "pages/3_Discrimination.py"


@pytest.fixture
def at(open_page) -> AppTest:
    return open_page(PAGE)


def test_the_bundles_cohort_is_there_at_once_and_marked_simulated(at):
    assert not at.exception
    assert "120 of 120 patients of the simulated cohort :orange-badge[SIMULATED]" in words(at)
    flow = at.table[0].value.set_index("Split")
    assert flow["Patients"].tolist() == ["30"] * 4
    assert flow.index.tolist() == ["Training", "Validation", "Internal test", "External test"]


def test_table_one_by_split_and_by_predicted_group(at):
    assert "External test, n = 30" in at.table[1].value.columns
    assert {"Missing", "Std. difference"} <= set(at.table[2].value.columns)
    assert sum(int(name.split("n = ")[1]) for name in at.table[1].value.columns if "n = " in name) == 120


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_uploaded_table_is_evaluated_and_not_called_simulated(at, kind):
    buffer = io.BytesIO()
    make_table().to_excel(buffer, index=False)
    upload(at, encode(make_table()) if kind == "csv" else buffer.getvalue(), f"cohort.{kind}")
    assert not at.error
    assert "120 of 120 patients of the uploaded cohort" in words(at)
    assert "SIMULATED]" not in next(c.value for c in at.caption if "patients of" in c.value)
    at.switch_page(DISCRIMINATION).run()
    assert "In the external test of the uploaded cohort the AUC was" in words(at)


def test_back_to_the_bundles_cohort(at):
    upload(at, encode(make_table()))
    at.segmented_control(key="cohort_choice").set_value("The bundle's own cohort").run()
    assert "patients of the simulated cohort" in words(at)


def test_ten_bad_rows_are_named_and_the_rest_evaluated(at):
    table = make_table().astype({"prob": object, "y": object})
    table.loc[range(0, 50, 5), "prob"] = ["x", 1.2, -0.1, "", "NaN", 7, "a", "b", 2, 3]
    upload(at, encode(table))
    assert "**10 of 120 rows were refused.**" in words(at)
    assert at.dataframe[0].value["Rows"].tolist() == [5, 3, 2]
    refused = at.dataframe[1].value
    assert refused["Row"].tolist() == [2 + i for i in range(0, 50, 5)]
    assert refused["Reason"].tolist()[:2] == ["prob: 'x' is not a number", "prob is 1.2, outside 0 to 1"]
    assert "110 of 110 patients" in words(at)


def read_as(at, column, field, **more):
    at.selectbox(key="columns_column").set_value(column).run()
    at.selectbox(key="columns_field").set_value(field).run()
    for key, value in more.items():
        widget = at.segmented_control if key == "unit" else at.selectbox
        widget(key=f"columns_{key}").set_value(value)
    return at.button(key="columns_apply").click().run()


def test_columns_of_other_names_are_told_in_a_form(at):
    table = make_table().rename(columns={"prob": "p of the model", "y": "Ki67 at surgery"})
    upload(at, encode(table))
    assert "no column 'prob'" in at.error[0].value
    read_as(at, "p of the model", "prob")
    assert "no column 'y'" in at.error[0].value
    read_as(at, "Ki67 at surgery", "y")
    assert not at.error
    assert "p of the model is Probability of high Ki-67" in words(at)
    assert "patients of the uploaded cohort" in words(at)


def find_columns(at):
    return next(d.value for d in at.dataframe if "Read as" in d.value).set_index("Column in the file")


def test_what_each_column_was_taken_for_is_listed_and_can_be_changed(at):
    table = make_table().assign(rfs_event=lambda t: t["rfs_event"] + 1, grading="G2", tumor_siz=2.0)
    upload(at, encode(table))
    columns = find_columns(at)
    assert columns.loc["prob", ["Read as", "Unit"]].tolist() == ["Probability of high Ki-67", "fraction"]
    assert columns.loc["y", "Coding"] == "1 = yes, 0 = no"
    assert columns.loc["rfs_event", "Read as"] == "not read"
    assert columns.loc["tumor_siz", "Read as"] == "not read (did you mean Largest diameter on ultrasound?)"
    read_as(at, "rfs_event", "rfs_event", code_0="no", code_1="yes")
    assert find_columns(at).loc["rfs_event", "Coding"] == "1 = no, 2 = yes"
    read_as(at, "tumor_siz", "size_mm", unit="cm")
    assert find_columns(at).loc["tumor_siz", "Unit"] == "cm"
    read = at.session_state["cohort"].read
    assert set(read.table["size_mm"]) == {20.0}
    read_as(at, "age", "Do not read it")
    assert find_columns(at).loc["age", "Read as"] == "not read"
    at.button(key="columns_forget").click().run()
    assert find_columns(at).loc["age", "Read as"] == "Age"
    assert find_columns(at).loc["rfs_event", "Read as"] == "not read"


def test_of_two_sheets_with_a_cohort_one_is_chosen(at):
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer) as book:
        make_table()[:80].to_excel(book, sheet_name="2019", index=False)
        make_table()[80:].to_excel(book, sheet_name="2020", index=False)
    upload(at, buffer.getvalue(), "cohort.xlsx")
    assert "The sheets '2019' and '2020' each hold a table with such columns." in at.error[0].value
    assert at.selectbox(key="file_sheet").value is None
    at.selectbox(key="file_sheet").set_value("2019").run()
    assert not at.error
    assert "80 of 80 patients of the uploaded cohort" in words(at)


def test_names_in_a_column_go_with_the_file(at):
    upload(at, encode(make_table().assign(name=NAME)))
    assert "120 of 120 patients of the uploaded cohort" in words(at)
    read = at.session_state["cohort"].read
    assert "name" not in read.table
    assert NAME not in repr(read) + read.table.to_csv()
    assert at.file_uploader[0].value is None
    at.button(key="columns_drop").click().run()
    assert "120 of 120 patients of the uploaded cohort" in words(at)
    assert "columns_apply" not in {button.key for button in at.button}
    assert find_words(at.session_state) == set()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02,\x00" * 50, "binary data"),
        (b"PK\x03\x04 no workbook", "damaged or is none"),
        (b"prob,y\nx,1\nz,0\n", "No row of the table can be used"),
        (b"prob,prob,y\n0.1,0.2,1\n", "columns of the file fit 'prob'"),
    ],
    ids=["empty", "binary", "no workbook", "no row", "twice"],
)
def test_a_bad_file_is_refused_in_one_sentence_and_the_old_cohort_stays(at, data, sentence):
    upload(at, data)
    assert not at.exception
    assert len(at.error) == 1
    assert sentence in at.error[0].value
    assert "patients of the simulated cohort" in words(at)


def test_the_bundles_threshold_can_be_borrowed(at):
    upload(at, encode(make_table().drop(columns="split")))
    at.switch_page(DISCRIMINATION).run()
    assert "it is exploratory" in words(at)
    at.switch_page(PAGE).run()
    next(one for one in at.toggle if one.label.startswith("These probabilities come from")).set_value(True).run()
    at.switch_page(DISCRIMINATION).run()
    assert "The frozen threshold is 0.500, chosen on the bundle's train + validation." in words(at)


def test_without_a_bundle_the_page_asks_for_a_table_and_takes_one(open_page, use_bundle, tmp_path):
    at = open_page(PAGE)
    use_bundle(tmp_path)
    at.run()
    assert not at.exception
    assert "There is no cohort yet" in words(at)
    upload(at, encode(make_table()))
    assert "patients of the uploaded cohort" in words(at)


def test_home_leads_to_the_cohort(open_page):
    at = open_page("app.py")
    next(b for b in at.button if b.label == "Evaluate the model on a cohort").click().run()
    assert "patients of the simulated cohort" in words(at)
