"""One patient of the board on one screen: image or heat map, estimate, and what is known beside it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.clinical import BY_NAME, M1_PREDICTORS, is_missing
from core.inference import Prediction
from core.inference.explain import format_percent, format_value, label_term
from core.inference.sentences import describe_views, explain_call, name_call
from core.plain_text import plain
from core.register.estimates import BoardEstimate
from models.call_rule import CallRule
from models.cutoff import Cutoff

CORE = ("grade_cnb", "er_pct", "pr_pct", "her2", "ki67_cnb_pct")
UNUSED = "Biopsy results were not used in the estimate."
AFTER = "After surgery and follow-up"
LATER = ("ki67_pct", "pn", "lnm", "rfs_months", "rfs_event")
SHORT = {
    "grade_cnb": "grade",
    "er_pct": "ER",
    "pr_pct": "PR",
    "her2": "HER2",
    "ki67_cnb_pct": "Ki-67",
    "ki67_pct": "Ki-67",
    "pn": "pN",
    "lnm": "node metastasis",
    "rfs_months": "recurrence-free",
    "rfs_event": "recurrence",
    "aln_suspicious": "Nodes on ultrasound",
}
GRAPH = 200
REASONS = ("Contributions", "Nomogram")
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 0.5rem 2rem 0.5rem; }
[data-testid="stHeader"] { background: transparent; }
[data-testid="stMain"] [data-testid="stVerticalBlock"] { gap: 0.4rem; }
[data-testid="stMain"] [data-testid="stHeading"] [data-testid="stMarkdownContainer"] { margin: 0; }
[data-testid="stMain"] :is(h1, h2, h3) { line-height: 1.3; }
[data-testid="stMain"] h1 { padding: 0; font-size: 1.4rem; }
[data-testid="stMain"] h2 { padding: 0; font-size: 1.2rem; }
[data-testid="stMain"] h3 { padding: 0; font-size: 1.15rem; }
[data-testid="stMain"] [data-testid="stForm"] { padding: 0.6rem; }
[data-testid="stMain"] [data-testid="stMarkdownContainer"] p { font-size: 0.9rem; line-height: 1.35; }
[data-testid="stMain"] [data-testid="stCaptionContainer"] p { font-size: 0.8rem; line-height: 1.3; }
[data-testid="stMain"] [data-testid="stAlertContainer"] { padding: 0.4rem 0.6rem; min-height: 0; }
[data-testid="stMain"] [data-testid="stAlertContainer"] p { font-size: 0.8rem; line-height: 1.3; }
@media (max-width: 767px) { [data-testid="stMainBlockContainer"] { padding: 2.5rem 0.75rem 1rem; } }
</style>"""


def tighten_page() -> None:
    """Take the room between the parts away, so that a patient fits one screen."""
    st.html(STYLE)


def ask_reason() -> str:
    """Draw the tabs of why, and give the chosen one."""
    return str(
        st.segmented_control(
            "Why",
            REASONS,
            default=REASONS[0],
            required=True,
            key="board_reason",
            label_visibility="collapsed",
            persist_state="session",
        )
    )


def show_headline(prediction: Prediction, graph: str, alt: str) -> None:
    """Write the probability with its interval and its call, beside a small graph (SVG) with its alternative text."""
    low, high = map(format_percent, prediction.interval)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chance = format_percent(prediction.probability)
        st.subheader(f"{chance} probability of a high Ki-67", anchor=False, width="content")
        st.image(graph, width=GRAPH, alt=alt)
    st.markdown(f"95 % interval **{low} to {high}**. **{name_call(prediction)}.** {explain_call(prediction)}")
    if len(prediction.views) > 1:
        st.caption(describe_views(prediction))


def show_table_estimate(probability: float, rule: CallRule, graph: str, alt: str) -> None:
    """Write the probability that the cohort's table gives."""
    st.subheader(f"{format_percent(probability)} probability of a high Ki-67", anchor=False)
    st.image(graph, width=GRAPH, alt=alt)
    call = "Indeterminate" if rule.is_indeterminate(probability) else f"Classified as {rule.classify(probability)}"
    st.markdown(f"**{call}**, by the bundle's threshold of {format_percent(rule.threshold)}.")
    st.caption("From the cohort's table: without the image there is no explanation of it.")


def show_missing(read: BoardEstimate, in_table: float) -> None:
    """Say what speaks against the estimate, what was not known, and where table and image differ."""
    prediction = read.shown
    if prediction is None:
        return
    if prediction.applicability.status == "caution":
        st.warning(f"**Caution.** {plain(' '.join(prediction.applicability.reasons))}")
    if prediction.imputed:
        names = "; ".join(label_term(name) for name in prediction.imputed)
        st.caption(f"**Not known, so the interval is wider:** {names}.")
    if not read.fits(in_table):
        st.caption(
            f"The cohort's table gives {format_percent(in_table)}: it was made out of fold, from several images or by "
            "another bundle."
        )


def show_inputs(clinical: Mapping[str, object]) -> None:
    """Write what was known before biopsy, for a reader who estimates first."""
    st.markdown(" · ".join(f"{BY_NAME[name].label}: **{_write(name, clinical.get(name))}**" for name in M1_PREDICTORS))


def show_beside(row: Mapping[str, Any], group: str, cutoff: Cutoff, *, is_decided: bool) -> None:
    """Write nodes, receptors and the core's Ki-67 beside the estimate.

    What came later is written once the reader has decided, for outcomes must not sway the decision.
    """
    nodes = _write("aln_suspicious", row.get("aln_suspicious"))
    later = _list(AFTER, LATER, row) if is_decided else f"{AFTER}: shown once your decision is saved"
    st.markdown(f"Nodes on ultrasound: **{nodes}**\\\n{_list('Core biopsy', CORE, row)}\\\n{later}")
    core = row.get("ki67_cnb_pct")
    if core is None or is_missing(core):
        st.caption("The core biopsy's Ki-67 is not known, so there is nothing to compare the estimate with.")
        return
    side = "high" if cutoff.is_high(float(core)) else "low"
    if not group:
        st.caption(f"The core's Ki-67 is {side}, the estimate indeterminate. {UNUSED}")
    else:
        verdict = "they **agree**" if side == group else "they **differ**"
        st.caption(f"The core's Ki-67 is {side}, the estimate is called {group}: {verdict}. {UNUSED}")


def _list(title: str, names: tuple[str, ...], row: Mapping[str, object]) -> str:
    known = [
        f"{SHORT[name]} **{_write(name, row[name])}**" for name in names if name in row and not is_missing(row[name])
    ]
    return f"{title}: {', '.join(known) or '**not known**'}"


def _write(name: str, value: object) -> str:
    if value is None or is_missing(value):
        return "not known"
    if name == "lnm":
        return "yes" if float(str(value)) else "no"
    return plain(format_value(name, value))
