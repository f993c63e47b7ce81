"""A bundle: a folder with everything that one trained model is, verified by hash when it is read."""

import hashlib
import json
import re
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

SCHEMA_VERSION = 2
MANIFEST, HEADS, CARD = "manifest.json", "heads.json", "CARD.md"
WEIGHTS = "backbone.onnx"
OWN_BACKBONE = "backbone"
MALIGNANCY = "malignancy"
REFITS = "refits.safetensors"
SEAL = re.compile(r"\nBundle sha256 `[0-9a-f]{64}`\.\n\Z")


class BundleError(ValueError):
    """A bundle or backbone is damaged or does not fit; the message says what and what to do."""


@dataclass(frozen=True)
class Bundle:
    """A trained model, its preprocessing and where its figures lie.

    Parameters
    ----------
    folder : Path
        Where it was read from.
    manifest : Manifest
        Cut-off, call rule, input rule, training data, versions, file hashes.
    image_heads : mapping of str to ImageHead
        "ki67", where trained "lnm", and the backbone's own "malignancy".
    fusion_heads : mapping of str to FusionHead
        "m1" (image and clinical), "image", "clinical", "m2" and, where trained, "lnm" and "lnm_without_aln_us".
    refits : ndarray of float32, (B, p + 1)
        Weights and bias of the Ki-67 image head of each refit, in the order of the fusions' bootstrap.
    references : mapping of str to mapping
        Images as the network sees them: those that the bundle ("training") and the backbone ("backbone") were trained
        on; each with centre, spread, median, caution.
    gate : mapping
        The rule that tells ultrasound from other images: "head", "caution", "refuse".
    sha256 : str
        Hash of the manifest, which holds those of all other files: the bundle's identity.
    """

    folder: Path
    manifest: Manifest
    image_heads: Mapping[str, ImageHead]
    fusion_heads: Mapping[str, FusionHead]
    refits: NDArray[np.float32]
    references: Mapping[str, Mapping[str, Any]]
    gate: Mapping[str, Any]
    sha256: str

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
    def weights_path(self) -> Path:
        """Backbone weights: those that bundles share or, in an unpacked bundle, its own."""
        shared = (self.folder / self.manifest.backbone_path / WEIGHTS).resolve()
        return shared if shared.exists() else self.folder / OWN_BACKBONE / WEIGHTS


def hash_file(path: Path) -> str:
    """Give the sha256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    record = _read_json(folder / MANIFEST)
    if record.get("schema_version") != SCHEMA_VERSION:
        raise BundleError(
            f"The bundle has schema version {record.get('schema_version')}, this program reads {SCHEMA_VERSION}: "
            "train it anew or take the program's other version."
        )
    identity = hash_file(folder / MANIFEST)
    try:
        _verify_files(folder, dict(record["files"]), identity)
        heads = _read_json(folder / HEADS)
        bundle = Bundle(
            folder=folder,
            manifest=Manifest.from_json(record),
            image_heads={name: ImageHead.from_json(head) for name, head in heads["image"].items()},
            fusion_heads={name: FusionHead.from_json(head) for name, head in heads["fusion"].items()},
            refits=load_file(folder / REFITS)["ki67"].astype(np.float32),
            references=heads["references"],
            gate=heads["gate"],
            sha256=identity,
        )
        if not bundle.weights_path.exists():
            raise BundleError(
                f"The backbone of the bundle is neither in '{bundle.manifest.backbone_path}' beside it nor "
                f"in its folder '{OWN_BACKBONE}': put {WEIGHTS} (sha256 {bundle.manifest.backbone_sha256[:16]}) there."
            )
        _verify(bundle.weights_path, bundle.manifest.backbone_sha256)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(
            f"{MANIFEST} or {HEADS} of the bundle has another shape ({error}): train the bundle anew."
        ) from None
    return bundle


def write_bundle(
    folder: Path, manifest: dict[str, Any], heads: dict[str, Any], refits: NDArray[np.floating], card: str
) -> None:
    """Write a bundle's files; what lies in evidence/ already is hashed with them, and the card ends with its identity.

    Parameters
    ----------
    folder : Path
        Folder of the bundle.
    manifest : dict
        Everything but the schema version and the file hashes.
    heads : dict
        "image" and "fusion": name to head as JSON types; "references"; "gate".
    refits : ndarray of float, (B, p + 1)
        Weights and bias of the Ki-67 image head of each refit; written in single precision, since a feature that
        hardly varies has a large weight.
    card : str
        Model card, Markdown; the identity of an earlier writing is taken off.
    """
    card = SEAL.sub("", card)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADS).write_text(json.dumps(heads) + "\n", encoding="utf-8")
    save_file({"ki67": np.ascontiguousarray(refits, dtype=np.float32)}, folder / REFITS)
    (folder / CARD).write_text(card, encoding="utf-8")
    names = [HEADS, REFITS, CARD, *sorted(p.relative_to(folder).as_posix() for p in folder.glob("evidence/*"))]
    files = {name: hash_file(folder / name) for name in names}
    full = {"schema_version": SCHEMA_VERSION, **manifest, "files": files}
    (folder / MANIFEST).write_text(json.dumps(full, indent=2) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card + _write_seal(hash_file(folder / MANIFEST)), encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BundleError(f"{path.name} is not in the folder '{path.parent.name}': give a bundle's folder.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise BundleError(f"{path.name} of the bundle is not readable JSON: fetch or train the bundle anew.") from None


def _write_seal(identity: str) -> str:
    """Write the card's last line."""
    return f"\nBundle sha256 `{identity}`.\n"


def _verify_files(folder: Path, files: dict[str, str], identity: str) -> None:
    """Verify that the card names the manifest, and the manifest every file, each by its hash."""
    found = {path.relative_to(folder).as_posix() for path in folder.glob("evidence/*")}
    for name in sorted({HEADS, REFITS, CARD, *found} - set(files)):
        raise BundleError(f"{name} of the bundle is not named in its {MANIFEST}: fetch or train the bundle anew.")
    for name in files:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise BundleError(f"{MANIFEST} of the bundle names a file outside its folder: fetch it anew.")
    written = _read_text(folder / CARD)
    if not SEAL.search(written):
        raise BundleError(f"{CARD} of the bundle was changed after training (its last line is no hash): fetch it anew.")
    card = SEAL.sub("", written)
    if written != card + _write_seal(identity):
        raise BundleError(
            f"{MANIFEST} of the bundle was changed after training (its card names another): fetch it anew."
        )
    _compare(CARD, hashlib.sha256(card.encode("utf-8")).hexdigest(), files.pop(CARD))
    for name, expected in files.items():
        _verify(folder / name, expected)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise BundleError(f"{path.name} of the bundle is missing: fetch or train the bundle anew.") from None
    except UnicodeDecodeError:
        raise BundleError(f"{path.name} of the bundle is no text: fetch or train the bundle anew.") from None


def _verify(path: Path, expected: str) -> None:
    if not path.exists():
        raise BundleError(f"{path.name} of the bundle is missing: fetch or train the bundle anew.")
    _compare(path.name, hash_file(path), expected)


def _compare(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise BundleError(f"{name} of the bundle was changed after training (its hash differs): fetch it anew.")
