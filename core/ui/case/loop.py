"""A loop on the Case page: every frame scored in the background, the curve, and the estimate from their mean."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Event

import streamlit as st

from core.figures.case.loop import describe_loop, plot_loop, tabulate_loop
from core.imaging import Frame, Roi
from core.imaging.intake import read_loop
from core.inference import ImageReading, View
from core.inference.lesion import list_edges
from core.inference.loop import LoopReading
from core.inference.loop_job import LoopJob
from core.inference.queue.cohort_reader import BulkReader
from core.plain_text import plain, plain_figure
from core.ui.case.box import set_box
from core.ui.case.frames import find_choice, set_frame
from core.ui.case.session import forget, get_case, name_view_widget
from core.ui.case.state import LesionView
from core.ui.errors import guard, report_errors
from core.ui.export import PLAIN, offer_csv
from core.ui.resources import get_bundle, get_worker
from core.ui.session import end_with_session, name_owner

OF_BUNDLE = "_bundle"
ALONE, MEAN = "This frame alone", "Mean of the frames that pass"
OTHER_BOX = "The mean is of the lesion as it was followed, not of this box: follow it again, or take this frame alone."


def show_loop(view: LesionView, frame: Frame, roi: Roi) -> None:
    """Draw the way to the scores of all frames of a loop, their progress, and their curve.

    The lesion is followed from the box.
    """
    if frame.frame_count < 2:
        return
    key = name_view_widget(view.number, "loop")
    job = _get_job(key)
    if job is None:
        if key in st.session_state:
            st.caption("Another bundle has been put into use: score the frames again.")
        st.button(f"Score all {frame.frame_count} frames", on_click=guard(_start), args=(key, view, frame, roi))
    elif job.reading is None:
        _show_job(key)
    else:
        _show_curve(view, frame, roi, job.reading)
        st.button("Follow it again from this frame and box", on_click=guard(_start), args=(key, view, frame, roi))


def find_mean(number: int, view: View) -> tuple[View, ImageReading] | None:
    """Give the view and reading of a loop whose mean is asked for; None where the frame alone counts."""
    job = _get_job(name_view_widget(number, "loop"))
    is_mean = st.session_state.get(name_view_widget(number, "loop_use")) == MEAN
    if job is None or job.reading is None or not is_mean:
        return None
    return replace(view, n_frames=len(job.reading.passing)), job.reading.join(view.frame.frame_index)


def put_means(views: Mapping[int, View] | None) -> tuple[Mapping[int, View] | None, dict[int, ImageReading]]:
    """Put the mean of a loop's frames in place of its frame, where that is asked for."""
    found = {number: find_mean(number, view) for number, view in (views or {}).items()}
    means = {number: mean for number, mean in found.items() if mean is not None}
    if views is None or not means:
        return views, {}
    put = {number: means[number][0] if number in means else view for number, view in views.items()}
    return put, {number: reading for number, (_, reading) in means.items()}


def _get_job(key: str) -> LoopJob | None:
    """Give the loop's job, if the bundle that answers reads it."""
    job: LoopJob | None = st.session_state.get(key)
    return job if st.session_state.get(key + OF_BUNDLE) == get_bundle().sha256 else None


def _start(key: str, view: LesionView, frame: Frame, roi: Roi) -> None:
    stop, data, (item, region) = Event(), view.source.file.read(), find_choice(view)

    def read_frames(indices: Sequence[int]) -> list[Frame]:
        return read_loop(data, indices, region=region, item=item)

    forget(key)
    reader = BulkReader(get_worker(), owner=name_owner(), stop=stop)
    job = LoopJob(read_frames, reader, (frame.frame_index, roi), count=frame.frame_count, stop=stop)
    st.session_state[key] = job
    st.session_state[key + OF_BUNDLE] = get_bundle().sha256
    end_with_session(job)


@st.fragment(run_every=1.0)
def _show_job(key: str) -> None:
    with report_errors():
        job: LoopJob | None = st.session_state.get(key)
        if job is None:
            return
        if job.reading is not None:
            st.rerun(scope="app")
        left = job.seconds_left
        words = f"{job.done} of {job.total} frames" if job.done else "Following the lesion"
        st.progress(job.done / job.total, text=words + (f", {left:.0f} s left" if left else ""))
        if job.failure is not None:
            st.error(plain(job.failure))
        label = "Stop" if job.is_running else "Leave it"
        st.button(label, key=f"{key}_stop", on_click=guard(_drop), args=(key,))


def _drop(key: str) -> None:
    forget(key)


def _show_curve(view: LesionView, frame: Frame, roi: Roi, loop: LoopReading) -> None:
    use = name_view_widget(view.number, "loop_use")
    name = f"case_curve_{view.number}_{hashlib.sha256(frame.sha256.encode()).hexdigest()[:6]}"
    st.plotly_chart(
        plain_figure(plot_loop(loop, frame.frame_index)),
        key=name,
        alt=describe_loop(loop),
        config=PLAIN,
        on_select=guard(partial(_choose_frame, name, view, loop)),
        selection_mode="points",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        options = (ALONE, MEAN) if loop.passing else (ALONE,)
        st.radio("Estimate from", options, key=use, horizontal=True, persist_state="session")
        offer_csv(tabulate_loop(loop), "loop", label="Data of the loop (CSV)")
    st.caption(f"{describe_loop(loop)} Click a dot to see its frame.")
    followed = loop.frames[frame.frame_index].roi
    if st.session_state.get(use) == MEAN and abs(list_edges(followed) - list_edges(roi)).max() > 1:
        st.warning(OTHER_BOX)


def _choose_frame(name: str, view: LesionView, loop: LoopReading) -> None:
    """Look at the frame of a dot, with the box followed to it."""
    points = st.session_state[name]["selection"]["points"]
    if points and get_case().view is not None:
        _, region = find_choice(view)
        number = int(points[0]["x"])
        set_frame(view.number, region, number)
        set_box(loop.frames[number - 1].roi)
