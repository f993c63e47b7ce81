"""Tumour board: from patient to patient, with the estimate, what speaks for it, and a decision that is kept."""

from functools import partial
from typing import Any

import streamlit as st

from core.errors import UsageError
from core.inference.explain import compute_heatmap_limit, tabulate_contributions
from core.plain_text import plain
from core.ui import begin_page, describe_provenance, get_bundle
from core.ui.errors import guard
from core.ui.export import offer_csv
from core.ui.figure import BOARD_PX, draw_figure

with begin_page("Tumour board", role="clinician", presents=True) as user:
    from core.evaluation import compare_readers
    from core.figures.case.heatmap import tabulate_heatmap
    from core.figures.case.interval import describe_interval, encode_svg, render_interval
    from core.figures.case.nomogram import describe_nomogram, plot_nomogram, tabulate_points
    from core.figures.case.waterfall import describe_waterfall, plot_waterfall
    from core.inference.points import score_points
    from core.register.listing import find_entry
    from core.register.pairs import PAIRED, has_decided, list_seen, pair_readings
    from core.ui.board.agreement import show_agreement
    from core.ui.board.decision import (
        ask_author,
        ask_decision,
        ask_own,
        keep_seen,
        keep_shown,
        list_unread,
        reads_first,
        show_entries,
        show_withheld,
    )
    from core.ui.board.documents import ask_paper, offer_meeting, offer_patient, open_documents
    from core.ui.board.images import get_reader
    from core.ui.board.navigation import add_seen, find_asked, go, is_own, list_patients, show_way
    from core.ui.board.patient import (
        ask_reason,
        show_beside,
        show_headline,
        show_inputs,
        show_missing,
        show_table_estimate,
        tighten_page,
    )
    from core.ui.board.patient_table import ask_list, choose_board, follow_reading, name_decisions, show_list
    from core.ui.board.picture import show_picture
    from core.ui.cohort.current import get_cohort
    from core.ui.register.database import get_store

    tighten_page()
    bundle, cohort = get_bundle(), get_cohort()
    if cohort is None:
        st.markdown("There is no cohort yet: upload one on the page **Cohort**.")
        st.stop()
    rule, reader = bundle.manifest.call_rule, get_reader(cohort)
    store = get_store()
    patients = add_seen(list_patients(cohort, bundle.manifest), reader)
    patients["decided"] = patients["patient_id"].map(name_decisions(store.read_stands(cohort.sha256))).fillna("")
    author, is_first = ask_author(user), reads_first()
    board = choose_board(patients, is_blind=is_first)
    names = board["patient_id"].tolist()
    paired = store.read(cohort=cohort.sha256, kinds=PAIRED)
    unread = list_unread(paired, names, author, user.key) if is_first else []
    draft: dict[str, Any] = {
        "author": author,
        "author_key": user.key,
        "role": user.role,
        "cohort_sha256": cohort.sha256,
    }
    paired += keep_seen(draft, {}, paired)
    asked = find_asked(set(patients["patient_id"]))
    draw = partial(render_interval, no_call=rule.indeterminate, threshold=rule.threshold)
    describe = partial(describe_interval, no_call=rule.indeterminate, threshold=rule.threshold)
    reader.read_ahead(names)
    documents = partial(
        open_documents,
        patients,
        reader,
        bundle,
        partial(store.read, cohort=cohort.sha256),
        simulated=cohort.is_simulated,
        created_utc=describe_provenance(bundle)["created_utc"],
        read_anchor=store.read_anchor,
        author=author,
        author_key=user.key,
        find_entry=partial(find_entry, store),
    )
    offer_board = partial(
        offer_meeting,
        lambda held_on: documents().collect_meeting("Tumour board", names, held_on=held_on),
        unread=len(unread),
        count=len(names),
    )

    if asked is None:
        if cohort.is_simulated:
            st.caption("These patients are simulated: images, values and outcomes are made up.")
        show_withheld(paired)
        with st.container(horizontal=True):
            ask_list(is_blind=is_first)
            if not names:
                raise UsageError("No patient matches the search and the filter; widen them.")
            st.button("Begin with the first", shortcut="PageDown", type="primary", on_click=guard(go), args=(names[0],))
        show_list(board, lambda p, interval: encode_svg(draw(p, interval)), unread)
        follow_reading(reader)
        with st.popover("Document of the meeting"):
            offer_board(ask_paper())
        known = patients.dropna(subset=["y"]) if "y" in patients else patients.head(0).assign(y=0)
        calls = pair_readings(paired, cohort.sha256, dict(zip(known["patient_id"], known["y"] == 1, strict=True)))
        show_agreement(compare_readers(calls), calls)
        shown = board[~board["patient_id"].isin(unread)] if author else board.head(0)
        keep_seen(draft, dict(zip(shown["patient_id"], shown["prob"].astype(float), strict=True)), paired)
        st.stop()

    more = show_way(asked, names, simulated=cohort.is_simulated)
    row = {str(name): value for name, value in patients[patients["patient_id"] == asked].iloc[0].items()}
    with st.spinner("Reading the patient's image"):
        read = reader.read(asked)
    records = store.read(asked, cohort=cohort.sha256)
    draft |= {"patient": asked, "bundle_sha256": bundle.sha256 if is_own(cohort) or read.case else ""}
    is_hidden = is_first and bool(list_unread(paired, [asked], author, user.key))
    image, words = st.columns([12, 13], gap="medium")
    decision = st.container()
    with image:
        limit = compute_heatmap_limit(bundle.fusion_heads["m1"])
        chosen = show_picture(asked, read, is_hidden=is_hidden, limit=limit)
    if is_hidden:
        with words:
            show_inputs(read.case.clinical if read.case else row)
            ask_own(draft, rule.threshold, is_blind=asked not in list_seen(paired, author, user.key))
        st.stop()

    probability, group = float(row["prob"]), ""
    with words:
        if read.shown is not None:
            probability, interval = read.shown.probability, read.shown.interval
            draft |= {"input_sha256": read.shown.input_sha256, "low": interval[0], "high": interval[1]}
            graph = draw(probability, interval)
            show_headline(read.shown, graph, describe(probability, interval))
            show_missing(read, float(row["prob"]))
        elif read.prediction is not None:
            st.error("**No estimate.** " + plain(" ".join(read.prediction.applicability.reasons)))
        else:
            graph = draw(probability, None)
            show_table_estimate(probability, rule, graph, describe(probability, None))
        if read.prediction is None or read.shown is not None:
            draft |= {"probability": probability, "group": rule.classify(probability)}
            group = "" if rule.is_indeterminate(probability) else draft["group"]
        show_beside(row, group, bundle.cutoff, is_decided=has_decided(records, author, user.key))
    with decision:
        if is_first:
            keep_shown(draft, records)
        keep_seen(draft, {asked: probability} if "probability" in draft else {}, [*paired, *records])
        ask_decision({**draft, "group": group}, is_called=bool(group))
    with more:
        with st.popover(f"Entries ({len(records)})"):
            show_entries(records)
        with st.popover("Documents"):
            paper = ask_paper()
            offer_patient(lambda: documents().collect_patient(str(asked)), paper)
            offer_board(paper)
            data = st.container()

    if read.shown is not None and read.case is not None:
        contributions = tabulate_contributions(read.shown, read.case.clinical)
        points = score_points(bundle.fusion_heads["m1"], read.shown.score, read.case.clinical)
        with words:
            if ask_reason() == "Contributions":
                figure, alt = plot_waterfall(contributions), describe_waterfall(contributions)
                draw_figure(figure, key="board_contributions", alt=alt, wide_px=BOARD_PX)
            else:
                figure, alt = plot_nomogram(points, compact=True), describe_nomogram(points)
                draw_figure(figure, key="board_nomogram", alt=alt, wide_px=BOARD_PX)
        with data:
            offer_csv(contributions, "contributions", label="Contributions (CSV)")
            offer_csv(tabulate_points(points), "nomogram", label="Nomogram (CSV)")
            offer_csv(tabulate_heatmap(read.shown.views[chosen]), "heatmap", label="Heat map (CSV)")
