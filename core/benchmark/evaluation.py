"""The evaluation's parts at several numbers of patients, beside public packages on the same work."""

import io
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from core.benchmark.timing import Part
from core.evaluation import compute_decision_curve, compute_kaplan_meier, compute_roc
from core.figures.cohort.evaluate import evaluate_cohort
from core.figures.cohort.survival.kaplan_meier import draw_kaplan_meier
from core.figures.rendering import render_png

SEED = 20260507
SIZES = (204, 10_000, 100_000)
BOOTSTRAP_SIZE, RESAMPLES = 204, 1000
GRID = np.linspace(0.01, 0.99, 99)


def list_evaluation_parts(bundle: Path) -> dict[str, Part]:
    """List what the evaluation takes, each part followed by the public package that does the same."""
    table = pd.read_csv(bundle / "evidence" / "predictions.csv")
    parts = {name: part for n in SIZES for name, part in _list_discrimination(n).items()}
    parts |= _list_decision_curves(SIZES[-1]) | _list_kaplan_meier(SIZES[0])
    parts[f"whole evaluation of the evidence, n = {len(table)}"] = lambda: evaluate_cohort(table)
    return parts


def _simulate(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    prob = rng.random(n)
    time = rng.exponential(60, n) * (1.5 - prob)
    followed = rng.uniform(12, 96, n)
    columns = {"prob": prob, "y": (rng.random(n) < prob).astype(int), "time": np.minimum(time, followed)}
    return pd.DataFrame({**columns, "event": (time <= followed).astype(int), "group": np.where(prob < 0.5, "a", "b")})


def _list_discrimination(n: int) -> dict[str, Part]:
    data = _simulate(n)
    parts: dict[str, Part] = {f"AUC with DeLong interval, n = {n:,}": lambda: compute_roc(data["y"], data["prob"])}
    if n == BOOTSTRAP_SIZE:
        name = f"AUC with {RESAMPLES:,} resamples of scikit-learn's roc_auc_score, n = {n:,}"
        parts[name] = lambda: _resample_auc(data)
    return parts


def _resample_auc(data: pd.DataFrame) -> list[float]:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    rng, y, prob = np.random.default_rng(SEED), data["y"].to_numpy(), data["prob"].to_numpy()
    draws = (rng.integers(0, len(y), len(y)) for _ in range(RESAMPLES))
    values = [roc_auc_score(y[rows], prob[rows]) for rows in draws]
    return [float(limit) for limit in np.quantile(values, [0.025, 0.975])]


def _list_decision_curves(n: int) -> dict[str, Part]:
    data = _simulate(n)

    def run_dcurves() -> object:
        from dcurves import dca  # type: ignore[import-untyped]  # noqa: PLC0415

        return dca(data=data, outcome="y", modelnames=["prob"], thresholds=GRID)

    own = f"decision curve, {len(GRID)} thresholds, n = {n:,}"
    parts: dict[str, Part] = {own: lambda: compute_decision_curve(data["y"], {"model": data["prob"]}, GRID)}
    return parts | ({f"{own}, dcurves": run_dcurves} if find_spec("dcurves") else {})


def _list_kaplan_meier(n: int) -> dict[str, Part]:
    data = _simulate(n)
    times = np.arange(0.0, float(data["time"].max()), 12.0)

    def draw() -> bytes:
        return render_png(
            draw_kaplan_meier(compute_kaplan_meier(data["time"], data["event"], data["group"], times=times))
        )

    own = f"Kaplan-Meier of two groups with risk table, as PNG, n = {n:,}"
    return {own: draw, f"{own}, lifelines": lambda: _draw_lifelines(data)}


def _draw_lifelines(data: pd.DataFrame) -> bytes:
    from lifelines import KaplanMeierFitter  # noqa: PLC0415
    from lifelines.plotting import add_at_risk_counts  # noqa: PLC0415

    figure = Figure(figsize=(10, 7), dpi=216)
    axis = figure.add_subplot()
    fits = [KaplanMeierFitter(label=name).fit(part["time"], part["event"]) for name, part in data.groupby("group")]
    for fit in fits:
        fit.plot_survival_function(ax=axis, show_censors=True)
    add_at_risk_counts(*fits, ax=axis, fig=figure)
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
