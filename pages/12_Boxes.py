"""Boxes: the lesion boxes of a cohort, proposed by the segmenter, accepted or corrected by readers."""

from functools import partial

import streamlit as st

from core.ui import begin_page, get_worker, guard_file
from core.ui.errors import guard

with begin_page("Boxes", role="clinician") as user:
    from core.cohort.boxes import render_boxes
    from core.ui.boxes.agreement import show_agreement
    from core.ui.boxes.reading import show_image, show_progress
    from core.ui.boxes.session import get_state, note_taken
    from core.ui.boxes.source import ask_manifest, ask_reader, is_on

    if not is_on():
        st.markdown("This page is off: whoever runs SonoKi turns this page on with the setting `SONOKI_BOXES=on`.")
        st.stop()
    if get_state().manifest is None:
        st.markdown(
            "Go through a cohort's images: accept the proposed lesion box, correct it, or skip the image. Training "
            "reads the boxes from the manifest, those of the reader who came first; each reader sees their own alone."
        )
    reader = ask_reader(user)
    if reader is None:
        st.markdown("Type **your initials** first: your boxes are kept under them.")
        st.stop()
    get_worker()
    manifest = ask_manifest(reader)
    if manifest is None:
        st.stop()
    show_progress(manifest, reader)
    show_image(manifest, reader)
    st.download_button(
        "Manifest with boxes (CSV)",
        guard_file(partial(render_boxes, manifest)),
        file_name="manifest.csv",
        mime="text/csv",
        on_click=guard(note_taken),
    )
    show_agreement(manifest)
