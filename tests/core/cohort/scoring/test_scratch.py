"""Folders of uploads: private, and swept after a process that was killed, but not after one that lives."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.cohort.scoring.scratch import ScratchFolder, sweep_scratch

HOLD = """
from core.cohort.scoring.scratch import ScratchFolder
folder = ScratchFolder()
(folder.path / "image.png").write_bytes(b"x")
print(folder.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_private_and_goes_with_its_owner() -> None:
    folder = ScratchFolder()
    path = folder.path
    assert path.stat().st_mode & 0o777 == 0o700
    del folder
    assert not path.exists()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(temporary: Path) -> None:
    own, strange = ScratchFolder(), temporary / "sonoki-of-somebody"
    strange.mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().decode().strip())
        assert sweep_scratch() == 0
        assert (left / "image.png").exists()
        process.kill()
        process.wait()
        assert left.exists()
        assert sweep_scratch() == 1
    assert not left.exists()
    assert own.path.exists()
    assert strange.exists()


def test_a_link_is_left_alone(temporary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    target = tmp_path_factory.mktemp("elsewhere")
    (target / ".lock").write_bytes(b"")
    (temporary / "sonoki-link").symlink_to(target)
    assert sweep_scratch() == 0
    assert target.exists()
