"""From a view's file to its frame: which file of an archive, which area, which frame of a loop."""

from dataclasses import replace

import streamlit as st
from PIL import Image

from core.errors import ImageError
from core.imaging import Frame, ImageInfo, Region, default_roi, inspect_image, read_frame
from core.imaging.findings.quality import refuse_frame
from core.ui.case.events import ImageRead, ItemChosen, ItemsTaken, ReplaceAsked
from core.ui.case.image_input import check_patients
from core.ui.case.session import change_case, get_case, name_set_widget, name_view_widget, set_widget
from core.ui.case.state import MOST_VIEWS, LesionView
from core.ui.errors import guard
from core.ui.resources import get_worker
from core.ui.session import name_owner

INFO, FRAME, OTHER = "case_info", "case_frame", "case_other"
FrameKey = tuple[str, int | None, int | None, int | None]


def ask_frame(view: LesionView) -> Frame:
    """Decode the view that is looked at, and ask which file, area or frame where its file holds several."""
    if len(get_case().views) == 1:
        _ask_item(view, _inspect(view, None))
    info = _inspect(view, _find_item(view))
    if info.views:
        _ask_side(view.number, info.views)
    elif len(info.regions) > 1:
        _ask_region(view.number, info.regions)
    region = _recall_region(view, info)
    first = _decode(view, region, None)
    if not get_case().is_read:
        change_case(ImageRead())
    if first.frame_count > 1:
        _ask_index(view.number, first, region)
    return recall_frame(view)


def recall_frame(view: LesionView) -> Frame:
    """Decode a view as it was last chosen, without asking anything."""
    region = _recall_region(view, _inspect(view, _find_item(view)))
    first = _decode(view, region, None)
    chosen = st.session_state.get(name_frame(view.number, region))
    return first if chosen in {None, first.frame_index + 1} else _decode(view, region, int(chosen) - 1)


def find_choice(view: LesionView) -> tuple[int | None, int | None]:
    """Give which file of an archive and which area of the image a view is, as `read_frame` takes them."""
    return _find_item(view), _recall_region(view, _inspect(view, _find_item(view)))


def name_frame(number: int, region: int | None) -> str:
    """Give the key of the slider that chooses the frame of a loop."""
    return name_set_widget(number, f"frame_{region}")


def set_frame(number: int, region: int | None, shown: int) -> None:
    """Look at a frame of a loop, from 1."""
    set_widget(number, f"frame_{region}", shown)


def find_refusal(frame: Frame) -> str:
    """Say why a picture is no breast ultrasound, wherever the lesion lies; empty where it may be one."""
    refusal = refuse_frame(frame)
    return refusal.sentence if refusal else _look_for_other(frame)


def refuse_picture(frame: Frame) -> None:
    """Refuse a picture that is no breast ultrasound, before anything is proposed on it; it is shown as it is."""
    sentence = find_refusal(frame)
    if sentence:
        st.image(Image.fromarray(frame.pixels), alt="The image that was given, which is refused", width="stretch")
        raise ImageError(f"No estimate. {sentence}")


def _look_for_other(frame: Frame) -> str:
    """Let the network see the frame once, around a first guess of the lesion; why it is no ultrasound, or empty."""
    key = (frame.sha256, frame.frame_index, frame.origin, hash(frame.pixels.tobytes()))
    known: dict[object, str] = st.session_state.setdefault(OTHER, {})
    if key not in known:
        seen = get_worker().read_image(frame, default_roi(frame), owner=name_owner()).applicability
        known[key] = seen.other
        st.session_state[OTHER] = dict(list(known.items())[-2 * MOST_VIEWS :])
    return known[key]


def _find_item(view: LesionView) -> int | None:
    """Give which file of an archive the view is; None where its file is no archive."""
    return view.item if view.item is not None or not _inspect(view, None).items else 0


def _recall_region(view: LesionView, info: ImageInfo) -> int | None:
    """Give the area that was chosen, the first at first; None is the whole image."""
    if info.views:
        return st.session_state.get(name_view_widget(view.number, "side"), 0)
    return st.session_state.get(name_view_widget(view.number, "region"), 0) if len(info.regions) > 1 else None


def _choose_item(key: str) -> None:
    change_case(ReplaceAsked(ItemChosen(int(st.session_state[key]))))


def _take_items(taken: ItemsTaken) -> None:
    """Take the files of an archive as views, unless they name different patients."""
    check_patients([replace(view.source, item=view.item) for view in taken.apply(get_case()).views])
    change_case(taken)


def _list_files() -> set[str]:
    return {view.source.sha256 for view in get_case().views}


def _inspect(view: LesionView, item: int | None) -> ImageInfo:
    """Look into a file once, as long as it is the case's."""
    key = (view.source.sha256, item)
    known: dict[tuple[str, int | None], ImageInfo] = st.session_state.setdefault(INFO, {})
    if key not in known:
        files = _list_files()
        st.session_state[INFO] = known = {k: v for k, v in known.items() if k[0] in files}
        known[key] = inspect_image(view.source.file.read(), item=item)
    return known[key]


def _decode(view: LesionView, region: int | None, index: int | None) -> Frame:
    """Decode a frame once; the default one and the chosen one of each of the case's files are kept."""
    item = _find_item(view)
    key = (view.source.sha256, item, region, index)
    known: dict[FrameKey, Frame] = st.session_state.setdefault(FRAME, {})
    if key not in known:
        files = _list_files()
        with st.spinner("Reading the image"):
            frame = read_frame(view.source.file.read(), index=index, region=region, item=item)
        kept = {k: v for k, v in known.items() if k[0] in files and (k[:3] != key[:3] or k[3] is None)}
        st.session_state[FRAME] = kept | {key: frame}
    return st.session_state[FRAME][key]


def _ask_item(view: LesionView, info: ImageInfo) -> None:
    """Ask which file of an archive is the case, or whether all are views of one lesion."""
    items = info.items
    if len(items) < 2:
        return
    for note in info.notes:
        st.caption(note)
    key = f"archive_item_{get_case().file_number}"
    st.session_state[key] = view.item or 0
    st.selectbox(
        "Which file of the archive?",
        range(len(items)),
        format_func=lambda i: items[i].label,
        key=key,
        on_change=guard(_choose_item),
        args=(key,),
        persist_state="session",
    )
    count = len(items)
    which = f"all {count}" if count <= MOST_VIEWS else f"this one and the first {MOST_VIEWS - 1} others"
    st.button(
        f"They show one lesion: take {which} as its views",
        on_click=guard(_take_items),
        args=(ItemsTaken(count),),
    )


def _ask_region(number: int, regions: tuple[Region, ...]) -> None:
    st.selectbox(
        "Which of the image's areas shows the lesion?",
        range(len(regions)),
        format_func=lambda i: _describe_region(i, regions[i]),
        key=name_view_widget(number, "region"),
        persist_state="session",
    )


def _ask_side(number: int, views: tuple[Region, ...]) -> None:
    """Ask for one of two views; None is the whole image, for the seam of two views may be none."""
    st.radio(
        "The image seems to show two views side by side. Which one shows the lesion?",
        [*range(len(views)), None],
        format_func=lambda i: "Not two views: show the whole image" if i is None else ("Left view", "Right view")[i],
        key=name_view_widget(number, "side"),
        persist_state="session",
        horizontal=True,
    )


def _describe_region(i: int, region: Region) -> str:
    box = region.box
    return f"Area {i + 1}: {box.width:.0f} x {box.height:.0f} pixels, from {box.x0:.0f}, {box.y0:.0f}"


def _ask_index(number: int, frame: Frame, region: int | None) -> None:
    """Ask for the frame of a loop; the sharpest, which comes first, is the default."""
    st.slider(
        f"Frame (of {frame.frame_count}; the sharpest is {frame.frame_index + 1})",
        1,
        frame.frame_count,
        frame.frame_index + 1,
        key=name_frame(number, region),
        persist_state="session",
    )
