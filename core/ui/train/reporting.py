"""The study's answers to the checklists: a form to fill in, and the filled-in form for the bundle's card and papers."""

import streamlit as st

from core.errors import InputError
from core.figures.wording import word_count
from core.training.bundle.reporting import parse_answers, write_form
from core.ui.errors import guard
from core.ui.upload import take_upload

ANSWERS, ROUND = "train_answers", "train_answers_round"


def ask_answers() -> dict[str, str]:
    """Draw the form's download and upload; give the answers that are kept for this session."""
    answers: dict[str, str] = st.session_state.get(ANSWERS, {})
    with st.expander("Answers to the checklists (TRIPOD+AI, STARD-AI, CLAIM)", key="train_checklists"):
        st.markdown(
            "What only the study's people know stands in the card and in every paper of the bundle; what stays empty "
            "is called missing. Download the form, fill it in, and upload it."
        )
        st.download_button(
            "Form of the checklists (JSON)", write_form(), "checklists.json", "application/json", on_click="ignore"
        )
        key = f"train_answers_{st.session_state.setdefault(ROUND, 0)}"
        st.file_uploader("Filled-in form: JSON", key=key, on_change=guard(_take_form), args=(key,))
        if answers:
            st.markdown(f"{word_count(len(answers), 'answer')} will stand in the bundle.")
            st.button("Remove the answers", on_click=guard(_remove), key="train_remove_answers")
    return answers


def _take_form(key: str) -> None:
    content = take_upload(key)
    if content is None:
        return
    st.session_state[ROUND] += 1
    answers = parse_answers(content)
    if not answers:
        raise InputError("The form holds no answer yet: fill in the answer of an item.")
    st.session_state[ANSWERS] = answers


def _remove() -> None:
    st.session_state.pop(ANSWERS, None)
