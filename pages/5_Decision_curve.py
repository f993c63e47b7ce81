"""Decision curve: whether acting on the model is worth more than treating all or none."""

import streamlit as st

from core.evaluation.cohort.net_benefit import compute_gain, compute_labelled_net_benefit
from core.evaluation.cohort.records import render_plain
from core.evaluation.cohort.results import label_model, settle_threshold
from core.evaluation.cohort.split import list_models
from core.figures.cohort.decision_curve import (
    MEASURES,
    describe_decision_curve,
    plot_decision_curve,
    plot_net_benefit_difference,
)
from core.figures.cohort.parts import describe_lower_benefit
from core.figures.cohort.tables import tabulate_net_benefit
from core.figures.rendering import render_png, render_svg
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.population import ask_population
from core.ui.cohort.result import show_method, show_result, show_table
from core.ui.cohort.threshold import ask_threshold, find_threshold
from core.ui.cohort.view import ask_view, compute_once

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Decision curve"):
    view = ask_view()
    threshold = ask_threshold(view, find_threshold(view, settle_threshold))
    low, high = st.slider(
        "Range of threshold probabilities", 0.01, 0.99, (0.20, 0.70), 0.01, key="cohort_range", persist_state="session"
    )
    if high - low < 0.05:
        st.caption("The range is too narrow to be drawn; widen it.")
        st.stop()
    measure = st.segmented_control(
        "Drawn",
        list(MEASURES),
        default="net_benefit",
        format_func=MEASURES.__getitem__,
        required=True,
        key="cohort_measure",
        persist_state="session",
        wrap=True,
    )
    prevalence, harm = ask_population(view)
    result = compute_once(view, compute_labelled_net_benefit, prevalence=prevalence, harm=harm)
    show_result(
        view,
        plot_decision_curve(result, limits=(low, high), threshold=threshold.threshold, measure=measure),
        name="decision_curve",
        alt=describe_decision_curve(result, cohort=view.name, limits=(low, high)),
        data=result.table,
        record=render_plain(
            {"decision_curve": result.table, "n": result.n, "prevalence": result.prevalence, "harm": harm}
        ),
        draw=DRAW,
    )
    if lower := describe_lower_benefit(result, (low, high), cohort=view.name):
        st.warning(plain(lower))
    points = [round(low + (high - low) * step / 5, 2) for step in range(6)]
    own = [] if threshold.threshold is None else [round(min(max(threshold.threshold, 0.01), 0.99), 2)]
    show_table(tabulate_net_benefit(result, sorted({*points, *own})), "Net benefit at a few thresholds")
    if own:
        st.caption(f"The row {own[0]:.2f} is the threshold of {threshold.threshold:.3f}, rounded to the grid.")

    if others := list_models(view.table):
        st.header("Gain over another model", anchor=False)
        other = st.segmented_control(
            "The model minus",
            others,
            default=others[0],
            format_func=lambda model: plain(label_model(model)),
            required=True,
            key="cohort_other",
            persist_state="session",
            wrap=True,
        )
        gain = compute_once(view, compute_gain, other=other, low=low, high=high)
        sentence = (
            f"Net benefit of the model minus that of {label_model(other).lower()} in {view.name}, with the "
            f"95 % band of {gain.n_boot:,} bootstrap samples; n = {gain.n:,}."
        )
        show_result(
            view,
            plot_net_benefit_difference(gain),
            name="net_benefit_difference",
            alt=f"{sentence} {gain.reason or ''}".strip(),
            data=gain.table,
            record=render_plain(gain.table),
            draw=DRAW,
        )
    show_method(
        "Net benefit = TP/n - FP/n x pt / (1 - pt) at threshold probability pt (Vickers and Elkin 2006), on patients "
        "complete for the outcome and every model; treating all and treating none are always drawn. Interventions "
        "avoided are per 100 patients, against treating all; standardised net benefit is its share of the prevalence. "
        "With another prevalence the rates within each class are kept and the classes weighed anew; a harm is taken "
        "off every model's net benefit. The range from 0.20 to 0.70 was fixed beforehand; another range is "
        "exploratory. The band is pointwise, from bootstrap samples of patients. Node metastasis and recurrence have "
        "their decision curves on the pages Lymph nodes and Survival."
    )
