"""What a reader writes down of a simulated lesion: each descriptor is a latent seen through a reader's noise."""

import numpy as np

from core.simulation.sampling import Floats, QuotaSampler, Strings
from core.simulation.tumours import Tumours

Columns = dict[str, object]


def sigmoid(x: Floats) -> Floats:
    """Compute the logistic function."""
    return 1 / (1 + np.exp(-x))


def compute_axis_ratio(asp: Floats | float) -> Floats:
    """Compute a lesion's height over width from the latent `asp`."""
    return np.clip(0.72 * np.exp(0.22 * np.asarray(asp)), 0.45, 1.35)


def describe_patient(sampler: QuotaSampler, tumours: Tumours) -> Columns:
    """Draw who the patient is and where the lesion lies."""
    draw, age = sampler.draw_uniform, tumours.age
    post = draw() < sigmoid((age - 50) / 2.2)
    peri = ~post & (age >= 44) & (draw() < 0.35)
    size_in_sd = (np.log(tumours.size_mm) - np.log(20)) / 0.42
    return {
        "age": age.astype(int),
        "menopausal": np.select([post, peri], ["post", "peri"], "pre"),
        "family_history": _say(draw() < 0.09),
        "palpable": _say(draw() < sigmoid(-0.3 + 1.3 * size_in_sd)),
        "laterality": np.where(draw() < 0.52, "left", "right"),
        "clock": 1 + np.floor(12 * draw()).astype(int),
        "distance_nipple_cm": np.clip(1 + 2.2 * np.exp(0.55 * sampler.draw_normal()), 0, 12).round(1),
        "background": np.array(["homog_fat", "homog_fibroglandular", "heterogeneous"])[
            np.searchsorted([0.30, 0.68], draw())
        ],
    }


def describe_lesion(sampler: QuotaSampler, tumours: Tumours, sharpness: float) -> Columns:
    """Draw the reader's descriptors; `sharpness` correlates what a reader sees with what the frame shows."""
    draw, noise = sampler.draw_uniform, sampler.draw_normal
    blur = np.sqrt(1 - sharpness**2)
    x = {
        name: latent if name == "vasc" else sharpness * latent + blur * noise()
        for name, latent in tumours.latents.items()
    }
    read = {name: x[name] + 0.45 * noise() for name in ("post", "vasc", "asp")}
    margin = _draw_margin(sampler, x)
    regular = (margin == "circumscribed") | (draw() < 0.12)
    adler = sampler.pick_levels(read["vasc"], (0.14, 0.44, 0.76), ("0", "1", "2", "3"))
    mixed = np.select([draw() < 0.035, draw() < 0.02], ["complex_cystic_solid", "isoechoic"], "hypoechoic")
    inside = x["calc"] + 0.4 * noise() > 0.45
    ratio = np.minimum(1, compute_axis_ratio(tumours.latents["asp"]))
    return {
        "size_mm": tumours.size_mm,
        "size_ap_mm": np.maximum(2, tumours.size_mm * ratio).round(1),
        "shape": np.where(regular, np.where(draw() < 0.7, "oval", "round"), "irregular"),
        "orientation": sampler.pick_levels(read["asp"], (0.62,), ("parallel", "not_parallel")),
        "margin": margin,
        "rind": np.where(x["halo"] + 0.5 * noise() > 0.55, "present", "absent"),
        "echo": np.where(x["het"] + 0.6 * noise() > 1.5, "heterogeneous", mixed),
        "posterior": sampler.pick_levels(
            read["post"], (0.30, 0.72, 0.80), ("shadowing", "none", "combined", "enhancement")
        ),
        "calcification": np.select([inside, draw() < 0.03], ["in_mass", "outside_mass"], "none"),
        "adler": adler,
        "vascularity": np.where(adler == "0", "absent", np.where(draw() < 0.8, "internal", "rim")),
        "elasticity": sampler.pick_levels(x["spic"] + noise(), (0.08, 0.38), ("soft", "intermediate", "hard")),
    }


def grade_suspicion(sampler: QuotaSampler, lesion: Columns, node_suspicious: Strings) -> Strings:
    """Draw the BI-RADS category from the descriptors already written down; shape (n,)."""
    signs: tuple[tuple[str, str, float], ...] = (
        ("margin", "spiculated", 0.3),
        ("margin", "angular", 0.4),
        ("margin", "microlobulated", 0.3),
        ("shape", "irregular", 0.5),
        ("orientation", "not_parallel", 0.3),
        ("calcification", "in_mass", 0.3),
        ("posterior", "shadowing", 0.15),
    )
    doublings = np.log2(np.asarray(lesion["size_mm"], dtype=np.float64) / 20)
    score = 0.4 * sampler.draw_normal() + 0.35 * (node_suspicious == "suspicious") + 0.2 * doublings
    for column, level, weight in signs:
        score = score + weight * (np.asarray(lesion[column]) == level)
    return sampler.pick_levels(score, (0.015, 0.10, 0.29, 0.66), ("3", "4A", "4B", "4C", "5"))


def _draw_margin(sampler: QuotaSampler, x: dict[str, Floats]) -> Strings:
    """Draw the worst margin: the strongest of five tendencies, each with the reader's noise."""
    own = [sampler.rng.standard_normal(sampler.size) for _ in range(3)]
    spic, lob = x["spic"], x["lob"]
    tendency = {
        "spiculated": 0.9 * spic,
        "microlobulated": 0.9 * lob,
        "indistinct": 0.25 + 0.45 * own[0] - 0.2 * spic,
        "angular": -0.55 + 0.5 * own[1] + 0.2 * spic,
        "circumscribed": -1.25 - 0.6 * spic - 0.4 * lob + 0.5 * own[2],
    }
    score = np.stack(list(tendency.values())) + 0.5 * sampler.rng.standard_normal((5, sampler.size))
    return np.array(list(tendency))[score.argmax(axis=0)]


def _say(answer: np.ndarray) -> Strings:
    return np.where(answer, "yes", "no")
