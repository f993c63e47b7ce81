"""The register: estimates added, outcomes entered, the whole exported and verified."""

import datetime
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.audit import Database, summarise_chain, tell_chain
from core.cli.console import DEMO_BUNDLE, AsJson, app, outside_models, print_result, say, writing
from core.cli.table_options import keep_refused, say_reading, say_refused, with_table_options, write_refused
from core.errors import InputError, TableError, UsageError
from core.private_files import write_private_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.cohort import Choices
    from core.register.outcome_import import JudgedRow
    from core.register.store import Store

register_app = typer.Typer(
    help="Keep estimates and what pathology found, and compare them later.", no_args_is_help=True
)
app.add_typer(register_app, name="register")
Initials = Annotated[str, typer.Option("--author", help="Initials of who enters.")]
AT_ONCE = 10_000
MOST_NAMED = 10
SIMULATED = "{n} patients were examined on a simulated device: they are kept as simulated ones."


@register_app.command()
@with_table_options
def add(  # noqa: PLR0913 - options of a command
    table: Annotated[Path, typer.Argument(help="Prediction table, as `score` writes it.")],
    author: Initials,
    bundle: Annotated[
        Path | None, typer.Option(help="Folder of the bundle that gave the predictions; the shipped one by default.")
    ] = None,
    *,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The patients are made up; those of a simulated device are anyway.")
    ] = False,
    are_pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="What looks like a name, birth date or record number is not one.")
    ] = False,
    database: Database = "",
    as_json: AsJson = False,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Add the estimates of a prediction table; what is there already is left out."""
    from core.cohort import read_predictions  # noqa: PLC0415
    from core.cohort.frozen_rule import SUFFIX, FrozenRule  # noqa: PLC0415
    from core.inference.engines.choice import describe_choice  # noqa: PLC0415
    from core.inference.trust import load_bundle  # noqa: PLC0415
    from core.register.estimate.table import read_estimates  # noqa: PLC0415
    from core.register.withdrawal import count_withdrawn  # noqa: PLC0415

    frozen = FrozenRule.find(table)
    if frozen is None and bundle is None:
        raise UsageError(
            f"{table.name}{SUFFIX}, which `score` leaves beside the table, is not there: name the bundle that gave the "
            "predictions by --bundle."
        )
    model = load_bundle(bundle or DEMO_BUNDLE)
    if frozen is not None and frozen.bundle_sha256 != model.sha256:
        raise UsageError("The table was scored by another bundle; name that one by --bundle.")
    with keep_refused(refused):
        read = read_predictions(table, choices, cutoff=model.cutoff, outcome_needed=False)
    say_reading(read.reading)
    if not are_pseudonyms:
        _question(read.table["patient_id"])
    found = read_estimates(read.table, model, engine=describe_choice(), simulated=simulated)
    estimates, left_out = found.estimates, (*read.refused, *found.number(read.rows))
    if not estimates:
        raise TableError("No row of the table can be kept: correct it, and add it again.", left_out)
    kept = 0
    with closing(_open(database)) as store:
        for start in range(0, len(estimates), AT_ONCE):
            kept += len(store.append_all([one.to_entry(author) for one in estimates[start : start + AT_ONCE]]))
        withdrawn = count_withdrawn(store, [one.identity for one in estimates])
    say_refused(left_out, refused)
    if found.simulated:
        say(SIMULATED.format(n=found.simulated))
    if withdrawn:
        say(f"{withdrawn} of those there already are withdrawn and do not count; `withdraw --undo` puts one back.")
    data = {"added": kept, "there_already": len(estimates) - kept, "refused": len(left_out), "withdrawn": withdrawn}
    print_result(data, as_json, lambda d: "{added} added, {there_already} there already".format(**d))


@register_app.command()
@with_table_options
def outcomes(  # noqa: PLR0913 - options of a command
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV, Excel, ODS or Parquet: patient_id, ki67_pct, pn, rfs_months, ...; or a FHIR R4 Bundle (JSON)."
        ),
    ],
    author: Initials,
    correct: Annotated[str, typer.Option(help="Reason to enter contradicting rows as corrections.")] = "",
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would be entered, and enter nothing.")] = False,
    surgical: Annotated[
        bool, typer.Option("--surgical", help="Ki-67 of which a Bundle names no specimen are from surgical ones.")
    ] = False,
    says_nothing: Annotated[bool, typer.Option("--says-nothing", help="The reason tells no patient.")] = False,
    database: Database = "",
    as_json: AsJson = False,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Enter what pathology and follow-up found; nothing is overwritten."""
    from core.register.outcome_entry import Author  # noqa: PLC0415
    from core.register.outcome_import import enter_rows, tabulate_rows  # noqa: PLC0415

    _question_text(correct, says_nothing=says_nothing)
    with keep_refused(refused):
        judge = _read_outcomes(table, choices, surgical=surgical)
    with closing(_open(database)) as store:
        judged = judge(store)
        kept = [] if preview else enter_rows(store, judged, Author(author), reason=correct)
    rows = tabulate_rows(judged)
    left = rows[rows["Status"].isin(["contradicting", "unmatched", "not used"])]
    for row in left.itertuples(index=False):
        say(f"row {row[0]}: {row[2]}: {row[3]}")
    if refused is not None:
        write_refused([(int(row[0]), f"{row[2]}: {row[3]}") for row in left.itertuples(index=False)], refused)
    counts = {str(status): int(n) for status, n in rows["Status"].value_counts().items()}
    data = {"rows": counts, "entries": len(kept)}
    print_result(data, as_json, _summarise_rows)


@register_app.command("export")
def export_register(
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="CSV file: one row per estimate, with what is known by now.", callback=outside_models
        ),
    ],
    bundle: Annotated[Path, typer.Option(help="Folder of a bundle, of whose estimates FHIR says more.")] = DEMO_BUNDLE,
    *,
    fhir: Annotated[
        bool, typer.Option("--fhir", help="A FHIR R4 Bundle (JSON) instead: RiskAssessment and Provenance of each.")
    ] = False,
    database: Database = "",
) -> None:
    """Write the register as a table, or its estimates as FHIR."""
    with closing(_open(database)) as store:
        count, parts = _render_fhir(store, bundle) if fhir else _render_table(store)
        with writing("--out"):
            write_private_parts(out, parts)
    say(f"{count} estimates: {out}")


@register_app.command()
def verify(database: Database = "", as_json: AsJson = False) -> None:
    """Verify the chain that holds decisions, estimates and outcomes; count the register's entries."""
    from core.register.listing import count_entries  # noqa: PLC0415

    with closing(_open(database)) as store:
        report, counts = store.verify_chain(), count_entries(store)
    tell_chain(report, as_json, _summarise_register, **counts)


@register_app.command()
def withdraw(
    number: Annotated[int, typer.Argument(help="Number of the estimate's entry.")],
    author: Initials,
    reason: Annotated[str, typer.Option(help="One of the reasons that a wrong one lists.")] = "",
    text: Annotated[str, typer.Option(help="Details, without anything that identifies the patient.")] = "",
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Put a withdrawn estimate back.")] = False,
    says_nothing: Annotated[bool, typer.Option("--says-nothing", help="The text identifies no patient.")] = False,
    database: Database = "",
) -> None:
    """Withdraw an estimate by a further entry, or undo that; nothing is deleted."""
    from core.register.outcome_entry import Author  # noqa: PLC0415
    from core.register.withdrawal import reinstate  # noqa: PLC0415
    from core.register.withdrawal import withdraw as write_withdrawal  # noqa: PLC0415

    _question_text(text, says_nothing=says_nothing)
    with closing(_open(database)) as store:
        if undo:
            record = reinstate(store, number, Author(author), text=text)
        else:
            record = write_withdrawal(store, number, Author(author), reason=reason, text=text)
    say(f"entry {record.number} {'puts back' if undo else 'withdraws'} entry {number}")


def _summarise_rows(data: dict[str, Any]) -> str:
    counts = ", ".join(f"{n} {status}" for status, n in data["rows"].items()) or "no row"
    return f"{counts}; {data['entries']} entries written"


def _summarise_register(data: dict[str, object]) -> str:
    withdrawn = f" ({data['withdrawn']} withdrawn)" if data["withdrawn"] else ""
    counts = f"{data['estimates']} estimates{withdrawn}, {data['outcomes']} outcomes, {data['follow_ups']} follow-ups"
    return f"{counts} among {summarise_chain(data)}"


def _open(database: str) -> "Store":
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415

    return Store(database or find_database())


def _render_table(store: "Store") -> tuple[int, "Iterable[bytes]"]:
    from core.register.patients import tabulate_register  # noqa: PLC0415
    from core.spreadsheet import render_csv  # noqa: PLC0415

    table = tabulate_register(store)
    return len(table), [render_csv(table)]


def _render_fhir(store: "Store", folder: Path) -> tuple[int, "Iterable[bytes]"]:
    """Write the estimates that hold; no Bundle is made of a record that does not."""
    from core.fhir.risk_assessment import Assessed, Model, write_assessments  # noqa: PLC0415
    from core.inference.trust import load_bundle  # noqa: PLC0415
    from core.register.listing import Filter, count_estimates  # noqa: PLC0415
    from core.register.patients import check_record, read_estimates  # noqa: PLC0415

    check_record(store)
    bundle = load_bundle(folder)
    model = Model(
        bundle.name, bundle.sha256, bundle.cutoff.words, is_simulated=bundle.is_simulated, is_few=bundle.is_few
    )
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    parts = write_assessments(map(Assessed.of_record, read_estimates(store)), [model], created_utc=now)
    return count_estimates(store, Filter()), (part.encode() for part in parts)


def _read_outcomes(path: Path, choices: "Choices", *, surgical: bool) -> "Callable[[Store], list[JudgedRow]]":
    """Read a table or a Bundle, and give how its rows are judged beside a register."""
    from core.cohort.outcomes import read_outcomes  # noqa: PLC0415
    from core.fhir.read import is_fhir, judge_bundle, read_bundle  # noqa: PLC0415
    from core.register.outcome_import import judge_rows  # noqa: PLC0415
    from core.tabular import read_bytes  # noqa: PLC0415

    content = read_bytes(path)
    if is_fhir(content):
        found = read_bundle(content)
        for note in found.notes:
            say(note)
        return lambda store: judge_bundle(store, found, unsaid_is_surgery=surgical)
    read = read_outcomes(content, choices)
    say_reading(read.reading)
    return lambda store: judge_rows(store, read.rows, read.reading.refused)


def _question_text(text: str, *, says_nothing: bool) -> None:
    """Refuse a free text that seems to tell who the patient is, for the chain keeps it for good."""
    from core.register.pseudonyms import question_text  # noqa: PLC0415

    if (question := question_text(text)) and not says_nothing:
        raise InputError(f"{question} (--says-nothing)")


def _question(patients: Any) -> None:
    """Refuse what looks like a name, a birth date or a record number, by its row alone."""
    from core.register.pseudonyms import question_pseudonym  # noqa: PLC0415

    asked = [(i, question) for i, name in enumerate(patients, start=1) if (question := question_pseudonym(str(name)))]
    if asked:
        named = "; ".join(f"patient {i}: {question.partition('.')[0]}" for i, question in asked[:MOST_NAMED])
        raise InputError(
            f"{len(asked)} pseudonyms look like what they stand for ({named}). Replace them, or say --pseudonyms."
        )
