import math
from unittest.mock import patch

import pytest

from core.ui.gate.origin import is_loopback
from core.ui.login import ROLES, User, is_expired, read_user, refuse_start


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_addresses_of_this_computer_need_no_login(address: str) -> None:
    assert is_loopback(address)
    assert refuse_start(address) is None


@pytest.mark.parametrize(
    "address", [None, "", "0.0.0.0", "::", "10.1.2.3", "sonoki.example.org", "localhost.example.org"]
)
def test_other_addresses_are_refused_without_a_login(address: str | None) -> None:
    assert not is_loopback(address)
    assert "no login is configured" in (refuse_start(address) or "")
    with patch("core.ui.login.is_login_configured", return_value=True):
        assert refuse_start(address) is None


@pytest.mark.parametrize(
    ("end", "expired"),
    [
        (99, True),
        (100, True),
        (101, False),
        (None, True),
        ("later", True),
        (True, True),
        (math.nan, True),
        (math.inf, True),
    ],
)
def test_a_token_ends(end: object, expired: bool) -> None:
    assert is_expired({"exp": end}, now=100) is expired


def test_a_token_without_an_end_has_run_out() -> None:
    assert is_expired({}, now=0)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("viewer", "viewer"),
        (["viewer", "clinician"], "clinician"),
        (["staff", "admin"], "admin"),
        (["staff"], None),
        (None, None),
        ({"admin": False}, None),
        ({"admin": True}, None),
        ([{"admin": True}], None),
        ([["admin"]], None),
        ("administrator", None),
        ("viewer admin", None),
        (True, None),
        (7, None),
    ],
)
def test_the_highest_role_counts(roles: object, expected: str | None) -> None:
    user = read_user({"groups": roles, "email": "a@example.org", "sub": "s"}, "groups")
    assert (user.role if user else None) == expected


@pytest.mark.parametrize("subject", [None, "", ["s"], 7])
def test_nobody_without_a_subject_is_let_in(subject: object) -> None:
    assert read_user({"roles": "admin", "name": "A", "sub": subject}, "roles") is None
    assert read_user({"roles": "admin", "name": "A"}, "roles") is None


def test_a_role_includes_those_below_it() -> None:
    may = {role: [other for other in ROLES if User("", "", role).may(other)] for role in ROLES}
    assert may == {"viewer": ["viewer"], "clinician": ["viewer", "clinician"], "admin": list(ROLES)}
