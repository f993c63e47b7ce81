"""Columns of codes and words: yes and no, events, levels."""

from core.cohort.coding.binary import read_binary
from core.cohort.coding.codes import OTHER_EVENT, STRAY_SHARE, Coded
from core.cohort.coding.levels import read_levels

__all__ = ["OTHER_EVENT", "STRAY_SHARE", "Coded", "read_binary", "read_levels"]
