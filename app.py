"""Home: purpose, intended use, ways in. Streamlit runs this file as the page; its server imports it for the gate."""

import streamlit as st

from core.ui import begin_page, load_simulated_patient
from core.ui.gate.start import protect_server


def show_home() -> None:
    """Draw the page."""
    with begin_page("SonoKi"):
        st.markdown(
            "SonoKi reads a breast ultrasound image and a few clinical facts, and estimates before surgery whether the "
            "tumour's **Ki-67** is high. It shows why, and lets a tumour board evaluate the model on a cohort."
        )
        case, cohort, model = st.columns(3, gap="medium")
        with case, st.container(border=True, height="stretch"):
            st.header("One patient", anchor=False)
            st.markdown("Image, lesion box, clinical facts; then probability, heat map and nomogram.")
            if st.button("Try a simulated patient", type="primary"):
                load_simulated_patient()
                st.switch_page("pages/1_Case.py")
            if st.button("Open an image of your own"):
                st.switch_page("pages/1_Case.py")
        with cohort, st.container(border=True, height="stretch"):
            st.header("A cohort", anchor=False)
            st.markdown("Whether the model can be trusted: discrimination, calibration, net benefit, survival, nodes.")
            if st.button("Evaluate the model on a cohort"):
                st.switch_page("pages/2_Cohort.py")
            if st.button("Open the tumour board"):
                st.switch_page("pages/9_Tumour_board.py")
        with model, st.container(border=True, height="stretch"):
            st.header("The model", anchor=False)
            st.markdown("What it was trained on, how well it does, where it fails, and every field that it knows.")
            if st.button("Read about the model"):
                st.switch_page("pages/8_Model.py")
        st.header("Intended use", anchor=False)
        st.markdown(
            "For research by people who know breast ultrasound. SonoKi is not a medical device. It does not replace "
            "biopsy or sentinel node, selects no therapy, and says nothing about a single patient's recurrence. It is "
            "meant for suspicious lesions (BI-RADS 3 to 5) before biopsy and before any therapy."
        )
        st.markdown(
            "The shipped bundle is a demonstration: no public data join ultrasound with Ki-67, so everything about "
            "Ki-67 was learnt from a **simulated** cohort. A hospital trains a bundle of its own on "
            "the page Train or with `python -m core train`."
        )
        st.markdown(
            "Method after Yu et al., European Radiology 2026, [doi 10.1007/s00330-025-12203-x]"
            "(https://doi.org/10.1007/s00330-025-12203-x)."
        )


if __name__ == "__main__":
    show_home()
else:
    app = st.App(__file__, **protect_server())
