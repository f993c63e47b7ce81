"""A few of the spoilt workbooks; the full number runs by `python -m tests.core.tabular.fuzz 2000`."""

from tests.core.tabular.fuzz import run


def test_spoilt_workbooks_are_read_or_refused():
    outcomes = run(60, 1)
    assert set(outcomes) <= {"read", "refused"}
    assert min(outcomes["read"], outcomes["refused"]) > 0
