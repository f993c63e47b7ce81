"""The present estimate on the Case page: the number, why, and what leaves the page."""

from functools import partial

import streamlit as st

from core.documents.collect_case import collect_case
from core.documents.collect_results import collect_results
from core.figures.case.heatmap import tabulate_heatmap
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
from core.inference.points import score_points
from core.plain_text import plain_figure
from core.ui.case.archive import offer_results
from core.ui.case.result import show_call, show_headline, show_limits, show_secondary
from core.ui.case.state import Answer
from core.ui.documents import offer_documents
from core.ui.errors import guard_file
from core.ui.export import PLAIN, describe_provenance, offer_csv, render_case_json, show_figure
from core.ui.image_source import Source
from models.bundle import Bundle

OPACITY = 0.6
TABS = ("Contributions", "Nomogram", "100 patients", "Other", "Limits")


def show_answer(answer: Answer, bundle: Bundle) -> None:
    """Show the probability on its scale, and what it is called.

    Parameters
    ----------
    answer : Answer
        The estimate and what it was made from.
    bundle : Bundle
        The bundle that gave it.
    """
    prediction = answer.prediction
    show_headline(prediction, bundle)
    scale = plot_probability_scale(prediction)
    st.plotly_chart(plain_figure(scale), key="figure_estimate", alt=describe_scale(prediction), config=PLAIN)
    show_call(prediction)


def show_reasons(answer: Answer, bundle: Bundle) -> None:
    """Show why: one view at a time is drawn.

    Parameters
    ----------
    answer : Answer
        The estimate and what it was made from.
    bundle : Bundle
        The bundle that gave it.
    """
    prediction = answer.prediction
    chosen = st.segmented_control(
        "Why",
        TABS,
        default=TABS[0],
        required=True,
        key="case_tab",
        label_visibility="collapsed",
        persist_state="session",
    )
    if chosen == "Contributions":
        contributions = tabulate_contributions(prediction, answer.clinical)
        show_figure(
            plot_waterfall(contributions, compact=True),
            alt=describe_waterfall(contributions),
            data=contributions,
            name="contributions",
        )
    elif chosen == "Nomogram":
        patient = score_points(bundle.fusion_heads["m1"], prediction.reading.scores["ki67"], answer.clinical)
        show_figure(
            plot_nomogram(patient), alt=describe_nomogram(patient), data=tabulate_points(patient), name="nomogram"
        )
    elif chosen == "100 patients":
        st.markdown("Of 100 patients with this estimate")
        st.plotly_chart(plot_icons(prediction.probability), alt=describe_icons(prediction.probability), key="icons")
    elif chosen == "Other":
        show_secondary(prediction, bundle)
    else:
        show_limits(prediction, answer.frame)


def offer_exports(answer: Answer, bundle: Bundle, source: Source) -> None:
    """Offer the estimate, the heat map and the documents, and results for the archive.

    Parameters
    ----------
    answer : Answer
        The present estimate.
    bundle : Bundle
        The bundle that gave it.
    source : Source
        Where the image comes from.
    """
    frame, roi, clinical, prediction = answer.frame, answer.roi, answer.clinical, answer.prediction
    provenance, case = describe_provenance(bundle), Case(frame, roi, clinical)
    with st.container(horizontal=True):
        offer_csv(tabulate_estimate(prediction), "estimate", label="Data of the estimate (CSV)")
        offer_csv(tabulate_heatmap(prediction), "heatmap", label="Data of the heat map (CSV)")
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
                    limit=compute_heatmap_limit(bundle.fusion_heads["m1"]),
                    opacity=OPACITY,
                    captions=(
                        f"Ki-67 high: {format_percent(prediction.probability)}. Influence on the model, not biology.",
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
            case,
            prediction,
            bundle,
            patient=source.patient_id,
            simulated=source.is_simulated,
            created_utc=provenance["created_utc"],
        )
    )
    offer_results(partial(collect_results, case, prediction, bundle, simulated=source.is_simulated), source)
