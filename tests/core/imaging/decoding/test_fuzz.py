"""A few hundred mutated files; `python -m tests.core.imaging.decoding.fuzz` runs ten thousand."""

from core.imaging import read_frame
from tests.core.imaging.decoding.fuzz import make_seeds, run_fuzz


def test_every_mutated_file_ends_in_a_frame_or_a_sentence():
    result = run_fuzz(300, seed=20)
    outcomes = result["outcomes"]
    assert sum(outcomes.values()) == 300
    assert 20 < outcomes["frame"] < 280
    assert all(sentence == "frame" or sentence.endswith(".") for sentence in outcomes)


def test_the_unchanged_seeds_are_read():
    for name, data in make_seeds().items():
        assert read_frame(data, item=0 if name == "ZIP" else None).pixels.size > 100, name
