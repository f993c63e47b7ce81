"""Start a training."""

from pathlib import Path

import streamlit as st

from core.errors import ModelError
from core.settings import get_text_setting
from core.training.plan import TrainingPlan
from core.training.run.process import find_running, start
from core.training.run.record import Order
from core.training.run.workplace import Source, add_run, remove
from core.ui.errors import guard
from core.ui.resources import ROOT, get_bundle
from core.ui.train.runs import CHOICE


def offer_start(source: Source, plan: TrainingPlan, *, is_enough: bool) -> None:
    """Draw the button that starts the training; it can't be pressed where there are too few patients."""
    st.header("4. Training", anchor=False)
    if find_running() is not None:
        st.markdown("Another training runs, of yours or of another admin: one at a time.")
    if not is_enough:
        st.markdown("It can't start with this table: the check above says why.")
    st.button(
        "Train", on_click=guard(_start), args=(source, plan), type="primary", disabled=not is_enough, key="train_start"
    )


def _start(source: Source, plan: TrainingPlan) -> None:
    backbone = ROOT / get_text_setting("training_backbone")
    run = add_run(Order(plan, source.manifest, backbone, _find_in_use()))
    try:
        start(run)
    except BaseException:
        remove(run.path)
        raise
    st.session_state[CHOICE] = str(run.path)


def _find_in_use() -> Path:
    """Give the folder of the bundle in use; where it can't be read, the training says why it is not compared."""
    try:
        return get_bundle().folder
    except ModelError:
        return ROOT / get_text_setting("bundle")
