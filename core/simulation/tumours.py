"""Biology of the simulated tumours: receptors, proliferation, reported Ki-67, and what of it an image can show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.simulation.parameters import LATENTS, SimulationParameters
from core.simulation.sampling import Floats, QuotaSampler, Strings


@dataclass(frozen=True)
class Tumours:
    """Latent state of a cohort; one entry a patient."""

    centre: Strings  # centre
    receptor: NDArray[np.int64]  # index into `RECEPTORS`
    z: Floats  # standardised ln Ki-67 before any measurement
    # ki67_pct, ki67_cnb_pct: reported Ki-67 of the surgical specimen and of the core biopsy
    ki67_pct: Floats
    ki67_cnb_pct: Floats
    latents: dict[str, Floats]  # image latents, about standard normal
    residuals: dict[str, Floats]  # their part that is independent of z
    # size_z, size_mm: lesion size, standardised ln and in mm
    size_z: Floats
    size_mm: Floats
    age: Floats  # age in whole years


def simulate_tumours(sampler: QuotaSampler, centre: Strings, parameters: SimulationParameters) -> Tumours:
    """Draw the tumours of a cohort, each of a given centre.

    A latent is x = l z + sqrt(1 - l^2) e + shift, with l the loading times a gain, at most 0.9: `img_gain` for what a
    frame shows, `form_gain` for vascularity and for the size.
    """
    p = parameters
    receptor = sampler.draw_quota(dict(p.receptor_p), centre)
    ln_ki67 = np.log(np.array(p.ki67_median_pct))[receptor] + np.array(p.ki67_ln_sd)[receptor] * sampler.draw_normal()
    z = (ln_ki67 - p.ln_mean) / p.ln_sd
    reported = ln_ki67 + np.array([p.lab_bias_ln[name] for name in centre])
    ki67 = round_as_laboratories(np.exp(reported + p.ki67_noise_ln * sampler.draw_normal()), sampler.draw_uniform())
    core = round_as_laboratories(np.exp(reported + p.core_noise_ln * sampler.draw_normal()), sampler.draw_uniform())

    latents, residuals = {}, {}
    for name in LATENTS:
        gain = p.form_gain if name == "vasc" else p.img_gain
        loading = _scale_loading(p.loadings[name], gain)
        shift = np.array(p.receptor_shift.get(name, (0.0,) * 4))[receptor] * np.sqrt(gain)
        residuals[name] = sampler.draw_normal()
        latents[name] = loading * z + np.sqrt(1 - loading**2) * residuals[name] + shift
    loading = _scale_loading(p.size_loading, p.form_gain)
    size_z = loading * z + np.sqrt(1 - loading**2) * sampler.draw_normal()
    size_mm = np.clip(p.size_median_mm * np.exp(p.size_ln_sd * size_z), 5, 85).round(1)
    age = np.clip(p.age_mean + p.age_per_z * z + p.age_sd * sampler.draw_normal(), 24, 88).round()
    return Tumours(centre, receptor, z, ki67, core, latents, residuals, size_z, size_mm, age)


def round_as_laboratories(percent: Floats, chance: Floats) -> Floats:
    """Round Ki-67 as laboratories report it: heaped at fives and tens."""
    value = np.clip(percent, 1, 95)
    whole, fives, tens = value.round(), (value / 5).round() * 5, (value / 10).round() * 10
    low = np.where(chance < 0.5, whole, fives)
    high = np.where(chance < 0.25, whole, np.where(chance < 0.85, fives, tens))
    return np.clip(np.where(value < 10, low, high), 1, 95)


def _scale_loading(loading: float, gain: float) -> float:
    return float(np.clip(loading * gain, -0.9, 0.9))
