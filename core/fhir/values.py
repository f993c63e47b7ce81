"""What an Observation states of pathology's findings: which of its parts do, and the value of each."""

import re
from collections.abc import Iterator

from core.clinical import BY_NAME
from core.clinical.vocabulary import match_level
from core.errors import InputError
from core.fhir.bundle import Content, list_objects, read_text, show_word

LOINC, KI67 = "http://loinc.org", BY_NAME["ki67_pct"].codes.removeprefix("LOINC ")
READ = {
    KI67: "ki67_pct",
    "21899-0": "pt",
    "21900-6": "pn",
    "21894-1": "nodes_removed",
    "21893-3": "nodes_positive",
}
UCUM = "http://unitsofmeasure.org"
UNITS = {"ki67_pct": ("%",), "nodes_removed": ("1", "{count}", "{#}"), "nodes_positive": ("1", "{count}", "{#}")}
CODE = re.compile(r"[A-Za-z0-9.%/*^\[\]{}_-]{1,24}")
STAGE = re.compile(r"\b([yarcp]*)([TN](?:is|x|[0-4](?:mi|[a-d]|\(i[+-]\))?))(?!\w)", re.IGNORECASE)
NOT_BEFORE_ALL = {"y", "r", "a"}
STAGED_LATER = "its stage is one after treatment, at recurrence or at autopsy (y, r, a)"
ANTIBODY = re.compile(r"\b(MIB[- ]?1|SP[- ]?6|30-9|MM-?1|K-?2)\b", re.IGNORECASE)


def find_parts(content: Content) -> dict[str, Content]:
    """Give what states a finding, by its field: the Observation, or those of its components that do."""
    parts: dict[str, Content] = {}
    own = _find_field(content.get("code"))
    for part in list_objects(content.get("component")):
        name = _find_field(part.get("code"))
        if name in parts:
            raise InputError(f"two of its components are {_name(name)}; enter the one that counts by hand")
        if name:
            parts[name] = part
    if own in parts and any(key.startswith("value") for key in content):
        raise InputError(f"it and one of its components are {_name(own)}; enter the one that counts by hand")
    if own:
        parts.setdefault(own, content)
    if not parts:
        raise InputError(f"no Ki-67 (LOINC {KI67}), pT, pN or number of nodes: {_name_code(content.get('code'))}")
    if parts.keys() & {"pt", "pn"} and NOT_BEFORE_ALL & {*_list_answers(content)}:
        raise InputError(STAGED_LATER)
    return parts


def read_value(name: str, part: Content) -> str | float:
    """Read the value of a field from the part that states it."""
    return _read_stage(name, part) if BY_NAME[name].levels else _read_number(name, part)


def find_antibody(content: Content) -> str:
    """Name the clone that the method's words name; "" where they name none."""
    method = content.get("method")
    found = ANTIBODY.search(" ".join(_list_words(method))) if isinstance(method, dict) else None
    return found.group().upper() if found else ""


def _name(name: str) -> str:
    return "a Ki-67" if name == "ki67_pct" else f"'{BY_NAME[name].label}'"


def _find_field(concept: object) -> str:
    codings = list_objects(concept.get("coding")) if isinstance(concept, dict) else []
    codes = (read_text(one.get("code")) for one in codings if one.get("system") == LOINC)
    return next((READ[code] for code in codes if code in READ), "")


def _name_code(concept: object) -> str:
    codings = list_objects(concept.get("coding")) if isinstance(concept, dict) else []
    codes = [code for one in codings if (code := read_text(one.get("code"))) and CODE.fullmatch(code)]
    return f"its code is {codes[0]}" if codes else "it has no code"


def _list_answers(content: Content) -> Iterator[str]:
    """Give the codes that components answer: German profiles say so that a stage is one after therapy."""
    for part in list_objects(content.get("component")):
        answer = part.get("valueCodeableConcept")
        if isinstance(answer, dict):
            yield from (read_text(one.get("code")) for one in list_objects(answer.get("coding")))


def _list_words(concept: Content) -> Iterator[str]:
    yield read_text(concept.get("text"))
    for one in list_objects(concept.get("coding")):
        yield read_text(one.get("display"))
        yield read_text(one.get("code"))


def _read_stage(name: str, part: Content) -> str:
    """Read pT or pN from an answer's words and codes, which have to agree; SNOMED's numbers are not looked up."""
    answer = part.get("valueCodeableConcept", {"text": part.get("valueString")})
    if not any(key.startswith("value") for key in part):
        raise InputError(_explain_value(part, "stage"))
    said = [one for words in _list_words(answer) for one in STAGE.findall(words)] if isinstance(answer, dict) else []
    said = [(prefix, stage) for prefix, stage in said if stage[0].lower() == name[1]]
    if any(set(prefix.lower()) - {"p"} for prefix, _ in said):
        raise InputError(f"{STAGED_LATER}, or a clinical one (c)")
    levels = {match_level(name, BY_NAME[name].levels, stage) for _, stage in said}
    level = levels.pop() if len(levels) == 1 else None
    if level is None:
        raise InputError(f"its words name no {BY_NAME[name].label} of {', '.join(BY_NAME[name].levels)}, or several")
    return level


def _read_number(name: str, part: Content) -> float:
    if name != "ki67_pct" and isinstance(part.get("valueInteger"), int):
        return float(part["valueInteger"])
    if "valueQuantity" not in part:
        raise InputError(_explain_value(part, f"quantity{' in %' if name == 'ki67_pct' else ''}"))
    quantity = part["valueQuantity"]
    value, comparator = quantity.get("value"), read_text(quantity.get("comparator"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("its quantity has no number as its value")
    if comparator:
        raise InputError(f"its value is a bound ({comparator} {value:g}); the register keeps what was counted")
    _check_unit(name, quantity)
    return float(value)


def _check_unit(name: str, quantity: Content) -> None:
    """Take the field's unit, said by the code or, without one, by the unit; nothing else is converted."""
    code, unit = read_text(quantity.get("code")), read_text(quantity.get("unit"))
    is_ucum = quantity.get("system", UCUM) == UCUM
    is_count = name != "ki67_pct"
    if not ((code in UNITS[name] and is_ucum) or (not code and (unit in UNITS[name] or (is_count and not unit)))):
        said = code or unit
        named = f"'{said}'" if CODE.fullmatch(said) else "another one" if said else "not given"
        raise InputError(f"its unit is {named}; only {UNITS[name][0]} is read")


def _explain_value(part: Content, wanted: str) -> str:
    kind = next((name for name in part if name.startswith("value")), "")
    if kind == "valueRange":
        low, high = (part[kind].get(end, {}).get("value") for end in ("low", "high"))
        ends = " to ".join(f"{float(end):g}" for end in (low, high) if end is not None)
        return f"its value is a range ({ends}); the register keeps one number, as it was counted"
    if kind:
        return f"its value is no {wanted} ({kind})"
    absent = part.get("dataAbsentReason")
    codes = [show_word(one.get("code")) for one in list_objects(absent.get("coding"))] if absent else []
    return f"it has no value{f' ({codes[0]})' if codes and codes[0] else ''}"
