"""Every number of the simulated cohort, in one frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from core.errors import UsageError

Value = TypeVar("Value")
CENTRES = ("A", "B", "C", "D")
EXTERNAL = "D"
RECEPTORS = ("HR+HER2-", "HR+HER2+", "HR-HER2+", "TN")
LATENTS = ("het", "hypo", "post", "spic", "lob", "asp", "calc", "vasc", "halo")


def _table(**values: Value) -> Mapping[str, Value]:
    return MappingProxyType(values)


@dataclass(frozen=True)
class NodeParameters:
    """Log-odds of node metastasis and what ultrasound shows of the axilla."""

    # intercept, proliferation, size: intercept and slopes per standard deviation of ln Ki-67 and of ln size
    intercept: float = -0.47
    proliferation: float = 1.65
    size: float = 0.6
    # slopes per standard deviation of what an image latent holds beyond Ki-67
    residuals: Mapping[str, float] = field(
        default_factory=lambda: _table(het=0.33, lob=0.33, vasc=0.25, post=0.2, hypo=0.18)
    )
    # cortex_ln_mean, cortex_ln_sd: mean and standard deviation of ln cortex (mm) without and with metastasis
    cortex_ln_mean: tuple[float, float] = (0.725, 1.18)
    cortex_ln_sd: tuple[float, float] = (0.29, 0.42)
    hilum_lost: tuple[float, float] = (0.03, 0.24)  # probability of a lost fatty hilum without and with metastasis
    cortex_cut_mm: float = 3.0  # a cortex of at least this is called suspicious


@dataclass(frozen=True)
class FollowUpParameters:
    """Accrual, the two clocks of recurrence, and loss to follow-up."""

    accrual: tuple[str, str] = ("2021-01-01", "2024-12-31")  # first and last day of operation; uniform between
    data_cut: str = "2025-06-30"  # day on which follow-up is cut
    # late_shape, late_scale_months: weibull clock
    late_shape: float = 2.0
    late_scale_months: float = 140.0
    # late_proliferation, late_nodes, late_size: its log-hazard slopes
    late_proliferation: float = 0.25
    late_nodes: float = 0.46
    late_size: float = 0.1
    # early_rate_per_month, early_slope, early_end_months: constant hazard of the early clock, its slope per standard
    # deviation of risk, and its end
    early_rate_per_month: float = 9e-05
    early_slope: float = 2.3
    early_end_months: float = 8.0
    dropout_per_year: float = 0.035  # rate of loss to follow-up


@dataclass(frozen=True)
class SimulationParameters:
    """Numbers of the generator; the defaults are the published cohort's.

    Parameters
    ----------
    patients : mapping of str to int
        Patients per centre; a cohort of another size keeps the proportions.
    development : mapping of str to int
        Patients of centres A to C per split.
    cutoff_pct : float
        Ki-67 at or above it is high (used to stratify the split only).
    receptor_p : mapping of str to tuple of float
        Probability of each receptor group, in the order of `RECEPTORS`, per centre.
    ki67_median_pct, ki67_ln_sd : tuple of float
        Median and standard deviation of ln Ki-67 per receptor group.
    lab_bias_ln : mapping of str to float
        Bias of each centre's laboratory, ln scale.
    ki67_noise_ln, core_noise_ln : float
        Measurement noise of the surgical specimen and of the core biopsy, ln scale.
    ln_mean, ln_sd : float
        Standardise ln Ki-67 to the latent proliferation z.
    img_gain : float
        Factor on the loadings on z of the latents that a frame shows: how much an image tells of Ki-67. It makes up for
        what a network loses between latent and pixel.
    form_gain : float
        The same factor for size and vascularity, which the form states and nothing loses, and for what a reader's
        descriptors tell of a frame's latents: a reader sees them through noise, correlated with what the frame shows by
        `form_gain / img_gain`.
    loadings : mapping of str to float
        Loading of each image latent on z at a gain of 1.
    receptor_shift : mapping of str to tuple of float
        Shift of an image latent per receptor group at a gain of 1.
    size_median_mm, size_loading, size_ln_sd : float
        Lesion size: median, loading on z at a gain of 1, standard deviation of ln size.
    age_mean, age_sd, age_per_z : float
        Age in years.
    nodes : NodeParameters
        Node metastasis.
    follow_up : FollowUpParameters
        Dates and recurrence.
    missing : mapping of str to tuple of float
        Probability that a field is empty, at centres A to C and at centre D.

    Raises
    ------
    UsageError
        If a gain is negative or not a finite number.
    """

    patients: Mapping[str, int] = field(default_factory=lambda: _table(A=190, B=150, C=116, D=204))
    development: Mapping[str, int] = field(default_factory=lambda: _table(train=264, validation=96, test=96))
    cutoff_pct: float = 20.0
    receptor_p: Mapping[str, tuple[float, ...]] = field(
        default_factory=lambda: _table(
            A=(0.6, 0.13, 0.11, 0.16), B=(0.6, 0.13, 0.11, 0.16), C=(0.62, 0.13, 0.1, 0.15), D=(0.61, 0.12, 0.11, 0.16)
        )
    )
    ki67_median_pct: tuple[float, ...] = (11.6, 21.5, 29.5, 42.0)
    ki67_ln_sd: tuple[float, ...] = (0.58, 0.48, 0.46, 0.52)
    lab_bias_ln: Mapping[str, float] = field(default_factory=lambda: _table(A=0.05, B=-0.03, C=0.02, D=-0.05))
    ki67_noise_ln: float = 0.2
    core_noise_ln: float = 0.5
    ln_mean: float = 2.93
    ln_sd: float = 0.78
    img_gain: float = 2.5
    form_gain: float = 1.25
    loadings: Mapping[str, float] = field(
        default_factory=lambda: _table(
            het=0.42, hypo=0.3, post=0.36, spic=-0.3, lob=0.3, asp=-0.1, calc=0.15, vasc=0.44, halo=-0.12
        )
    )
    receptor_shift: Mapping[str, tuple[float, ...]] = field(
        default_factory=lambda: _table(
            post=(0.0, 0.0, 0.0, 0.3),
            spic=(0.15, 0.05, -0.1, -0.2),
            calc=(-0.1, 0.25, 0.4, -0.25),
            het=(0.0, 0.0, 0.1, 0.15),
        )
    )
    size_median_mm: float = 20.5
    size_loading: float = 0.3
    size_ln_sd: float = 0.42
    age_mean: float = 53.0
    age_sd: float = 10.8
    age_per_z: float = -2.0
    nodes: NodeParameters = field(default_factory=NodeParameters)
    follow_up: FollowUpParameters = field(default_factory=FollowUpParameters)
    missing: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: _table(
            family_history=(0.04, 0.08),
            adler=(0.08, 0.18),
            aln_cortex_mm=(0.15, 0.25),
            ca153=(0.25, 0.45),
            menopausal=(0.02, 0.04),
            birads=(0.01, 0.03),
            grade_cnb=(0.05, 0.08),
        )
    )

    def __post_init__(self) -> None:
        for name, gain in (("image", self.img_gain), ("form", self.form_gain)):
            if not 0 <= gain < float("inf"):
                raise UsageError(f"The {name} gain is {gain:g}; give 0 or more.")

    @property
    def reader_sharpness(self) -> float:
        """Correlation of what a reader sees in a frame with what it shows."""
        return min(1.0, self.form_gain / self.img_gain) if self.img_gain else 1.0
