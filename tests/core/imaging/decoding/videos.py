"""DICOM loops stored as video, written by FFmpeg: speckle that moves by three pixels a frame, its number in a bar."""

from io import BytesIO

import av
import numpy as np
from pydicom.encaps import encapsulate

from tests.core.imaging.samples import make_dataset, make_speckle, save

SIZE = (240, 320)
BASE = make_speckle(*SIZE)


def make_frames(count: int) -> list[np.ndarray]:
    """Grey frames; eight squares at the top are the bits of the frame's number."""
    frames = []
    for number in range(count):
        frame = np.roll(BASE, 3 * number, axis=1)
        bits = [number >> place & 1 for place in range(8)]
        frame[:32] = np.repeat(np.repeat([bits], 32, axis=0), 40, axis=1) * 235 + 10
        frames.append(frame)
    return frames


def read_number(shown: np.ndarray) -> int:
    """The number that a frame shows."""
    return sum(int(shown[8:24, 40 * place + 12 : 40 * place + 28].mean() > 128) << place for place in range(8))


def encode_video(
    codec: str, container: str, frames: list[np.ndarray], pixels: str = "yuv420p", **options: str
) -> bytes:
    """The frames as a video, one thread."""
    stream = BytesIO()
    with av.open(stream, "w", format=container) as target:
        video = target.add_stream(codec, rate=25, options=options)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt, video.codec_context.thread_count = pixels, 1
        for frame in frames:
            for packet in video.encode(av.VideoFrame.from_ndarray(np.dstack([frame] * 3), format="rgb24")):
                target.mux(packet)
        for packet in video.encode():
            target.mux(packet)
    return stream.getvalue()


def make_video_file(syntax: str, stream: bytes, count: int, fragments: int = 1, **tags: object) -> bytes:
    """A DICOM file around a video."""
    stream += b"\0" * (len(stream) % 2)
    ds = make_dataset(np.zeros((*SIZE, 3), np.uint8), NumberOfFrames=count, PhotometricInterpretation="YBR_PARTIAL_420")
    ds.PixelData = encapsulate([stream], fragments_per_frame=fragments, has_bot=False)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = syntax
    for name, value in tags.items():
        setattr(ds, name, value)
    return save(ds)
