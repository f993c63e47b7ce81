"""The simulated cohort: a table of patients and their B-mode images. Nothing in it is a real patient."""

from core.simulation.cohort import Cohort, simulate_cohort
from core.simulation.frame import SimulatedFrame, render_frame
from core.simulation.parameters import SimulationParameters
from core.simulation.write import render_patient, write_cohort

__all__ = [
    "Cohort",
    "SimulatedFrame",
    "SimulationParameters",
    "render_frame",
    "render_patient",
    "simulate_cohort",
    "write_cohort",
]
