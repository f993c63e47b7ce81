"""Every head of a bundle, fitted on its training patients, and the image scores of all patients."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.clinical import M1_PREDICTORS, M2_PREDICTORS
from core.training.bundle.heads import Floats, Heads, fit_heads
from core.training.bundle.image_score import map_features
from core.training.bundle.internal_validation import measure_learning_curve
from core.training.bundle.sample_size import compute_sample_size, compute_validation_size
from core.training.bundle.stability import measure_left_out_centres
from core.training.bundle.terms import make_terms
from core.training.bundle.whole_fit import Model, Study, Watch
from models.fusion import FusionHead, Term

LEAST_NODES = 10
LEAST_R2 = 0.01
LEAST_AUC = 0.55
INTERNAL = ("validation", "test")
NO_NODES = "Too few patients have a known node status: no head for node metastasis."


@dataclass(frozen=True)
class TrainingData:
    """Patients with a readable image, their labels and their pooled features in the same order."""

    patients: pd.DataFrame
    y: "pd.Series[int]"
    pooled: pd.DataFrame

    def select(self, index: "pd.Index[str]") -> "TrainingData":
        """Give some of the patients."""
        return TrainingData(self.patients.loc[index], self.y[index], self.pooled.loc[index])

    def training(self) -> "TrainingData":
        """Give the patients of the training split."""
        return self.select(self.patients.index[self.patients["split"] == "train"])


@dataclass(frozen=True)
class BundleFit:
    """What is fitted for a bundle."""

    ki67: Heads  # fusions "m1", "image", "clinical" and, where biopsy fields are known, "m2"
    nodes: Heads | None  # fusions "lnm" and "lnm_without_aln_us"
    # image score "ki67" and "lnm" of every patient; out of fold in those that the heads were fitted on
    scores: dict[str, "pd.Series[float]"]
    notes: tuple[str, ...]  # what was left out, and why
    # "optimism", "learning_curve" (tested on the validation and test splits), "sample_size", "validation_size",
    # "instability", "left_out_centres", "cross_fitting"
    validation: dict[str, object]

    @property
    def fusions(self) -> dict[str, FusionHead]:
        """All fusion heads by name."""
        return {**self.ki67.fusions, **(self.nodes.fusions if self.nodes else {})}

    @property
    def images(self) -> dict[str, dict[str, object]]:
        """The image heads by name, as JSON types."""
        heads = {"ki67": self.ki67, "lnm": self.nodes}
        return {name: fitted.image.to_json() for name, fitted in heads.items() if fitted}


def fit_bundle(
    data: TrainingData, views: Mapping[str, Floats], *, seed: int, n_refits: int, watch: Watch | None = None
) -> BundleFit:
    """Fit every head on the training patients, and score all patients with them."""
    train = data.training()
    m1, notes = make_terms(train.patients, M1_PREDICTORS)
    m2, more = make_terms(train.patients, M2_PREDICTORS)
    every = (*m1, *(term for term in m2 if term not in m1))
    first, all_terms = tuple(range(len(m1))), tuple(range(len(every)))
    models = {"m1": Model(True, first), "image": Model(True, ()), "clinical": Model(False, first)}
    if len(every) > len(m1):
        models["m2"] = Model(True, all_terms)
    target = np.log(_floats(train.patients["ki67_pct"]).clip(min=1))
    study = _make_study(train, views, target, _floats(train.y), every)
    known = _select_known_nodes(train)
    n_all = n_refits if known is None else 2 * n_refits
    ki67 = fit_heads(study, models, every, seed=seed, n_refits=n_refits, watch=_count_on(watch, 0, n_all))
    validation = _validate(data, study, every, models["m1"], ki67, seed)
    scores = {"ki67": _score(data, train, ki67)}
    if known is None:
        return BundleFit(ki67, None, scores, (*dict.fromkeys((*notes, *more)), NO_NODES), validation)
    lnm = _floats(known.patients["lnm"])
    blind = tuple(i for i in first if m1[i].field != "aln_suspicious")
    models = {"lnm": Model(True, first)}
    if len(blind) < len(first):
        models["lnm_without_aln_us"] = Model(True, blind)
    count = _count_on(watch, n_refits, n_all)
    nodes = fit_heads(_make_study(known, views, lnm, lnm, m1), models, m1, seed=seed, n_refits=n_refits, watch=count)
    scores["lnm"] = _score(data, known, nodes)
    return BundleFit(ki67, nodes, scores, tuple(dict.fromkeys((*notes, *more))), validation)


def _count_on(watch: Watch | None, before: int, total: int) -> Watch | None:
    """Count the refits of one outcome among those of all."""
    return None if watch is None else lambda done, _own: watch(before + done, total)


def _validate(
    data: TrainingData, study: Study, terms: tuple[Term, ...], model: Model, heads: Heads, seed: int
) -> dict[str, object]:
    """Give what the training patients say of the model before anybody else tests it."""
    held = data.select(data.patients.index[data.patients["split"].isin(INTERNAL)])
    curve: list[dict[str, float]] = []
    if held.y.nunique() == 2:
        own = (held.pooled.to_numpy() - study.space.centre) @ study.space.axes
        others = replace(
            study, space=replace(study.space, own=own), y=_floats(held.y), coded=_code(terms, held.patients)
        )
        curve = measure_learning_curve(study, "m1", model, others, seed=seed)
    prevalence, r2 = float(study.y.mean()), float(heads.optimism["r2_cox_snell"])
    auc = float(heads.optimism["auc"]["corrected"])
    fusion = heads.fusions["m1"]
    linear = fusion.intercept + np.column_stack(
        [heads.out_of_fold, np.nan_to_num(study.coded[:, list(model.columns)])]
    ) @ (np.concatenate([[fusion.image_coef], fusion.coefs]))
    centres = sorted(set(data.training().patients["centre"]))
    return {
        "optimism": dict(heads.optimism),
        "learning_curve": curve,
        "sample_size": compute_sample_size(1 + len(model.columns), r2, prevalence) if r2 > LEAST_R2 else None,
        "validation_size": compute_validation_size(prevalence, auc, linear) if auc > LEAST_AUC else None,
        "instability": dict(heads.instability),
        "left_out_centres": measure_left_out_centres(study, model, centres, seed=seed),
        "cross_fitting": "left-out centres" if study.has_balanced_centres else "ten folds of patients",
    }


def _make_study(
    train: TrainingData, views: Mapping[str, Floats], target: Floats, y: Floats, terms: tuple[Term, ...]
) -> Study:
    stacked = np.stack([views[patient] for patient in train.pooled.index])
    space = map_features(train.pooled.to_numpy(), stacked)
    return Study(space, target, y, _code(terms, train.patients), pd.factorize(train.patients["centre"], sort=True)[0])


def _code(terms: tuple[Term, ...], patients: pd.DataFrame) -> Floats:
    """Code the terms, NaN where not known; shape (n, K)."""
    rows = patients.to_dict("records")
    values = [[np.nan if row[t.field] is None else t.code(row[t.field]) for t in terms] for row in rows]
    return np.array(values, dtype=np.float64).reshape(len(rows), len(terms))


def _score(data: TrainingData, fitted_on: TrainingData, heads: Heads) -> "pd.Series[float]":
    scores = pd.Series(heads.image.score(data.pooled.to_numpy()), index=data.pooled.index)
    scores[fitted_on.pooled.index] = heads.out_of_fold
    return scores


def _select_known_nodes(train: TrainingData) -> TrainingData | None:
    known = train.patients.index[train.patients["lnm"].notna()]
    counts = train.patients.loc[known, "lnm"].value_counts()
    return None if len(counts) < 2 or counts.min() < LEAST_NODES else train.select(known)


def _floats(values: "pd.Series[float] | pd.Series[int]") -> Floats:
    return np.asarray(values, dtype=np.float64)
