"""The exhibits of a bundle that is watched, in the order in which they are read, and how they are made."""

from core.monitoring.exhibits.exhibit import WatchExhibit
from core.monitoring.exhibits.inputs import DriftExhibit, ScoreExhibit
from core.monitoring.exhibits.outcomes import AucExhibit, CusumExhibit, ObservedExpectedExhibit
from core.monitoring.exhibits.patients import AlarmsExhibit, VolumesExhibit
from core.monitoring.monitor import Monitoring

KINDS: tuple[type[WatchExhibit], ...] = (
    AlarmsExhibit,
    VolumesExhibit,
    ScoreExhibit,
    DriftExhibit,
    ObservedExpectedExhibit,
    CusumExhibit,
    AucExhibit,
)
METHOD = (
    "Of each patient the last estimate before the outcome counts, in order of examination. Numbers are compared with "
    "the bundle's training patients by the two-sample Kolmogorov-Smirnov test, choices by Pearson's chi-squared test "
    "(neighbouring levels joined until 5 patients are expected in each), how often a value is not known by Fisher's "
    "exact test; p values of a window are adjusted together (Benjamini and Hochberg 1995). Population stability "
    "index: deciles of training or levels, half a patient added to each; by chance it reaches (1/n + 1/m) times a "
    "chi-squared centile (Yurdakul and Naranjo 2020). Observed over expected: exact Poisson limits (Garwood 1936), "
    "which err on the wide side since a high Ki-67 is common. CUSUM: log-likelihood ratio of doubled and of halved "
    "odds (Steiner 2000), limits by 5,000 simulated runs of 1,000 patients whose outcomes follow their own "
    "probabilities; below 50 patients there are none, because the spread of these probabilities is not known from "
    "fewer. AUC: DeLong, on the logit scale with fewer than 10 events. Outcomes of fewer than 10 patients are not "
    "told. What the alarms find, and after how many patients, was measured by simulation: `python -m core monitor "
    "--prove`."
)


def list_exhibits(found: Monitoring, name: str) -> list[WatchExhibit]:
    """Give the exhibits of what was found; a name is how sentences call the patients."""
    return [kind(name, found) for kind in KINDS]
