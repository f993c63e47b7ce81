"""A paper of the shipped bundle, and the files of a small one; each made once."""

from pathlib import Path

import pytest

from core.paper.content import Paper
from core.paper.files import make_files
from core.paper.paper import write_paper
from core.paper.study import Study, read_study

SHIPPED = Path(__file__).parents[3] / "models" / "ki67-demo"


@pytest.fixture(scope="package")
def study() -> Study:
    return read_study(SHIPPED)


@pytest.fixture(scope="package")
def paper(study: Study) -> Paper:
    return write_paper(study)


@pytest.fixture(scope="package")
def small(bundle_dir: Path) -> Paper:
    return write_paper(read_study(bundle_dir))


@pytest.fixture(scope="package")
def files(small: Paper) -> dict[str, bytes]:
    return make_files(small)
