"""`python -m core monitor`: a record, a summary, and clear refusals."""

import json

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import InputError, UsageError
from core.inference.trust import load_bundle
from core.register.store import Store
from tests.core.register.register_entries import add_estimates, enter


@pytest.fixture
def url(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return f"sqlite:///{tmp_path / 'board.db'}"


def call(*options: str) -> str:
    done = CliRunner().invoke(app, ["monitor", *options])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_the_record_holds_every_exhibit_and_no_pseudonym(url, bundle_dir):
    store = Store(url)
    add_estimates(store, [f"P-{i:03d}" for i in range(60)], bundle_sha256=load_bundle(bundle_dir).sha256)
    enter(store, "P-001", ki67_pct=35)
    store.close()
    out = call("--bundle", str(bundle_dir), "--database", url, "--json")
    record = json.loads(out)
    assert (record["patients"], record["with_outcome"], record["by"]) == (60, 1, "patients")
    named = {"alarms", "volumes", "image_score", "drift", "observed_over_expected", "cusum", "auc"}
    assert named <= record.keys()
    assert "P-0" not in out
    assert "ours: 60 patients, 60 estimates, 1 with an outcome" in call("--bundle", str(bundle_dir), "--database", url)


def test_no_estimate_of_the_bundle_is_a_refusal(url, bundle_dir):
    Store(url).close()
    with pytest.raises(InputError, match="holds no such estimate"):
        call("--bundle", str(bundle_dir), "--database", url)


def test_other_windows_are_a_wrong_call(url):
    with pytest.raises(UsageError, match="'patients' or 'month'"):
        call("--by", "week", "--database", url)
