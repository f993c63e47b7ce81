"""Which cohort's boxes are drawn: one of the server's folder, or an uploaded package."""

from pathlib import Path

import streamlit as st

from core.cohort.boxes import BoxManifest, check_reader, list_manifests, read_boxes
from core.cohort.scoring.package import unpack_package
from core.cohort.scoring.scratch import ScratchFolder
from core.errors import AppError, TableError
from core.plain_text import plain
from core.settings import find_cohorts_folder, get_text_setting
from core.ui.board.decision import INITIALS
from core.ui.boxes.session import Recent, change_state, get_state
from core.ui.errors import guard
from core.ui.login import User
from core.ui.session import end_with_session
from core.ui.upload import take_upload

CHOSEN = "boxes_chosen"


class Scratch:
    """A folder that goes when its session is over."""

    def __init__(self, folder: ScratchFolder) -> None:
        self._folder = folder

    def close(self) -> None:
        """Delete it."""
        self._folder.remove()


def is_on() -> bool:
    """Whether boxes can be drawn here."""
    return get_text_setting("boxes") == "on"


def ask_reader(user: User) -> str | None:
    """Give the name that the boxes are kept under: the login's, or initials that are typed once a session."""
    name = user.name or st.text_input("Your initials", key=INITIALS, max_chars=20, persist_state="session", width=160)
    return check_reader(name) if name.strip() else None


def ask_manifest(reader: str) -> BoxManifest | None:
    """Draw the choice of a cohort, and give the one that is open."""
    state = get_state()
    with st.expander("Cohort", expanded=state.manifest is None):
        names = _list_names()
        if names:
            st.selectbox(
                "Manifest on this server",
                range(len(names)),
                index=None,
                format_func=lambda number: names[number],
                key=CHOSEN,
                on_change=guard(_open_chosen),
                args=(reader,),
            )
        st.markdown(
            "Or a zip archive with one CSV table (`patient_id`, `image`, one row per image) and its images, as "
            "`python -m core collect` makes them. It stays in a temporary folder of this session: download the "
            "manifest with your boxes before you leave."
        )
        key = f"boxes_upload_{state.uploads}"
        st.file_uploader("Table and images: ZIP", key=key, on_change=guard(_take_package), args=(key, reader))
        if not names:
            st.caption(
                "No cohort of this server can be opened: whoever runs SonoKi names a folder of manifests with the "
                "setting `SONOKI_COHORTS`."
            )
    return get_state().manifest


def _list_paths() -> list[Path]:
    folder = find_cohorts_folder()
    return list_manifests(folder) if folder else []


def _list_names() -> list[str]:
    folder = find_cohorts_folder()
    return [plain(str(path.relative_to(folder))) for path in _list_paths()] if folder else []


def _open_chosen(reader: str) -> None:
    """Open one of the list; the browser gives its number alone."""
    number, paths = st.session_state.get(CHOSEN), _list_paths()
    if number is not None and 0 <= number < len(paths):
        _open(paths[number], reader, None)


def _take_package(key: str, reader: str) -> None:
    content = take_upload(key)
    if content is None:
        return
    change_state(uploads=get_state().uploads + 1)
    scratch = ScratchFolder()
    try:
        _open(unpack_package(content, scratch.path), reader, scratch)
    except AppError:
        scratch.remove()
        raise


def _open(path: Path, reader: str, scratch: ScratchFolder | None) -> None:
    """Open a manifest at the first image that the reader has not done."""
    manifest = read_boxes(path)
    if not manifest.rows:
        raise TableError("The manifest has no rows.")
    if scratch is not None:
        end_with_session(_hold(scratch))
    place = next(iter(manifest.list_open(reader)), 0)
    change_state(manifest=manifest, scratch=scratch, place=place, recent=Recent(), is_saved=True)


def _hold(scratch: ScratchFolder) -> Scratch:
    """Give what closes a package's folder; the session keeps it alive."""
    held = Scratch(scratch)
    st.session_state["boxes_scratch"] = held
    return held
