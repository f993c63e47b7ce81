"""Ki-67 in FHIR Bundles: each Observation is read or named, and a core biopsy's is never the outcome."""

import json
import re

import pytest
from pydicom.sr.codedict import codes

from core.errors import TableError
from core.fhir.bundle import TYPES
from core.fhir.observation import find_outcomes
from core.fhir.read import is_fhir, judge_bundle, read_bundle
from core.fhir.specimen import BIOPSY, SURGERY
from core.register.outcome_entry import Author, read_kept
from core.register.outcome_import import enter_rows
from tests.core.fhir.bundles import KI67, LOINC, PERCENT, write_bundle, write_observation, write_specimen
from tests.core.register.register_entries import add_estimates, enter


def list_reasons(*resources, **more) -> list[str]:
    read = find_outcomes(write_bundle(*resources, **more))
    assert len(read.found) + len(read.refused) == sum(one["resourceType"] == "Observation" for one in resources)
    return [reason for _, reason in read.refused]


@pytest.mark.parametrize("kind", TYPES)
def test_a_ki67_in_an_excised_specimen_is_read_from_every_kind_of_bundle(kind):
    (one,) = find_outcomes(write_bundle(write_observation(), kind=kind)).found
    assert (one.number, one.names, one.values, one.origin) == (1, ("P-01",), {"ki67_pct": 35}, "surgery")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "preliminary"}, "preliminary"),
        ({"status": "registered"}, "without a result"),
        ({"status": "entered-in-error"}, "in error"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "sure"}, "status that FHIR does not know"),
        ({"code": {"coding": [{"system": LOINC, "code": "29593-1"}]}}, "no Ki-67 .*29593-1"),
        ({"code": {"text": "Ki-67"}}, "it has no code"),
        ({"code": {"coding": [{"system": "urn:own", "code": "85330-9"}]}}, "no Ki-67"),
        ({"valueQuantity": PERCENT | {"comparator": "<"}}, "a bound .< 35.; the register keeps"),
        ({"valueQuantity": {"value": 0.35, "unit": "1", "code": "1"}}, "unit is '1'; only %"),
        ({"valueQuantity": {"value": 35}}, "unit is not given"),
        ({"valueQuantity": PERCENT | {"system": "urn:own"}}, "unit is '%'"),
        ({"valueQuantity": {"unit": "%"}}, "no number"),
        ({"valueQuantity": PERCENT | {"value": True}}, "no number|not a valid"),
        ({"valueQuantity": None, "valueRange": {"low": PERCENT, "high": PERCENT | {"value": 40}}}, "range .35 to 40."),
        ({"valueQuantity": None, "valueString": "35 %"}, "no quantity in % .valueString."),
        ({"valueQuantity": None}, "no value"),
        ({"modifierExtension": [{"url": "http://x.org/not", "valueBoolean": True}]}, "a modifier .*change its meaning"),
        ({"implicitRules": "http://x.org/rules"}, "a modifier .*change its meaning"),
        ({"component": [{"code": KI67, "valueQuantity": PERCENT | {"value": 50}}]}, "it and one of its components"),
        (
            {"valueQuantity": None, "dataAbsentReason": {"coding": [{"code": "not-performed"}]}},
            "no value .not-performed.",
        ),
        ({"specimen": {"reference": "Specimen/core"}}, "core biopsy"),
        ({"specimen": {"display": "Stanzbiopsie links"}}, "core biopsy"),
        ({"method": {"text": "core needle"}}, "biopsy and an excision"),
        ({"bodySite": {"text": "Axillary lymph node"}}, "lymph node"),
        ({"subject": None}, "names no patient"),
        ({"subject": {"display": "Mrs. Jones"}}, "names no patient"),
        ({"subject": {"reference": "Specimen/cut"}}, "subject is not a patient"),
        ({"issued": "yesterday"}, "not a valid FHIR R4 Observation, at issued"),
        ({"component": 3}, "not a valid"),
    ],
)
def test_what_is_not_read_is_named(changes, reason):
    given = write_observation() | changes
    (said,) = list_reasons({name: value for name, value in given.items() if value is not None})
    assert re.search(reason, said), said


@pytest.mark.parametrize("status", ["amended", "corrected"])
def test_an_amended_one_is_read(status):
    assert find_outcomes(write_bundle(write_observation(status=status))).found


def test_a_component_and_a_contained_observation_are_read():
    panel = {"coding": [{"system": LOINC, "code": "85904-1"}]}
    part = {"code": KI67, "valueQuantity": PERCENT | {"value": 12}}
    inner = write_observation("P-02", "#c") | {"id": "o"}
    held = [inner, write_specimen("c", "122595009")]
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": panel, "contained": held}
    whole = write_observation(code=panel, valueQuantity=None, component=[part])
    both = write_observation(code=panel, valueQuantity=None, component=[part, part])
    read = find_outcomes(write_bundle(whole, report, both))
    assert [(one.number, one.names, one.values["ki67_pct"]) for one in read.found] == [
        (1, ("P-01",), 12),
        (2, ("P-02",), 35),
    ]
    assert read.refused == ((3, "two of its components are a Ki-67; enter the one that counts by hand"),)


def test_a_slide_of_a_core_biopsy_is_one():
    slide = write_specimen("slide", "1179252003", parent=[{"reference": "Specimen/block"}])
    block = write_specimen("block", "430861001", parent=[{"reference": "urn:uuid:7"}, {"reference": "Specimen/slide"}])
    part = {"fullUrl": "urn:uuid:7", "resource": write_specimen("part", "122738006")}
    read = find_outcomes(write_bundle(write_observation(specimen="Specimen/slide"), slide, block, part))
    assert "core biopsy" in read.refused[0][1]


@pytest.mark.parametrize("specimen", [None, "Specimen/elsewhere"])
def test_a_specimen_that_is_not_said_is_not_guessed(specimen):
    (one,) = find_outcomes(write_bundle(write_observation(specimen=specimen))).found
    assert one.origin == ""


def test_codes_of_specimens_are_dicoms():
    dicom = {getattr(codes.cid8104, name).value: getattr(codes.cid8104, name).meaning for name in codes.cid8104.dir()}
    ours = BIOPSY | SURGERY
    assert {code: ours[code] for code in ours.keys() & dicom.keys()} == {c: m for c, m in dicom.items() if c in ours}
    assert dicom.keys() - ours.keys() == {"309548003", "309059004"}  # duct, frozen section: neither is said


@pytest.mark.parametrize("reference", ["Patient/a", "http://x.org/fhir/Patient/a", "Patient/a/_history/2", "#p"])
def test_a_patient_is_known_by_the_identifiers(reference):
    names = [{"system": "urn:study", "value": "P-01"}, {"value": "MRN 4711"}]
    patient = {"resourceType": "Patient", "id": "a", "identifier": names, "name": [{"family": "Jones"}]}
    held = {"contained": [patient | {"id": "p"}]} if reference == "#p" else {}
    other = [] if held else [{"fullUrl": "http://x.org/fhir/Patient/a", "resource": patient}]
    (one,) = find_outcomes(write_bundle(write_observation(subject={"reference": reference}, **held), *other)).found
    assert one.names == ("P-01", "MRN 4711")


def test_an_id_counts_only_without_an_identifier_and_a_name_of_two_not_at_all():
    by_id, ask = {"reference": "Patient/P-09"}, {"reference": "Patient?identifier=urn:study|P-07"}
    twice = [{"fullUrl": f"http://{n}/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}} for n in "ab"]
    rows = [write_observation(subject=one) for one in (by_id, ask, {"reference": "Patient/1"})]
    read = find_outcomes(write_bundle(*rows, *twice, kind="transaction"))
    assert [one.names for one in read.found] == [("P-09",), ("P-07",)]
    assert read.refused == ((3, "two resources go by the name of its patient"),)


def test_the_laboratory_is_an_organization_and_no_person():
    people = {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Jones"}]}
    lab = {"resourceType": "Organization", "id": "l", "name": "Lab  A"}
    performers = [{"reference": "Practitioner/d"}, {"reference": "Organization/l"}]
    (one,) = find_outcomes(write_bundle(write_observation(performer=performers), people, lab)).found
    assert one.values["ki67_laboratory"] == "Lab A"


def code(number: str) -> dict:
    return {"coding": [{"system": LOINC, "code": number}]}


def say(text: str, **more) -> dict:
    return {"valueQuantity": None, "valueCodeableConcept": ({"text": text} if text else {}) | more}


@pytest.mark.parametrize(
    ("number", "value", "expected"),
    [
        ("21899-0", say("pT1c"), {"pt": "T1a-c"}),
        ("21899-0", say("", coding=[{"system": "urn:tnm", "code": "T4b"}]), {"pt": "T4"}),
        (
            "21900-6",
            say("", coding=[{"code": "1", "display": "American Joint Committee on Cancer pN1mi (qualifier value)"}]),
            {"pn": "N1mi"},
        ),
        ("21900-6", say("pN0(i+)(sn)"), {"pn": "N0(i+)"}),
        ("21893-3", {"valueQuantity": {"value": 2, "unit": "{#}", "code": "{#}"}}, {"nodes_positive": 2}),
        ("21894-1", {"valueQuantity": None, "valueInteger": 12}, {"nodes_removed": 12}),
    ],
)
def test_stages_and_nodes_are_read_by_their_codes(number, value, expected):
    (one,) = find_outcomes(write_bundle(write_observation(code=code(number), specimen=None, **value))).found
    assert one.values == expected


@pytest.mark.parametrize(
    ("number", "value", "reason"),
    [
        ("21899-0", say("ypT2"), "after treatment"),
        ("21899-0", say("cT2"), "clinical"),
        ("21899-0", say("pT2 or pT3"), "or several"),
        ("21899-0", say("pTX"), "no pT of"),
        ("21899-0", say("large"), "no pT of"),
        ("21900-6", say("pT2"), "no pN of"),
        ("21900-6", {"valueQuantity": None}, "no value"),
        ("21893-3", {"valueQuantity": PERCENT}, "unit is '%'; only 1"),
        ("21905-5", say("cT2"), "no Ki-67 .*21905-5"),
        ("21899-0", {**say("pT2"), "specimen": {"reference": "Specimen/core"}}, "core biopsy"),
        (
            "21899-0",
            {
                **say("T2"),
                "component": [{"code": code("59479-6"), "valueCodeableConcept": {"coding": [{"code": "y"}]}}],
            },
            "after treatment",
        ),
    ],
)
def test_a_stage_of_another_time_or_without_a_word_is_named(number, value, reason):
    (said,) = list_reasons({k: v for k, v in (write_observation(code=code(number)) | value).items() if v is not None})
    assert re.search(reason, said), said


def test_components_of_one_observation_are_read_together_and_the_clone_from_the_method():
    parts = [
        {"code": code("21899-0"), "valueCodeableConcept": {"text": "pT2"}},
        {"code": code("21894-1"), "valueInteger": 3},
    ]
    method = {"text": "IHC, clone MIB-1 (Dako)"}
    (one,) = find_outcomes(write_bundle(write_observation(component=parts, method=method))).found
    assert one.values == {"ki67_pct": 35, "pt": "T2", "nodes_removed": 3, "ki67_antibody": "MIB-1"}


@pytest.mark.parametrize(
    ("focus", "reason"),
    [
        ({"reference": "Patient/else"}, "focus"),
        ({"reference": "RelatedPerson/child"}, "focus"),
        ({"type": "Group", "identifier": {"value": "G"}}, "focus"),
        ({"display": "her sister"}, "focus"),
        ({"type": "Patient", "identifier": {"value": "P-01"}}, ""),
        ({"reference": "http://x.org/fhir/Condition/tumour"}, ""),
    ],
)
def test_an_observation_about_somebody_else_is_not_the_subjects(focus, reason):
    read = find_outcomes(write_bundle(write_observation(focus=[focus])))
    assert (len(read.found) == 1) == (not reason)
    assert all(reason in said for _, said in read.refused)


def test_a_specimen_of_another_patient_is_refused():
    cut = write_specimen("own", "397199005", subject={"identifier": {"value": "P-02"}})
    read = find_outcomes(write_bundle(write_observation(specimen="Specimen/own"), cut))
    assert read.refused == ((1, "its specimen is of another patient"),)


NEST = b'{"resourceType": "Bundle", "type": "collection", "entry": ' + b"[" * 200_000
SAME = {"fullUrl": "urn:uuid:1", "resource": write_observation()}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (NEST, "nested deeper"),
        (b"[]", "holds a list, no Bundle"),
        (b'{"resourceType": "Patient"}', "a resource of type Patient, no Bundle"),
        (b'{"resourceType": "<b>Jones</b>"}', "no FHIR resource, no Bundle"),
        (b'{"resourceType": "Bundle", "type": "history", "entry": [{}]}', "type 'history' can't be read"),
        (b'{"resourceType": "Bundle", "type": "collection"}', "no entries"),
        (write_bundle(SAME, SAME), "Entries 1 and 2 of the Bundle carry the same fullUrl"),
        (b'{"resourceType": "Bundle"', "damaged or no JSON"),
        (b'{"resourceType": "Bundle", "id": NaN}', "damaged or no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "damaged or no JSON"),
        (b'{"resourceType": "Bundle", "id": "\\ud800"}', "damaged or no JSON"),
        ('{"resourceType": "Bündel"}'.encode("latin-1"), "damaged or no JSON"),
        (b'{"status": "final", "status": "preliminary"}', "names a property twice"),
        (b'{"resourceType": "Patient"}\n{"resourceType": "Patient"}', "NDJSON"),
        (json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [0] * 200_001}).encode(), "more than 200,000"),
    ],
)
def test_a_hostile_bundle_gets_a_sentence(content, sentence):
    assert is_fhir(content)
    with pytest.raises(TableError, match=sentence):
        find_outcomes(content)


@pytest.mark.parametrize(
    ("content", "sentence"), [(NEST, "nested deeper"), (b'\xef\xbb\xbf<Bundle xmlns="http://hl7.org/fhir"/>', "as XML")]
)
def test_a_bundle_is_read_in_a_process_of_its_own_and_xml_not_at_all(content, sentence):
    assert is_fhir(content)
    with pytest.raises(TableError, match=sentence):
        read_bundle(content)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valueQuantity": None}, "it has no value"),
        ({"valueQuantity": PERCENT | {"value": 10**400}}, "not a valid FHIR R4 Observation, at valueQuantity.value"),
        ({"subject": None}, "it names no patient"),
    ],
)
def test_one_odd_value_does_not_take_the_whole_bundle(changes, reason):
    """Null, which FHIR's JSON has not, is not there; and a number of any length is one."""
    read = read_bundle(write_bundle(write_observation("P-1") | changes, write_observation("P-2")))
    assert read.found[-1].names == ("P-2",)
    assert [told[: len(reason)] for _, told in read.refused] == [reason]


def test_odd_shapes_never_fail_otherwise():
    odd = [None, 3, [], "x", {"a": [[]]}, {"coding": 3}, {"coding": ["x"]}, [{"reference": 3}], {"identifier": []}]
    for name in ("code", "subject", "specimen", "performer", "contained", "partOf", "method", "component", "status"):
        for value in odd:
            read = find_outcomes(write_bundle(write_observation() | {name: value}))
            assert len(read.found) + len(read.refused) >= 1
    assert find_outcomes(b'{"resourceType": "Bundle", "type": "batch", "entry": [3, null, {"resource": []}]}').refused


def test_a_bundle_that_needs_too_much_memory_gets_a_sentence(monkeypatch):
    monkeypatch.setattr("core.tabular.apart.get_setting", {"table_seconds": 60, "table_memory_mb": 200}.get)
    with pytest.raises(TableError, match="memory"):
        read_bundle(b'{"a": [' + b"{}," * 5_000_000 + b"{}]}")


def test_rows_are_judged_beside_the_register(store):
    add_estimates(store, [f"P-0{i}" for i in range(1, 8)])
    enter(store, "P-02", ki67_pct=35)
    enter(store, "P-03", ki67_pct=20)
    two = [{"value": "P-01"}, {"value": "P-02"}]
    patient = {"resourceType": "Patient", "id": "two", "identifier": two}
    read = read_bundle(
        write_bundle(
            *(write_observation(f"P-0{i}") for i in (1, 2, 3)),
            write_observation("123456789"),
            write_observation("P-04", None),
            write_observation("P-05"),
            write_observation("P-05", valueQuantity=PERCENT | {"value": 30}),
            write_observation("P-06"),
            write_observation("P-06"),
            write_observation("P-07", "Specimen/core"),
            write_observation(subject={"reference": "Patient/two"}),
            patient,
        )
    )
    judged = judge_bundle(store, read)
    assert [row.number for row in judged] == list(range(1, 12))
    assert [row.status for row in judged] == [
        *("new", "matched", "contradicting", "unmatched", "not used", "not used", "not used", "new"),
        *("not used", "not used", "not used"),
    ]
    assert judged[2].reason == "ki67_pct is 20 %, the file says 35 %"
    assert judged[3].patient == ""  # what looks like a record number is not shown
    assert "30 %" in judged[5].reason
    assert "35 %" in judged[5].reason
    assert judged[8].reason == "the same as entry 8"
    assert judged[4].reason.startswith("the Bundle does not say")
    assert judge_bundle(store, read, unsaid_is_surgery=True)[4].status == "new"


def test_what_is_said_of_a_patient_is_entered_together_and_what_is_older_not_at_all(store):
    add_estimates(store, ["P-01", "P-02", "P-03"])  # examined on 2026-03-01
    enter(store, "P-03", ki67_pct=35)
    stage = {"code": code("21899-0"), "valueQuantity": None, "valueCodeableConcept": {"text": "pT2"}}
    read = find_outcomes(
        write_bundle(
            write_observation("P-01", effectiveDateTime="2015-06-02", valueQuantity=PERCENT | {"value": 5}),
            write_observation("P-01", "Specimen/core", valueQuantity=PERCENT | {"value": 50}),
            write_observation("P-01", effectiveDateTime="2026-03"),
            write_observation("P-01", **stage),
            write_observation("P-02", **stage),
            write_observation("P-03", **stage),
        )
    )
    judged = judge_bundle(store, read)
    assert [row.status for row in judged] == ["not used", "not used", "new", "new", "not used", "new"]
    assert "before the first examination" in judged[0].reason
    assert judged[3].reason == "together with entry 3"
    assert "needs the surgical Ki-67" in judged[4].reason
    enter_rows(store, judged, Author("AB"))
    kept = read_kept(store)
    assert kept["P-01", "outcome"].values == {"ki67_pct": 35, "pt": "T2"}
    assert kept["P-03", "outcome"].values == {"ki67_pct": 35, "pt": "T2"}
