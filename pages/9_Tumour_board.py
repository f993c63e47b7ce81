"""Tumour board: from patient to patient, with the estimate, what speaks for it, and a decision that is kept."""

import streamlit as st

from core.board.models import Entry
from core.figures.frame import describe_frame, render_frame
from core.figures.heatmap import describe_heatmap, plot_heatmap, tabulate_heatmap
from core.figures.nomogram import describe_nomogram, plot_nomogram, tabulate_points
from core.figures.waterfall import describe_waterfall, plot_waterfall
from core.inference.explain import compute_heatmap_limit, format_percent, tabulate_contributions
from core.inference.points import score_points
from core.ui import begin_page, get_bundle, show_applicability, show_figure, show_headline
from core.ui.board import ask_board, choose_patient, list_patients
from core.ui.board_decision import ask_author, ask_decision, ask_reading_first, show_entries
from core.ui.board_patient import read_patient, show_beside
from core.ui.cohort import EVIDENCE, get_cohort

with begin_page("Tumour board", role="clinician") as user:
    bundle, cohort = get_bundle(), get_cohort()
    if cohort is None:
        st.markdown("There is no cohort yet: give one on the page **Cohort**.")
        st.stop()
    manifest = bundle.manifest
    no_call = (float(manifest["no_call"]["low"]), float(manifest["no_call"]["high"]))
    threshold, cutoff = float(manifest["threshold"]["value"]), float(manifest["cutoff"]["value"])
    patients = list_patients(cohort, no_call, threshold=threshold, cutoff=cutoff)
    if cohort.is_simulated:
        st.caption("These patients are simulated: images, values and outcomes are made up.")
    author = ask_author(user)
    patient = choose_patient(ask_board(patients), set(patients["patient_id"].astype(str)))
    row = patients[patients["patient_id"].astype(str) == patient].iloc[0].to_dict()
    if not author:
        st.caption("Give your initials in the sidebar, so that what you save has an author.")
    if not ask_reading_first(patient, author, user=user, threshold=threshold, cohort_sha256=cohort.sha256):
        st.stop()

    read = read_patient(patient, simulated=cohort.is_simulated)
    draft = {"patient": patient, "author": author, "kind": "note", "text": "-", "role": user.role}
    own = cohort.sha256 == manifest["files"].get(EVIDENCE)
    draft |= {"cohort_sha256": cohort.sha256, "bundle_sha256": bundle.sha256 if own else ""}
    image, words, decision = st.columns([3, 4, 3], gap="medium")
    probability, group = float(row["prob"]), "high" if row["prob"] >= threshold else "low"
    if read is None:
        image.caption("There is no image of this patient.")
        words.markdown(f"### {format_percent(probability)} probability of a high Ki-67")
        words.caption("From the cohort's table, without an interval; called by the threshold of the bundle.")
        uncertain = no_call[0] <= probability <= no_call[1]
        draft |= {"probability": probability, "group": group}
    else:
        frame, roi, clinical, prediction = read
        alt = describe_frame(frame, roi)
        image.image(render_frame(frame, roi), width="stretch", caption="Frame with its lesion box", alt=alt)
        probability, group, uncertain = prediction.probability, prediction.group, prediction.is_no_call
        draft |= {"input_sha256": prediction.reading.input_sha256}
        with words:
            if prediction.applicability.status == "refused":
                uncertain = True
            if show_applicability(prediction):
                show_headline(prediction, bundle)
                low, high = prediction.interval
                draft |= {"probability": probability, "low": low, "high": high, "group": group}
    with words:
        show_beside(row, group, cutoff, no_call=uncertain)
    with decision:
        if author:
            ask_decision(Entry(**draft))
        show_entries(patient)

    if read is not None and "group" in draft:
        contributions = tabulate_contributions(prediction, clinical)
        points = score_points(bundle.fusion_heads["m1"], prediction.reading.scores["ki67"], clinical)
        limit = compute_heatmap_limit(bundle.fusion_heads["m1"])
        why, nomogram, heat = st.tabs(["What adds up to it", "Nomogram", "Heat map"])
        with why:
            show_figure(
                plot_waterfall(contributions),
                alt=describe_waterfall(contributions),
                data=contributions,
                name="contributions",
            )
        with nomogram:
            show_figure(
                plot_nomogram(points), alt=describe_nomogram(points), data=tabulate_points(points), name="nomogram"
            )
        with heat:
            st.caption("It shows what influenced the model, not where the tumour divides.")
            show_figure(
                plot_heatmap(frame, roi, prediction, limit=limit, opacity=0.6, contours=False),
                alt=describe_heatmap(prediction, limit),
                data=tabulate_heatmap(prediction),
                name="heatmap",
            )
