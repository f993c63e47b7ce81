"""Small pictures of an archive's series and images, so that one is chosen by eye."""

import time
from collections.abc import Mapping
from contextlib import suppress

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
SECONDS = 10  # for all of them
STILL = {"", "1"}  # some archives make no pictures of JPEG 2000


def show_previews(instances: Mapping[str, InstanceReference]) -> None:
    """Draw the pictures of images, each with its words; nothing of those that no picture is made of in time."""
    kept = st.session_state.setdefault(PREVIEWS, {})
    wanted = dict(list(instances.items())[:MOST])
    with st.spinner("Asking the archive for pictures"):
        until = time.monotonic() + SECONDS
        for image in wanted.values():
            if image.uid not in kept:
                kept[image.uid] = _draw(image, until)
    drawn = {words: kept[image.uid] for words, image in wanted.items() if kept[image.uid] is not None}
    if drawn:
        alt = [f"Picture of {words}" for words in drawn]
        st.image(list(drawn.values()), caption=list(drawn), alt=alt, width=SIZE[0])


def _draw(image: InstanceReference, until: float) -> NDArray[np.uint8] | None:
    """Ask for a picture, else for the still itself, and cut it to its size; the confined decoder reads both."""
    archive = open_archive()
    for ask in (archive.render, archive.retrieve) if image.n_frames in STILL else (archive.render,):
        if time.monotonic() < until:
            with suppress(AppError):
                return np.asarray(ImageOps.fit(Image.fromarray(read_frame(ask(image)).pixels), SIZE))
    return None
