"""The locked packages: each that the app asks for, in a version that it allows, every file by its hash."""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def test_what_the_app_asks_for_is_locked_by_hash() -> None:
    text = "".join(
        line for line in (ROOT / ".lock.txt").read_text().splitlines(keepends=True) if not line.startswith("#")
    )
    locked = {canonicalize_name(name): (version, rest) for name, version, rest in LOCKED.findall(text)}
    assert [name for name, (_, rest) in locked.items() if not HASH.search(rest)] == []
    lines = (line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("-")]
    assert len(wanted) > 20
    for one in wanted:
        version = locked.get(canonicalize_name(one.name), ("none", ""))[0]
        assert one.specifier.contains(version), f"{one.name} {one.specifier} is locked as {version}"
