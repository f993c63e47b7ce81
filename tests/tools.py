"""The foreign tools and servers that some tests need: a test names them, and is skipped by name where they are missing.

`@pytest.mark.needs("dcmtk")` names one. The variable SONOKI_TOOLS is "required" where a missing tool fails its tests,
and "none" where the tests run as if no tool were there.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

POSTGRES = map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *POSTGRES])
ORTHANC_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass(frozen=True)
class Tool:
    """A tool: its name, Debian's packages, the programs and files that they bring."""

    name: str
    packages: str
    programs: tuple[str, ...]
    files: tuple[Path, ...] = ()


TOOLS = {
    "chromium": Tool("Chromium", "chromium", ("chromium",)),
    "dcmtk": Tool("DCMTK", "dcmtk", ("dcmj2pnm", "dcml2pnm", "dcmcjpeg", "dcmcjpls", "dcmcrle", "dcmp2pgm", "dsrdump")),
    "dciodvfy": Tool("dciodvfy", "dicom3tools", ("dciodvfy",)),
    "gdcm": Tool("GDCM", "libgdcm-tools", ("gdcmconv",)),
    "orthanc": Tool("Orthanc", "orthanc orthanc-dicomweb", ("Orthanc",), (ORTHANC_PLUGIN,)),
    "postgresql": Tool("PostgreSQL", "postgresql", ("initdb", "pg_ctl")),
}


def get_mode() -> str:
    return os.environ.get("SONOKI_TOOLS", "found")


def find_program(program: str) -> str | None:
    return None if get_mode() == "none" else shutil.which(program, path=PLACES)


def is_installed(name: str) -> bool:
    tool = TOOLS[name]
    return all(find_program(program) for program in tool.programs) and all(path.exists() for path in tool.files)


def describe_missing(name: str) -> str:
    return f"{TOOLS[name].name} is not installed"


def summarise_skips(reasons: list[str]) -> str:
    """Give the closing line: what was skipped for want of which tools, and the command that installs them."""
    counts = {name: sum(describe_missing(name) in reason for reason in reasons) for name in TOOLS}
    missing = {name: n for name, n in counts.items() if n}
    if not missing:
        return ""
    named = ", ".join(f"{TOOLS[name].name} ({n})" for name, n in missing.items())
    packages = " ".join(TOOLS[name].packages for name in missing)
    return f"Skipped for want of {named}. To run them: apt-get install --no-install-recommends {packages}"
