"""A site's images to its file, by the command line."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import AppError
from core.training.federation.site_file import LEAST, read_site
from tests.core.training.federation.test_federation import P, backbone  # noqa: F401
from tests.core.training.small_cohort import write_small_cohort


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    """Simulated patients, one of them without an image."""
    path = write_small_cohort(tmp_path_factory.mktemp("site") / "patients", 73)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[5, "image"] = "images/none.png"
    table.to_csv(path, index=False)
    return path


def test_images_become_sums_and_every_row_is_used_or_named(manifest, backbone, tmp_path):  # noqa: F811
    out = tmp_path / "north.json"
    arguments = ["--site", "North", "--out", str(out), "--backbone", str(backbone), "--simulated", "--json"]
    done = CliRunner().invoke(app, ["summarise-site", str(manifest), *arguments])
    assert done.exception is None, done.exception
    told = json.loads(done.stdout)
    assert told["n"] == 72
    assert "row 7" in done.stderr
    site = read_site(out)
    assert (site.site, site.n, site.is_simulated, len(site.sums.own)) == ("North", 72, True, P)
    assert site.coefs.shape == (2 + len(site.terms),)


def shrink(manifest: Path, path: Path, **changes: object) -> Path:
    """Write a manifest whose images are none, so that reading them would refuse every row."""
    path.with_name("none.png").write_text("no image")
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False).assign(image="none.png", **changes)
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("changes", "site", "message"),
    [
        ({"ki67_pct": ["60" if i < LEAST - 1 else "8.5" for i in range(73)]}, "North", "fewer than 10 patients of a"),
        ({"palpable": ["yes" if i < LEAST - 1 else "no" for i in range(73)]}, "North", "column palpable fewer than"),
        ({}, "North | South", "its site is empty, has more than"),
    ],
)
def test_what_can_not_be_exported_is_refused_before_an_image_is_read(
    manifest,
    backbone,  # noqa: F811
    tmp_path,
    changes,
    site,
    message,
):
    table = shrink(manifest, tmp_path / "manifest.csv", **changes)
    arguments = ["--site", site, "--out", str(tmp_path / "site.json"), "--backbone", str(backbone)]
    done = CliRunner().invoke(app, ["summarise-site", str(table), *arguments])
    assert isinstance(done.exception, AppError)
    assert message in str(done.exception)
    assert not (tmp_path / "site.json").exists()
