"""A handful of made-up images: in BUS-BRA's layout, and as further clinics with an index."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

COLUMNS = ["dataset", "image", "mask", "label", "patient", "masks", "marks", "doppler"]


def make_image(rng: np.random.Generator, *, lesion: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Give noise with a darker ellipse, and the ellipse."""
    yy, xx = np.mgrid[:120, :140]
    mask = (((xx - 70) / 30) ** 2 + ((yy - 55) / 18) ** 2 < 1) & lesion
    return (rng.integers(60, 160, mask.shape) * np.where(mask, 0.3, 1)).astype(np.uint8), mask


def write_busbra(folder: Path) -> Path:
    """Write twelve images of six patients in three folds."""
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        image, mask = make_image(rng)
        name = f"bus_{i:04d}-l"
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"mask_{i:04d}-l.png")
        pathology = "malignant" if i % 2 else "benign"
        rows.append((name, i // 2, "cyst", pathology, 2 + i % 4, "[40,37,60,36]", 1 + i // 4))
    table = pd.DataFrame(rows, columns=["ID", "Case", "Histology", "Pathology", "BIRADS", "BBOX", "kFold"])
    table.drop(columns="kFold").to_csv(folder / "bus_data.csv", index=False)
    table[["ID", "kFold"]].to_csv(folder / "5-fold-cv.csv", index=False)
    return folder


def write_clinic(folder: Path, name: str = "far") -> Path:
    """Write eight frames of a further clinic, two of them without a lesion."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(8):
        label = "normal" if i > 5 else ("benign", "malignant")[i // 2 % 2]
        image, mask = make_image(rng, lesion=label != "normal")
        Image.fromarray(image).save(folder / f"{i}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{i}-mask.png")
        drawn = "" if label == "normal" else f"{i}-mask.png"
        rows.append((name, f"{i}.png", drawn, label, f"P{i // 2}", "1", "no", "no"))
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "index.csv", index=False)
    return folder
