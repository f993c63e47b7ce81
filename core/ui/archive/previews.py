"""Small pictures of an archive's series and images, so that one is chosen by eye."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.archive.dicomweb.client import open_archive
from core.archive.dicomweb.records import InstanceReference
from core.errors import AppError
from core.imaging import read_frame

PREVIEWS = "archive_previews"
MOST, SIZE = 12, (120, 90)


def show_previews(instances: Mapping[str, InstanceReference]) -> None:
    """Draw the pictures of images, each with its words; nothing of those that the archive makes no picture of."""
    kept = st.session_state.setdefault(PREVIEWS, {})
    wanted = dict(list(instances.items())[:MOST])
    with st.spinner("Asking the archive for pictures"):
        for image in wanted.values():
            if image.uid not in kept:
                kept[image.uid] = _draw(image)
    drawn = {words: kept[image.uid] for words, image in wanted.items() if kept[image.uid] is not None}
    if drawn:
        alt = [f"Picture of {words}" for words in drawn]
        st.image(list(drawn.values()), caption=list(drawn), alt=alt, width=SIZE[0])


def _draw(image: InstanceReference) -> NDArray[np.uint8] | None:
    """Ask for a picture and cut it to its size; the confined decoder reads it, as any file from outside."""
    try:
        frame = read_frame(open_archive().render(image))
    except AppError:
        return None
    return np.asarray(ImageOps.fit(Image.fromarray(frame.pixels), SIZE))
