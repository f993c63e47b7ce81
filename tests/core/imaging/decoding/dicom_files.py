"""DICOM files of every syntax, colour model and depth with what they show, and files with one defect each."""

import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from tests.core.imaging.samples import (
    encode,
    make_dataset,
    make_dicom,
    make_htj2k,
    make_jpeg_cine,
    make_region,
    make_speckle,
    save,
)

GREY = make_speckle(60, 80)
COLOUR = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
TWELVE = np.round(GREY.astype(np.uint16) * (4095 / 255)).astype("<u2")
SIXTEEN = GREY.astype("<u2") * 257
WINDOW_12 = {"WindowCenter": 2048, "WindowWidth": 4096}
WINDOW_16 = {"WindowCenter": 32768, "WindowWidth": 65536}
SIGNED_12 = (TWELVE.astype(np.int32) - 2048).astype("<i2")
SIGNED_16 = (SIXTEEN.astype(np.int32) - 32768).astype("<i2")
HALF = COLOUR[:, ::2].repeat(2, axis=1)


def in_syntax(syntax: UID, pixels: np.ndarray, **tags: object) -> bytes:
    """A native file in a transfer syntax."""
    ds = make_dataset(pixels, **tags)  # type: ignore[arg-type]
    ds.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    if syntax == ImplicitVRLittleEndian:
        ds.save_as(stream, enforce_file_format=True, implicit_vr=True)
    else:
        ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def compressed(syntax: UID, pixels: np.ndarray, options: dict[str, object] | None = None, **tags: object) -> bytes:
    """A file that pydicom compressed."""
    ds = make_dataset(pixels, **tags)  # type: ignore[arg-type]
    ds.compress(syntax, generate_instance_uid=False, **(options or {}))  # type: ignore[arg-type]
    return save(ds)


def without_preamble() -> bytes:
    """An implicit data set alone, as some archives send it."""
    stream = BytesIO()
    ds = make_dataset(GREY)
    del ds.file_meta
    ds.save_as(stream, implicit_vr=True, little_endian=True)
    return stream.getvalue()


def palette(bits: int, pixels: np.ndarray, syntax: UID | None = None) -> bytes:
    """Indices into a reversed grey ramp."""
    entries = 2 ** (8 * pixels.dtype.itemsize)
    ramp = np.linspace(2**bits - 1, 0, entries).round().astype("<u2" if bits == 16 else "u1")
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [entries % 65_536, 0, bits]
        tags[f"{channel}PaletteColorLookupTableData"] = ramp.tobytes()
    ds = make_dataset(pixels, **tags)  # type: ignore[arg-type]
    if syntax:
        ds.compress(syntax, generate_instance_uid=False)
    return save(ds)


def voi_table() -> bytes:
    """A VOI table that reverses the levels."""
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTData = [256, 0, 8], list(range(255, -1, -1))
    ds = make_dataset(GREY)
    ds.VOILUTSequence = [item]
    ds.VOILUTSequence[0]["LUTData"].VR = ds.VOILUTSequence[0]["LUTDescriptor"].VR = "US"
    return save(ds)


def without_tags(*names: str) -> bytes:
    """A file that lacks some tags."""
    ds = make_dataset(GREY)
    for name in names:
        delattr(ds, name)
    return save(ds)


def ybr_native(subsampled: bool, planar: int = 0) -> tuple[bytes, np.ndarray]:
    """A native YBR file, and the RGB that it shows."""
    source = HALF if subsampled else COLOUR
    ybr = np.asarray(Image.fromarray(source).convert("YCbCr"))
    shown = np.asarray(Image.fromarray(ybr, "YCbCr").convert("RGB"))
    stored = ybr.transpose(2, 0, 1) if planar else ybr
    if subsampled:
        pairs = ybr.reshape(60, 40, 2, 3)
        stored = np.stack([pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1], pairs[:, :, 0, 2]], axis=2)
    name = "YBR_FULL_422" if subsampled else "YBR_FULL"
    tags = {"PhotometricInterpretation": name, "PlanarConfiguration": planar, "PixelData": stored.tobytes()}
    return make_dicom(ybr, **tags), shown


def jpeg_file(pixels: np.ndarray, subsampling: int, photometric: str) -> bytes:
    """A JPEG baseline file by Pillow."""
    tags = {
        "PhotometricInterpretation": photometric,
        "PixelData": encapsulate([encode(pixels, "JPEG", quality=90, subsampling=subsampling)]),
    }
    ds = make_dataset(pixels, **tags)  # type: ignore[arg-type]
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return save(ds)


def make_files() -> dict[str, tuple[bytes, np.ndarray | None]]:
    """Files by name, each with the levels that it shows; None where it is lossy or has no window."""
    return {**_native_files(), **_colour_files(), **_compressed_files()}


def _native_files() -> dict[str, tuple[bytes, np.ndarray | None]]:
    signed = in_syntax(ExplicitVRBigEndian, SIGNED_12.astype(">i2"), bits=12, WindowCenter=0, WindowWidth=4096)
    deep_big = in_syntax(ExplicitVRBigEndian, GREY.astype(">u2"), bits=8, WindowCenter=128, WindowWidth=256)
    ten = np.round(GREY.astype(np.uint16) * (1023 / 255)).astype("<u2")
    sigmoid = np.round(255 / (1 + np.exp(-4 * (TWELVE - 2000.0) / 1500)))
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -4096, "WindowCenter": 0, "WindowWidth": 8192}
    optional = ("Modality", "Manufacturer", "ManufacturerModelName", "HighBit", "StudyDescription", "InstitutionName")
    return {
        "grey": (make_dicom(GREY), GREY),
        "implicit": (in_syntax(ImplicitVRLittleEndian, GREY), GREY),
        "big endian": (deep_big, GREY),
        "big endian, signed": (signed, GREY),
        "deflated": (in_syntax(DeflatedExplicitVRLittleEndian, GREY), GREY),
        "no preamble": (without_preamble(), GREY),
        "no optional tags": (without_tags(*optional), GREY),
        "odd number of pixels": (make_dicom(GREY[:59, :79].copy()), GREY[:59, :79]),
        "MONOCHROME1": (make_dicom(GREY, PhotometricInterpretation="MONOCHROME1"), 255 - GREY),
        "MONOCHROME1, 12 bit": (
            make_dicom(TWELVE, bits=12, PhotometricInterpretation="MONOCHROME1", **WINDOW_12),
            255 - GREY,
        ),
        "10 bit, window": (make_dicom(ten, bits=10, WindowCenter=512, WindowWidth=1024), GREY),
        "12 bit": (make_dicom(TWELVE, bits=12), None),
        "12 bit, window": (make_dicom(TWELVE, bits=12, **WINDOW_12), GREY),
        "12 bit, two windows": (make_dicom(TWELVE, bits=12, WindowCenter=[2048, 9], WindowWidth=[4096, 5]), GREY),
        "16 bit, window": (make_dicom(SIXTEEN, **WINDOW_16), GREY),
        "signed, window": (make_dicom(SIGNED_12, bits=12, WindowCenter=0, WindowWidth=4096), GREY),
        "signed 16 bit, window": (make_dicom(SIGNED_16, WindowCenter=0, WindowWidth=65536), GREY),
        "rescaled": (make_dicom(TWELVE, bits=12, **rescale), GREY),
        "exact window": (make_dicom(GREY, WindowCenter=127.5, WindowWidth=255, VOILUTFunction="LINEAR_EXACT"), GREY),
        "sigmoid window": (
            make_dicom(TWELVE, bits=12, WindowCenter=2000, WindowWidth=1500, VOILUTFunction="SIGMOID"),
            sigmoid,
        ),
        "VOI table": (voi_table(), 255 - GREY),
    }


def _colour_files() -> dict[str, tuple[bytes, np.ndarray | None]]:
    planes = COLOUR.transpose(2, 0, 1).copy().reshape(60, 80, 3)
    return {
        "RGB": (make_dicom(COLOUR), COLOUR),
        "RGB planar 1": (in_syntax(pydicom.uid.ExplicitVRLittleEndian, planes, PlanarConfiguration=1), COLOUR),
        "YBR_FULL": ybr_native(subsampled=False),
        "YBR_FULL planar 1": ybr_native(subsampled=False, planar=1),
        "YBR_FULL_422": ybr_native(subsampled=True),
        "palette 8": (palette(8, GREY), np.dstack([255 - GREY] * 3)),
        "palette 16": (palette(16, GREY), np.dstack([255 - GREY] * 3)),
        "palette of 65536": (palette(16, SIXTEEN), np.dstack([255 - GREY] * 3)),
        "palette 16, RLE": (palette(16, GREY, RLELossless), np.dstack([255 - GREY] * 3)),
    }


def _compressed_files() -> dict[str, tuple[bytes, np.ndarray | None]]:
    lossy: dict[str, object] = {"j2k_cr": [8]}
    return {
        "RLE": (compressed(RLELossless, COLOUR), COLOUR),
        "RLE, 12 bit": (compressed(RLELossless, TWELVE, bits=12, **WINDOW_12), GREY),
        "JPEG YBR_FULL": (jpeg_file(COLOUR, 0, "YBR_FULL"), None),
        "JPEG YBR_FULL_422": (jpeg_file(COLOUR, 1, "YBR_FULL_422"), None),
        "JPEG grey": (jpeg_file(GREY, 0, "MONOCHROME2"), None),
        "JPEG loop": (make_jpeg_cine([COLOUR, COLOUR[::-1].copy()]), None),
        "JPEG 2000": (compressed(JPEG2000Lossless, COLOUR, PhotometricInterpretation="RGB"), COLOUR),
        "JPEG 2000 YBR_RCT": (_in_ybr(JPEG2000Lossless, "YBR_RCT", {}), COLOUR),
        "JPEG 2000, 12 bit": (compressed(JPEG2000Lossless, TWELVE, bits=12, **WINDOW_12), GREY),
        "JPEG 2000, signed": (
            compressed(JPEG2000Lossless, SIGNED_12, bits=12, WindowCenter=0, WindowWidth=4096),
            GREY,
        ),
        "JPEG 2000 lossy": (compressed(JPEG2000, GREY, lossy), None),
        "JPEG 2000 lossy YBR_ICT": (_in_ybr(JPEG2000, "YBR_ICT", lossy), None),
        "HTJ2K": (make_htj2k(), make_speckle(24, 32)),
    }


def _in_ybr(syntax: UID, photometric: str, options: dict[str, object]) -> bytes:
    """A JPEG 2000 file whose code stream turns RGB to YBR."""
    ds = make_dataset(COLOUR, PhotometricInterpretation=photometric)
    ds.compress(syntax, generate_instance_uid=False, **options)  # type: ignore[arg-type]
    return save(ds)


CODECS = {
    "JPEG baseline": ["dcmcjpeg", "+eb"],
    "JPEG extended": ["dcmcjpeg", "+ee"],
    "JPEG lossless": ["dcmcjpeg", "+el"],
    "JPEG lossless, first order": ["dcmcjpeg", "+e1"],
    "JPEG-LS": ["dcmcjpls", "+el"],
    "JPEG-LS near-lossless": ["dcmcjpls", "+en"],
    "RLE": ["dcmcrle"],
}
KINDS = ("grey", "RGB", "12 bit, window", "signed 16 bit, window", "palette 16")


def compress_by_dcmtk(codec: str, source: bytes, folder: Path) -> bytes | None:
    """A file as DCMTK's encoder writes it; None where it does not write this combination."""
    before, after = folder / "source.dcm", folder / "compressed.dcm"
    before.write_bytes(source)
    after.unlink(missing_ok=True)
    subprocess.run([*CODECS[codec], before, after], capture_output=True, check=False)
    return after.read_bytes() if after.exists() else None


def make_defects() -> dict[str, bytes]:
    """Files with one defect each: every one shows an image, or is refused in a sentence."""
    plain, region = make_dicom(GREY), make_region((0, 0, 79, 59))
    return {
        "pixels cut off": plain[:-2000],
        "header cut off": plain[:300],
        "bytes after the pixels": plain + b"\xff" * 500,
        "no transfer syntax": _in_stated_syntax(None),
        "transfer syntax unknown": _in_stated_syntax("1.2.3.4.5"),
        "syntax of MPEG-4": _in_stated_syntax("1.2.840.10008.1.2.4.102", encapsulate([b"stream"])),
        "syntax of HEVC": _in_stated_syntax("1.2.840.10008.1.2.4.107", encapsulate([b"stream"])),
        "JPEG without a stream": _in_stated_syntax(JPEGBaseline8Bit, encapsulate([b"stream"])),
        "no pixels": without_tags("PixelData"),
        "no rows": without_tags("Rows"),
        "no photometric interpretation": without_tags("PhotometricInterpretation"),
        "no bits stored": without_tags("BitsStored"),
        "no samples per pixel": without_tags("SamplesPerPixel"),
        "more rows than pixels": make_dicom(GREY, Rows=600),
        "more frames than pixels": make_dicom(GREY, NumberOfFrames=30),
        "2001 frames": make_dicom(np.zeros((2001, 8, 8), np.uint8), frames=2001),
        "60000 x 60000 pixels": make_dicom(GREY, Rows=60_000, Columns=60_000),
        "more bits stored than allocated": make_dicom(GREY, BitsStored=16),
        "window of no width": make_dicom(GREY, WindowCenter=100, WindowWidth=0),
        "window that is no number": _with_raw(0x00281050, b"12abc "),
        "frames that are no number": _with_raw(0x00280008, b"many"),
        "palette without a table": make_dicom(GREY, PhotometricInterpretation="PALETTE COLOR"),
        "region off the pixels": make_dicom(GREY, SequenceOfUltrasoundRegions=[make_region((0, 0, 799, 599))]),
        "region without its corner": _without_corner(region),
        "region of M-mode alone": make_dicom(
            GREY, SequenceOfUltrasoundRegions=[make_region((0, 0, 79, 59), RegionSpatialFormat=2)]
        ),
        "region of colour flow alone": make_dicom(
            GREY, SequenceOfUltrasoundRegions=[make_region((0, 0, 79, 59), RegionDataType=2)]
        ),
        "regions that say nothing, and a trace": make_dicom(
            GREY,
            SequenceOfUltrasoundRegions=[
                make_region((0, 0, 79, 29), RegionSpatialFormat=0),
                make_region((0, 30, 79, 59), RegionSpatialFormat=3),
            ],
        ),
        "region that says nothing": make_dicom(
            GREY, SequenceOfUltrasoundRegions=[make_region((0, 0, 79, 59), RegionDataType=0)]
        ),
        "four samples": make_dicom(np.dstack([COLOUR, GREY]), PhotometricInterpretation="CMYK"),
        "name in another character set": make_dicom(GREY, SpecificCharacterSet="ISO_IR 192", StationName="Größe"),
        "encapsulated PDF": make_dicom(GREY, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", Modality="DOC"),
        "CT": make_dicom(GREY, Modality="CT"),
        "mammogram": make_dicom(GREY, Modality="MG"),
        "intravascular ultrasound": make_dicom(GREY, Modality="IVUS"),
    }


def _in_stated_syntax(syntax: str | None, pixels: bytes | None = None) -> bytes:
    """A file whose file meta group states a syntax, whatever its pixels are."""
    ds = make_dataset(GREY)
    if syntax is None:
        del ds.file_meta.TransferSyntaxUID
    else:
        ds.file_meta.TransferSyntaxUID = syntax
    if pixels is not None:
        ds.PixelData = pixels
        ds["PixelData"].is_undefined_length = True
    stream = BytesIO()
    ds.save_as(stream, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return stream.getvalue()


def _with_raw(tag: int, value: bytes) -> bytes:
    """A value that breaks its type, put into the bytes of a file."""
    ds = make_dataset(GREY)
    ds.add_new(tag, "LO", value.decode())
    vr = pydicom.datadict.dictionary_VR(tag).encode()
    group = tag.to_bytes(4, "big")
    head = group[1::-1] + group[:1:-1]
    return save(ds).replace(head + b"LO", head + vr)


def _without_corner(region: pydicom.Dataset) -> bytes:
    del region.RegionLocationMinX0
    return make_dicom(GREY, SequenceOfUltrasoundRegions=[region])
