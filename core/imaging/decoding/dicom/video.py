"""Loops that are stored as MPEG-2, H.264 or HEVC video: counted by their packets, decoded by FFmpeg in their order."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ImageError

if TYPE_CHECKING:
    from av.container import InputContainer

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,mpegts,mpeg,mpegvideo,h264,hevc"
_CODECS = "h264,hevc,mpeg2video,mpeg1video"
_DAMAGED = "The file's video is damaged or incomplete: its frames can't be decoded. Export it again."


def measure_video(stream: bytes) -> tuple[int, int, int]:
    """Measure a video without decoding it."""
    with _open(stream) as container:
        video = container.streams.video[0]
        return video.width, video.height, sum(packet.size > 0 for packet in container.demux(video))


def iter_video(stream: bytes, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Decode frames of a video one at a time."""
    wanted = list(indices)
    with _open(stream) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for index, frame in enumerate(container.decode(video=0)):
            if index == wanted[0]:
                yield frame.to_ndarray(format="rgb24")
                wanted.pop(0)
            if not wanted:
                return
    raise ImageError(_DAMAGED)


def _open(stream: bytes) -> "InputContainer":
    """Open a stream that lies in memory; no list, link or other file that it names is followed."""
    import av  # noqa: PLC0415 - few files are videos, and FFmpeg takes a while to load

    only = {"format_whitelist": _CONTAINERS, "codec_whitelist": _CODECS, "protocol_whitelist": "none"}
    try:
        container = av.open(BytesIO(stream), "r", options=only)
    except av.FFmpegError:
        raise ImageError(_DAMAGED) from None
    if not container.streams.video:
        container.close()
        raise ImageError(_DAMAGED)
    return container
