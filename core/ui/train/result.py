"""What came of a training: the card of the new bundle, beside the bundle in use, and the packed bundle."""

import streamlit as st

from core.inference.render import FEW_USE
from core.plain_text import plain, plain_document, plain_table
from core.training.plan import MIN_TRAIN
from core.training.run.record import RunFolder
from core.ui.errors import guard_file
from core.ui.export import offer_csv
from core.ui.train.comparison import describe_comparison, tabulate_comparison
from core.ui.train.manifest import show_refused
from models.sealed import CARD


def show_result(run: RunFolder) -> None:
    """Draw what came of a training."""
    result = run.read_result() or {}
    order = run.read_order()
    if order.plan.simulated:
        st.warning("These figures come from **simulated** patients. They say nothing about real ones.")
    if result["flow"]["splits"]["train"]["n"] < MIN_TRAIN:
        st.warning(FEW_USE)
    st.download_button(
        "The bundle (ZIP)",
        guard_file(run.packed.read_bytes),
        file_name="sonoki_bundle.zip",
        mime="application/zip",
        on_click="ignore",
        type="primary",
    )
    st.caption("`python -m core bundle unpack sonoki_bundle.zip --out DIR` verifies it and puts it into a folder.")
    st.subheader("Beside the bundle in use", anchor=False)
    compared = result["comparison"]
    for sentence in describe_comparison(compared):
        st.markdown(plain(sentence))
    table = tabulate_comparison(compared.get("splits", {}))
    if len(table):
        st.table(plain_table(table), hide_index=True, alt="Figures of the new bundle and of the one in use")
        st.caption(
            "In brackets 95 % intervals; the difference of the AUCs by DeLong's paired test; calls by each bundle's "
            "own threshold, net change of Pencina et al. for those with high and with low Ki-67."
        )
        offer_csv(table, "comparison", label="Comparison (CSV)")
    for name, title, alt in (
        ("refused", "Rows that were refused", "Rows refused"),
        ("cautions", "Rows to look at", "Rows with a caution"),
    ):
        rows = [(int(row), str(why)) for row, why in result[name]]
        if rows:
            st.subheader(title, anchor=False)
            show_refused(rows, alt)
    for note in result["notes"]:
        st.caption(plain(note))
    with st.expander("Model card of the new bundle"):
        st.markdown(plain_document((run.bundle / CARD).read_text(encoding="utf-8")))
