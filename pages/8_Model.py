"""Model: what it is, what it was trained on, how well it does, and every field that it knows."""

import streamlit as st

from core.errors import ModelError
from core.inference.explain import label_term
from core.inference.render import FEW_USE
from core.plain_text import plain, plain_document, plain_figure, plain_table
from core.spreadsheet import disarm_table
from core.ui import begin_page, get_bundle, offer_csv
from models.sealed import CARD

with begin_page("Model") as user:
    from core.figures.evidence import (
        FLOW,
        METRICS,
        describe_engine,
        describe_sizes,
        read_evidence,
        read_intake,
        read_internal,
        tabulate_coefficients,
        tabulate_dictionary,
        tabulate_flow,
        tabulate_learning,
        tabulate_metrics,
    )
    from core.figures.instability import plot_instability, tabulate_instability
    from core.figures.intake import tabulate_intake
    from core.ui.model.choice import show_bundle_choice
    from core.ui.model.origin import (
        describe_update,
        read_federation,
        read_update,
        tabulate_heterogeneity,
        tabulate_optimism,
        tabulate_sites,
        tabulate_tests,
    )
    from core.ui.paper import offer_paper
    from core.ui.record_check import show_record_check

    try:
        bundle = get_bundle()
    except ModelError:
        show_bundle_choice(user)  # an admin can take back what can't be read
        raise
    manifest = bundle.manifest
    rule, data = manifest.call_rule, manifest.training_data
    low, high = rule.indeterminate
    limits = " to ".join(f"{100 * limit:.1f}" for limit in manifest.threshold_interval)

    st.header("What it answers", anchor=False)
    st.markdown(
        f"The probability that the surgical specimen's Ki-67 is **{manifest.positive_class}**: "
        f"**{bundle.cutoff.words}** of the tumour cells.\n\n"
        f"- Threshold **{100 * rule.threshold:.1f} %**{f' (95 % interval {limits} %)' if limits else ''}: "
        f"{plain(manifest.threshold_rule)}, chosen on {plain(manifest.chosen_on)}.\n"
        f"- Indeterminate range **{100 * low:.1f} to {100 * high:.1f} %**: "
        f"{plain(manifest.indeterminate_rule.replace('0%', '0 %'))}.\n"
        f"- It takes: {'; '.join(map(label_term, ('image', *manifest.predictors)))}."
    )

    show_bundle_choice(user)

    st.header("How well it does", anchor=False)
    if bundle.is_simulated:
        st.warning("These figures come from **simulated** patients. They say nothing about real ones.")
    if bundle.is_few:
        st.warning(FEW_USE)
    metrics = tabulate_metrics(read_evidence(bundle, METRICS))
    if len(metrics):
        alt = "Figures of the model by split, each with its 95 % interval"
        st.table(plain_table(metrics), hide_index=True, alt=alt)
        st.caption("In brackets: 95 % interval. Figures of the training split are optimistic.")
        offer_csv(metrics, "metrics", label="Figures (CSV)")

        st.header("A paper from it", anchor=False)
        st.markdown(
            "Flow diagram, Table 1, every figure as SVG, PDF and PNG (300 dpi), every table as CSV, all of it as PDF "
            "and for Word, and the checklists TRIPOD+AI and CLAIM with what the study's people must fill in."
        )
        offer_paper(bundle)
    else:
        st.markdown("Not measured: the sites' patients were not seen together. Test it on your own before you use it.")

    st.header("What it was trained on", anchor=False)
    external = ", ".join(data.external_centres) or "none"
    st.markdown(f"{plain(data.description)} {data.n_patients} patients; external centre: {plain(external)}.")
    st.table(plain_table(tabulate_flow(read_evidence(bundle, FLOW))), hide_index=True, alt="Patients by split")

    update, federation = read_update(bundle), read_federation(bundle)
    if update is not None:
        st.header("How it was updated", anchor=False)
        st.markdown(plain(describe_update(update)))
        tests, optimism = tabulate_tests(update), tabulate_optimism(update)
        st.table(plain_table(tests), hide_index=True, alt="Tests of the refit against each lesser update")
        st.caption("Closed testing procedure (Vergouwe 2017): the first test with p of 0.05 or more ends it.")
        st.table(plain_table(optimism), hide_index=True, alt="Figures on the patients of the update, and corrected")
        offer_csv(tests, "update_tests", label="Tests of the update (CSV)")
        offer_csv(optimism, "update_optimism", label="Figures of the update (CSV)")
    if federation is not None:
        st.header("How the sites differ", anchor=False)
        heterogeneity, sites = tabulate_heterogeneity(federation), tabulate_sites(federation)
        st.table(plain_table(heterogeneity), hide_index=True, alt="Pooled coefficients and their variation over sites")
        st.caption("Tau: standard deviation between sites (REML). I squared: its share of the variance.")
        st.table(plain_table(sites), hide_index=True, alt="Patients and coefficients of each site")
        offer_csv(heterogeneity, "heterogeneity", label="Coefficients over sites (CSV)")
        offer_csv(sites, "sites", label="Sites (CSV)")

    st.header("How sure it is", anchor=False)
    internal = read_internal(bundle)
    if internal is None:
        st.markdown("Not measured for this bundle.")
    else:
        st.markdown("\n".join(f"- {sentence}" for sentence in describe_sizes(internal)))
        learning, instability = tabulate_learning(internal), tabulate_instability(internal)
        if len(learning):
            alt = "AUC and calibration slope by number of training patients"
            st.table(plain_table(learning), hide_index=True, alt=alt)
            st.caption("Tested on the validation and test splits.")
            offer_csv(learning, "learning_curve", label="Learning curve (CSV)")
        if len(instability):
            alt = "Range of each training patient's probability over the refits, by the model's probability"
            st.plotly_chart(plain_figure(plot_instability(instability)), alt=alt, key="instability")
            offer_csv(instability, "instability", label="Instability (CSV)")
        st.caption("How often a probability's interval contains the true one is in the model card below.")

    st.header("Images accepted or refused", anchor=False)
    rates = read_intake(bundle)
    if rates is None:
        st.markdown("Not measured for this bundle.")
    else:
        intake = tabulate_intake(rates)
        st.table(plain_table(intake), hide_index=True, alt="Images passed, passed with a caution and refused, by kind")
        st.caption(
            "Judged by the network's features; each row is of a network and a rule that saw neither the clinic nor, "
            "for other images, their source. 'No such kind known': by a rule that had learnt from no image of that "
            "kind. In brackets: 95 % interval (Wilson)."
        )
        offer_csv(intake, "intake", label="Images taken (CSV)")

    st.header("How it adds up", anchor=False)
    st.markdown("log-odds = intercept + coefficient x image score + the sum of coefficient x coded clinical value.")
    coefficients = tabulate_coefficients(bundle)
    st.table(plain_table(coefficients), hide_index=True, alt="Coefficients of the model with bootstrap intervals")
    offer_csv(coefficients, "coefficients", label="Coefficients (CSV)")

    st.header("Limits", anchor=False)
    st.markdown(
        "- It knows suspicious lesions (BI-RADS 3 to 5) before any therapy; after neoadjuvant therapy or a biopsy with "
        "haematoma it is not valid.\n"
        "- It sees one grey frame around one lesion. A more suspicious lesion does not mean a higher Ki-67.\n"
        "- Laboratories differ in Ki-67 and round it to multiples of 5: near the cut-off the truth itself is unsure.\n"
        "- Another device, another population or another cut-off needs a new validation."
    )
    with st.expander("Model card"):
        st.markdown(plain_document((bundle.folder / CARD).read_text(encoding="utf-8")))

    st.header("The tumour board's record", anchor=False)
    show_record_check()

    st.header("Data dictionary", anchor=False)
    dictionary = tabulate_dictionary()
    st.dataframe(disarm_table(dictionary), hide_index=True, height=420, alt="Fields of the data dictionary")
    offer_csv(dictionary, "data_dictionary", label="Data dictionary (CSV)")

    st.caption(
        f"Bundle {plain(bundle.name)}, sha256 {bundle.sha256}; trained with "
        + ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
        + f". {describe_engine()}"
    )
