"""FHIR Bundles for tests, as laboratories send them."""

import json
from typing import Any

LOINC = "http://loinc.org"
PERCENT = {"value": 35, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
KI67 = {"coding": [{"system": LOINC, "code": "85330-9"}]}
EXCISION, CORE = "397199005", "122737001"


def write_specimen(name: str, code: str, **more: Any) -> dict[str, Any]:
    """A Specimen of a SNOMED type."""
    kind = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
    return {"resourceType": "Specimen", "id": name, "type": kind, **more}


def write_observation(patient: str | None = "P-01", specimen: str | None = "Specimen/cut", **more: Any):
    """A final Ki-67 of 35 % in an excised specimen; None leaves a part out."""
    found = {
        "resourceType": "Observation",
        "status": "final",
        "code": KI67,
        "subject": patient and {"identifier": {"value": patient}},
        "specimen": specimen and {"reference": specimen},
        "valueQuantity": PERCENT,
    } | more
    return {name: value for name, value in found.items() if value is not None}


def write_bundle(*resources: Any, kind: str = "searchset", **more: Any) -> bytes:
    """A Bundle of resources, with an excised specimen and a core biopsy at its end."""
    last = (write_specimen("cut", EXCISION), write_specimen("core", CORE))
    entries = [one if "fullUrl" in one else {"resource": one} for one in (*resources, *last)]
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries, **more}).encode()
