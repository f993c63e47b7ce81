"""Where a training writes: nothing that it does, and no end that it comes to, harms the bundle that lay there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import UsageError, WorkError
from core.training.bundle.folder import open_training_folder
from models.bundle import MANIFEST


@pytest.fixture
def old(tmp_path: Path) -> Path:
    out = tmp_path / "ours"
    out.mkdir()
    (out / MANIFEST).write_text("old")
    (out / "stale.json").write_text("old")
    return out


def test_a_new_bundle_takes_the_place_of_the_old_one_whole(old: Path) -> None:
    with open_training_folder(old, replace=True) as place:
        (place.new / MANIFEST).write_text("new")
        assert (old / MANIFEST).read_text() == "old"
    assert {p.name: p.read_text() for p in old.iterdir()} == {MANIFEST: "new"}
    assert [p.name for p in old.parent.iterdir()] == ["ours"]


def test_a_failed_training_leaves_the_old_one_and_what_it_computed(old: Path) -> None:
    def fail() -> None:
        with open_training_folder(old, replace=True) as place:
            (place.cache / "a.npy").write_text("kept")
            (place.new / MANIFEST).write_text("half")
            raise WorkError("One class.")

    with pytest.raises(WorkError, match="One class"):
        fail()
    assert (old / MANIFEST).read_text() == "old"
    with open_training_folder(old, replace=True) as place:
        assert (place.cache / "a.npy").exists()
        assert list(place.new.iterdir()) == []


def test_a_training_that_fails_before_its_first_image_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with open_training_folder(tmp_path / "ours", replace=False):
            raise WorkError("No row.")

    with pytest.raises(WorkError, match="No row"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_refused_before_anything_is_computed(old: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.docx").write_text("x")
    for out, words in ((old, "--replace"), (tmp_path / "file", "is a file"), (tmp_path / "folder", "not a bundle")):
        with pytest.raises(UsageError, match=words), open_training_folder(out, replace=False):
            pytest.fail("it was opened")


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "ours"
    with open_training_folder(out, replace=False) as place:
        (place.new / MANIFEST).write_text("new")
        with pytest.raises(WorkError, match="Another training"), open_training_folder(out, replace=False):
            pytest.fail("it was opened")
    assert (out / MANIFEST).read_text() == "new"


def test_a_full_disk_is_a_sentence(old: Path) -> None:
    with pytest.raises(WorkError, match="No space left on device"), open_training_folder(old, replace=True):
        raise OSError(28, os.strerror(28))
    assert (old / MANIFEST).read_text() == "old"


def test_an_array_that_was_cut_short_is_a_full_disk(old: Path) -> None:
    with pytest.raises(WorkError, match="No space left on device"), open_training_folder(old, replace=True):
        raise OSError("16 requested and 4 written")  # as numpy says it


WRITER = """
import sys
from pathlib import Path
from core.training.bundle.folder import open_training_folder
out = Path(sys.argv[1])
for n in range(10_000):
    with open_training_folder(out, replace=True) as place:
        (place.new / "manifest.json").write_text(str(n))
        (place.new / "same").write_text(str(n))
    print(n, flush=True)
"""


@pytest.mark.parametrize("wait", [0.0, 0.003, 0.01, 0.03])
def test_a_kill_at_any_moment_leaves_a_whole_bundle(old: Path, wait: float) -> None:
    (old / "same").write_text("old")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(old)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
    assert (old / MANIFEST).read_text() == (old / "same").read_text() != "old"
