"""Frames, masks, boxes and DICOM of the simulated cohort."""

from io import BytesIO

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from core.clinical import FIELDS
from core.errors import UsageError, WorkError
from core.simulation import render_frame, render_patient, simulate_cohort, write_cohort
from core.simulation.devices import DEVICES, plan_view
from core.simulation.dicom import encode_dicom
from core.simulation.frame import compute_box
from core.simulation.overlay import NOTICE
from core.simulation.parameters import LATENTS

MIDDLE = dict.fromkeys(LATENTS, 0.0)
PATIENT = {"patient_id": "SIM-A0001", "exam_date": "2022-05-26", "age": "45", "laterality": "right"}


def render(centre="A", seed=0, size_mm=20.0, size_ap_mm=14.4, background="heterogeneous", **latents):
    return render_frame(
        np.random.default_rng(seed),
        centre,
        {**MIDDLE, **latents},
        size_mm=size_mm,
        size_ap_mm=size_ap_mm,
        background=background,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("cohort")
    seen = []
    write_cohort(out, 8, 5, dicom=True, progress=lambda done, total: seen.append((done, total)))
    return out, seen


def read_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_processes_and_runs_give_the_same_bytes(written, tmp_path):
    write_cohort(tmp_path, 8, 5, dicom=True, processes=2)
    assert read_bytes(tmp_path) == read_bytes(written[0])


def test_progress_counts_every_frame(written):
    assert written[1] == [(done, 8) for done in range(1, 9)]


def test_the_table_is_a_manifest(written):
    out, _ = written
    table = pd.read_csv(out / "cohort.csv")
    extra = ["split", "receptor", "lnm", "image", "mask", "box", "dicom"]
    assert list(table.columns) == [*(field.name for field in FIELDS), *extra]
    for _, row in table.iterrows():
        mask, frame = read_pixels(out / row["mask"]), read_pixels(out / row["image"])
        assert frame.shape[::-1] == DEVICES[row["centre"]].frame == mask.shape[::-1]
        assert tuple(int(edge) for edge in row["box"].split(",")) == compute_box(mask)


def test_written_frame_is_the_rendered_patient(written):
    frame = render_patient(simulate_cohort(8, 5), 2, 5)
    name = simulate_cohort(8, 5).table["patient_id"][2]
    assert np.array_equal(read_pixels(written[0] / "frames" / f"{name}.png"), frame.pixels)


@pytest.mark.parametrize("centre", list(DEVICES))
@pytest.mark.parametrize(
    ("size_mm", "size_ap_mm", "asp"), [(6.0, 4.3, 0.0), (20.0, 14.4, 0.0), (24.0, 24.0, 2.5), (80, 57.6, 0)]
)
def test_lesion_measures_what_the_table_says(centre, size_mm, size_ap_mm, asp):
    frame = render(centre, 1, size_mm, size_ap_mm, asp=asp)
    width, height = frame.box[2] - frame.box[0], frame.box[3] - frame.box[1]
    assert max(width, height) * frame.mm_per_px == pytest.approx(size_mm, rel=0.06, abs=0.6)
    assert height * frame.mm_per_px == pytest.approx(size_ap_mm, rel=0.06, abs=0.6)
    layout = frame.layout
    assert layout.left < frame.box[0] < frame.box[2] < layout.left + layout.width
    assert layout.top < frame.box[1] < frame.box[3] < layout.top + layout.height


def test_scale_in_the_table_is_the_frames(written):
    table = pd.read_csv(written[0] / "cohort.csv")
    for _, row in table.iterrows():
        view = plan_view(DEVICES[row["centre"]], row["size_mm"], row["size_ap_mm"])
        assert row["image_scale"] == view.mm_per_px


def test_every_frame_carries_the_notice():
    """The same letters stand at the same place in frames of different patients of a device."""
    one, other = render("B", 1), render("B", 2)
    band = slice(0, 30), slice(0, 330)
    assert np.array_equal(one.pixels[band], other.pixels[band])
    assert (one.pixels[band] > 200).mean() > 0.05
    assert not one.pixels[30:34, :330].any()


def test_dicom_reads_back_with_region_scale_and_notice():
    frame = render("C", 3)
    data = pydicom.dcmread(BytesIO(encode_dicom(frame, PATIENT, 7)))
    region = data.SequenceOfUltrasoundRegions[0]
    assert data.SOPClassUID == pydicom.uid.UltrasoundImageStorage
    assert data.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert np.array_equal(data.pixel_array, frame.pixels)
    assert (region.PhysicalUnitsXDirection, region.RegionSpatialFormat, region.RegionDataType) == (3, 1, 1)
    assert region.PhysicalDeltaX * 10 == pytest.approx(frame.mm_per_px)
    assert region.RegionLocationMinX0 == frame.layout.left
    assert region.RegionLocationMaxY1 - region.RegionLocationMinY0 + 1 == frame.layout.height
    assert (data.BurnedInAnnotation, data.ImageComments, data.StudyDescription) == ("YES", NOTICE, NOTICE)
    assert str(data.PatientName) == "SYNTHETIC^NOT A PATIENT"
    assert data.PatientID == "SIM-A0001"


def test_dicom_bytes_depend_on_patient_and_seed_alone():
    frame = render("C", 3)
    assert encode_dicom(frame, PATIENT, 7) == encode_dicom(frame, PATIENT, 7)
    other = pydicom.dcmread(BytesIO(encode_dicom(frame, PATIENT, 8)))
    assert other.SOPInstanceUID != pydicom.dcmread(BytesIO(encode_dicom(frame, PATIENT, 7))).SOPInstanceUID


def _contrast_inside(frame):
    x0, y0, x1, y1 = frame.box
    ring = np.zeros_like(frame.mask, dtype=bool)
    ring[y0 - 20 : y1, x0 - 40 : x1 + 40] = True
    return frame.pixels[frame.mask > 0].mean() - frame.pixels[ring & (frame.mask == 0)].mean()


def _brightness_behind(frame):
    x0, _, x1, y1 = frame.box
    third = (x1 - x0) // 3
    below = slice(y1 + 10, y1 + 60)
    beside = np.r_[x0 - third : x0 - 10, x1 + 10 : x1 + third]
    return frame.pixels[below, x0 + third : x1 - third].mean() - frame.pixels[below][:, beside].mean()


def _coarse_unevenness(frame):
    x0, y0, x1, y1 = frame.box
    w, h = (x1 - x0) // 5, (y1 - y0) // 5
    crop = Image.fromarray(frame.pixels[y0 + h : y1 - h, x0 + w : x1 - w]).resize((12, 9), Image.Resampling.BOX)
    return float(np.asarray(crop, dtype=float).std())


@pytest.mark.parametrize("centre", list(DEVICES))
@pytest.mark.parametrize(
    ("latent", "measure", "sign"),
    [("hypo", _contrast_inside, -1), ("post", _brightness_behind, 1), ("het", _coarse_unevenness, 1)],
)
def test_latents_can_be_seen_on_every_device(centre, latent, measure, sign):
    values = [np.mean([measure(render(centre, seed, **{latent: level})) for seed in range(4)]) for level in (-1.5, 1.5)]
    assert sign * (values[1] - values[0]) > 3, values


def test_vascularity_cannot_be_seen():
    assert np.array_equal(render(vasc=-2.0).pixels, render(vasc=2.0).pixels)


def test_what_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="can't be written"):
        write_cohort(tmp_path / "file", 8)
    with pytest.raises(UsageError, match="0 processes"):
        write_cohort(tmp_path, 8, processes=0)
