"""From the files of several sites to one bundle."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm

from core.errors import InputError, ModelError
from core.evaluation.cohort.split import INDETERMINATE_SHARE
from core.inference.trust import load_bundle
from core.training.backbone.folder import read_backbone_card
from core.training.bundle.folder import check_target, open_training_folder
from core.training.federation.card import write_card
from core.training.federation.image_sums import PooledScore, fit_pooled_score
from core.training.federation.pooling import PooledFusion, pool_fusions, recode
from core.training.federation.site_file import OWN_SCORE, SiteSums, read_site
from models.bundle import MALIGNANCY, WEIGHTS, write_bundle
from models.fusion import FusionHead, ImageHead, Term
from models.sealed import hash_file

Floats = NDArray[np.float64]
SEED, N_REFITS = 20260507, 300
LEFT_OUT = "evidence/federation.json"
LIBRARIES = ("numpy", "scipy", "pandas")


@dataclass(frozen=True)
class FederationPlan:
    """Name of the bundle, seed of the draws of its intervals, and whether a bundle in its folder is replaced."""

    name: str
    seed: int = SEED
    replace: bool = False


def federate(paths: Sequence[Path], backbone: Path, out: Path, plan: FederationPlan) -> dict[str, object]:
    """Combine the files of several sites into one bundle.

    Parameters
    ----------
    paths : sequence of Path
        The sites' files, two or more.
    backbone : Path
        Folder of the network that they share.
    out : Path
        Folder of the bundle.
    plan : FederationPlan
        Name and choices.

    Returns
    -------
    dict
        "bundle", "sha256", "sites", "coefficients" with their heterogeneity.

    Raises
    ------
    InputError
        If a file can't be used, or does not fit the others; a sentence that names it.
    """
    check_target(out, replace=plan.replace)
    sites = sorted((read_site(path) for path in paths), key=lambda site: site.site)
    card = read_backbone_card(backbone)
    check_sites(sites, hash_file(backbone / WEIGHTS))
    score = fit_pooled_score([site.sums for site in sites])
    terms = _join_terms(sites)
    recoded = [recode(site.coefs, site.cov, site.terms, terms) for site in sites]
    fusion = pool_fusions([coefs for coefs, _ in recoded], [cov for _, cov in recoded])
    rng = np.random.default_rng(plan.seed)
    head = _make_head(sites, terms, fusion, score, rng)
    told = _tell(sites, terms, fusion, score, recoded)
    manifest = _describe(sites, head, card, plan) | {
        "backbone": {
            "path": os.path.relpath(backbone.resolve(), out.resolve()),
            "architecture": card["architecture"],
            "sha256": hash_file(backbone / WEIGHTS),
        }
    }
    heads = {
        "image": {"ki67": ImageHead(score.weights, score.bias).to_json(), MALIGNANCY: card[MALIGNANCY]},
        "fusion": {"m1": head.to_json()},
        "references": {"backbone": card["reference"]},
        "gate": card["gate"],
    }
    with open_training_folder(out, replace=plan.replace) as place:
        evidence = place.new / "evidence"
        evidence.mkdir()
        for name, content in (("federation", told), ("flow", _count(sites)), ("metrics", {})):
            (evidence / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        write_bundle(place.new, manifest, heads, _draw_heads(score, rng), write_card(manifest, told, head))
    shown = {name: told[name] for name in ("sites", "coefficients", "penalty")}
    return {"bundle": str(out), "sha256": load_bundle(out).sha256, **shown}


def check_sites(sites: Sequence[SiteSums], backbone_sha256: str) -> None:
    """Refuse files that do not fit each other or the network, in a sentence that names the site."""
    if len(sites) < 2:
        raise InputError("A federation needs the files of two or more sites.")
    first = sites[0]
    for i, site in enumerate(sites):
        if any(is_same_site(site, other) for other in sites[:i]):
            raise InputError(f"The site {site.site} is given twice: each site's patients count once.")
        if site.backbone["sha256"] != backbone_sha256:
            raise InputError(
                f"The site {site.site} used another network ({site.backbone['sha256'][:12]}, here "
                f"{backbone_sha256[:12]}): all sites need the backbone that --backbone names."
            )
        if site.cutoff != first.cutoff:
            raise InputError(
                f"The site {site.site} calls a Ki-67 of {site.cutoff.words} high, the site {first.site} of "
                f"{first.cutoff.words}: let all export with one --cutoff and --rule."
            )
        if _list_coding(site) != _list_coding(first):
            own, others = ({term.field for term in one.terms} for one in (site, first))
            differ = ", ".join(sorted(own ^ others)) or "their coding"
            raise InputError(
                f"The site {site.site} has other clinical terms than the site {first.site} ({differ}): all manifests "
                "need the same columns, each known in at least half of the patients."
            )
        if site.is_simulated != first.is_simulated:
            raise InputError(
                f"The patients of {site.site} and of {first.site} are not both real or both simulated; they are never "
                "mixed."
            )
        if site.scored_by != first.scored_by:
            raise InputError(
                f"The fusion of {site.site} has another image score than that of {first.site}: let all sites export in "
                "the same round, with the same --bundle or without one."
            )
        if len(site.sums.own) != len(first.sums.own):
            raise InputError(f"The site {site.site} has {len(site.sums.own)} features, others {len(first.sums.own)}.")


def is_same_site(one: SiteSums, other: SiteSums) -> bool:
    """Whether two files hold one site, or one site's patients under two names: the same number and sums of ln Ki-67."""
    names = {site.site.strip().casefold() for site in (one, other)}
    a, b = ((site.n, site.sums.target, site.sums.target_squares) for site in (one, other))
    return len(names) == 1 or one.manifest_sha256 == other.manifest_sha256 or np.allclose(a, b, rtol=1e-9, atol=0.0)


def read_left_out(folder: Path, site: str) -> tuple[ImageHead, str]:
    """Read a federated bundle's image head that did not see a site, and the bundle's hash."""
    bundle = load_bundle(folder)
    if LEFT_OUT not in bundle.manifest.files:
        raise ModelError(f"The bundle {bundle.name} is not federated: it has no head that left a site out.")
    heads = json.loads((folder / LEFT_OUT).read_text(encoding="utf-8"))["left_out"]
    if site not in heads:
        raise ModelError(f"The bundle {bundle.name} has no site '{site[:40]}': it has {', '.join(heads)}.")
    return ImageHead.from_json(heads[site]), bundle.sha256


def _list_coding(site: SiteSums) -> list[tuple[object, ...]]:
    return [(term.field, term.scale, term.unit, tuple(term.levels.items())) for term in site.terms]


def _join_terms(sites: Sequence[SiteSums]) -> tuple[Term, ...]:
    """Give the terms with the mean centre and the widest range."""
    sizes = np.array([site.n for site in sites], dtype=np.float64)
    return tuple(
        replace(
            own[0],
            centre=float(sizes @ np.array([term.centre for term in own]) / sizes.sum()),
            low=min(term.low for term in own),
            high=max(term.high for term in own),
            imputed=0.0,
        )
        for own in zip(*(site.terms for site in sites), strict=True)
    )


def _make_head(
    sites: Sequence[SiteSums],
    terms: tuple[Term, ...],
    fusion: PooledFusion,
    score: PooledScore,
    rng: np.random.Generator,
) -> FusionHead:
    mean, cov = _join_moments(sites, terms)
    coefs = fusion.coefs
    bootstrap = rng.multivariate_normal(coefs, fusion.cov, size=N_REFITS)
    bootstrap += coefs - bootstrap.mean(axis=0)
    return FusionHead(float(coefs[0]), float(coefs[1]), terms, coefs[2:], bootstrap, mean, cov, score.score_spread)


def _join_moments(sites: Sequence[SiteSums], terms: Sequence[Term]) -> tuple[Floats, Floats]:
    """Give mean and covariance of image score and terms over all patients, in the common coding."""
    sizes = np.array([site.n for site in sites], dtype=np.float64)
    shifts = [
        np.array([0.0, *((own.centre - term.centre) / term.unit for own, term in zip(site.terms, terms, strict=True))])
        for site in sites
    ]
    means = np.stack([site.input_mean + shift for site, shift in zip(sites, shifts, strict=True)])
    mean = sizes @ means / sizes.sum()
    within = np.einsum("s,sij->ij", sizes, np.stack([site.input_cov for site in sites])) / sizes.sum()
    apart = means - mean
    return mean, within + (apart * sizes[:, None]).T @ apart / sizes.sum()


def _draw_heads(score: PooledScore, rng: np.random.Generator) -> Floats:
    """Draw image heads from the ridge regression's posterior, (B, p + 1); their mean score of the mean image stays."""
    drawn = rng.multivariate_normal(np.zeros(len(score.covariance)), score.covariance, size=N_REFITS) @ score.axes.T
    return np.column_stack([score.weights + drawn, score.bias - drawn @ score.centre])


def choose_call(head: FusionHead, share: float) -> tuple[float, tuple[float, float]]:
    """Give threshold and indeterminate range of a model whose probabilities of single patients are not known.

    The threshold is the share of events: there a calibrated model has its largest Youden index. The range holds 20 % of
    the patients nearest to it, their log-odds taken as normal with the mean and variance that the inputs give.
    """
    weights = np.concatenate([[head.image_coef], head.coefs])
    middle, spread = head.intercept + weights @ head.mean, float(np.sqrt(weights @ head.cov @ weights))
    cut, reach, step = float(logit(share)), 0.0, spread
    for _ in range(60):
        inside = norm.cdf(cut + reach + step, middle, spread) - norm.cdf(cut - reach - step, middle, spread)
        reach, step = (reach + step, step) if inside < INDETERMINATE_SHARE else (reach, step / 2)
    return share, (float(expit(cut - reach)), float(expit(cut + reach)))


def _describe(
    sites: Sequence[SiteSums], head: FusionHead, card: Mapping[str, object], plan: FederationPlan
) -> dict[str, object]:
    n, events = sum(site.n for site in sites), sum(site.events for site in sites)
    threshold, (low, high) = choose_call(head, events / n)
    return {
        "name": plan.name,
        "task": "Ki-67 status of breast cancer from ultrasound before surgery",
        "positive_class": "high",
        "cutoff": sites[0].cutoff.to_json(),
        "input": card["input"],
        "threshold": {
            "value": threshold,
            "rule": "share of patients with a high Ki-67, where a calibrated model has its largest Youden index",
            "chosen_on": "the counts of all sites",
        },
        "no_call": {
            "low": low,
            "high": high,
            "rule": f"holds about {100 * INDETERMINATE_SHARE:.0f} % of the patients, their log-odds taken as normal",
        },
        "predictors": [term.field for term in head.terms],
        "training_data": {
            "description": f"{len(sites)} sites, whose patients were not pooled: "
            + " ".join(f"{site.site}: {site.description.rstrip('.')}." for site in sites),
            "simulated": sites[0].is_simulated,
            "sha256": hashlib.sha256("".join(site.manifest_sha256 for site in sites).encode("ascii")).hexdigest(),
            "n_patients": n,
            "centres": [site.site for site in sites],
            "external_centre": [],
        },
        "seeds": {"training": plan.seed},
        "n_refits": N_REFITS,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }


def _count(sites: Sequence[SiteSums]) -> dict[str, object]:
    n = sum(site.n for site in sites)
    train = {"n": n, "events": sum(site.events for site in sites), "centres": [site.site for site in sites]}
    return {"rows": n, "rows_refused": 0, "patients": n, "splits": {"train": train}}


def _tell(
    sites: Sequence[SiteSums],
    terms: Sequence[Term],
    fusion: PooledFusion,
    score: PooledScore,
    recoded: Sequence[tuple[Floats, Floats]],
) -> dict[str, object]:
    """Give what the bundle's evidence says of the sites and how they differ."""
    names = ["intercept", "image", *(term.field for term in terms)]
    table = fusion.table.astype(object).where(fusion.table.notna(), None)
    own = [
        {
            "site": site.site,
            "n": site.n,
            "events": site.events,
            "coefs": coefs.tolist(),
            "se": np.sqrt(np.diag(cov)).tolist(),
        }
        for site, (coefs, cov) in zip(sites, recoded, strict=True)
    ]
    heads = [ImageHead(head[:-1], float(head[-1])).to_json() for head in score.left_out]
    return {
        "scored_by": sites[0].scored_by,
        "is_first_round": sites[0].scored_by == OWN_SCORE,
        "penalty": score.penalty,
        "sites": own,
        "coefficients": [{"term": name} | row for name, row in zip(names, table.to_dict("records"), strict=True)],
        "left_out": dict(zip((site.site for site in sites), heads, strict=True)),
    }
