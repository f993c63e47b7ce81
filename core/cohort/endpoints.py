"""Time and event of a follow-up belong together: the time of one endpoint is never read with the event of another."""

from collections.abc import Mapping, Sequence

from core.clinical import KNOWN, Title

TIME, EVENT = "rfs_months", "rfs_event"
ENDPOINTS = frozenset(("rfs", "dfs", "ddfs", "drfs", "efs", "os", "pfs", "idfs", "ibcfs", "dmfs", "css", "bcss"))
OTHER_ENDPOINTS = frozenset(("os", "css", "bcss"))  # a death is no recurrence
SETTLE = "Say which pair to read: --map rfs_months=COLUMN --map rfs_event=COLUMN."
DIFFER = "'{time}' is the time of {first}, '{event}' the event of {second}. "
UNCLEAR = "'{event}' may be the event of {first} or of {second}. "


def find_mixed_endpoints(
    header: Sequence[str], titles: Sequence[Title], positions: Mapping[str, int], chosen: Mapping[str, str]
) -> str:
    """Say in a sentence or two why time and event of the follow-up may be of two endpoints; "" where nothing does.

    `positions` maps a field to its place in the file; a pair of which a person mapped both (`chosen`) is not doubted.
    """
    if not {TIME, EVENT} <= positions.keys() or {TIME, EVENT} <= chosen.keys():
        return ""
    time, event = positions[TIME], positions[EVENT]
    first, second = _name_endpoint(titles[time].name), _name_endpoint(titles[event].name)
    names = {"time": header[time][:40], "event": header[event][:40]}
    if first and second and first != second:
        return DIFFER.format(first=first.upper(), second=second.upper(), **names) + SETTLE
    if second or EVENT in chosen:
        return ""
    found = [_find_part(title.name) for title in titles]
    whole = {endpoint for endpoint, part in found if part == EVENT}
    others = [endpoint for endpoint, part in found if part == TIME and endpoint not in whole | {first}]
    if not others:
        return ""
    own = first.upper() or f"'{names['time']}'"
    return UNCLEAR.format(event=names["event"], first=own, second=others[0].upper()) + SETTLE


def _name_endpoint(name: str) -> str:
    return next((part for part in name.split("_") if part in ENDPOINTS), "")


def _find_part(name: str) -> tuple[str, str]:
    """Give the endpoint that a column names, and the field that it would be if that were RFS."""
    endpoint = _name_endpoint(name)
    known = "_".join("rfs" if part == endpoint else part for part in name.split("_"))
    return endpoint, KNOWN.get(known, "") if endpoint else ""
