"""A bundle: a folder with everything that one trained model is, verified by hash when it is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models.cutoff import Cutoff
from models.fusion import FusionHead, ImageHead
from models.manifest import Manifest
from models.sealed import BundleError, Sealed, read_number, read_numbers

MANIFEST, HEADS = "manifest.json", "heads.json"
WEIGHTS, SIGNATURE = "backbone.onnx", "signature.ed25519"
OWN_BACKBONE = "backbone"
MALIGNANCY = "malignancy"
REFITS = "refits.safetensors"
BUNDLE = Sealed("bundle", MANIFEST, 2, frozenset({f"{OWN_BACKBONE}/{WEIGHTS}", SIGNATURE}))


@dataclass(frozen=True)
class Bundle:
    """A trained model, its preprocessing and where its figures lie."""

    folder: Path  # where it was read from
    manifest: Manifest  # cut-off, call rule, input rule, training data, versions, file hashes
    image_heads: Mapping[str, ImageHead]  # "ki67", where trained "lnm", and the backbone's own "malignancy"
    # "m1" (image and clinical), "image", "clinical", "m2" and, where trained, "lnm" and "lnm_without_aln_us"
    fusion_heads: Mapping[str, FusionHead]
    # (B, p + 1), weights and bias of the Ki-67 image head of each refit, in the order of the fusions' bootstrap
    refits: NDArray[np.float32]
    # images as the network sees them: those that the bundle ("training") and the backbone ("backbone") were trained on;
    # each with centre, spread, median, caution
    references: Mapping[str, Mapping[str, object]]
    gate: Mapping[str, object]  # the rule that tells ultrasound from other images: "head", "caution", "refuse"
    sha256: str  # hash of the manifest, which holds those of all other files: the bundle's identity

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    @property
    def cutoff(self) -> Cutoff:
        """Ki-67 that counts as high."""
        return self.manifest.cutoff

    @property
    def is_simulated(self) -> bool:
        """Whether the training data are simulated."""
        return self.manifest.training_data.is_simulated

    @property
    def is_few(self) -> bool:
        """Whether it was trained on fewer patients than a model needs, for trying out."""
        return self.manifest.training_data.is_few

    @property
    def weights_path(self) -> Path:
        """Backbone weights: those that bundles share or, in an unpacked bundle, its own."""
        shared = (self.folder / self.manifest.backbone_path / WEIGHTS).resolve()
        return shared if shared.exists() else self.folder / OWN_BACKBONE / WEIGHTS


def read_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle: each file by its hash in the manifest, the manifest by its hash on the card.

    Parameters
    ----------
    folder : Path
        Folder with manifest.json, heads.json, CARD.md, evidence/.

    Returns
    -------
    Bundle
        The model, without the backbone's weights, whose hash is verified here too.

    Raises
    ------
    BundleError
        If a file is missing, was changed, or has another schema.
    """
    record, identity = BUNDLE.read(folder)
    try:
        heads = BUNDLE.read_json(folder / HEADS)
        bundle = Bundle(
            folder=folder,
            manifest=Manifest.from_json(record),
            image_heads={name: ImageHead.from_json(head) for name, head in heads["image"].items()},
            fusion_heads={name: FusionHead.from_json(head) for name, head in heads["fusion"].items()},
            refits=read_numbers(load_file(folder / REFITS)["ki67"]).astype(np.float32),
            references={name: _check_reference(one) for name, one in heads["references"].items()},
            gate=_check_gate(heads["gate"]),
            sha256=identity,
        )
        if not bundle.weights_path.exists():
            raise BundleError(
                f"The backbone of the bundle is neither in '{bundle.manifest.backbone_path}' beside it nor "
                f"in its folder '{OWN_BACKBONE}': put {WEIGHTS} (sha256 {bundle.manifest.backbone_sha256[:16]}) there."
            )
        BUNDLE.verify(bundle.weights_path, bundle.manifest.backbone_sha256)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(
            f"{MANIFEST} or {HEADS} of the bundle has another shape ({error}): train the bundle anew."
        ) from None
    return bundle


def _check_reference(reference: Mapping[str, object]) -> Mapping[str, object]:
    """Give a reference whose numbers are numbers."""
    for name in ("centre", "spread"):
        read_numbers(reference[name])
    for name in ("median", "caution"):
        read_number(reference[name])
    return reference


def _check_gate(gate: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a gate whose head and limits are numbers."""
    ImageHead.from_json(gate["head"])
    for name in ("caution", "refuse"):
        read_number(gate[name])
    return gate


def write_bundle(
    folder: Path, manifest: dict[str, object], heads: dict[str, object], refits: NDArray[np.floating], card: str
) -> None:
    """Write a bundle's files; what lies in evidence/ already is hashed with them, and the card ends with its identity.

    The manifest has everything but the schema version and the file hashes; heads are "image" and "fusion" (name to head
    as JSON types), "references" and "gate". Refits, (B, p + 1), are weights and bias of the Ki-67 image head of each,
    written in single precision, since a feature that hardly varies has a large weight. The identity of an earlier
    writing is taken off the card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADS).write_text(json.dumps(heads) + "\n", encoding="utf-8")
    save_file({"ki67": np.ascontiguousarray(refits, dtype=np.float32)}, folder / REFITS)
    evidence = sorted(path.relative_to(folder).as_posix() for path in folder.glob("evidence/*"))
    BUNDLE.write(folder, manifest, [HEADS, REFITS, *evidence], card)
