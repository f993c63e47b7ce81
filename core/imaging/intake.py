"""The door for image files: bytes in, a list of contents or a frame out; another process does the decoding."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import BusyError, ImageError
from core.imaging.admission import DECODES, keep_refusal, recall_refusal
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.pool import get_pool
from core.imaging.filed_image import FiledImage
from core.imaging.frame import Choice, CleanedFile, Frame, ImageInfo, Item, Region, Roi, Survey
from core.settings import get_setting

_RETRIES = 2


def inspect_image(data: bytes, *, item: int | None = None) -> ImageInfo:
    """List what a file holds: format, size, frames, B-mode regions or views, files of an archive.

    Parameters
    ----------
    data : bytes
        The file as it was uploaded.
    item : int, optional
        Position of a file in an archive, from 0, to look into.

    Returns
    -------
    ImageInfo
        What it holds.

    Raises
    ------
    ImageError
        If it holds no image that can be read; the sentence says what it is.
    """
    header, _ = _ask("info", data, Choice(item=item))
    done = header["done"]
    return ImageInfo(
        format=done["format"],
        size=None if done["size"] is None else (done["size"][0], done["size"][1]),
        frame_count=done["frame_count"],
        regions=tuple(_region(region) for region in done["regions"]),
        views=tuple(_region(region) for region in done["views"]),
        items=tuple(Item(**entry) for entry in done["items"]),
        device=done["device"],
        notes=tuple(done["notes"]),
    )


def read_frame(
    data: bytes,
    *,
    index: int | None = None,
    region: int | None = None,
    item: int | None = None,
    bulk: bool = False,
) -> Frame:
    """Decode the B-mode area of one frame.

    Parameters
    ----------
    data : bytes
        The file as it was uploaded.
    index : int, optional
        Frame of a loop or page of a TIFF, from 0. By default the sharpest of a loop, the first page of a TIFF.
    region : int, optional
        Which of `ImageInfo.regions`, or where there are none of `ImageInfo.views`, from 0. By default the largest
        region, or what is found in the pixels.
    item : int, optional
        Which of `ImageInfo.items`, from 0; needed if an archive holds several.
    bulk : bool
        One of many files: decoded by processes that stand back behind single cases.

    Returns
    -------
    Frame
        Grey pixels of the B-mode area, with the scale if the file has one.

    Raises
    ------
    ImageError
        If the file can't be read, or has no such frame, region or item.
    """
    header, body = _ask("area", data, Choice(index, region, item), bulk=bulk)
    return _unpack(header, body, hashlib.sha256(data).hexdigest())


def read_loop(
    data: bytes, indices: Sequence[int], *, region: int | None = None, item: int | None = None
) -> list[Frame]:
    """Decode some frames of a loop, by processes that stand back behind single cases."""
    header, body = _ask("areas", data, Choice(None, region, item), bulk=True, indices=list(indices))
    sha256, frames, start = hashlib.sha256(data).hexdigest(), [], 0
    for one in header["done"]:
        end = start + one["planes"] * one["shape"][0] * one["shape"][1]
        frames.append(_unpack(one, body[start:end], sha256))
        start = end
    return frames


def _unpack(header: dict[str, Any], body: bytes, sha256: str) -> Frame:
    """Make a frame of what the decoder gave for it."""
    done, (height, width), planes = header["done"], header["shape"], header["planes"]
    if len(body) != planes * height * width:
        raise ImageError("The decoder's answer was cut short. Upload the image again.")
    stack = np.frombuffer(body, np.uint8).reshape(planes, height, width)
    return Frame(
        pixels=stack[0],
        mm_per_px=done["mm_per_px"],
        origin=(done["origin"][0], done["origin"][1]),
        source_scale=(done["source_scale"][0], done["source_scale"][1]),
        sha256=sha256,
        device=done["device"],
        notes=tuple(done["notes"]),
        frame_index=done["frame_index"],
        frame_count=done["frame_count"],
        colour=stack[1].astype(bool) if planes > 1 else None,
        is_ultrasound=done["is_ultrasound"],
        side=done["side"],
        survey=_survey(done["survey"]),
    )


def read_frames(paths: Iterable[str | Path]) -> Iterator[Frame]:
    """Decode many files, several at a time.

    Parameters
    ----------
    paths : iterable of path
        Files with one image each.

    Yields
    ------
    Frame
        One for each path, in the same order.
    """
    decoders = get_pool().size
    with ThreadPoolExecutor(decoders) as threads:
        ahead: deque[Future[Frame]] = deque()
        for path in paths:
            ahead.append(threads.submit(_read_path, Path(path)))
            if len(ahead) > 2 * decoders:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def deidentify(data: bytes, key: bytes, *, bulk: bool = False, is_reviewed: bool = False) -> CleanedFile:
    """Write a copy of an ultrasound DICOM file that names nobody.

    Parameters
    ----------
    data : bytes
        The DICOM file.
    key : bytes
        New names and UIDs are made from it: the same key gives the same ones.
    bulk : bool
        One of many files: cleaned by processes that stand back behind single cases.
    is_reviewed : bool
        Whether a person has looked at the copy and found nobody named in its pixels: only then it says so.

    Returns
    -------
    CleanedFile
        The copy, by the basic profile of PS3.15: no tags but the image's own, black outside the B-mode area and where
        words were found; and what was replaced.

    Raises
    ------
    ImageError
        If it is no ultrasound DICOM file that can be read.
    """
    more = {"key": key.hex(), "is_reviewed": is_reviewed}
    header, copy = _ask("deidentify", data, Choice(), bulk=bulk, **more)
    done = header["done"]
    replaced = {name: (old, new) for name, (old, new) in done["replaced"].items()}
    hidden, flow = (tuple(Roi(**box) for box in done[name]) for name in ("hidden", "flow"))
    return CleanedFile(copy, hidden, flow, replaced, is_reviewed)


def read_study(data: bytes) -> dict[str, str | int]:
    """Read which study and patient a DICOM file belongs to, for objects that are filed with it."""
    return _ask("study", data, Choice())[0]["done"]


def ask_identity(data: bytes, *, item: int | None) -> dict[str, str]:
    """Ask whose a DICOM file is, see `core.imaging.identity`."""
    return _ask("identity", data, Choice(item=item))[0]["done"]


def read_filed(data: bytes) -> FiledImage:
    """Read whose a DICOM file is and whether it is a B-mode still, by processes that stand back behind single cases."""
    return FiledImage(**_ask("filed", data, Choice(), bulk=True)[0]["done"])


def _read_path(path: Path) -> Frame:
    return read_frame(path.read_bytes())


def _ask(task: str, data: bytes, choice: Choice, *, bulk: bool = False, **more: Any) -> tuple[dict[str, Any], bytes]:
    """Send a file to a decoder and raise what it refuses."""
    names = ("max_bytes", "max_pixels", "max_side", "max_frames", "max_items")
    limits = Limits(**{name: get_setting(name) for name in names})
    if len(data) > limits.max_bytes:
        raise ImageError(f"The file has {len(data) / 1e6:.0f} MB; at most {limits.max_bytes / 1e6:.0f} MB can be read.")
    request = {"task": task, "choice": asdict(choice), "limits": asdict(limits), **more}
    key = hashlib.sha256(repr(sorted(request.items())).encode() + hashlib.sha256(data).digest()).hexdigest()
    if known := recall_refusal(key):
        raise ImageError(known)
    try:
        header, body = _decode(request, data, bulk=bulk)
    except ImageError as error:
        keep_refusal(key, str(error))
        raise
    if "refused" in header:
        keep_refusal(key, header["refused"])
        raise ImageError(header["refused"])
    return header, body


def _decode(request: dict[str, Any], data: bytes, *, bulk: bool) -> tuple[dict[str, Any], bytes]:
    """Have a decoder answer; one of many files is tried again where the computer was too busy for it."""
    with DECODES.take(2 * get_setting("decode_seconds")):
        pool = get_pool(bulk=bulk)
        for _ in range(_RETRIES if bulk else 0):
            with suppress(BusyError), pool.take() as decoder:
                return decoder.ask(request, data)
        with pool.take() as decoder:
            return decoder.ask(request, data)


def _region(stored: dict[str, Any]) -> Region:
    scale = stored["mm_per_px"]
    return Region(Roi(**stored["box"]), None if scale is None else (scale[0], scale[1]))


def _survey(stored: dict[str, Any]) -> Survey:
    return Survey(
        levels=(stored["levels"][0], stored["levels"][1]),
        crosses=tuple((x, y) for x, y in stored["crosses"]),
        words=tuple(Roi(**box) for box in stored["words"]),
        seam=stored["seam"],
    )
