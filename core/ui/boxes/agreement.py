"""Two readers' boxes beside each other: figures, distribution, and the way to the images that differ most."""

import streamlit as st

from core.cohort.boxes import GIVEN, BoxManifest
from core.evaluation.box_agreement import BoxAgreement, Edges, compute_box_agreement
from core.evaluation.estimate import write_estimate
from core.figures.cohort.box_agreement import plot_overlap, tabulate_overlap
from core.imaging import Roi
from core.plain_text import plain, plain_figure
from core.spreadsheet import disarm_table
from core.ui.boxes.reading import go
from core.ui.errors import guard
from core.ui.export import PLAIN, offer_csv

WORST = 10


def show_agreement(manifest: BoxManifest) -> None:
    """Draw the agreement of two readers."""
    st.header("Agreement of two readers", anchor=False)
    if len(manifest.readers) < 2:
        st.caption("It is shown once a second reader has drawn boxes; each reader's boxes are kept apart.")
        return
    names = {reader: "box given before" if reader == GIVEN else plain(reader) for reader in manifest.readers}
    with st.container(horizontal=True):
        first = st.selectbox("Reader", manifest.readers, format_func=names.__getitem__, key="boxes_first")
        others = [reader for reader in manifest.readers if reader != first]
        second = st.selectbox("Compared with", others, format_func=names.__getitem__, key="boxes_second")
    agreement = _compare(manifest, first, second)
    if not agreement.found.n:
        st.caption("No image has been read by both yet.")
        return
    st.markdown("\n".join(f"- {line}" for line in _describe(agreement)))
    st.caption(
        "95 % intervals: of IoU (shared area by joint area) and Dice by resampling patients, of kappa after Fleiss."
    )
    if not agreement.n:
        return
    alt = f"Images by overlap of the two boxes, n = {agreement.n}; median {agreement.median:.2f}"
    st.plotly_chart(plain_figure(plot_overlap(agreement)), key="figure_box_overlap", alt=alt, config=PLAIN)
    offer_csv(tabulate_overlap(agreement), "box_overlap", label="Data of this figure (CSV)")
    worst = agreement.table.head(WORST)
    shown = worst.assign(place=worst["place"] + 1).rename(
        columns={"place": "Image", "patient": "Patient", "iou": "IoU", "dice": "Dice"}
    )
    st.subheader("Least alike", anchor=False)
    st.dataframe(disarm_table(shown.round(2)), hide_index=True, alt="Images whose two boxes differ most")
    with st.container(horizontal=True):
        for place in map(int, worst["place"]):
            st.button(f"Image {place + 1:,}", key=f"boxes_worst_{place}", on_click=guard(go), args=(place,))
    offer_csv(agreement.table.assign(place=agreement.table["place"] + 1), "box_agreement", label="Agreement (CSV)")


def _compare(manifest: BoxManifest, first: str, second: str) -> BoxAgreement:
    places = [i for i, row in enumerate(manifest.rows) if first in row.boxes and second in row.boxes]
    own, others = ([_edges(manifest.rows[i].boxes[reader]) for i in places] for reader in (first, second))
    return compute_box_agreement(own, others, [manifest.rows[i].patient for i in places], places)


def _edges(box: Roi | None) -> Edges | None:
    return None if box is None else (box.x0, box.y0, box.x1, box.y1)


def _describe(agreement: BoxAgreement) -> list[str]:
    found = agreement.found
    lines = [f"Both have done {found.n:,} images; in {found.agreed:,} of them both drew a box or both skipped."]
    kappa = write_estimate(found.kappa, found.kappa_ci, found.reason)
    lines.append(f"Kappa of box or skipped: {kappa}.")
    if agreement.n:
        low, high = agreement.quartiles
        why = f"; no interval: {agreement.reason}" if agreement.reason else ""
        lines += [
            f"Both drew a box in {agreement.n:,} images of {agreement.patients:,} patients: IoU "
            f"{write_estimate(agreement.iou, agreement.iou_ci)}, Dice "
            f"{write_estimate(agreement.dice, agreement.dice_ci)}{why}.",
            f"IoU, median (quartiles): {agreement.median:.2f} ({low:.2f} to {high:.2f}).",
        ]
    return lines
