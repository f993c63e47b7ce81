"""Small image files for the tests: speckle, screens and DICOM files of any kind, all made from a seed."""

from base64 import b85decode
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, HTJ2KLossless, JPEGBaseline8Bit, generate_uid

PATIENT = "Planted^Patricia"
PATIENT_ID = "PLANT-4711"
SINGLE_FRAME, MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.3.1"


def make_speckle(height: int = 120, width: int = 160, seed: int = 1) -> np.ndarray:
    """Log-compressed speckle over a depth gain, as uint8."""
    rng = np.random.default_rng(seed)
    field = rng.standard_normal((2, height + 2, width + 4))
    smooth = sum(field[:, row : row + height, col : col + width] for row in range(3) for col in range(5))
    envelope = np.hypot(smooth[0], smooth[1]) / np.sqrt(15)
    decibel = 20 * np.log10(envelope + 1e-3) + np.linspace(6, -10, height)[:, None]
    return (np.clip((decibel + 40) / 60, 0, 1) * 255).astype(np.uint8)


def make_sector(radius: int = 150, angle: float = 35, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The sector of a convex transducer on black, 500 x 640, and the mask of its tissue."""
    y, x = np.mgrid[:500, :640]
    x, y = x - 320, y + radius - 60
    reach = np.hypot(x, y)
    tissue = (reach > radius) & (reach < radius + 380) & (np.abs(np.degrees(np.arctan2(x, y))) < angle)
    return np.where(tissue, make_speckle(500, 640, seed), 0).astype(np.uint8), tissue


def make_screen(
    area: np.ndarray, corner: tuple[int, int], size: tuple[int, int], words: str = "MENU 12 MHz"
) -> np.ndarray:
    """A screen with text above, a grey bar on the right and a ruler, around a B-mode area; RGB uint8."""
    screen = Image.new("RGB", size, (8, 8, 10))
    draw = ImageDraw.Draw(screen)
    draw.text((10, 6), words, fill=(230, 230, 230))
    draw.text((10, size[1] - 16), "+ Dist 12.3 mm", fill=(250, 250, 120))
    for level in range(64):
        draw.line((size[0] - 16, 40 + level, size[0] - 6, 40 + level), fill=(255 - 4 * level,) * 3)
    screen.paste(Image.fromarray(area).convert("RGB"), corner)
    for tick in range(0, area.shape[0], 20):
        x = corner[0] + area.shape[1] + 4
        draw.line((x, corner[1] + tick, x + 6, corner[1] + tick), fill=(230, 230, 230))
    return np.asarray(screen)


def encode(pixels: np.ndarray, name: str = "PNG", **options: object) -> bytes:
    """Pixels as an image file."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, name, **options)
    return stream.getvalue()


def make_region(box: tuple[int, int, int, int], mm_per_px: tuple[float, float] = (0.1, 0.1), **changes: int) -> Dataset:
    """A B-mode region of x0, y0, x1, y1 (last pixels inclusive)."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = box[0], box[1]
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = box[2], box[3]
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = mm_per_px[0] / 10, mm_per_px[1] / 10
    for name, value in changes.items():
        setattr(region, name, value)
    return region


def make_dataset(pixels: np.ndarray, *, frames: int = 1, bits: int | None = None, **tags: object) -> Dataset:
    """An ultrasound data set, native explicit little endian, with planted identifiers; `tags` replace or add."""
    shape = pixels.shape[1:] if frames > 1 else pixels.shape
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = MULTI_FRAME if frames > 1 else SINGLE_FRAME
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["sonoki-test"])
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = PATIENT, PATIENT_ID, "19620229"
    ds.InstitutionName, ds.StudyDescription = "Planted General Hospital", f"Breast of {PATIENT}"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "US", "Acme", "Echo 9"
    ds.Rows, ds.Columns = shape[0], shape[1]
    ds.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = "RGB" if ds.SamplesPerPixel == 3 else "MONOCHROME2"
    ds.BitsAllocated = 8 * pixels.dtype.itemsize
    ds.BitsStored = bits or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
    for name, value in tags.items():
        setattr(ds, name, value)
    return ds


def save(ds: Dataset) -> bytes:
    """A data set as a DICOM file."""
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def make_dicom(pixels: np.ndarray, **arguments: object) -> bytes:
    """An ultrasound DICOM file; arguments as for `make_dataset`."""
    return save(make_dataset(pixels, **arguments))  # type: ignore[arg-type]


def make_jpeg_cine(frames: list[np.ndarray], quality: int = 90, **tags: object) -> bytes:
    """A JPEG baseline loop of RGB frames."""
    ds = make_dataset(np.stack(frames), frames=len(frames), **tags)  # type: ignore[arg-type]
    ds.PixelData = encapsulate([encode(frame, "JPEG", quality=quality) for frame in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return save(ds)


# make_speckle(24, 32) as a reversible HTJ2K code stream, written by imagecodecs 2026.3.6 (OpenJPH)
_HTJ2K = b85decode(
    "|4;u>04YEK0000W0000O00000000000000W0000O0000000000009R90sl|{2mk^A00092QUDA90ssL31q1{@0smY86Cg-XP*6}%"
    "P*6}%P*6}vNJ#%=02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*000032mk^9lfWg~0Ect{z!Ja`z!HG;0LOFy(Ex{Z0R8~SbO68;"
    "KoUR_0OsudVY2}K3Nrw=5;Fk66|e<-0cZdi^g$oMaN`s1(Q7sUeRjK$eZs5408{yr2R8t(!Rd&Y=AMls@fL6bV736j7g+#ZgaLLS"
    "!H^N{R%l{6wKf63D)6dLImJ<ifUqkJ4ol^P=llRc%tsp`_~|uL(geN$W`q_Cv7|QX6Ri4S2~FUDdKuS%3K&I7R{{Ej*C3^oM9Kvz"
    "R3vJ+eA1cL<lCMAkavhB*fG0r1eRVSIBb*zeSkm;7kVv!#K33;Q5-#%VoihrLPi*Wim4am#H80g0KhM*AQ#n83+f;c0HraGqW%jy"
    "2z!hH5UZirxt1#a>|{Ph+&Dp!Ii7@c<^3_u1<08S%j6=Onkf-GDv0X~mus?1z=rZwAtX$}nOFvZDiHHjpdtXn!1$s8G*&_~1Ct+H"
    "z<J3rWJXBF2*DC6ivW5$o`C=by`+6h5MzZgri6o{tVd-202qN}q?Ieh%_>(ht}76DI14!x)Vb8YA~jqS1@52#AtbwHFc~r_5}N{r"
    "@C5SHw|z+=DPd<yIHr14kPgYsDhUZUZUd2`VrT%cVu~K<WvYC1Gr^k!1{J*|`$uJM5+dpLe*y;4!?G{91K?rT^1Ga3AnO?##YG7@"
    "^dW>4h{^*tR-lL)&H}aC;ffrEBt(W_Et`Xj^D1VZ2O@cH5~?i_Q<>PDK&$)r074puSe1^ZCE$mml*$-YQL$@~iBF|mDn-E8Z~>x0"
    "LQbp6R2d_g0-C50h!3v&+#aBSDa(}{Q_lvuL2Er>iYGB*DhJlev0-W26Zn9VjOS=KQ4V8rcr)*q%5z_;h(gbU49wMluvz#7ANHl0"
    ";8N#AW6M+7LhjMtAVkGzAq~^-y(9%pHOvf!F?C&mi+}(VEGVFxOCtvz3qRPv04%4HNm0TD&~go~3-X#mA^cyJH9DeE%^>!8fEuex"
    "9UiV~0Et(V8+!u(*#"
)


def make_htj2k(**tags: object) -> bytes:
    """An HTJ2K lossless file of `make_speckle(24, 32)`."""
    ds = make_dataset(make_speckle(24, 32), **tags)  # type: ignore[arg-type]
    ds.PixelData = encapsulate([_HTJ2K])
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = HTJ2KLossless
    return save(ds)
