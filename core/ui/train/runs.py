"""The trainings of this server: the one that runs, with its progress; those that ended, with what came of them."""

from pathlib import Path

import streamlit as st

from core.errors import TableError
from core.plain_text import plain
from core.settings import get_setting
from core.training.run.process import find_running, remove_unused, start, stop
from core.training.run.record import STEPS, Progress, RunFolder
from core.training.run.workplace import list_runs
from core.ui.cohort.hints import point_below
from core.ui.errors import guard, report_errors
from core.ui.train.manifest import show_refused
from core.ui.train.result import show_result

CHOICE = "train_run"


def show_runs() -> None:
    """Draw the training that runs, else the one that was chosen of those that ended."""
    running = find_running()
    if running is not None:
        _watch(str(running.path))
        return
    runs = {str(run.path): run for run in list_runs()}
    if not runs:
        return
    st.header("Trainings", anchor=False)
    if st.session_state.get(CHOICE) not in runs:
        st.session_state[CHOICE] = next(iter(runs))
    chosen = st.selectbox(
        "Training", list(runs), format_func=lambda name: _label(runs[name]), key=CHOICE, persist_state="session"
    )
    _show_ended(runs[chosen])
    st.caption(f"A training with its bundle is removed after {get_setting('training_days')} days.")


def _label(run: RunFolder) -> str:
    name = plain(run.read_order().plan.name)
    ending = "finished" if run.read_result() else "stopped" if run.was_stopped else "not finished"
    return f"{name}, begun {run.begun:%Y-%m-%d %H:%M:%S} UTC, {ending}"


@st.fragment(run_every=1.0)
def _watch(path: str) -> None:
    with report_errors():
        run, running = RunFolder(Path(path)), find_running()
        if running is None or running.path != run.path:
            st.rerun(scope="app")
        st.header("A training runs", anchor=False)
        order, progress = run.read_order(), run.read_progress()
        share = progress.done / progress.total if progress and progress.total else 0.0
        st.progress(min(share, 1.0), text=_describe(progress))
        st.caption(
            f"{plain(order.plan.name)}, begun {run.begun:%Y-%m-%d %H:%M:%S} UTC. It goes on when this page is closed, "
            "and gives way to cases and cohorts. One training runs at a time."
        )
        st.button("Stop the training", on_click=guard(stop), args=(run,), key="train_stop")


def _describe(progress: Progress | None) -> str:
    if progress is None:
        return "Starting"
    names = list(STEPS)
    step = f"Step {names.index(progress.step) + 1} of {len(names)}: {STEPS[progress.step]}"
    if progress.total <= 1:
        return step
    left = progress.seconds_left
    words = f"{step}, {progress.done:,} of {progress.total:,}"
    return words if left is None else f"{words}, {_write_time(left)} left in this step"


def _write_time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _show_ended(run: RunFolder) -> None:
    if run.read_result() is not None:
        show_result(run)
    elif (failure := run.find_failure()) is not None:
        st.error(plain(point_below(str(failure))))
        show_refused(list(failure.rows) if isinstance(failure, TableError) else [], "Rows refused")
    else:
        st.markdown("The training was stopped. What is done is kept.")
    with st.container(horizontal=True):
        if run.read_result() is None:
            st.button("Go on", on_click=guard(start), args=(run,), key="train_go_on", type="primary")
        st.button(
            "Remove this training and its bundle", on_click=guard(remove_unused), args=(run.path,), key="train_remove"
        )
