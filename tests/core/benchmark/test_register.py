"""The register that the benchmark makes is one that the lists read."""

import re

import pytest

from core.benchmark import register
from core.register.listing import Filter, count_entries, count_estimates, read_overview, sum_estimates
from core.register.store import Store


@pytest.mark.parametrize("copies", [1, 3])
def test_the_register_is_as_large_as_it_says_and_every_part_runs(monkeypatch, tmp_path, copies):
    monkeypatch.setattr(register, "BASE", 200)
    monkeypatch.setattr(register, "COPIES", copies)
    url = f"sqlite:///{tmp_path / 'board.db'}"
    store = Store(url, tmp_path / "keys")
    register.fill_register(url)
    counts = count_entries(store)
    assert counts["estimates"] == 200 * copies
    assert 0.5 < counts["outcomes"] / counts["estimates"] < 0.7
    overview, sums = read_overview(store), sum_estimates(store)
    assert (overview.estimates, overview.known) == (sums["estimates"].sum(), sums["with_outcome"].sum())
    assert len(overview.bundles) == register.BUNDLES
    assert count_estimates(store, Filter(search="00042")) == copies
    for part in register.list_register_parts(store, "SQLite").values():
        part()
    store.close()


def test_it_is_timed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(register, "BASE", 50)
    monkeypatch.setattr(register, "COPIES", 2)
    timings = register.time_register(1)
    assert all(one.milliseconds > 0 and re.search("100 estimates, SQLite|of 50 estimates", one.name) for one in timings)
