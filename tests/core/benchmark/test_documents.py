from pathlib import Path

from core.benchmark.documents import list_document_parts
from core.benchmark.timing import time_parts


def test_the_documents_are_timed(bundle_dir: Path) -> None:
    timings = {timing.name: timing.milliseconds for timing in time_parts(list_document_parts(bundle_dir), 1)}
    assert min(timings.values()) > 0
    assert {"document of a patient, PDF", "document of a meeting, 20 patients, PDF"} <= set(timings)
