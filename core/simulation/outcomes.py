"""Axilla, pathology, dates and recurrence of the simulated patients."""

import numpy as np
from numpy.typing import NDArray

from core.simulation.descriptors import Columns, sigmoid
from core.simulation.parameters import FollowUpParameters, NodeParameters
from core.simulation.sampling import Floats, QuotaSampler
from core.simulation.tumours import Tumours

DAYS_PER_MONTH = 30.4375
Flags = NDArray[np.bool_]


def draw_node_metastasis(sampler: QuotaSampler, tumours: Tumours, p: NodeParameters) -> Flags:
    """Draw node metastasis: logistic in z, size and what the image holds beyond Ki-67; shape (n,)."""
    logit = p.intercept + p.proliferation * tumours.z + p.size * tumours.size_z
    for name, slope in p.residuals.items():
        logit = logit + slope * tumours.residuals[name]
    return sampler.draw_events(sigmoid(logit))


def describe_axilla(sampler: QuotaSampler, metastasis: Flags, p: NodeParameters) -> Columns:
    """Draw what ultrasound shows of the axilla."""
    state = metastasis.astype(int)
    noise = sampler.draw_normal()
    cortex = np.exp(np.array(p.cortex_ln_mean)[state] + np.array(p.cortex_ln_sd)[state] * noise).round(1)
    cortex = np.clip(cortex, 0.5, 20)
    lost = sampler.draw_uniform() < np.array(p.hilum_lost)[state]
    thick = cortex >= p.cortex_cut_mm
    bulge = sampler.draw_uniform() < np.where(thick, 0.3, 0.04)
    return {
        "aln_visible": np.full(sampler.size, "yes"),
        "aln_cortex_mm": cortex,
        "aln_hilum": np.where(lost, np.where(sampler.draw_uniform() < 0.5, "effaced", "absent"), "preserved"),
        "aln_focal": np.where(bulge, "yes", "no"),
        "aln_suspicious": np.where(thick | lost, "suspicious", "negative"),
    }


def describe_pathology(sampler: QuotaSampler, tumours: Tumours, metastasis: Flags) -> Columns:
    """Draw core biopsy and surgical specimen."""
    z, rng, n = tumours.z, sampler.rng, sampler.size
    hormone = tumours.receptor < 2
    amplified = np.isin(tumours.receptor, (1, 2))
    grade = 1 + (z + 0.75 * sampler.draw_normal() > -1.25) + (z + 0.75 * sampler.draw_normal() > 0.75).astype(int)
    er = np.clip((rng.normal(82, 16, n) / 5).round() * 5, 5, 95)
    pr = np.clip((rng.normal(52 - 9 * z, 30) / 5).round() * 5, 0, 95)
    positive = np.where(sampler.draw_uniform() < 0.82, "3+", "2+/ISH+")
    size = tumours.size_mm * np.exp(0.12 * sampler.draw_normal())
    return {
        "histology": np.array(["IDC-NST", "ILC", "other"])[np.searchsorted([0.86, 0.93], sampler.draw_uniform())],
        "grade_cnb": grade.astype(str),
        "er_pct": np.where(hormone, er, 0).astype(int),
        "pr_pct": np.where(hormone, pr, 0).astype(int),
        "her2": np.where(amplified, positive, rng.choice(["0", "1+", "2+/ISH-"], n, p=[0.32, 0.43, 0.25])),
        "ki67_cnb_pct": tumours.ki67_cnb_pct.astype(int),
        "ki67_pct": tumours.ki67_pct.astype(int),
        "ki67_specimen": np.full(n, "surgical"),
        "pt": np.array(["T1a-c", "T2", "T3"])[np.searchsorted([20.0, 50.0], size)],
        "lvi": np.where(sampler.draw_uniform() < sigmoid(-1.5 + 1.5 * metastasis + 0.25 * z), "yes", "no"),
        "neoadjuvant": np.full(n, "no"),
        "ca153": np.exp(np.log(12) + 0.42 * sampler.draw_normal() + 0.10 * metastasis).round(1),
        **_count_nodes(rng, metastasis),
    }


def follow_patients(sampler: QuotaSampler, tumours: Tumours, metastasis: Flags, p: FollowUpParameters) -> Columns:
    """Draw dates (YYYY-MM-DD) and recurrence-free survival from the day of operation."""
    rng, n = sampler.rng, sampler.size
    first, last, cut = (np.datetime64(day) for day in (*p.accrual, p.data_cut))
    surgery = first + np.floor(sampler.draw_uniform() * (last - first).astype(int)).astype("timedelta64[D]")
    seen_months = (cut - surgery).astype(int) / DAYS_PER_MONTH
    censored = np.minimum(seen_months, rng.exponential(12 / p.dropout_per_year, n))
    recurrence = np.minimum(
        _run_late_clock(sampler, tumours, metastasis, p), _run_early_clock(rng, tumours, metastasis, p)
    )
    months = np.maximum(0.3, np.minimum(recurrence, censored)).round(1)
    seen_days = np.ceil(np.maximum(censored, months) * DAYS_PER_MONTH).astype("timedelta64[D]")
    biopsy = surgery - rng.integers(5, 22, n).astype("timedelta64[D]")
    exam = biopsy - rng.integers(1, 8, n).astype("timedelta64[D]")
    return {
        "exam_date": exam.astype(str),
        "biopsy_date": biopsy.astype(str),
        "surgery_date": surgery.astype(str),
        "rfs_months": months,
        "rfs_event": (recurrence <= censored).astype(int),
        "last_followup": np.minimum(surgery + seen_days, cut).astype(str),
    }


def _count_nodes(rng: np.random.Generator, metastasis: Flags) -> Columns:
    n = len(metastasis)
    positive = np.where(metastasis, np.minimum(30, 1 + rng.negative_binomial(1, 0.28, n)), 0)
    removed = np.where(metastasis, np.maximum(positive, rng.integers(8, 25, n)), rng.integers(1, 7, n))
    chance = rng.random(n)
    stage = np.select(
        [~metastasis & (chance < 0.03), ~metastasis, (positive == 1) & (chance < 0.25), positive < 4, positive < 10],
        ["N0(i+)", "N0", "N1mi", "N1", "N2"],
        "N3",
    )
    return {"pn": stage, "nodes_removed": removed, "nodes_positive": positive}


def _run_late_clock(sampler: QuotaSampler, tumours: Tumours, metastasis: Flags, p: FollowUpParameters) -> Floats:
    log_hazard = p.late_proliferation * tumours.z + p.late_nodes * metastasis + p.late_size * tumours.size_z
    return p.late_scale_months * (-np.log(sampler.draw_uniform()) / np.exp(log_hazard)) ** (1 / p.late_shape)


def _run_early_clock(rng: np.random.Generator, tumours: Tumours, metastasis: Flags, p: FollowUpParameters) -> Floats:
    weights = {"het": 0.5, "lob": 0.5, "vasc": 0.4, "post": 0.4, "hypo": 0.4}
    beyond = sum(weight * tumours.residuals[name] for name, weight in weights.items())
    risk = 0.45 * tumours.z + 0.45 * beyond + 0.25 * tumours.size_z + 0.45 * metastasis
    risk = (risk - risk.mean()) / max(risk.std(), 1e-9)
    months = rng.exponential(1, len(risk)) / (p.early_rate_per_month * np.exp(p.early_slope * risk))
    return np.where(months <= p.early_end_months, months, np.inf)
