"""Case: from an image and a few clinical facts to an explained probability, on one screen."""

import streamlit as st

from core.inference.explain import compute_heatmap_limit
from core.inference.plausibility import question_values
from core.plain_text import plain
from core.ui import (
    ask_box,
    ask_cleaning,
    ask_clinical,
    ask_frame,
    ask_lesion,
    ask_readings,
    ask_source,
    begin_page,
    find_proposal,
    get_bundle,
    get_worker,
    open_answer,
    refuse_picture,
    report_errors,
    settle_answer,
    show_applicability,
    show_questions,
    show_unknown,
)
from core.ui.case.box import take_place
from core.ui.case.form import ask_side
from core.ui.case.image_input import ask_replacement
from core.ui.case.session import get_case

with begin_page("Case", role="clinician", presents=True) as user:
    from core.ui.case.answer import offer_exports, show_answer, show_reasons
    from core.ui.case.archive import ask_archive
    from core.ui.case.loop import put_means, show_loop
    from core.ui.case.marks import show_marks
    from core.ui.case.picture import find_estimate, show_heat_words, show_picture
    from core.ui.case.views import list_used, make_view, offer_removal, prepare_others, show_strip
    from core.ui.register.adding import find_kept, offer_case

    bundle = get_bundle()
    get_worker()
    predictors = bundle.manifest.predictors
    ask_replacement()
    image_side, answer_side = st.columns([13, 10], gap="medium")
    is_given, is_answered = get_case().source is not None, get_case().answer is not None

    with answer_side:
        answered = st.container()
        with st.container(horizontal=is_answered, vertical_alignment="center"):
            fields = st.popover("Edit values", width="content") if is_answered else st.container()
            button = st.container(width="content" if is_answered else "stretch", key="case_estimate")
            if is_answered:
                show_unknown(predictors)
        why = st.container()
        with fields:
            if not is_answered:
                st.header("2. What is known before biopsy", anchor=False)
            form = ask_clinical(predictors)
            side_field = st.container()

    shown = None
    with image_side, report_errors(stop=False):
        if not is_given:
            st.header("1. Image and lesion", anchor=False)
        choice = st.popover("Image", width="content") if is_given else st.container()
        with choice:
            ask_archive()
            source = ask_source()
        picture, strip, heat = st.container(), st.container(), st.container()
        view = get_case().view
        if view is not None and source is not None:
            frame = ask_frame(view)
            refuse_picture(frame)
            take_place(frame, view.number)
            proposal = find_proposal(frame, view.number)
            ask_lesion(proposal, view.number)
            roi = ask_box(view, frame, proposal)
            ask_cleaning(view.number, frame, roi)
            show_loop(view, frame, roi)
            shown = make_view(view, frame, roi)
            if source.is_simulated:
                st.caption(f"Simulated patient {source.patient_id}: image and clinical values are made up.")
            for note in frame.notes:
                st.caption(plain(note))
    with strip:
        prepared = prepare_others(shown)
    used, means = put_means(list_used(prepared))
    given = shown.view if shown else None
    with side_field:
        side = ask_side((used or {}).values())
    show_questions(form, question_values(form.values, *((given.frame, given.roi) if given else ())))
    with button, report_errors(stop=False):
        readings = ask_readings(used, means=means, is_ready=not form.faults)
        offer_removal(prepared)
    answer, earlier = settle_answer(used, form, readings, side=side)
    if answer is not None and not is_answered:
        st.rerun()  # the form folds once an estimate stands
    present = None if answer is None or earlier else answer
    allowed = present if present and present.prediction.applicability.status != "refused" else None
    with strip:
        show_strip(prepared, allowed)
    if given is not None:
        estimate = find_estimate(allowed, get_case().shown)
        with picture:
            limit = compute_heatmap_limit(bundle.fusion_heads["m1"])
            show_picture(given, proposal, estimate, limit=limit, number=get_case().shown)
        if estimate is not None and allowed is not None:
            with heat:
                show_heat_words()
                show_marks(allowed, get_case().shown)
    if answer is None or source is None:
        st.stop()
    with answered, open_answer(earlier):
        if not show_applicability(answer.prediction):
            st.stop()
        show_answer(answer, answer.bundle)
    with why, st.container(key="case_why"):
        show_reasons(answer, answer.bundle)
    if not earlier:
        sources = [view.source for view in get_case().views if view.number in answer.numbers]
        with st.container(key="case_export"):
            st.header("Export", anchor=False)
            offer_exports(answer, bundle, sources, shown=get_case().shown, entry=find_kept(answer, sources[0]))
            offer_case(user, answer, sources[0])
