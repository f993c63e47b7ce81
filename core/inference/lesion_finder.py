"""The lesion finder: the segmenter on a whole frame; a frame in, outlined lesions out."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ModelError
from core.imaging import Frame
from core.inference.lesion import Lesion, LesionRule, outline_lesions
from core.inference.processor import computes_in_bf16
from models.bundle import BundleError
from models.segmenter import Letterbox, Segmenter, read_segmenter

LEAST_CONTRAST = 16
SEGMENTER = Path(__file__).parents[2] / "models" / "lesion-segmenter"


class LesionFinder:
    """The segmenter on the CPU, in bf16 where the processor computes in it; read-only after loading.

    Parameters
    ----------
    net : Segmenter
        The network in evaluation mode.
    size : int
        Side of its square input, pixels.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    rule : LesionRule
        What counts as a lesion.
    """

    def __init__(self, net: Segmenter, *, size: int, mean: float, std: float, rule: LesionRule) -> None:
        self._net = net.eval().to(memory_format=torch.channels_last)
        self._size, self._mean, self._std = size, mean, std
        self._rule = rule

    @classmethod
    def load(cls, folder: Path = SEGMENTER) -> "LesionFinder":
        """Read a segmenter and verify its hash.

        Parameters
        ----------
        folder : Path
            The segmenter's folder.

        Returns
        -------
        LesionFinder
            Ready to answer.

        Raises
        ------
        ModelError
            If the segmenter is missing, damaged or does not fit.
        """
        try:
            net, card = read_segmenter(folder)
            data = card["input"]
            rule = LesionRule(float(card["threshold"]), float(card["least_confidence"]))
            return cls(net, size=int(data["size"]), mean=float(data["mean"]), std=float(data["std"]), rule=rule)
        except BundleError as error:
            raise ModelError(str(error)) from error
        except KeyError as error:
            raise ModelError(f"The lesion segmenter's card lacks {error}: fetch or train it anew.") from None

    def find(self, frame: Frame) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame.

        Parameters
        ----------
        frame : Frame
            B-mode area.

        Returns
        -------
        tuple of Lesion
            Best first; empty where none is seen, and where the frame has hardly any contrast (16 grey levels between
            its 5th and 95th percentile): the network has learnt from frames with a lesion alone.
        """
        if np.ptp(np.percentile(frame.pixels, (5, 95))) < LEAST_CONTRAST:
            return ()
        return outline_lesions(
            self.predict_map(frame.pixels),
            width=frame.width,
            height=frame.height,
            rule=self._rule,
            mm_per_px=frame.mm_per_px,
        )

    def predict_map(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the probability of a lesion: the mean over the frame and its mirror image.

        Parameters
        ----------
        pixels : ndarray of uint8, (height, width)
            Grey levels.

        Returns
        -------
        ndarray of float32, (h, w)
            Over the whole frame, at the network's resolution.
        """
        letterbox = Letterbox(pixels.shape[1], pixels.shape[0], self._size)
        square = letterbox.apply(pixels)
        with torch.inference_mode():
            x = torch.from_numpy(np.stack([square, square[:, ::-1]]))[:, None].float() / 255
            x = ((x - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_in_bf16()):
                prob = self._net(x).float().sigmoid()
            mean = (prob[0, 0] + prob[1, 0].flip(-1)) / 2
        return letterbox.cut(mean.numpy())
