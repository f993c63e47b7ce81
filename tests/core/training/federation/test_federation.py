"""The four simulated centres without pooling: the image score equals pooled training, and files are checked."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clinical import M1_PREDICTORS, is_missing, parse_inputs
from core.errors import InputError, UsageError
from core.inference import Case, Predictor
from core.inference.trust import load_bundle
from core.simulation import simulate_cohort
from core.training.backbone.folder import BACKBONE, make_reference
from core.training.bundle.image_score import fit_image_score, map_features
from core.training.federation.combine import FederationPlan, check_sites, choose_call, federate, read_left_out
from core.training.federation.image_sums import fit_pooled_score
from core.training.federation.pooling import pool_fusions, recode
from core.training.federation.site import SitePlan, summarise_patients
from core.training.federation.site_file import LEAST, SiteSums, read_site, write_site
from models.bundle import MALIGNANCY, WEIGHTS, read_bundle
from models.cutoff import Cutoff
from models.fusion import ImageHead, Term
from models.sealed import hash_file
from tests.core.inference.test_predictor import CLINICAL, ROI, make_frame

CENTRES = ("A", "B", "C", "D")
P, FEW = 1280, 30


@pytest.fixture(scope="module")
def backbone(bundle_dir: Path, tmp_path_factory) -> Path:
    """The test bundle's network with a card."""
    folder = tmp_path_factory.mktemp("federation") / "backbone"
    folder.mkdir()
    own, read = (bundle_dir / "../backbone").resolve(), read_bundle(bundle_dir)
    (folder / WEIGHTS).write_bytes((own / WEIGHTS).read_bytes())
    head = ImageHead(np.zeros(P), 0.0)
    card = {
        "input": {"size": 96, "context": 1.75, "mean": 0.28, "std": 0.2},
        "architecture": read.manifest.architecture,
        MALIGNANCY: head.to_json(),
        "reference": make_reference(np.random.default_rng(0).normal(size=(50, P))),
        "gate": dict(read.gate),
        "gate_figures": {},
    }
    BACKBONE.write(folder, card, [WEIGHTS], "# Backbone\n")
    return folder


@pytest.fixture(scope="module")
def cohort() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Patients of the simulated cohort, with features that follow Ki-67 and views of them."""
    table = simulate_cohort(seed=20260507).table.set_index("patient_id")
    rows = [{n: r[n] for n in M1_PREDICTORS if not is_missing(r[n])} for r in table.to_dict("records")]
    known = pd.DataFrame([parse_inputs(row) for row in rows], index=table.index, dtype=object)
    patients = known.assign(ki67_pct=table["ki67_pct"].astype(float), centre=table["centre"])
    rng, n = np.random.default_rng(3), len(table)
    hidden = np.log(patients["ki67_pct"].to_numpy().clip(min=1)) + rng.normal(0, 0.8, n)
    hidden = np.column_stack([hidden, rng.normal(size=(n, 11))])
    pooled = hidden @ rng.normal(size=(12, P)) + 0.3 * rng.normal(size=(n, P))
    views = pooled[:, None] + 0.2 * rng.normal(size=(n, 2, P))
    return patients, pooled, views


@pytest.fixture(scope="module")
def network(backbone: Path) -> dict[str, object]:
    card = json.loads((backbone / "backbone.json").read_text())
    return {"architecture": card["architecture"], "sha256": hash_file(backbone / WEIGHTS), "input": card["input"]}


def summarise(cohort, network, centre: str, *, n_features: int = P, **changes) -> SiteSums:
    patients, pooled, views = cohort
    pooled, views = pooled[:, :n_features], views[:, :, :n_features]
    here = (patients["centre"] == centre).to_numpy()
    plan = SitePlan(centre, f"Simulated patients of {centre}.", True, **changes)
    return summarise_patients(
        patients[here], (pooled[here], views[here]), plan, backbone=network, manifest_sha256=centre.lower() * 64
    )


def seal(record: dict) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write(sites: list[SiteSums], folder: Path) -> list[Path]:
    paths = [folder / f"{site.site}.json" for site in sites]
    for site, path in zip(sites, paths, strict=True):
        write_site(site, path)
    return paths


@pytest.fixture(scope="module")
def sites(cohort, network) -> list[SiteSums]:
    """The sites with few features, which no network of ours has."""
    return [summarise(cohort, network, centre, n_features=FEW) for centre in CENTRES]


@pytest.fixture(scope="module")
def small(sites, tmp_path_factory) -> list[Path]:
    return write(sites, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def files(cohort, network, tmp_path_factory) -> list[Path]:
    return write([summarise(cohort, network, centre) for centre in CENTRES], tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def federated(files, backbone, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("out") / "joint"
    federate(files, backbone, out, FederationPlan("joint"))
    return out


def test_the_image_score_equals_pooled_training(cohort, sites):
    """As `core.training` fits it to all patients at once, its folds being the centres."""
    patients, pooled, views = cohort[0], cohort[1][:, :FEW], cohort[2][:, :, :FEW]
    target = np.log(patients["ki67_pct"].to_numpy(dtype=float).clip(min=1))
    space, fold = map_features(pooled, views), pd.factorize(patients["centre"], sort=True)[0]
    whole = fit_image_score(space, target, np.ones(len(target)), fold)
    joint = fit_pooled_score([site.sums for site in sites])
    wanted = space.axes @ whole.weights
    assert joint.penalty == whole.penalty
    assert joint.weights == pytest.approx(wanted, abs=1e-6 * np.abs(wanted).max())
    scores = pooled @ joint.weights + joint.bias
    assert scores == pytest.approx((pooled - space.centre) @ wanted + whole.bias, abs=1e-6)
    left_out = [pooled[i] @ joint.left_out[fold[i], :-1] + joint.left_out[fold[i], -1] for i in range(len(target))]
    assert left_out == pytest.approx(whole.out_of_fold, abs=1e-6)


def test_the_order_of_the_sites_changes_nothing_but_rounding(sites):
    there, back = (fit_pooled_score([site.sums for site in order]) for order in (sites, sites[::-1]))
    assert there.weights == pytest.approx(back.weights, abs=1e-9)
    assert there.left_out == pytest.approx(back.left_out[::-1], abs=1e-9)


def test_a_file_comes_back_as_it_was(sites, small):
    read = read_site(small[0])
    assert read.terms == sites[0].terms
    for name in ("mean_products", "own_products", "mean_target"):
        assert np.array_equal(getattr(read.sums, name), getattr(sites[0].sums, name))
    assert np.array_equal(read.cov, sites[0].cov)


def test_the_bundle_loads_and_its_heat_map_nomogram_and_interval_hold(federated):
    predictor = Predictor.load(federated, engine="torch", precision="fp32")
    prediction = predictor.predict(Case.of(make_frame(), ROI, CLINICAL))
    (view,) = prediction.views
    assert view.heatmap.mean() + view.heatmap_offset == pytest.approx(prediction.contributions["image"], abs=1e-3)
    assert prediction.intercept + sum(prediction.contributions.values()) == pytest.approx(prediction.logit)
    assert prediction.interval[0] < prediction.probability < prediction.interval[1]
    assert predictor.bundle.is_simulated


def test_the_card_shows_how_the_sites_differ_and_that_nothing_was_measured(federated):
    card = (federated / "CARD.md").read_text()
    assert "| image score |" in card
    assert "I squared" in card
    assert "None: no site's patients were seen together" in card
    assert "second round" in card


def test_a_second_round_fits_the_fusion_on_the_score_of_the_others(cohort, network, backbone, federated, tmp_path):
    """Then the fusion nears that of all patients together, fitted on scores out of fold."""
    paths = []
    for centre in CENTRES:
        site = summarise(cohort, network, centre, bundle=federated)
        assert site.scored_by == read_bundle(federated).sha256
        paths.append(tmp_path / f"{centre}.json")
        write_site(site, paths[-1])
    federate(paths, backbone, tmp_path / "second", FederationPlan("joint-2"))
    first, second = (read_bundle(folder).fusion_heads["m1"] for folder in (federated, tmp_path / "second"))
    assert np.array_equal(
        read_bundle(tmp_path / "second").image_heads["ki67"].weights, read_bundle(federated).image_heads["ki67"].weights
    )
    assert second.image_coef > 0
    assert second.image_coef != first.image_coef
    head, _ = read_left_out(federated, "A")
    patients, pooled, _ = cohort
    assert len(head.score(pooled)) == len(patients)


def test_pooling_one_site_twice_the_size_is_that_site():
    coefs, cov = np.array([0.2, 1.0, -0.5]), np.diag([0.04, 0.02, 0.03])
    pooled = pool_fusions([coefs, coefs, coefs], [cov, cov, cov])
    assert pooled.coefs == pytest.approx(coefs)
    assert pooled.cov == pytest.approx(cov / 3)
    assert pooled.table["tau"].tolist() == [0, 0, 0]
    assert pooled.table["i2"].tolist() == [0, 0, 0]


def test_sites_that_differ_widen_the_prediction_interval():
    """With equal variances within, REML is the variance of the estimates minus that within."""
    values = [np.array([value]) for value in (0.1, 0.5, 0.9)]
    table = pool_fusions(values, [np.array([[0.01]])] * 3).table
    assert table.loc[0, "tau"] ** 2 == pytest.approx(0.16 - 0.01, rel=1e-6)
    assert table.loc[0, "i2"] == pytest.approx(0.15 / 0.16, rel=1e-6)
    reach = 12.7062047 * np.sqrt(0.15 + 0.16 / 3)
    assert table.loc[0, "prediction_high"] == pytest.approx(0.5 + reach, rel=1e-6)
    assert pool_fusions(values[:2], [np.array([[0.01]])] * 2).table["prediction_low"].isna().all()


def test_recoding_moves_the_intercept_alone():
    own = (Term("age", "linear", 50.0, 10.0, {}, 20.0, 80.0),)
    common = (replace(own[0], centre=60.0),)
    coefs, cov = recode(np.array([0.2, 1.0, 0.3]), np.diag([0.1, 0.1, 0.1]), own, common)
    assert coefs == pytest.approx([0.2 + 0.3, 1.0, 0.3])
    assert coefs[0] + coefs[2] * common[0].code(73) == pytest.approx(0.2 + 0.3 * own[0].code(73))
    assert cov[0, 0] == pytest.approx(0.2)


def test_the_call_lies_at_the_share_and_the_range_holds_a_fifth(federated):
    head = read_bundle(federated).fusion_heads["m1"]
    threshold, (low, high) = choose_call(head, 0.48)
    assert low < threshold == 0.48 < high
    weights = np.array([head.image_coef, *head.coefs])
    rng = np.random.default_rng(0)
    linear = rng.normal(head.intercept + weights @ head.mean, np.sqrt(weights @ head.cov @ weights), 100_000)
    prob = 1 / (1 + np.exp(-linear))
    assert np.mean((prob >= low) & (prob <= high)) == pytest.approx(0.2, abs=0.01)


CHANGES = {
    "another network": ({"backbone": {"architecture": "small", "sha256": "0" * 64, "input": {}}}, "another network"),
    "another cut-off": ({"cutoff": Cutoff(14.0, ">=")}, "calls a Ki-67 of 14 % or more high"),
    "the same name": ({"site": "A"}, "is given twice"),
    "the same manifest": ({"manifest_sha256": "a" * 64}, "is given twice"),
    "real patients": ({"is_simulated": False}, "not both real or both simulated"),
    "the same name in capitals": ({"site": "a "}, "is given twice"),
    "another round": ({"scored_by": "f" * 64}, "another image score"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_site_that_does_not_fit_is_refused_by_name(sites, name):
    changes, words = CHANGES[name]
    with pytest.raises(InputError, match=words):
        check_sites([sites[0], replace(sites[1], **changes)], sites[0].backbone["sha256"])


def test_patients_under_another_name_and_manifest_count_once(sites):
    again = replace(sites[0], site="Z", manifest_sha256="f" * 64)
    with pytest.raises(InputError, match="The site Z is given twice"):
        check_sites([sites[0], sites[1], again], sites[0].backbone["sha256"])


def test_other_terms_are_refused_by_name(sites):
    site = sites[1]
    cut = {"terms": site.terms[:-1], "coefs": site.coefs[:-1], "cov": site.cov[:-1, :-1]}
    with pytest.raises(InputError, match=rf"other clinical terms than the site A \({site.terms[-1].field}\)"):
        check_sites([sites[0], replace(site, **cut)], sites[0].backbone["sha256"])


def test_sites_that_fit_pass(sites):
    check_sites(sites, sites[0].backbone["sha256"])


BROKEN = {
    "NaN": (lambda s: {"coefs": np.full_like(s.coefs, np.nan)}, "is not readable JSON"),
    "no covariance": (lambda s: {"cov": -s.cov}, "covariance of its coefficients is not positive definite"),
    "no X'X": (lambda s: {"sums": replace(s.sums, own_products=s.sums.own_products - 5e3 * np.eye(FEW))}, "X'X is not"),
    "counts": (lambda s: {"sums": replace(s.sums, n=7)}, "counts don't fit"),
    "another X'y": (lambda s: {"sums": replace(s.sums, own_target=s.sums.own_target * 50)}, "X'y does not fit"),
    "too small y'y": (lambda s: {"sums": replace(s.sums, target_squares=1e-3)}, "X'y does not fit"),
    "a short mean": (lambda s: {"input_mean": s.input_mean[:-1]}, "coefficients don't fit its terms"),
    "a unit of 0": (
        lambda s: {"terms": (replace(s.terms[0], unit=0.0), *s.terms[1:])},
        "a clinical term is of no known kind",
    ),
    "an unknown term": (lambda s: {"terms": (replace(s.terms[0], field="eyes"), *s.terms[1:])}, "coded in another way"),
}
ODD = {
    "n": [float("inf"), 40.7, True, None, 10**400],
    "events": [float("inf"), 60.5, "60"],
    "simulated": ["false", 0, None],
    "site": ["", "  ", "\ud800", "A | B", "x" * 65, None, "A\n# B"],
    "description": ["\ud800", "A\n# B", {"a": 1}],
    "cutoff": [{}, None, {"value": -3, "rule": ">="}, {"value": float("inf"), "rule": ">="}],
    "backbone": [None, []],
    "terms": [None, [{}], [1]],
    "coefs": [10**400, [10**400], {}, None],
    "manifest_sha256": ["\ud800", None],
    "sums": [None, {}],
}


@pytest.mark.parametrize("name", ODD)
def test_values_of_another_kind_get_a_sentence_though_the_hash_fits(small, tmp_path, name):
    record = json.loads(small[1].read_text())
    record.pop("sha256")
    for value in ODD[name]:
        changed = record | {name: value}
        (tmp_path / "B.json").write_text(json.dumps(changed | {"sha256": seal(changed)}))
        with pytest.raises(InputError, match=r"B\.json"):
            read_site(tmp_path / "B.json")


def test_a_yes_no_value_of_few_patients_is_not_exported(cohort, network):
    """The mean of its code times the number of patients is their number."""
    patients, pooled, views = cohort
    rare = patients.assign(palpable=["yes" if i % 40 == 0 else "no" for i in range(len(patients))])
    with pytest.raises(InputError, match="column palpable fewer than two values are those of 10 or more patients"):
        summarise((rare, pooled, views), network, "A", n_features=FEW)


def test_a_rare_level_and_a_rare_pair_are_told_by_no_number(cohort, network):
    """Were they told, moments times the number of patients would be whole numbers of fewer than ten patients."""
    patients, pooled, views = cohort
    n = len(patients)
    known = {
        "palpable": ["yes" if i % 2 else "no" for i in range(n)],
        "aln_suspicious": ["suspicious" if i % 2 or i % 80 == 0 else "negative" for i in range(n)],
        "menopausal": ["peri" if i % 24 == 0 else "post" if i % 3 else "pre" for i in range(n)],
    }
    site = summarise((patients.assign(**known), pooled, views), network, "A", n_features=FEW)
    here = patients.assign(**known)[patients["centre"] == "A"]
    rare = here["menopausal"] == "peri"
    assert 0 < rare.sum() < LEAST
    place = {term.field: i for i, term in enumerate(site.terms, start=1)}
    assert site.input_cov[place["palpable"], place["aln_suspicious"]] == pytest.approx(0, abs=1e-3)
    term = site.terms[place["menopausal"] - 1]
    assert term.centre == round(term.centre, 2)
    told = site.n * (site.input_mean[place["menopausal"]] + term.centre)
    assert told != pytest.approx(here["menopausal"].map(term.levels).sum(), abs=1e-3)


def test_a_name_that_no_table_can_show_is_not_exported(sites, tmp_path):
    with pytest.raises(InputError, match="Nothing was written: its site is empty"):
        write_site(replace(sites[0], site="A | B"), tmp_path / "A.json")
    assert not (tmp_path / "A.json").exists()


@pytest.mark.parametrize("name", BROKEN)
def test_numbers_that_no_patients_give_are_refused(sites, tmp_path, name):
    change, words = BROKEN[name]
    write_site(replace(sites[1], **change(sites[1])), tmp_path / "B.json")
    with pytest.raises(InputError, match=words):
        read_site(tmp_path / "B.json")


def test_a_changed_or_foreign_file_is_refused(small, tmp_path):
    record = json.loads(small[0].read_text())
    (tmp_path / "A.json").write_text(json.dumps(record | {"events": record["events"] + 1}))
    with pytest.raises(InputError, match=r"A\.json was changed after its export"):
        read_site(tmp_path / "A.json")
    for text, words in (
        ("[]", "not an export of a site"),
        ("{", "not readable JSON"),
        ('{"kind": 1}', "not an export of a site"),
    ):
        (tmp_path / "B.json").write_text(text)
        with pytest.raises(InputError, match=words):
            read_site(tmp_path / "B.json")
    with pytest.raises(InputError, match="is not there"):
        read_site(tmp_path / "C.json")


def test_small_counts_are_not_exported(sites, tmp_path):
    with pytest.raises(InputError, match="fewer than 10 patients of a class"):
        write_site(replace(sites[0], events=9), tmp_path / "A.json")
    assert not (tmp_path / "A.json").exists()


def test_no_patient_stands_in_a_file(cohort, small):
    """Neither a pseudonym nor anybody's age; the ends of a range are percentiles."""
    patients, text = cohort[0], small[0].read_text()
    assert not any(name in text for name in patients.index)
    site = read_site(small[0])
    age = next(term for term in site.terms if term.field == "age")
    ages = patients.loc[patients["centre"] == "A", "age"].dropna().astype(float)
    assert ages.min() < age.low < age.high < ages.max()


def test_one_site_is_no_federation_and_a_bundle_is_never_written_over(files, small, backbone, federated, tmp_path):
    with pytest.raises(InputError, match="two or more sites"):
        federate(small[:1], backbone, tmp_path / "out", FederationPlan("joint"))
    with pytest.raises(UsageError, match="holds a bundle already"):
        federate(files, backbone, federated, FederationPlan("joint"))
    assert load_bundle(federated).name == "joint"
    out = Path(shutil.copytree(federated, tmp_path / "joint"))
    federate(files, backbone, out, FederationPlan("anew", replace=True))
    assert load_bundle(out).name == "anew"


@pytest.mark.parametrize("value", ["\x1b]0;x\x07", None, [], {}, True, 10**30], ids=repr)
@pytest.mark.parametrize("name", ["centre", "unit", "low", "imputed"])
def test_a_term_whose_number_is_none_is_refused(sites, tmp_path, name, value):
    write_site(sites[0], tmp_path / "site.json")
    record = json.loads((tmp_path / "site.json").read_text())
    del record["sha256"]
    record["terms"][0][name] = value
    (tmp_path / "site.json").write_text(json.dumps(record | {"sha256": seal(record)}))
    with pytest.raises(InputError, match=r"site\.json"):
        read_site(tmp_path / "site.json")
