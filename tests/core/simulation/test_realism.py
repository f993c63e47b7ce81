"""The comparison of simulated with real images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from core.errors import InputError
from core.simulation import write_cohort
from core.simulation.compare import LesionImage, compare_realism, read_busbra_lesions, read_simulated_lesions


def make_images(count, *, shift=0, blur=0.0, start=0):
    """Noise about 120 with a square 60 levels darker."""
    images = []
    for index in range(start, start + count):
        noise = np.random.default_rng(index).normal(0, 15, (96, 96))
        noise = gaussian_filter(noise, blur) * (1 + 3 * blur)
        mask = np.zeros((96, 96), dtype=bool)
        mask[36:60, 36:60] = True
        pixels = np.clip(120 - 60 * mask + noise + shift, 0, 255).astype(np.uint8)
        images.append(LesionImage(str(index // 2), pixels, mask))
    return images


def distances(result):
    return result.table.set_index("measure")["distance"]


def test_a_set_compared_with_itself_has_no_distance():
    result = compare_realism(make_images(6), make_images(6))
    assert distances(result).to_numpy() == pytest.approx(0)
    assert (result.n_simulated, result.n_real) == (6, 6)


def test_a_shift_in_grey_is_measured_in_grey_levels():
    result = compare_realism(make_images(8, shift=20, start=50), make_images(8))
    assert distances(result)["mean around"] == pytest.approx(20, abs=1)
    assert distances(result)["grey levels inside"] == pytest.approx(20, abs=1.5)
    assert distances(result)["contrast"] < 2


def test_blur_moves_the_spectrum_but_little_the_grey_level():
    result = compare_realism(make_images(8, blur=1.5, start=50), make_images(8))
    assert distances(result)["radial spectrum"] > 5
    assert distances(result)["mean around"] < 2
    floor = result.table.set_index("measure")["floor"]
    assert floor["radial spectrum"] < 1


def test_the_axial_spectrum_sees_lines_across_the_beam():
    lines = [
        LesionImage(
            image.patient,
            np.clip(image.pixels + 40 * np.sin(np.arange(96) * 2.0)[:, None], 0, 255).astype(np.uint8),
            image.mask,
        )
        for image in make_images(4)
    ]
    result = compare_realism(lines, make_images(4))
    gain = (result.spectra["simulated_db"] - result.spectra["real_db"]).groupby(result.spectra["direction"]).max()
    assert gain["axial"] > 5 > gain["lateral"]


def test_written_cohort_and_busbra_folder_are_read(tmp_path):
    write_cohort(tmp_path / "sim", 8, 1)
    simulated = list(read_simulated_lesions(tmp_path / "sim" / "cohort.csv"))
    assert len(simulated) == 8
    assert simulated[0].patient == "SIM-A0001"
    for folder, value in (("images", 90), ("masks", 255)):
        (tmp_path / "real" / folder).mkdir(parents=True)
        for case in (1, 2):
            name = f"{'bus' if folder == 'images' else 'mask'}_000{case}-l.png"
            Image.fromarray(np.full((60, 50), value, dtype=np.uint8)).save(tmp_path / "real" / folder / name)
    rows = {"ID": ["bus_0001-l", "bus_0002-l"], "Case": [1, 2], "Pathology": ["malignant", "benign"]}
    pd.DataFrame(rows).to_csv(tmp_path / "real" / "bus_data.csv", index=False)
    real = list(read_busbra_lesions(tmp_path / "real"))
    assert [image.patient for image in real] == ["1"]
    assert real[0].pixels.shape == (60, 50)


def test_what_cannot_be_compared_is_refused(tmp_path):
    with pytest.raises(InputError, match="at least two patients"):
        compare_realism(make_images(2), make_images(2))
    with pytest.raises(InputError, match=r"bus_data\.csv can't be read"):
        list(read_busbra_lesions(tmp_path))
    (tmp_path / "bus_data.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="lacks ID"):
        list(read_busbra_lesions(tmp_path))
    with pytest.raises(InputError, match="must not be empty"):
        LesionImage("1", np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool))
