"""The breast that a DICOM header names."""

from collections.abc import Iterator

from pydicom import Dataset

from core.imaging.decoding.dicom.items import read_items

_SIDES = {  # SNOMED CT and SNOMED RT: left and right as modifiers, and the breasts themselves
    "7771000": "L",
    "G-A101": "L",
    "80248007": "L",
    "T-04030": "L",
    "24028007": "R",
    "G-A100": "R",
    "73056007": "R",
    "T-04020": "R",
}
_STRUCTURES = {
    "AnatomicRegionSequence": "AnatomicRegionModifierSequence",
    "PrimaryAnatomicStructureSequence": "PrimaryAnatomicStructureModifierSequence",
}
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_LATERALITIES = ("ImageLaterality", "Laterality", "FrameLaterality")


def read_side(header: Dataset) -> str:
    """Every side that the header names: "L", "R", "LR" where it contradicts itself, or none."""
    frames = [item for groups in _GROUPS for item in read_items(header, groups)]
    named = [header, *(anatomy for item in frames for anatomy in read_items(item, "FrameAnatomySequence"))]
    return "".join(sorted({side for item in named for side in _list_sides(item)} & {"L", "R"}))


def _list_sides(item: Dataset) -> Iterator[str]:
    """Give what a header, or the anatomy of a frame, says of a side."""
    yield from (str(item.get(name) or "").strip().upper() for name in _LATERALITIES)
    for name, modifiers in _STRUCTURES.items():
        for structure in read_items(item, name):
            for code in (structure, *read_items(structure, modifiers), *read_items(item, modifiers)):
                yield _SIDES.get(str(code.get("CodeValue") or "").strip(), "")
