"""The present estimate on the Case page: the number, why, and what leaves the page."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from core.figures.case.heatmap import tabulate_heatmap
from core.figures.case.heatmap_png import render_view_heatmap
from core.figures.case.nomogram import describe_nomogram, plot_nomogram, tabulate_points
from core.figures.case.probability import (
    describe_icons,
    describe_scale,
    plot_icons,
    plot_probability_scale,
    tabulate_estimate,
)
from core.figures.case.waterfall import describe_waterfall, plot_waterfall
from core.inference import Prediction, View, ViewEstimate
from core.inference.engines.choice import describe_choice
from core.inference.explain import tabulate_contributions
from core.inference.points import score_points
from core.inference.sentences import describe_linked_terms, describe_uncertain_terms
from core.settings import get_text_setting
from core.ui.case.archive import offer_results
from core.ui.case.proposal import get_lesions
from core.ui.case.result import show_call, show_headline, show_limits, show_secondary
from core.ui.case.session import note_saved
from core.ui.case.state import Answer
from core.ui.documents import offer_documents
from core.ui.errors import guard, guard_file
from core.ui.export import describe_provenance, offer_csv, render_case_json
from core.ui.figure import draw_figure, show_figure
from core.ui.image_source import Source
from models.bundle import Bundle

if TYPE_CHECKING:
    from core.archive.dicom_objects.export import CaseResults
    from core.documents.content import PatientContent

TABS = ("Contributions", "Nomogram", "100 patients", "Other", "Limits")


def show_answer(answer: Answer, bundle: Bundle) -> None:
    """Show the probability on its scale, and what it is called."""
    prediction = answer.prediction
    with st.container(key="case_answer", gap="xsmall"):
        show_headline(prediction, bundle)
        draw_figure(plot_probability_scale(prediction), key="figure_estimate", alt=describe_scale(prediction))
        show_call(prediction)


def show_reasons(answer: Answer, bundle: Bundle) -> None:
    """Show why: one view at a time is drawn."""
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
        contributions = tabulate_contributions(prediction, answer.case.clinical)
        show_figure(
            plot_waterfall(contributions),
            alt=describe_waterfall(contributions),
            data=contributions,
            name="contributions",
        )
    elif chosen == "Nomogram":
        head = bundle.fusion_heads["m1"]
        patient = score_points(head, prediction.score, answer.case.clinical)
        figure, data = plot_nomogram(patient, compact=True), tabulate_points(patient)
        show_figure(figure, alt=describe_nomogram(patient), data=data, name="nomogram")
        for words in (describe_linked_terms(head), describe_uncertain_terms(head, simulated=bundle.is_simulated)):
            if words:
                st.caption(words)
    elif chosen == "100 patients":
        st.markdown("Of 100 patients with this estimate")
        draw_figure(plot_icons(prediction.probability), key="icons", alt=describe_icons(prediction.probability))
    elif chosen == "Other":
        show_secondary(prediction, bundle)
    else:
        show_limits(prediction, answer.case.views)


def offer_exports(answer: Answer, bundle: Bundle, sources: Sequence[Source], *, shown: int, entry: str = "") -> None:
    """Offer the estimate, the heat map of the view that is looked at, the documents, and results for the archive."""
    case, prediction, first = answer.case, answer.prediction, sources[0]
    provenance = describe_provenance(bundle)
    at = answer.numbers.index(shown) if shown in answer.numbers else 0
    view, estimate = case.views[at], prediction.views[at]
    with st.container(horizontal=True):
        offer_csv(tabulate_estimate(prediction), "estimate", label="Data of the estimate (CSV)")
        offer_csv(tabulate_heatmap(estimate), "heatmap", label="Data of the heat map (CSV)")
    with st.container(horizontal=True):
        st.download_button(
            "Estimate (JSON)",
            guard_file(partial(render_case_json, case, prediction, bundle, simulated=first.is_simulated)),
            file_name="sonoki_estimate.json",
            mime="application/json",
            on_click=guard(note_saved),
        )
        st.download_button(
            "Heat map (PNG)",
            guard_file(partial(_render_png, view, estimate, prediction, bundle)),
            file_name="sonoki_heatmap.png",
            mime="image/png",
            on_click="ignore",
        )
    collect = partial(_collect_case, case, prediction, bundle, simulated=first.is_simulated, entry=entry)
    patient = offer_documents(partial(collect, created_utc=provenance["created_utc"]), pseudonym=first.patient_id)
    st.download_button(
        "Estimate (FHIR)",
        guard_file(
            partial(_render_fhir, answer, bundle, patient=patient or "", simulated=first.is_simulated, entry=entry)
        ),
        file_name="sonoki_estimate.fhir.json",
        mime="application/fhir+json",
        on_click=guard(note_saved),
        help="FHIR R4: RiskAssessment, Provenance and Device; the patient is named by the pseudonym alone.",
    )
    lesions = [get_lesions(view.frame, n) for view, n in zip(case.views, answer.numbers, strict=True)]
    results = partial(
        _collect_results, case, prediction, bundle, simulated=first.is_simulated, lesions=lesions, entry=entry
    )
    offer_results(results, sources)


def _render_png(view: View, estimate: ViewEstimate, prediction: Prediction, bundle: Bundle) -> bytes:
    return render_view_heatmap(view, estimate, prediction, bundle, provenance=describe_provenance(bundle))


def _render_fhir(answer: Answer, bundle: Bundle, *, patient: str, simulated: bool, entry: str) -> str:
    from core.fhir.risk_assessment import Assessed, Model, render_assessments  # noqa: PLC0415 - a download's own
    from core.register.estimate.entry import Estimate  # noqa: PLC0415
    from core.register.pseudonyms import question_pseudonym  # noqa: PLC0415

    if question := question_pseudonym(patient) if patient else "":
        raise InputError(question)
    engine = describe_choice(get_text_setting("engine"))
    estimate = Estimate.of_case(
        answer.case,
        answer.prediction,
        patient=patient,
        centre="",
        exam_date="",
        engine=engine,
        is_simulated=simulated,
    )
    model = Model(
        bundle.name, bundle.sha256, bundle.cutoff.words, is_simulated=bundle.is_simulated, is_few=bundle.is_few
    )
    now = describe_provenance(bundle)["created_utc"]
    return render_assessments([Assessed(estimate, now, entry)], [model], created_utc=now)


def _collect_case(*case: Any, entry: str, **options: Any) -> "PatientContent":
    from core.documents.collect_case import collect_case  # noqa: PLC0415 - brings matplotlib and scipy.stats

    return replace(collect_case(*case, **options), entry=entry)


def _collect_results(*case: Any, **options: Any) -> "CaseResults":
    from core.documents.collect_results import collect_results  # noqa: PLC0415 - brings highdicom

    return collect_results(*case, **options)
