"""Calibration: whether the probabilities hold."""

import streamlit as st

from core.evaluation import compute_calibration, compute_recalibration
from core.evaluation.calibration.optimism import compute_combination_optimism
from core.evaluation.cohort.records import render_calibration, render_plain
from core.figures.cohort.calibration import describe_calibration, plot_calibration
from core.figures.cohort.tables import tabulate_calibration, tabulate_optimism, tabulate_recalibration
from core.figures.rendering import render_png, render_svg
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.result import show_method, show_result, show_table
from core.ui.cohort.view import ask_for_slow, ask_view, compute_once

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Calibration"):
    view = ask_view()
    role = "development" if view.is_development else "external"
    if view.is_development:
        st.warning("The model was fitted on these patients: their calibration is apparent and optimistic.")
    calibration = compute_once(view, compute_calibration, "y", "prob", role=role)
    figure, numbers = st.columns([3, 2], gap="large")
    with figure:
        show_result(
            view,
            plot_calibration(calibration),
            name="calibration",
            alt=describe_calibration(calibration, cohort=view.name),
            data=calibration.curve,
            record=render_plain({**render_calibration(calibration), "bins": calibration.bins}),
            draw=DRAW,
        )
    with numbers:
        show_table(tabulate_calibration(calibration), "Figures of calibration with their intervals")

    if view.is_development:
        st.header("Corrected for optimism", anchor=False)
        if ask_for_slow(view, "optimism", "Correct for optimism"):
            optimism = compute_once(view, compute_combination_optimism)
            if optimism is None:
                st.caption(
                    "Not corrected: the table has only the finished probability. With the columns prob_image and "
                    "prob_clinical their combination can be fitted anew."
                )
            else:
                st.markdown(
                    f"Logistic combination of the image's and the clinical model's log-odds, fitted anew in "
                    f"{optimism.n_used:,} of {optimism.n_boot:,} bootstrap samples of {plain(view.name)}; "
                    f"n = {optimism.n:,}, "
                    f"{optimism.events:,} with high Ki-67. {optimism.reason or ''}"
                )
                show_table(tabulate_optimism(optimism), "Apparent performance and performance corrected for optimism")
                st.caption(
                    "The two models themselves are not fitted anew, so the optimism of the whole model is larger; "
                    "the test splits show it."
                )

    st.header("Recalibration to these patients", anchor=False)
    update = st.segmented_control(
        "What to update",
        ["intercept", "intercept + slope"],
        default="intercept",
        required=True,
        format_func=str.capitalize,
        key="cohort_update",
        persist_state="session",
        wrap=True,
    )
    if ask_for_slow(view, "recalibration", "Compute the update"):
        result = compute_once(view, compute_recalibration, "y", "prob", update=update)
        if result.intercept is None:
            st.caption(f"No update: {plain(result.reason)}")
        else:
            st.markdown(
                f"Updated log-odds = {result.intercept:+.3f} + {result.slope:.3f} x the model's log-odds. For an "
                f"interval of the updated term no wider than the estimate \u00b1 {result.half_width:g}, "
                f"{result.n_needed:,} patients are needed; there are {result.before.n:,}."
            )
            show_table(tabulate_recalibration(result), "Calibration before and after the update")
    show_method(
        "Intercept: logistic model with the model's log-odds as offset; slope: another model, with them as predictor. "
        "O/E with an interval on the log scale. Curve: loess (span 0.75, degree 2) of the outcome on the probability, "
        "or where predictions clump or loess leaves 0 to 1 a restricted cubic spline (logistic, as in rms); "
        "ICI, E50, E90, Emax are the mean, median, 90th centile and maximum of its distance from the diagonal. Points: "
        "tenths of the patients with Wilson intervals. Hosmer-Lemeshow is secondary: 10 degrees of freedom on patients "
        "that the model was not fitted on, 8 on those that it was. After an update, each tenth of the patients is "
        "judged with an update estimated on the rest."
    )
