"""How many images of a kind a bundle passes, cautions and refuses: counted as a user meets it, kept in its evidence."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ImageError
from core.evaluation.proportion import compute_proportion
from core.imaging import Frame, Roi, default_roi
from core.inference import Predictor
from models.bundle import CARD, HEADS, MANIFEST, read_bundle, write_bundle

INTAKE = "intake.json"
TITLE = "## Which images it takes"
_MEANING = (
    "Each image through the intake and the network, with the lesion box where there is one. In brackets the 95 % "
    "interval (Wilson)."
)
Rate = Mapping[str, Any]


def count_statuses(predictor: Predictor, kind: str, cases: Iterable[tuple[Frame, Roi | None] | ImageError]) -> Rate:
    """Count what a user would be told about images of one kind.

    Parameters
    ----------
    predictor : Predictor
        The bundle.
    kind : str
        What the images are.
    cases : iterable of (Frame, Roi or None) or ImageError
        Frames with the lesion box, the default one where it is None; an error counts as refused.

    Returns
    -------
    dict
        "kind", "n", "passed", "cautioned", "refused".
    """
    counts = Counter(_judge(predictor, case) for case in cases)
    named = {"passed": counts["ok"], "cautioned": counts["caution"], "refused": counts["refused"]}
    return {"kind": kind, "n": counts.total(), **named}


def _judge(predictor: Predictor, case: tuple[Frame, Roi | None] | ImageError) -> str:
    if isinstance(case, ImageError):
        return "refused"
    frame, roi = case
    return predictor.read_image(frame, roi or default_roi(frame)).applicability.status


def describe_rates(rates: Sequence[Rate]) -> str:
    """Write the counts as a table in Markdown.

    Parameters
    ----------
    rates : sequence of mapping
        From `count_statuses`.

    Returns
    -------
    str
        One row a kind.
    """
    lines = ["| images | n | passed | cautioned | refused |", "| --- | --- | --- | --- | --- |"]
    for rate in rates:
        shares = [_describe_share(rate[name], rate["n"]) for name in ("passed", "cautioned", "refused")]
        lines.append(f"| {rate['kind']} | {rate['n']} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _describe_share(count: int, n: int) -> str:
    share, low, high = (100 * value for value in compute_proportion(count, n))
    return f"{count}: {share:.1f} % ({low:.1f}-{high:.1f})"


def write_rates(folder: Path, rates: Sequence[Rate]) -> None:
    """Keep counts in a bundle's evidence and card, in place of earlier ones, and hash its files anew.

    Parameters
    ----------
    folder : Path
        The bundle's.
    rates : sequence of mapping
        From `count_statuses`.
    """
    refits = read_bundle(folder).refits
    (folder / "evidence" / INTAKE).write_text(json.dumps(list(rates), indent=1) + "\n", encoding="utf-8")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    described = {name: value for name, value in manifest.items() if name not in {"schema_version", "files"}}
    heads = json.loads((folder / HEADS).read_text(encoding="utf-8"))
    card = (folder / CARD).read_text(encoding="utf-8").split(TITLE)[0].rstrip()
    write_bundle(folder, described, heads, refits, f"{card}\n\n{TITLE}\n\n{_MEANING}\n\n{describe_rates(rates)}\n")
