"""Case: from an image and a few clinical facts to an explained probability."""

from functools import partial

import streamlit as st

from core.documents.collect_case import collect_case
from core.documents.collect_results import collect_results
from core.figures.case.frame import render_frame
from core.figures.case.heatmap import describe_heatmap, plot_heatmap, tabulate_heatmap
from core.figures.case.heatmap_png import render_heatmap_png
from core.figures.case.nomogram import describe_nomogram, plot_nomogram, tabulate_points
from core.figures.case.probability import (
    describe_icons,
    describe_scale,
    plot_icons,
    plot_probability_scale,
    tabulate_estimate,
)
from core.figures.case.waterfall import describe_waterfall, plot_waterfall
from core.inference import Case
from core.inference.explain import compute_heatmap_limit, format_percent, tabulate_contributions
from core.inference.plausibility import question_values
from core.inference.points import score_points
from core.plain_text import plain
from core.ui import (
    ask_box,
    ask_cleaning,
    ask_clinical,
    ask_frame,
    ask_proposal,
    ask_reading,
    ask_source,
    begin_page,
    describe_provenance,
    get_bundle,
    get_worker,
    guard_file,
    open_answer,
    refuse_picture,
    render_case_json,
    report_errors,
    settle_answer,
    show_applicability,
    show_figure,
    show_headline,
    show_limits,
    show_questions,
    show_secondary,
)
from core.ui.case.archive import ask_archive, offer_results
from core.ui.documents import offer_documents

with begin_page("Case", role="clinician"):
    bundle = get_bundle()
    get_worker()
    head = bundle.fusion_heads["m1"]
    image_side, form_side = st.columns([5, 4], gap="large")

    pictured = reading = None
    with form_side:
        st.header("2. What is known before biopsy", anchor=False)
        form = ask_clinical(bundle.manifest["predictors"])
    with image_side, report_errors(stop=False):
        st.header("1. Image and lesion", anchor=False)
        ask_archive()
        source = ask_source()
        if source is not None:
            frame = ask_frame(source)
            if source.is_simulated:
                st.caption(f"Simulated patient {source.patient_id}: image and clinical values are made up.")
            for note in frame.notes:
                st.caption(plain(note))
            refuse_picture(frame)
            roi = ask_box(source, frame, ask_proposal(frame), render_frame)
            pictured = (ask_cleaning(frame, roi), roi)
    show_questions(form, question_values(form.values, *(pictured or ())))
    with form_side, report_errors(stop=False):
        reading = ask_reading(pictured, is_ready=not form.faults)
    answer, earlier = settle_answer(pictured, form, reading)
    if answer is None or source is None:
        st.stop()
    frame, roi, clinical, prediction = answer.frame, answer.roi, answer.clinical, answer.prediction

    with open_answer(earlier):
        if not show_applicability(prediction):
            st.stop()
        contributions = tabulate_contributions(prediction, clinical)
        patient = score_points(head, prediction.reading.scores["ki67"], clinical)
        limit = compute_heatmap_limit(head)

        words, icons = st.columns([3, 2], gap="large")
        with words:
            show_headline(prediction, bundle)
            show_figure(
                plot_probability_scale(prediction),
                alt=describe_scale(prediction),
                data=tabulate_estimate(prediction),
                name="estimate",
            )
        with icons:
            st.markdown("Of 100 similar patients")
            st.plotly_chart(plot_icons(prediction.probability), alt=describe_icons(prediction.probability), key="icons")

        with st.expander("Heat map: where the image raises or lowers the estimate"):
            st.markdown(
                "It shows what influenced the model, not where the tumour divides. "
                "The scale is the same for every image: weak evidence looks weak. The mean over the square is the "
                f"image's part of the estimate: {prediction.contributions['image']:+.2f} log-odds."
            )
            opacity = st.slider(
                "Opacity of the colours", 0.0, 1.0, 0.6, 0.1, key="case_opacity", persist_state="session"
            )
            contours = st.toggle("Lines of equal log-odds", key="case_contours", persist_state="session")
            show_figure(
                plot_heatmap(frame, roi, prediction, limit=limit, opacity=opacity, contours=contours),
                alt=describe_heatmap(prediction, limit),
                data=tabulate_heatmap(prediction),
                name="heatmap",
            )

        why, nomogram = st.columns(2, gap="large")
        with why:
            st.header("What adds up to it", anchor=False)
            show_figure(
                plot_waterfall(contributions),
                alt=describe_waterfall(contributions),
                data=contributions,
                name="contributions",
            )
        with nomogram:
            st.header("The same as a nomogram", anchor=False)
            show_figure(
                plot_nomogram(patient), alt=describe_nomogram(patient), data=tabulate_points(patient), name="nomogram"
            )

        missing, also = st.columns(2, gap="large")
        with missing:
            show_limits(prediction, frame)
        with also:
            show_secondary(prediction, bundle)

        if earlier:
            st.stop()
        st.header("Take it with you", anchor=False)
        provenance = describe_provenance(bundle)
        with st.container(horizontal=True):
            st.download_button(
                "Estimate (JSON)",
                guard_file(
                    partial(
                        render_case_json,
                        prediction,
                        bundle,
                        frame=frame,
                        roi=roi,
                        clinical=clinical,
                        simulated=source.is_simulated,
                    )
                ),
                file_name="sonoki_estimate.json",
                mime="application/json",
                on_click="ignore",
            )
            st.download_button(
                "Heat map (PNG)",
                guard_file(
                    partial(
                        render_heatmap_png,
                        frame,
                        roi,
                        prediction,
                        limit=limit,
                        opacity=opacity,
                        captions=(
                            f"Ki-67 high: {format_percent(prediction.probability)}. "
                            "Influence on the model, not biology.",
                            f"Bundle {bundle.name} {bundle.sha256[:12]}, {provenance['created_utc']}",
                            provenance["intended_use"],
                        ),
                        provenance=provenance,
                    )
                ),
                file_name="sonoki_heatmap.png",
                mime="image/png",
                on_click="ignore",
            )
        offer_documents(
            partial(
                collect_case,
                Case(frame, roi, clinical),
                prediction,
                bundle,
                patient=source.patient_id,
                simulated=source.is_simulated,
                created_utc=provenance["created_utc"],
            )
        )
        offer_results(
            partial(collect_results, Case(frame, roi, clinical), prediction, bundle, simulated=source.is_simulated),
            source,
        )
