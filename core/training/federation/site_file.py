"""What a site exports, as one JSON file: sums and a fusion, no patient; read back only if it is whole and sound."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.clinical import M1_PREDICTORS
from core.errors import InputError
from core.training.bundle.terms import LEVELS, NUMBERS
from core.training.federation.image_sums import ImageSums
from models.cutoff import Cutoff
from models.fusion import Term
from models.sealed import parse_json

Floats = NDArray[np.float64]
KIND, VERSION = "sonoki site sums", 1
LEAST = 10
OWN_SCORE = "own"
SLACK = 1e-8
ARRAYS = ("mean", "own", "mean_target", "own_target")
LONGEST = {"site": 64, "description": 1_000, "scored_by": 64, "manifest_sha256": 64}
SQUARES = ("mean_products", "own_products")
OF = ("mean", "own")


@dataclass(frozen=True, eq=False)
class SiteSums:
    """What one site gives."""

    site: str  # its name
    description: str  # its patients in a sentence
    is_simulated: bool  # whether they are made up
    # n, events: patients, and those with a high Ki-67; both classes have ten or more
    n: int
    events: int
    cutoff: Cutoff  # Ki-67 that counts as high
    # "architecture", "sha256", and the "input" rule of the network that the features are of
    backbone: Mapping[str, Any]
    scored_by: str  # whose image score the fusion has: "own", or the hash of a bundle whose head left the site out
    terms: tuple[Term, ...]  # coding of the clinical values
    # coefs, cov: (2 + K,) and (2 + K, 2 + K), fusion, without a penalty, and its covariance
    coefs: Floats
    cov: Floats
    # input_mean, input_cov: (1 + K,) and (1 + K, 1 + K), of image score and terms
    input_mean: Floats
    input_cov: Floats
    sums: ImageSums  # what the image score is made from
    manifest_sha256: str  # hash of the site's manifest, so that one manifest is not counted twice


def write_site(site: SiteSums, path: Path) -> str:
    """Write a site's file, and give its hash; fewer than ten patients of a class are not written."""
    check_counts(site.n, site.events)
    check_words({name: getattr(site, name) for name in LONGEST})
    record = {
        "kind": KIND,
        "version": VERSION,
        **{
            name: getattr(site, name) for name in ("site", "description", "n", "events", "scored_by", "manifest_sha256")
        },
        "simulated": site.is_simulated,
        "cutoff": site.cutoff.to_json(),
        "backbone": dict(site.backbone),
        "terms": [term.to_json() for term in site.terms],
        **{name: getattr(site, name).tolist() for name in ("coefs", "cov", "input_mean", "input_cov")},
        "sums": {
            "n": site.sums.n,
            "target": site.sums.target,
            "target_squares": site.sums.target_squares,
            **{name: _encode(getattr(site.sums, name)) for name in ARRAYS},
            **{name: _encode(_fold(getattr(site.sums, name))) for name in SQUARES},
        },
    }
    seal = _seal(record)
    path.write_text(json.dumps(record | {"sha256": seal}) + "\n", encoding="utf-8")
    return seal


def check_counts(n: int, events: int) -> None:
    """Refuse fewer than ten patients of a class."""
    if min(events, n - events) < LEAST:
        raise InputError(
            f"The site has fewer than {LEAST} patients of a class, and such small counts are not exported: add more."
        )


def check_words(words: Mapping[str, str]) -> None:
    """Refuse a name, description or hash that the file can't hold."""
    if fault := _find_odd_words(words):
        raise InputError(f"Nothing was written: {fault}")


def read_site(path: Path) -> SiteSums:
    """Read a site's file as `write_site` writes it: finite, symmetric and positive definite where it has to be.

    An InputError that names the file if it is no such file, was changed, or holds what no site's patients give.
    """
    try:
        record = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.name} is not there: give the file that the site exported.") from None
    except (OSError, RecursionError, ValueError):
        raise InputError(f"{path.name} is not readable JSON: ask the site to export it again.") from None
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise InputError(f"{path.name} is not an export of a site: `python -m core summarise-site` writes one.")
    if record.get("version") != VERSION:
        raise InputError(f"{path.name} is of version {str(record.get('version'))[:20]}, this program reads {VERSION}.")
    if record.pop("sha256", None) != _seal(record):
        raise InputError(f"{path.name} was changed after its export (its hash differs): ask the site for it again.")
    try:
        site = _parse(record)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"{path.name} has another shape ({str(error)[:200]}): ask the site to export it again."
        ) from None
    if fault := _find_fault(site):
        raise InputError(f"{path.name}, site {site.site[:64]}: {fault} Ask the site to export it again.")
    return site


def _parse(record: Mapping[str, Any]) -> SiteSums:
    sums, terms = record["sums"], tuple(Term.from_json(term) for term in record["terms"])
    p = len(_decode(sums["mean"]))
    squares = {name: _unfold(_decode(sums[name]), p) for name in SQUARES}
    texts: dict[str, Any] = {name: _read_text(record, name) for name in LONGEST}
    names = ("coefs", "cov", "input_mean", "input_cov")
    arrays: dict[str, Any] = {name: np.array(record[name], dtype=np.float64) for name in names}
    return SiteSums(
        **texts,
        **arrays,
        is_simulated=_read_bool(record["simulated"]),
        n=_read_count(record["n"]),
        events=_read_count(record["events"]),
        cutoff=Cutoff.from_json(record["cutoff"]),
        backbone={name: record["backbone"][name] for name in ("architecture", "sha256", "input")},
        terms=terms,
        sums=ImageSums(
            n=_read_count(sums["n"]),
            target=float(sums["target"]),
            target_squares=float(sums["target_squares"]),
            **{name: _decode(sums[name]) for name in ARRAYS},
            **squares,
        ),
    )


def _read_text(record: Mapping[str, object], name: str) -> str:
    text = record[name]
    if not isinstance(text, str):
        raise TypeError(f"{name} is not text")
    return text


def _read_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a count is not a whole number")
    return value


def _read_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("whether the patients are simulated is neither true nor false")
    return value


def _find_fault(site: SiteSums) -> str:
    """Say what no site's patients give; "" where all is well."""
    if fault := _find_odd_words({name: getattr(site, name) for name in LONGEST}):
        return fault
    sums, k = site.sums, len(site.terms)
    arrays = [site.coefs, site.cov, site.input_mean, site.input_cov, *(getattr(sums, n) for n in (*ARRAYS, *SQUARES))]
    if not all(np.isfinite(array).all() for array in arrays) or not math.isfinite(sums.target + sums.target_squares):
        return "a number in it is not finite (NaN)."
    if min(site.events, site.n - site.events) < LEAST or sums.n != site.n:
        return f"its counts don't fit: {site.events} of {site.n} patients, each class with {LEAST} or more."
    shapes = (site.coefs.shape, site.cov.shape, site.input_mean.shape, site.input_cov.shape)
    if shapes != ((2 + k,), (2 + k, 2 + k), (1 + k,), (1 + k, 1 + k)):
        return "its coefficients don't fit its terms."
    if not _is_positive(site.cov, strictly=True):
        return "the covariance of its coefficients is not positive definite."
    return _find_faulty_sums(site)


def _find_odd_words(words: Mapping[str, str]) -> str:
    for name, text in words.items():
        longest = LONGEST[name]
        if not text.strip() or len(text) > longest or not text.isprintable() or "|" in text:
            return f"its {name} is empty, has more than {longest:,} characters, or one that can't be shown in a table."
    return ""


def _find_faulty_sums(site: SiteSums) -> str:
    sums = site.sums
    if not all(_is_sound(term) for term in site.terms) or len({term.field for term in site.terms}) < len(site.terms):
        return "its clinical values are coded in another way than this program does."
    if len({len(getattr(sums, name)) for name in ARRAYS}) != 1:
        return "its sums are of features of different numbers."
    parts = [(getattr(sums, name), getattr(sums, f"{name}_products"), getattr(sums, f"{name}_target")) for name in OF]
    centred = [_centre(sums, *part) for part in parts]
    if not all(_is_positive(matrix, strictly=False) for matrix in (site.input_cov, *centred)):
        return "its X'X is not positive definite, as that of patients is, or its X'y does not fit."
    return ""


def _centre(sums: ImageSums, one: Floats, products: Floats, cross: Floats) -> Floats:
    """Give the centred products of the features and, last, the target: none is negative for any weights."""
    totals = np.append(one, sums.target)
    whole = np.block([[products, cross[:, None]], [cross[None, :], np.array([[sums.target_squares]])]])
    return np.asarray(whole - np.outer(totals, totals) / sums.n)


def _is_sound(term: Term) -> bool:
    """Whether a term is one of this program's, coded as it codes it."""
    numbers = (term.centre, term.unit, term.low, term.high)
    if term.field not in M1_PREDICTORS or not all(math.isfinite(number) for number in numbers):
        return False
    if term.scale == "levels":
        return term.unit == 1.0 and dict(term.levels) == dict(LEVELS.get(term.field, {}))
    return NUMBERS.get(term.field) == (term.scale, term.unit) and not term.levels


def _is_positive(matrix: Floats, *, strictly: bool) -> bool:
    """Whether a matrix is symmetric and positive definite, or semidefinite but for rounding."""
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12):
        return False
    slack = 0.0 if strictly else SLACK * max(float(np.diag(matrix).max()), 1e-12)
    try:
        np.linalg.cholesky(matrix + slack * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True


def _seal(record: Mapping[str, object]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _encode(array: Floats) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f8").tobytes()).decode("ascii")


def _decode(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(np.float64)


def _fold(matrix: Floats) -> Floats:
    """Keep one triangle of a symmetric matrix."""
    return np.asarray(matrix[np.triu_indices(len(matrix))])


def _unfold(triangle: Floats, p: int) -> Floats:
    if len(triangle) != p * (p + 1) // 2:
        raise ValueError("X'X of another number of features")
    matrix = np.zeros((p, p))
    matrix[np.triu_indices(p)] = triangle
    return np.asarray(matrix + np.triu(matrix, 1).T)
