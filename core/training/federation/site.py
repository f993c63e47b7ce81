"""From a site's manifest to what it exports: its sums and its fusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clinical import M1_PREDICTORS
from core.cohort.manifest import read_manifest
from core.cohort.record import Choices
from core.cohort.splits import SplitRule
from core.errors import InputError, TableError
from core.evaluation.calibration.logistic import fit_logistic
from core.inference.applicability import Gate
from core.inference.engines.torch import TorchEngine
from core.simulation.devices import holds_simulated
from core.training.backbone.folder import read_backbone_card
from core.training.bundle.fusion import complete_inputs
from core.training.bundle.image_score import draw_folds, fit_image_score, map_features
from core.training.bundle.terms import LEVELS, make_terms
from core.training.features import Progress, average_views, extract_features, extract_views
from core.training.federation.combine import read_left_out
from core.training.federation.image_sums import ImageSums
from core.training.federation.site_file import LEAST, OWN_SCORE, SiteSums, check_counts, check_words
from models.bundle import WEIGHTS
from models.cutoff import DEFAULT_CUTOFF, Cutoff
from models.fusion import Term
from models.input_rule import InputRule
from models.sealed import hash_file

Floats = NDArray[np.float64]
SEED = 20260507
RANGE = (0.05, 0.95)


@dataclass(frozen=True)
class SitePlan:
    """What the person who exports decides."""

    site: str  # name of the site, as the bundle will show it
    description: str  # its patients in a sentence
    simulated: bool  # whether they are made up
    cutoff: Cutoff = DEFAULT_CUTOFF  # Ki-67 that counts as high
    # federated bundle of a first round: the fusion is then fitted on the score of its head that left this site out
    bundle: Path | None = None
    seed: int = SEED  # seed of the random views and folds
    choices: Choices = field(default_factory=Choices)  # what was settled about the manifest's columns


def summarise_site(
    manifest_path: Path, backbone: Path, plan: SitePlan, *, progress: Progress
) -> tuple[SiteSums, tuple[tuple[int, str], ...]]:
    """Read every patient of a manifest, whatever their split, and give the sums and the rows not used, with why.

    No split is made and no patient kept. All sites share the network; `progress` takes images done and of all.
    """
    card = read_backbone_card(backbone)
    engine = TorchEngine(backbone / WEIGHTS, InputRule.from_json(card["input"]), precision="fp32")
    manifest = read_manifest(manifest_path, SplitRule((), plan.cutoff, plan.seed), plan.choices)
    try:
        _check_before_images(manifest.patients, plan)
    except InputError as error:
        raise TableError(str(error), manifest.refused) from None
    with TemporaryDirectory() as scratch:
        cache = Path(scratch)
        features = extract_features(manifest.images, engine, cache, progress, gate=Gate.from_json(card["gate"]))
        used = features.list_used(manifest.images)
        viewed = extract_views(used, engine, cache, progress, seed=plan.seed)
    features = features.leave_out(manifest.images["row"], viewed.refused)
    pooled = features.by_patient(manifest.images["patient_id"])
    views = np.stack([*average_views(viewed, used["patient_id"], pooled.index).values()])
    network = {"architecture": card["architecture"], "sha256": hash_file(backbone / WEIGHTS), "input": card["input"]}
    sums = summarise_patients(
        manifest.patients.loc[pooled.index],
        (pooled.to_numpy(), views),
        plan,
        backbone=network,
        manifest_sha256=hash_file(manifest_path),
    )
    return sums, tuple(sorted((*manifest.refused, *features.refused)))


def _check_before_images(patients: pd.DataFrame, plan: SitePlan) -> None:
    """Refuse before any image is read what can't be exported whatever the images show."""
    check_words({"site": plan.site, "description": plan.description})
    check_counts(len(patients), int(plan.cutoff.is_high(patients["ki67_pct"].astype(float)).sum()))
    _hide_rare_levels(patients)
    if plan.bundle is not None:
        read_left_out(plan.bundle, plan.site)


def summarise_patients(
    patients: pd.DataFrame,
    features: tuple[Floats, Floats],
    plan: SitePlan,
    *,
    backbone: Mapping[str, object],
    manifest_sha256: str,
) -> SiteSums:
    """Sum up a site's patients.

    Parameters
    ----------
    patients : DataFrame
        ``ki67_pct`` and the predictors, one row per patient.
    features : tuple of ndarray of float64, (n, p) and (n, v, p)
        Pooled features of each patient's images, and of their random views.
    plan : SitePlan
        Name and choices.
    backbone : mapping
        "architecture", "sha256", "input".
    manifest_sha256 : str
        Hash of the manifest.

    Returns
    -------
    SiteSums
        The sums.

    Raises
    ------
    InputError
        If the fusion has no finite fit on so few patients.
    """
    pooled, views = features
    patients = _hide_rare_levels(patients)
    percent = patients["ki67_pct"].astype(float)
    y = np.asarray(plan.cutoff.is_high(percent), dtype=np.float64)
    target = np.log(percent.to_numpy().clip(min=1))
    terms = tuple(_round_term(term, patients) for term in make_terms(patients, M1_PREDICTORS)[0])
    coded = [[np.nan if row[t.field] is None else t.code(row[t.field]) for t in terms] for row in _list_rows(patients)]
    score, scored_by = _score(pooled, views, target, plan)
    inputs = np.column_stack([score, np.array(coded).reshape(len(y), len(terms))])
    completed = complete_inputs(inputs, np.ones(len(y)))
    fit = fit_logistic(np.column_stack([np.ones(len(y)), completed.filled]), y)
    if fit is None:
        raise InputError(
            f"The fusion has no finite fit on the site's {len(y)} patients ({int(y.sum())} with a high Ki-67): more "
            "patients are needed."
        )
    return SiteSums(
        site=plan.site,
        description=plan.description,
        is_simulated=plan.simulated or holds_simulated(patients),
        n=len(y),
        events=int(y.sum()),
        cutoff=plan.cutoff,
        backbone=backbone,
        scored_by=scored_by,
        terms=terms,
        coefs=fit.coef,
        cov=(fit.cov + fit.cov.T) / 2,
        input_mean=completed.mean,
        input_cov=_hide_cells((completed.cov + completed.cov.T) / 2, patients, terms),
        sums=ImageSums.of(pooled, views, target),
        manifest_sha256=manifest_sha256,
    )


def _hide_rare_levels(patients: pd.DataFrame) -> pd.DataFrame:
    """Take levels of fewer than ten patients for not known; refuse a column in which one level would be left."""
    shown = patients.copy(deep=False)
    for name in LEVELS.keys() & set(patients.columns) & set(M1_PREDICTORS):
        values = patients[name].dropna().astype(str)
        counts = values.value_counts()
        shown[name] = patients[name].where(patients[name].astype(str).isin(counts[counts >= LEAST].index))
        if len(counts) > 1 and (counts >= LEAST).sum() < 2:
            raise InputError(
                f"Of the column {name} fewer than two values are those of {LEAST} or more patients, and smaller "
                "counts are not exported: leave the column out at all sites (--ignore), or add patients."
            )
    return shown


def _hide_cells(cov: Floats, patients: pd.DataFrame, terms: Sequence[Term]) -> Floats:
    """Take two yes/no values for unrelated where fewer than ten patients have a pair: it would tell how many."""
    shown = cov.copy()
    for (i, one), (j, other) in combinations(enumerate(terms, start=1), 2):
        cells = pd.crosstab(patients[one.field], patients[other.field]) if one.levels and other.levels else None
        if cells is not None and cells.shape == (2, 2) and cells.to_numpy().min() < LEAST:
            shown[i, j] = shown[j, i] = 0.0
    values, vectors = np.linalg.eigh(shown)
    return shown if values[0] >= 0 else np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)


def _list_rows(patients: pd.DataFrame) -> list[dict[str, Any]]:
    plain = patients.astype(object).where(patients.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _score(pooled: Floats, views: Floats, target: Floats, plan: SitePlan) -> tuple[Floats, str]:
    """Score the patients by a head that did not see them: the site's own out of fold, or the other sites'."""
    if plan.bundle is not None:
        head, sha256 = read_left_out(plan.bundle, plan.site)
        return head.score(pooled), sha256
    ones = np.ones(len(target))
    fold = draw_folds(target, ones, np.random.default_rng(plan.seed))
    return fit_image_score(map_features(pooled, views), target, ones, fold).out_of_fold, OWN_SCORE


def _round_term(term: Term, patients: pd.DataFrame) -> Term:
    """Round the centre, which tells how many values are known; a number's range is from its 5th to 95th percentile."""
    low, high = term.low, term.high
    if term.scale != "levels":
        low, high = (float(q) for q in patients[term.field].dropna().astype(float).quantile(list(RANGE)))
    return replace(term, centre=round(term.centre, 2), low=round(low, 1), high=round(high, 1))
