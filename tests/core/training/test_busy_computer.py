"""A computer that is too busy or short of memory refuses no row: that would make another model of the same data."""

import errno
import os
from pathlib import Path

import pandas as pd
import pytest

from core.cohort.manifest import read_manifest
from core.cohort.splits import SplitRule
from core.errors import BusyError
from core.imaging.decoding.decoder import Decoder
from core.inference.applicability import Gate
from core.inference.engines.torch import TorchEngine
from core.training.backbone.folder import BACKBONE
from core.training.features import Features, extract_features, extract_views
from models.bundle import WEIGHTS
from models.cutoff import DEFAULT_CUTOFF
from models.input_rule import InputRule
from tests.core.training.small_cohort import write_small_cohort
from tests.core.training.small_training import complete_backbone

ASK = Decoder.ask


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = write_small_cohort(tmp_path_factory.mktemp("busy") / "patients", 8)
    return read_manifest(path, SplitRule((), DEFAULT_CUTOFF, 1)).images[:4]


def read(images: pd.DataFrame, bundle_dir: Path, folder: Path) -> Features:
    backbone = complete_backbone(bundle_dir)
    card = BACKBONE.read(backbone)[0]
    engine = TorchEngine(backbone / WEIGHTS, InputRule.from_json(card["input"]), precision="fp32")
    gate = Gate.from_json(card["gate"])
    kept = frozenset(images["row"])
    found = extract_features(images, engine, folder, lambda done, total: None, gate=gate, kept=kept)
    extract_views(found.list_used(images), engine, folder, lambda done, total: None, seed=1)
    return found


def keep_busy(monkeypatch: pytest.MonkeyPatch, calls: set[int]) -> None:
    """Let a decoder be too busy at some of its calls."""
    asked: list[int] = []

    def ask(decoder: Decoder, request: dict, data: bytes) -> tuple[dict, bytes]:
        asked.append(1)
        if len(asked) in calls:
            raise BusyError("The server is busy with others.")
        return ASK(decoder, request, data)

    monkeypatch.setattr(Decoder, "ask", ask)


def test_an_image_that_could_not_be_read_in_time_is_read_again(images, bundle_dir, tmp_path, monkeypatch) -> None:
    keep_busy(monkeypatch, {2, 3, 7})
    found = read(images, bundle_dir, tmp_path)
    assert not found.refused
    assert found.is_read.all()


def test_a_computer_that_stays_busy_ends_the_training(images, bundle_dir, tmp_path, monkeypatch) -> None:
    keep_busy(monkeypatch, set(range(3, 99)))
    with pytest.raises(BusyError, match="busy with others"):
        read(images, bundle_dir, tmp_path)


def test_a_shortage_of_memory_or_open_files_ends_it_too(images, bundle_dir, tmp_path, monkeypatch) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    monkeypatch.setattr("core.training.features.decode_row", lambda row, **_: fail(row["path"]))
    with pytest.raises(OSError, match="Too many open files"):
        read(images, bundle_dir, tmp_path)
