"""Ask for an image: an upload or a simulated patient, then frame and region."""

import streamlit as st
from PIL import Image

from core.errors import ImageError
from core.imaging import Frame, ImageInfo, Item, Region, default_roi, inspect_image, read_frame
from core.imaging.findings.quality import refuse_frame
from core.imaging.uploads import hold_file
from core.ui.case.session import change_case, forget, get_case, name_widget
from core.ui.case.state import CaseEnded, ImageGiven, ImageRead, ImageRemoved, ItemChosen
from core.ui.errors import guard
from core.ui.image_source import Source
from core.ui.resources import get_worker, list_simulated_patients, simulate_source
from core.ui.session import name_owner
from core.ui.upload import take_upload

PATIENT, INFO, FRAME, OTHER = "case_patient", "case_info", "case_frame", "case_other"
FrameKey = tuple[str, int | None, int | None, int | None]


def load_simulated_patient(patient_id: str | None = None) -> None:
    """Take a simulated patient as the case, with the clinical values filled in.

    Parameters
    ----------
    patient_id : str, optional
        Which; by default the one chosen in the list, else the first.
    """
    chosen = patient_id or st.session_state.get(PATIENT) or next(iter(list_simulated_patients()))
    change_case(ImageGiven(simulate_source(chosen)))


def ask_source() -> Source | None:
    """Draw the two ways to an image, and the ways to be rid of it.

    Returns
    -------
    Source or None
        The image as it came; None as long as there is none.
    """
    key = f"case_upload_{get_case().file_number}"
    st.file_uploader(
        "Ultrasound image: DICOM, PNG, JPEG, BMP or TIFF",
        key=key,
        on_change=guard(_take_upload),
        args=(key,),
        help="A still or a loop of the B-mode image. Measurements and names at its border are cut off. "
        "The file stays in the memory of this server for as long as it is shown here, and is not stored. "
        "A new image begins a new case.",
    )
    patients = list_simulated_patients()
    choice, button = st.columns([3, 2], vertical_alignment="bottom")
    choice.selectbox(
        "Or a simulated patient", list(patients), format_func=patients.__getitem__, key=PATIENT, persist_state="session"
    )
    button.button("Try this patient", on_click=guard(load_simulated_patient), width="stretch")
    source = get_case().source
    with st.container(horizontal=True):
        st.button("New case", on_click=guard(_end_case), help="Forgets the image, its box and all clinical values.")
        if source is not None and not source.is_simulated:
            st.button("Remove this image", on_click=guard(change_case), args=(ImageRemoved(),), type="tertiary")
    return source


def ask_frame(source: Source) -> Frame:
    """Decode the image and ask which file, region or frame where it holds several.

    Parameters
    ----------
    source : Source
        The image as it came.

    Returns
    -------
    Frame
        Grey pixels of the B-mode area.

    Raises
    ------
    ImageError
        If it can't be read.
    """
    item = _ask_item(_inspect(source, None).items)
    info = _inspect(source, item)
    region = _ask_view(info.views) if info.views else _ask_region(info.regions)
    first = _decode(source, (source.sha256, item, region, None))
    if not get_case().is_read:
        change_case(ImageRead())
    index = _ask_index(first, region)
    return first if index == first.frame_index else _decode(source, (source.sha256, item, region, index))


def refuse_picture(frame: Frame) -> None:
    """Refuse a picture that is no breast ultrasound, before anything is proposed on it; it is shown as it is.

    Parameters
    ----------
    frame : Frame
        B-mode area.

    Raises
    ------
    ImageError
        If the model may not be asked, wherever the lesion lies.
    """
    refusal = refuse_frame(frame)
    sentence = refusal.sentence if refusal else _look_for_other(frame)
    if sentence:
        st.image(Image.fromarray(frame.pixels), alt="The image that was given, which is refused", width="stretch")
        raise ImageError(f"No estimate. {sentence}")


def _look_for_other(frame: Frame) -> str:
    """Let the network see the frame once, around a first guess of the lesion; why it is no ultrasound, or empty."""
    key = (frame.sha256, frame.frame_index, frame.origin, frame.pixels.shape)
    known: dict[object, str] = st.session_state.setdefault(OTHER, {})
    if key not in known:
        seen = get_worker().read_image(frame, default_roi(frame), owner=name_owner()).applicability
        st.session_state[OTHER] = {key: seen.other}
    return st.session_state[OTHER][key]


def _take_upload(key: str) -> None:
    content = take_upload(key)
    if content is not None:
        change_case(ImageGiven(Source(hold_file(content, name_owner()))))


def _end_case() -> None:
    change_case(CaseEnded())
    forget("archive_")


def _choose_item(key: str) -> None:
    change_case(ItemChosen(int(st.session_state[key])))


def _inspect(source: Source, item: int | None) -> ImageInfo:
    """Look into a file once, as long as it is the case's."""
    key = (source.sha256, item)
    known: dict[tuple[str, int | None], ImageInfo] = st.session_state.setdefault(INFO, {})
    if key not in known:
        st.session_state[INFO] = {k: v for k, v in known.items() if k[0] == source.sha256}
        st.session_state[INFO][key] = inspect_image(source.file.read(), item=item)
    return st.session_state[INFO][key]


def _decode(source: Source, key: FrameKey) -> Frame:
    """Decode a frame once; the default one and the chosen one of the case's file are kept."""
    known: dict[FrameKey, Frame] = st.session_state.setdefault(FRAME, {})
    if key not in known:
        _, item, region, index = key
        with st.spinner("Reading the image"):
            frame = read_frame(source.file.read(), index=index, region=region, item=item)
        st.session_state[FRAME] = {k: v for k, v in known.items() if k[:3] == key[:3] and k[3] is None} | {key: frame}
    return st.session_state[FRAME][key]


def _ask_item(items: tuple[Item, ...]) -> int | None:
    if len(items) < 2:
        return 0 if items else None
    key = f"archive_item_{get_case().file_number}"
    return st.selectbox(
        "Which file of the archive?",
        range(len(items)),
        format_func=lambda i: items[i].label,
        key=key,
        on_change=guard(_choose_item),
        args=(key,),
        persist_state="session",
    )


def _ask_region(regions: tuple[Region, ...]) -> int | None:
    if len(regions) < 2:
        return None
    return st.selectbox(
        "Which of the image's areas shows the lesion?",
        range(len(regions)),
        format_func=lambda i: _describe_region(i, regions[i]),
        key=name_widget("region"),
        persist_state="session",
    )


def _ask_view(views: tuple[Region, ...]) -> int | None:
    """Ask for one of two views; None is the whole image, for the seam of two views may be none."""
    return st.radio(
        "The image seems to show two views side by side. Which one shows the lesion?",
        [*range(len(views)), None],
        format_func=lambda i: "Not two views: show the whole image" if i is None else ("Left view", "Right view")[i],
        key=name_widget("view"),
        persist_state="session",
        horizontal=True,
    )


def _describe_region(i: int, region: Region) -> str:
    box = region.box
    return f"Area {i + 1}: {box.width:.0f} x {box.height:.0f} pixels, from {box.x0:.0f}, {box.y0:.0f}"


def _ask_index(frame: Frame, region: int | None) -> int:
    """Ask for the frame of a loop; the sharpest, which comes first, is the default."""
    if frame.frame_count < 2:
        return frame.frame_index
    return (
        st.slider(
            f"Frame (of {frame.frame_count}; the sharpest is {frame.frame_index + 1})",
            1,
            frame.frame_count,
            frame.frame_index + 1,
            key=name_widget(f"frame_{region}"),
            persist_state="session",
        )
        - 1
    )
