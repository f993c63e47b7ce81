"""Choose what to train on: an uploaded package, or a table in a folder that the server names."""

import streamlit as st

from core.plain_text import plain
from core.settings import find_cohorts_folder, get_setting
from core.tabular import read_bytes
from core.training.run.process import remove_unused
from core.training.run.workplace import Source, keep_package, list_sources
from core.ui.cohort.scoring import TEMPLATE
from core.ui.cohort.session import change_own, get_own
from core.ui.cohort.state import FileGiven
from core.ui.errors import guard
from core.ui.upload import take_upload

STATE, CHOICE, ROUND = "train", "train_source", "train_round"


def ask_source() -> Source | None:
    """Draw the upload and the choice; give what was chosen, its file being the session's."""
    with st.expander("Upload a package", expanded=not list_sources()):
        _ask_package()
    sources = list_sources()
    if not sources:
        st.markdown("There is nothing to train on yet: upload a package.")
        return None
    labels = {str(source.manifest): source.label for source in sources}
    if st.session_state.get(CHOICE) not in labels:
        st.session_state[CHOICE] = next(iter(labels))
    chosen = st.selectbox(
        "Table to train on",
        list(labels),
        format_func=lambda name: plain(labels[name]),
        key=CHOICE,
        persist_state="session",
    )
    source = next(source for source in sources if str(source.manifest) == chosen)
    if source.package is not None:
        st.button("Remove this package", on_click=guard(_remove), args=(source,), key="train_remove_package")
    _load(source)
    return source


def _ask_package() -> None:
    days = get_setting("training_days")
    below = " A table in the server's own folder can be chosen below." if find_cohorts_folder() else ""
    st.markdown(
        "A zip archive with one table (CSV, Excel, ODS or Parquet, one row per image) and the images it names. "
        "`patient_id`, `centre`, `image` and `ki67_pct` are needed; `box` (x0,y0,x1,y1 in pixels), `split` and "
        "clinical values are read where they are there. Use pseudonyms. The package is kept in a private folder of "
        f"this server until it is removed here, at most {days} days.{below}"
    )
    st.download_button("Template of the table (CSV)", TEMPLATE, "sonoki_manifest.csv", "text/csv", on_click="ignore")
    key = f"train_upload_{st.session_state.setdefault(ROUND, 0)}"
    st.file_uploader("Table and images: ZIP", key=key, on_change=guard(_take_upload), args=(key,))


def _take_upload(key: str) -> None:
    content = take_upload(key)
    if content is None:
        return
    st.session_state[ROUND] += 1
    st.session_state[CHOICE] = str(keep_package(content).manifest)


def _remove(source: Source) -> None:
    if source.package is not None:
        remove_unused(source.package)


def _load(source: Source) -> None:
    """Make the chosen table the session's, unless it is already."""
    content = read_bytes(source.manifest)
    if get_own(STATE).content != content:
        change_own(FileGiven(content), STATE)
