"""What all verbs share: the application, common options, and how they print."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from tqdm import tqdm

from core.errors import InputError, UsageError, WorkError
from core.plain_text import printable
from models.cutoff import RULES, Cutoff
from models.sealed import is_sealed

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
MODELS = Path(__file__).parents[2] / "models"
DEMO_BUNDLE = MODELS / "ki67-demo"
SEED = 20260507


def outside_models(path: Path | None) -> Path | None:
    """Refuse a place to write to in the folder of a bundle or network, which one more file makes unusable."""
    return path and _refuse_models(path, (path.resolve(), *path.resolve().parents))


def beside_models(path: Path | None) -> Path | None:
    """Refuse a place within such a folder; the folder itself may be one to replace."""
    return path and _refuse_models(path, path.resolve().parents)


def _refuse_models(path: Path, folders: Iterable[Path]) -> Path:
    for folder in folders:
        if is_sealed(folder):
            raise UsageError(
                f"{path.name} would lie in the folder {folder.name} of a model, which holds nothing else: write "
                "elsewhere."
            )
    return path


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.", callback=outside_models)]
BundleOut = Annotated[Path, typer.Option("--out", help="Folder of the bundle.", callback=beside_models)]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
CutoffValue = Annotated[float, typer.Option("--cutoff", help="Ki-67 cut-off in per cent.", min=0, max=100)]
CutoffRule = Annotated[str, typer.Option("--rule", help="High is '>=' or '>' the cut-off.")]


def print_result(data: dict[str, Any], as_json: bool, summarise: Callable[[dict[str, Any]], str]) -> None:
    """Print JSON, or the summary of it, to stdout."""
    typer.echo(json.dumps(data, allow_nan=False) if as_json else printable(summarise(data)))


def say(message: str) -> None:
    """Print a message to stderr."""
    typer.echo(printable(message), err=True)


def take_cutoff(value: float, rule: str) -> Cutoff:
    """Make the Ki-67 cut-off of the options --cutoff and --rule."""
    if rule not in RULES:
        raise UsageError(f"--rule is '>=' or '>', not '{rule}'.")
    return Cutoff(value, rule)


def read_bytes(path: Path) -> bytes:
    """Read an image file, or say in a sentence why not."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise InputError("The image is a folder; give one file.") from None
    except FileNotFoundError:
        raise InputError("The image file is not there; check the path.") from None


def refuse_folder(option: str, path: Path | None) -> None:
    """Refuse a file to write that is a folder, before the work is done."""
    if path is not None and path.is_dir():
        raise UsageError(f"{option} is a folder; give the file to write.")


@contextmanager
def writing(option: str, kind: Literal["file", "folder"] = "file") -> Iterator[None]:
    """Say in a sentence that an option's file or folder can't be written."""
    try:
        yield
    except OSError:
        raise WorkError(f"The {kind} of {option} can't be written. Check its path and the disk.") from None


def summarise_evaluation(data: dict[str, Any]) -> str:
    """Give a line for each split, and one for each of its subgroups."""
    lines = []
    for name, part in data.items():
        lines.append(f"{name}: {_describe_part(part)}")
        by = part.get("by") or {}
        lines += [f"  {by['column']} {level}: {_describe_part(own)}" for level, own in by.get("levels", {}).items()]
    return "\n".join(lines)


def _describe_part(part: dict[str, object]) -> str:
    of = "" if part["n"] == part["patients"] else f" of {part['patients']} with a known outcome"
    events = f"{part['events']} {'event' if part['events'] == 1 else 'events'}"
    return f"n = {part['n']}{of}, {events}, {describe_auc(part)}"


def describe_auc(part: dict[str, Any]) -> str:
    """Give the AUC of one evaluation with its interval, or why there is none."""
    from core.evaluation.estimate import write_estimate  # noqa: PLC0415

    figures = part["discrimination"]
    return f"AUC {write_estimate(figures['auc'], figures['auc_ci'], figures.get('reason'))}"


class progress_bar:  # noqa: N801 - used as a function
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


class progress_bars:  # noqa: N801 - used as a function
    """Progress bars on stderr, one after another, that take (step, done, total)."""

    def __init__(self) -> None:
        self._step, self._bar = "", ExitStack()

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self._update

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def _update(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            self._bar.close()
            self._step, self._count = step, self._bar.enter_context(progress_bar(step))
        self._count(done, total)
