"""The breast that a DICOM header names."""

from pydicom import Dataset

_SIDES = {"7771000": "L", "G-A101": "L", "24028007": "R", "G-A100": "R"}


def read_side(header: Dataset) -> str:
    """Every side that the header names: "L", "R", "LR" where it contradicts itself, or none."""
    stated = [str(header.get(name) or "").strip().upper() for name in ("ImageLaterality", "Laterality")]
    for region in header.get("AnatomicRegionSequence") or []:
        modifiers = region.get("AnatomicRegionModifierSequence") or []
        stated += [_SIDES.get(str(modifier.get("CodeValue")), "") for modifier in modifiers]
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        anatomy = [item.get("FrameAnatomySequence") for item in (header.get(groups) or [])[:1]]
        stated += [str(item[0].get("FrameLaterality") or "") for item in anatomy if item]
    return "".join(sorted(set(stated) & {"L", "R"}))
