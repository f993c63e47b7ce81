"""The process that reads one Bundle: the file on standard input, what was found or a refusal on standard output."""

import json
from dataclasses import asdict

from core.fhir.bundle import SENTENCES
from core.fhir.observation import find_outcomes
from core.tabular.apart import serve


def read_packed(content: bytes, _: object) -> bytes:
    """Read a Bundle and pack what was found."""
    return json.dumps(asdict(find_outcomes(content))).encode()


if __name__ == "__main__":
    serve(read_packed, SENTENCES)
