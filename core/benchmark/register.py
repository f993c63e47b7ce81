"""The register's lists with a million estimates, on SQLite or PostgreSQL, and Monitoring of fewer."""

import datetime
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, literal, select, text

from core.benchmark.timing import Part, Timing, time_parts
from core.monitoring.monitor import Scope, monitor
from core.monitoring.reading import RegisterReading
from core.monitoring.reference import Reference
from core.register.database import connect
from core.register.estimate.entry import Estimate
from core.register.listing import Filter, count_estimates, list_estimates, read_overview, sum_estimates
from core.register.models import ENTRIES, STANDING, Entry
from core.register.outcome_entry import NOTHING, Author, make_entry
from core.register.store import Store
from models.cutoff import Cutoff

SEED, BASE, COPIES, KNOWN, CENTRES, BUNDLES = 20260507, 10_000, 100, 0.6, 7, 3
FIRST_DAY = datetime.date(2020, 1, 1)


def time_register(rounds: int, database: str = "") -> list[Timing]:
    """Time the lists of a register of a million estimates, and Monitoring of ten thousand; medians.

    The database is an empty one of PostgreSQL or, without an address, a SQLite file that is deleted afterwards.
    """
    with TemporaryDirectory(prefix="sonoki-register-") as folder:
        url = database or f"sqlite:///{folder}/board.db"
        with (
            closing(Store(url, Path(folder) / "keys")) as store,
            closing(Store(f"sqlite:///{folder}/small.db", Path(folder) / "keys")) as small,
        ):
            fill_register(url)
            parts = list_register_parts(store, "PostgreSQL" if database else "SQLite")
            return time_parts(parts | list_monitoring_parts(small), rounds)


def list_register_parts(store: Store, name: str) -> dict[str, Part]:
    """List what the page asks of a register."""
    wanted = {
        "newest page": (Filter(), 0),
        "page 10,000": (Filter(), 9_999),
        "search": (Filter(search="0042"), 0),
        "search in vain": (Filter(search="nobody"), 0),
        "centre, bundle and dates": (Filter(centre="C3", bundle_sha256="1" * 64, since="2021-01-01"), 0),
        "outcome not known": (Filter(has_outcome=False), 0),
    }
    about = f"register of {BASE * COPIES:,} estimates, {name}: "
    parts: dict[str, Part] = {
        f"{about}{words}": partial(list_estimates, store, one, page=page) for words, (one, page) in wanted.items()
    }
    parts[f"{about}count of a search"] = lambda: count_estimates(store, Filter(search="0042"))
    parts[f"{about}count of outcome not known"] = lambda: count_estimates(store, Filter(has_outcome=False))
    parts[f"{about}what there is"] = lambda: read_overview(store)
    return parts | {f"{about}sums by centre and bundle": lambda: sum_estimates(store)}


def fill_register(url: str) -> None:
    """Fill a new database as many years would, past the chain: its hashes are not real."""
    engine = connect(url)
    with engine.execution_options(writes=True).begin() as connection:
        _open_table(connection)
        rows = _make_rows()
        connection.execute(insert(ENTRIES), rows)
        own = {"number", "patient", "identity"}
        others = [column for column in ENTRIES.columns if column.name not in own]
        for copy in range(1, COPIES):
            shifted = select(
                ENTRIES.c.number + literal(copy * len(rows)),
                ENTRIES.c.patient + literal(f"-{copy}"),
                ENTRIES.c.identity + literal(f"-{copy}"),
                *others,
            ).where(ENTRIES.c.number <= len(rows))
            names = ["number", "patient", "identity", *(column.name for column in others)]
            connection.execute(insert(ENTRIES).from_select(names, shifted))
        connection.execute(text(f"INSERT INTO estimates {STANDING}"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
    engine.dispose()


def _open_table(connection: Connection) -> None:
    """Take away what guards the chain."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE entries DISABLE TRIGGER USER"))
    else:
        for guard in ("refuse_insert", "advance_head", "keep_estimate_0", "keep_estimate_1"):
            connection.execute(text(f"DROP TRIGGER {guard}"))


def list_monitoring_parts(store: Store) -> dict[str, Part]:
    """List what Monitoring does with an empty register that is filled first, entry by entry in its chain."""
    store.append_all(_make_entries())
    read = RegisterReading(store)
    scope, reference = Scope("0" * 64, None, "patients"), Reference("0" * 64, Cutoff(20.0, ">="), (0.4, 0.5), None)
    today = pd.Timestamp(FIRST_DAY)
    about = f"Monitoring of {BASE:,} estimates, "
    return {
        f"{about}first reading": lambda: RegisterReading(store).read(),
        f"{about}figures of a third of them": lambda: monitor(read.read(), scope, reference, today=today),
    }


def _make_rows() -> list[dict[str, object]]:
    filler = {"time_utc": "2026-01-01T00:00:00.000000+00:00", "previous": "0" * 64, "hash": "0" * 64}
    filler |= {"key_id": "0" * 16, "seal": "0" * 64}
    return [
        vars(entry) | filler | {"number": number, "identity": entry.identity[:56]}
        for number, entry in enumerate(_make_entries(), start=1)
    ]


def _make_entries() -> list[Entry]:
    author, draws = Author("AB"), np.random.default_rng(SEED).random((BASE, 2)).tolist()
    entries: list[Entry] = []
    for i, (probability, chance) in enumerate(draws):
        bundle = i % BUNDLES
        estimate = Estimate(
            patient=f"P-{i:05d}",
            centre=f"C{i % CENTRES}",
            device="Maker Model 9 MHz",
            exam_date=(FIRST_DAY + datetime.timedelta(days=i % 2_000)).isoformat(),
            bundle=f"bundle {bundle}",
            bundle_sha256=str(bundle) * 64,
            engine="OpenVINO on the CPU, fp32",
            input_sha256=f"{i:064d}",
            views=({"box": [120.0, 80.0, 260.0, 190.0], "plane": None, "frames": 1},),
            clinical={"age": 40.0 + i % 40, "size_mm": 12.0, "birads": "4B", "palpable": "yes"},
            imputed=("adler", "menopausal"),
            probability=probability,
            low=0.1,
            high=0.9,
            threshold=0.45,
            image_score=0.3,
            gate="ok",
        )
        entries.append(estimate.to_entry("AB"))
        if chance < KNOWN:
            entries.append(make_entry(estimate.patient, "outcome", {"ki67_pct": float(i % 90)}, NOTHING, author))
    return entries
