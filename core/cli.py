"""The command line: `python -m core VERB`. Data go to stdout, messages to stderr.

Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 3 the input was refused.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from tqdm import tqdm

from core.errors import AppError, InputError, TableError, UsageError

if TYPE_CHECKING:
    from core.cohort import PredictionTable

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
DEMO_BUNDLE = Path(__file__).parent.parent / "models" / "ki67-demo"
BACKBONE = DEMO_BUNDLE.parent / "backbone"
SEED = 20260507

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def main() -> None:
    """Run the command line and turn errors into one sentence and an exit code."""
    try:
        app()
    except AppError as error:
        _say(str(error))
        for number, reason in error.rows if isinstance(error, TableError) else ():
            _say(f"  row {number}: {reason}")
        sys.exit(error.exit_code)


@app.command()
def simulate(
    out: Out,
    n: Annotated[int, typer.Option(help="Number of patients.", min=4)] = 660,
    seed: Seed = SEED,
    dicom: Annotated[bool, typer.Option(help="Write ultrasound DICOM beside the PNG frames.")] = False,
    processes: Annotated[int, typer.Option(help="Processes; the bytes don't depend on it.", min=1)] = 1,
    compare: Annotated[Path | None, typer.Option(help="BUS-BRA's folder: say how alike the frames are.")] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort: table, frames, boxes, masks. No patient is real."""
    from core.simulation import write_cohort  # noqa: PLC0415

    with _progress("frames") as progress:
        table = write_cohort(out, n, seed, dicom=dicom, processes=processes, progress=progress)
    _say(f"{n} simulated patients: {table}")
    if compare is not None:
        _print(_compare_realism(table, compare), as_json, _summarise_realism)


@app.command()
def pretrain(
    busbra: Annotated[Path, typer.Argument(help="BUS-BRA's folder.")],
    out: Out,
    work: Annotated[Path, typer.Option(help="Folder of the checkpoints.")] = Path("runs/pretrain"),
    fold: Annotated[list[int] | None, typer.Option(help="Fold to hold out and measure on; may be repeated.")] = None,
    init: Annotated[str, typer.Option(help="scratch, or imagenet (fetched by torchvision).")] = "scratch",
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train the backbone on BUS-BRA; a stopped run goes on. With several GPUs: torchrun -m core pretrain ..."""
    if init not in {"scratch", "imagenet"}:
        raise UsageError(f"--init is scratch or imagenet, not '{init}'.")
    from core.training.build_backbone import BackbonePlan, build_backbone  # noqa: PLC0415
    from core.training.pretrain import Recipe  # noqa: PLC0415

    plan = BackbonePlan(tuple(fold or ()), Recipe(seed=seed, imagenet=init == "imagenet"))
    with _progress("steps") as progress:
        summary = build_backbone(busbra, out, work, plan, progress=progress)
    _print(summary, as_json, _summarise_backbone)


@app.command()
def train(  # noqa: PLR0913, PLR0917 - options of a command
    manifest: Annotated[Path, typer.Argument(help="CSV, one row an image.")],
    out: Out,
    backbone: Annotated[Path, typer.Option(help="Folder of the backbone.")] = BACKBONE,
    name: Annotated[str, typer.Option(help="Name of the bundle; the folder's by default.")] = "",
    description: Annotated[str, typer.Option(help="The training data in a sentence.")] = "Own data.",
    simulated: Annotated[bool, typer.Option(help="The patients are simulated.")] = False,
    cutoff: Annotated[float, typer.Option(help="Ki-67 cut-off in per cent.", min=0, max=100)] = 20.0,
    rule: Annotated[str, typer.Option(help="High is >= or > the cut-off.")] = ">=",
    external: Annotated[list[str] | None, typer.Option(help="Centre held out, if the manifest has no split.")] = None,
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train a Ki-67 bundle on a manifest."""
    if rule not in {">=", ">"}:
        raise UsageError(f"--rule is '>=' or '>', not '{rule}'.")
    from core.training.train import TrainingPlan, train_bundle  # noqa: PLC0415

    plan = TrainingPlan(
        name=name or out.resolve().name,
        description=description,
        simulated=simulated,
        cutoff=cutoff,
        inclusive=rule == ">=",
        external=tuple(external or ()),
        seed=seed,
    )
    with _progress("images") as progress:
        summary = train_bundle(manifest, backbone, out, plan, progress=progress)
    for number, reason in summary["refused"]:
        _say(f"row {number}: {reason}")
    for note in summary["notes"]:
        _say(note)
    _print(summary, as_json, _summarise_training)


@app.command()
def predict(  # noqa: PLR0913, PLR0917 - options of a command
    image: Annotated[Path, typer.Argument(help="DICOM, PNG, JPEG, BMP or TIFF.")],
    clinical: Annotated[Path | None, typer.Option(help="JSON file: field to value.")] = None,
    roi: Annotated[str, typer.Option(help="Lesion box X0,Y0,X1,Y1 in pixels of the image.")] = "",
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    frame: Annotated[int | None, typer.Option(help="Frame of a loop, from 0.")] = None,
    region: Annotated[int | None, typer.Option(help="B-mode region, from 0, where the file has several.")] = None,
    device: Annotated[str | None, typer.Option(help="cuda or cpu.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16.")] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate the probability of high Ki-67 for one image, and explain it."""
    from core.imaging import Roi, default_roi, read_frame  # noqa: PLC0415

    data = _read_bytes(image)
    known = _read_clinical(clinical)
    source = Roi(*_parse_roi(roi)) if roi else None
    read = read_frame(data, index=frame, region=region)
    from core.inference.predictor import Case, Predictor  # noqa: PLC0415
    from core.inference.render import render_prediction  # noqa: PLC0415

    predictor = Predictor.load(bundle, device=device, precision=precision)
    box = default_roi(read) if source is None else read.to_frame(source)
    for note in (*read.notes, *(() if roi else ("No --roi was given: a default box was taken.",))):
        _say(note)
    prediction = predictor.predict(Case(read, box, known))
    if prediction.applicability.status == "refused":
        raise InputError("No estimate: " + " ".join(prediction.applicability.reasons))
    _print(render_prediction(prediction, predictor.bundle), as_json, _summarise_prediction)


@app.command()
def deidentify(
    image: Annotated[Path, typer.Argument(help="Ultrasound DICOM file.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
) -> None:
    """Write a DICOM copy that names nobody: header cleaned, pixels outside the B-mode area black."""
    from core.imaging import deidentify as write_copy  # noqa: PLC0415

    if out.exists():
        raise UsageError("The file of --out is there already; give another name.")
    out.write_bytes(write_copy(_read_bytes(image)))
    _say("Written. Words burned into the B-mode area itself stay: look at the image before it is passed on.")


@app.command()
def evaluate(
    predictions: Annotated[Path, typer.Argument(help="CSV or XLSX, one row a patient.")],
    by: Annotated[str | None, typer.Option(help="Column of subgroups, for example centre.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report (HTML) and the figures (JSON).")] = None,
    simulated: Annotated[bool, typer.Option(help="The patients are simulated: the report says so.")] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a prediction table by split."""
    from core.cohort import read_predictions  # noqa: PLC0415
    from core.evaluation import evaluate_cohort  # noqa: PLC0415

    read = read_predictions(predictions)
    for number, reason in read.refused:
        _say(f"row {number}: {reason}")
    for note in read.notes:
        _say(note)
    results = evaluate_cohort(read.table, by=by)
    if out is not None:
        _write_report(out, read, results, simulated=simulated)
    _print(results, as_json, _summarise_evaluation)


@app.command()
def benchmark(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    rounds: Annotated[int, typer.Option(help="Runs of each part.", min=1)] = 15,
    as_json: AsJson = False,
) -> None:
    """Time prediction and evaluation on this machine: medians, interleaved in one run."""
    from core.benchmark import run_benchmark  # noqa: PLC0415

    timings = {timing.name: timing.milliseconds for timing in run_benchmark(bundle, rounds=rounds)}
    _print({"milliseconds": timings, "rounds": rounds}, as_json, _summarise_benchmark)


def _write_report(out: Path, read: "PredictionTable", results: dict[str, Any], *, simulated: bool) -> None:
    from core import __version__  # noqa: PLC0415
    from core.evaluation.cohort_results import settle_threshold  # noqa: PLC0415
    from core.figures.report import render_report  # noqa: PLC0415

    report = render_report(
        read,
        settle_threshold(read.table),
        title="the cohort",
        simulated=simulated,
        origin={"SonoKi": __version__},
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.html").write_bytes(report)
    (out / "evaluation.json").write_text(json.dumps(results, allow_nan=False) + "\n", encoding="utf-8")
    _say(f"Report: {out / 'report.html'}")


def _compare_realism(table: Path, busbra: Path) -> dict[str, Any]:
    from core.simulation.compare import compare_realism, read_busbra_lesions, read_simulated_lesions  # noqa: PLC0415

    result = compare_realism(read_simulated_lesions(table), read_busbra_lesions(busbra))
    return {
        "n_simulated": result.n_simulated,
        "n_real": result.n_real,
        "distances": result.table.reset_index().to_dict("records"),
    }


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise InputError("The image is a folder; give one file.") from None
    except FileNotFoundError:
        raise InputError("The image file is not there; check the path.") from None


def _read_clinical(path: Path | None) -> dict[str, Any]:
    from core.clinical import parse_inputs  # noqa: PLC0415

    if path is None:
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("The file of clinical values is not there; check the path.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(
            'The clinical values are no readable JSON; write for example {"age": 54, "size_mm": 21}.'
        ) from None
    if not isinstance(raw, dict):
        raise InputError("The clinical values must be one JSON object, field to value.")
    return parse_inputs(raw)


def _parse_roi(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--roi takes X0,Y0,X1,Y1 in pixels of the image, not '{text[:40]}'.") from None
    return (x0, y0, x1, y1)


def _print(data: dict[str, Any], as_json: bool, summarise: Callable[[dict[str, Any]], str]) -> None:
    typer.echo(json.dumps(data, allow_nan=False) if as_json else summarise(data))


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _summarise_prediction(data: dict[str, Any]) -> str:
    low, high = data["interval"]
    lines = [
        f"Probability of high Ki-67: {data['probability']:.1%} (95 % interval {low:.1%} to {high:.1%})",
        data["intended_use"],
        *data["applicability"]["reasons"],
    ]
    return "\n".join([*lines, *(f"{name:>16} {value:+.3f}" for name, value in data["contributions"].items())])


def _summarise_benchmark(data: dict[str, Any]) -> str:
    rows = (f"| {name} | {value:.1f} |" for name, value in data["milliseconds"].items())
    return "\n".join([f"| what | ms, median of {data['rounds']} |", "| --- | --- |", *rows])


def _summarise_realism(data: dict[str, Any]) -> str:
    rows = ("  ".join(f"{name} {value}" for name, value in row.items()) for row in data["distances"])
    return "\n".join([f"{data['n_simulated']} simulated against {data['n_real']} real images", *rows])


def _summarise_backbone(data: dict[str, Any]) -> str:
    lines = [
        f"fold {fold['fold']}, {name}: n = {f['n']} patients, {_describe_auc({'discrimination': f})}"
        for fold in data["figures"]
        for name, f in fold["patients"].items()
    ]
    return "\n".join([f"Backbone: {data['backbone']}", *lines])


def _summarise_training(data: dict[str, Any]) -> str:
    return f"Bundle: {data['bundle']}\n" + _summarise_evaluation(data["metrics"])


def _summarise_evaluation(data: dict[str, Any]) -> str:
    return "\n".join(
        f"{name}: n = {part['n']}, {part['events']} events, {_describe_auc(part)}" for name, part in data.items()
    )


def _describe_auc(part: dict[str, Any]) -> str:
    figures = part["discrimination"]
    if figures["auc"] is None:
        return "AUC not estimable"
    return f"AUC {figures['auc']:.3f} (95 % CI {figures['auc_ci'][0]:.3f}-{figures['auc_ci'][1]:.3f})"


class _progress:  # noqa: N801 - used as a function
    """A progress bar on stderr that takes (done, total)."""

    def __init__(self, unit: str) -> None:
        self._bar = tqdm(unit=unit, file=sys.stderr)

    def __enter__(self) -> Callable[[int, int], None]:
        return self._update

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _update(self, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
