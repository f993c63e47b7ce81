"""Observations of Ki-67 in a Bundle: each is a value with who and what it is of, or is named with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.clinical import BY_NAME
from core.errors import InputError
from core.fhir.bundle import (
    Bundle,
    Content,
    Resource,
    count_types,
    list_objects,
    name_conditional,
    parse_bundle,
    read_text,
    show_word,
    strip_version,
)
from core.fhir.specimen import Origin, find_origin

LOINC, KI67 = "http://loinc.org", BY_NAME["ki67_pct"].codes.removeprefix("LOINC ")
UCUM = "http://unitsofmeasure.org"
USED = ("final", "amended", "corrected")
CODE = re.compile(r"[A-Za-z0-9.%/*^\[\]{}_-]{1,24}")
LONGEST = 64
STATES = {
    "registered": "registered, without a result yet",
    "preliminary": "preliminary; wait for the final one",
    "cancelled": "cancelled",
    "entered-in-error": "entered in error",
    "unknown": "of unknown status",
}
IS_BIOPSY = "counted in a core biopsy, which is a comparator and never the outcome"
IS_ELSEWHERE = "its specimen is of a lymph node or metastasis"
IS_BOTH = "its specimen is called a biopsy and an excision; enter it by hand"
NEVER: dict[Origin, str] = {"biopsy": IS_BIOPSY, "elsewhere": IS_ELSEWHERE, "both": IS_BOTH}
NO_PATIENT = "it names no patient by an identifier"
MODIFIERS = ("modifierExtension", "implicitRules")
MODIFIED = "it has a modifier (modifierExtension, implicitRules) that may change its meaning; enter it by hand"
INVALID = "no valid FHIR R4 Observation"
NO_RESOURCE = "the entry holds no resource"
PLACE = "A row's number is the place of its entry in the Bundle, from 1."
IS_PART = "The Bundle is one page of several (it links to a next one): read the others too."


@dataclass(frozen=True)
class Found:
    """A Ki-67 that an Observation states.

    Parameters
    ----------
    number : int
        Place of its entry in the Bundle, from 1.
    names : tuple of str
        Identifiers of its patient, in the Bundle's order; one of them is the pseudonym if the register knows it.
    percent : float
        Ki-67 in per cent.
    laboratory : str
        Organization that counted it; "" where it is not said.
    origin : {"surgery", ""}
        "" where the Bundle does not say from what the specimen is.
    """

    number: int
    names: tuple[str, ...]
    percent: float
    laboratory: str
    origin: Origin


@dataclass(frozen=True)
class FoundKi67:
    """What was found in a Bundle.

    Parameters
    ----------
    found : tuple of Found
        In the Bundle's order.
    refused : tuple of (int, str)
        Number and reason of every other Observation, and of entries without a resource.
    notes : tuple of str
        What else is in the Bundle.
    """

    found: tuple[Found, ...]
    refused: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


def find_ki67(content: bytes) -> FoundKi67:
    """Find the Ki-67 of a Bundle's Observations.

    Parameters
    ----------
    content : bytes
        Bundle as JSON.

    Returns
    -------
    FoundKi67
        Each Observation is either found or refused with the reason.

    Raises
    ------
    TableError
        If it is no Bundle, or can't be understood without a guess.
    """
    bundle = parse_bundle(content)
    found: list[Found] = []
    refused = [(number, NO_RESOURCE) for number in bundle.bad]
    for resource in bundle.resources:
        if resource.type == "Observation":
            try:
                found.append(_read(bundle, resource))
            except InputError as error:
                refused.append((resource.number, str(error)))
    others = ", ".join(f"{n:,} {kind}" for kind, n in count_types(bundle).items() if kind != "Observation")
    notes = [PLACE, *([f"Other resources, read where an Observation names them: {others}."] if others else [])]
    return FoundKi67(tuple(found), tuple(refused), (*notes, *([IS_PART] if bundle.is_part else [])))


def _read(bundle: Bundle, resource: Resource) -> Found:
    """Read an Observation, or raise the reason why it can't be used."""
    content = resource.content
    part = _find_part(content)
    _validate(content)
    if any(one.get(name) for one in (content, part) for name in MODIFIERS):
        raise InputError(MODIFIED)
    status = content.get("status")
    if status not in USED:
        raise InputError(STATES.get(str(status), "of a status that FHIR does not know"))
    percent = _read_percent(part)
    origin = find_origin(bundle, resource)
    if origin in NEVER:
        raise InputError(NEVER[origin])
    names = tuple(dict.fromkeys(_list_names(bundle, resource)))
    if not names:
        raise InputError(NO_PATIENT)
    return Found(resource.number, names, percent, _find_laboratory(bundle, resource), origin)


def _find_part(content: Content) -> Content:
    """Give what states the Ki-67: the Observation, or the one component of it that does."""
    parts = [part for part in list_objects(content.get("component")) if _is_ki67(part.get("code"))]
    if _is_ki67(content.get("code")):
        if parts and "valueQuantity" in content:
            raise InputError("it and one of its components are a Ki-67; enter the one that counts by hand")
        parts = parts or [content]
    if len(parts) > 1:
        raise InputError("two of its components are a Ki-67; enter the one that counts by hand")
    if not parts:
        raise InputError(f"no Ki-67 (LOINC {KI67}): {_name_code(content.get('code'))}")
    return parts[0]


def _is_ki67(concept: object) -> bool:
    codings = list_objects(concept.get("coding")) if isinstance(concept, dict) else []
    return any((one.get("system"), one.get("code")) == (LOINC, KI67) for one in codings)


def _name_code(concept: object) -> str:
    codings = list_objects(concept.get("coding")) if isinstance(concept, dict) else []
    codes = [code for one in codings if (code := read_text(one.get("code"))) and CODE.fullmatch(code)]
    return f"its code is {codes[0]}" if codes else "it has no code"


def _validate(content: Content) -> None:
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415 - takes half a second
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        Observation.model_validate(content)
    except ValidationError as error:
        words = [word for part in error.errors()[0]["loc"] if (word := show_word(part))]
        raise InputError(f"{INVALID}, at {'.'.join(words)}" if words else INVALID) from None


def _read_percent(part: Content) -> float:
    if "valueQuantity" not in part:
        raise InputError(_explain_value(part))
    quantity = part["valueQuantity"]
    value, comparator = quantity.get("value"), read_text(quantity.get("comparator"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("its quantity has no number as its value")
    if comparator:
        raise InputError(f"its value is a bound ({comparator} {value:g}); the register keeps what was counted")
    _check_unit(quantity)
    return float(value)


def _check_unit(quantity: Content) -> None:
    """Take per cent, said by the code or, without one, by the unit; nothing else is converted."""
    code, unit = read_text(quantity.get("code")), read_text(quantity.get("unit"))
    is_ucum = quantity.get("system", UCUM) == UCUM
    if not ((code == "%" and is_ucum) or (not code and unit == "%")):
        said = code or unit
        named = f"'{said}'" if CODE.fullmatch(said) else "another one" if said else "not given"
        raise InputError(f"its unit is {named}; only % is read")


def _explain_value(part: Content) -> str:
    kind = next((name for name in part if name.startswith("value")), "")
    if kind == "valueRange":
        low, high = (part[kind].get(end, {}).get("value") for end in ("low", "high"))
        ends = " to ".join(f"{float(end):g}" for end in (low, high) if end is not None)
        return f"its value is a range ({ends}); the register keeps one number, as it was counted"
    if kind:
        return f"its value is no quantity in % ({kind})"
    absent = part.get("dataAbsentReason")
    codes = [show_word(one.get("code")) for one in list_objects(absent.get("coding"))] if absent else []
    return f"it has no value{f' ({codes[0]})' if codes and codes[0] else ''}"


def _list_names(bundle: Bundle, resource: Resource) -> Iterator[str]:
    """Give what a patient may be known by: identifiers, or the id where there is none."""
    subject: Any = resource.content.get("subject")
    if not isinstance(subject, dict):
        return
    patient = bundle.resolve(subject, resource.holder)
    if patient is None and bundle.is_ambiguous(subject):
        raise InputError("two resources go by the name of its patient")
    if patient is not None and patient.get("resourceType") != "Patient":
        raise InputError("its subject is no patient")
    given = [subject.get("identifier"), *list_objects((patient or {}).get("identifier"))]
    values = [read_text(one.get("value")) for one in given if isinstance(one, dict)]
    values.append(name_conditional(subject))
    if not any(values):
        reference = strip_version(read_text(subject.get("reference")))
        tail = reference.rpartition("/")[2] if "Patient/" in reference else ""
        values = [read_text((patient or {}).get("id")) or tail]
    yield from (value for value in values if value and len(value) <= LONGEST and value.isprintable())


def _find_laboratory(bundle: Bundle, resource: Resource) -> str:
    """Name the laboratory; a person who signed is not one."""
    for performer in list_objects(resource.content.get("performer")):
        organization = bundle.resolve(performer, resource.holder)
        if organization is not None and organization.get("resourceType") == "Organization":
            return " ".join(read_text(organization.get("name")).split())
    return ""
