"""The entry that keeps an estimate, as documents name it."""

from types import SimpleNamespace

from core.register.listing import find_entry
from core.register.withdrawal import REASONS, withdraw
from core.register.witness import Anchor
from tests.core.register.register_entries import AB, ESTIMATE, add_estimates


def test_an_estimate_is_found_by_patient_bundle_input_and_probability(store):
    add_estimates(store, ["P-001"], clinical={"age": 1.0}, probability=0.4)
    add_estimates(store, ["P-001"])
    known = {name: getattr(ESTIMATE, name) for name in ("bundle_sha256", "input_sha256", "probability")}
    name = find_entry(store, "P-001", SimpleNamespace(**known))
    assert store.verify_chain([Anchor.parse(name)]).holds
    assert name.startswith("2:")
    for other in ({"bundle_sha256": "0"}, {"input_sha256": "0"}, {"probability": 0.5}):
        assert find_entry(store, "P-001", SimpleNamespace(**known | other)) == ""
    assert find_entry(store, "P-002", SimpleNamespace(**known)) == ""
    withdraw(store, 2, AB, reason=REASONS[0])
    assert find_entry(store, "P-001", SimpleNamespace(**known)) == f"{name}, withdrawn since"
