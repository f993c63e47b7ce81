"""How many images of a kind the applicability gate passes, cautions and refuses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.evaluation.proportion import compute_proportion

STATUSES = ("passed", "cautioned", "refused")
MEANING = (
    "Each row counts the verdicts of a rule that did not see the clinic or, for other images, did not see the "
    "image or, where the row says so, any image of its kind. Other images are judged by the network of each "
    "clinic left out, as they are and changed (blurred, inverted, darker, speckled or in a sector). In brackets "
    "the 95 % interval (Wilson)."
)
Rate = Mapping[str, Any]


def gather_rates(rates: Iterable[Rate]) -> list[Rate]:
    """Add up the counts of rows of one kind."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("n", *STATUSES), 0))
    for rate in rates:
        for name in ("n", *STATUSES):
            sums[rate["kind"]][name] += int(rate[name])
    return [{"kind": kind, **counts} for kind, counts in sums.items()]


def describe_rates(rates: Sequence[Rate]) -> str:
    """Write counts as a table in Markdown."""
    lines = ["| images | n | passed | cautioned | refused |", "| --- | --- | --- | --- | --- |"]
    for rate in rates:
        shares = [_describe_share(rate[name], rate["n"]) for name in STATUSES]
        lines.append(f"| {rate['kind']} | {rate['n']} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _describe_share(count: int, n: int) -> str:
    share, low, high = (100 * value for value in compute_proportion(count, n))
    return f"{count}: {share:.1f} % ({low:.1f}-{high:.1f})"
