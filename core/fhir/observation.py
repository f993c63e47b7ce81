"""Pathology's findings in a Bundle's Observations: each read with who and what it is of, or named with the reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
from core.fhir.specimen import Origin, find_origin, list_specimens
from core.fhir.values import find_antibody, find_parts, read_value

USED = ("final", "amended", "corrected")
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
OTHER_FOCUS = "its focus is not the patient; enter it by hand"
OTHER_SPECIMEN = "its specimen is of another patient"
PARTS_OF_PATIENT = ("BodyStructure", "Condition", "Procedure", "Specimen")
MODIFIERS = ("modifierExtension", "implicitRules")
MODIFIED = "it has a modifier (modifierExtension, implicitRules) that may change its meaning; enter it by hand"
INVALID = "not a valid FHIR R4 Observation"
NO_RESOURCE = "the entry holds no resource"
PLACE = "A row's number is the place of its entry in the Bundle, from 1."
IS_PART = "The Bundle is one page of several (it links to a next one): read the others too."
DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


@dataclass(frozen=True)
class Found:
    """What an Observation states."""

    number: int  # place of its entry in the Bundle, from 1
    # identifiers of its patient, in the Bundle's order; one of them is the pseudonym if the register knows it
    names: tuple[str, ...]
    # fields of the register: ki67_pct (in per cent) with ki67_laboratory and ki67_antibody where they are said, pt, pn,
    # nodes_removed, nodes_positive
    values: Mapping[str, str | float]
    origin: Origin  # "surgery", "", "" where it is a Ki-67 of which the Bundle does not say from what the specimen is
    day: str = ""  # when the specimen was taken, as precisely as it is said; "" where it is not


@dataclass(frozen=True)
class FoundOutcomes:
    """What was found in a Bundle."""

    found: tuple[Found, ...]  # in the Bundle's order
    # number and reason of every other Observation, and of entries without a resource
    refused: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]  # what else is in the Bundle


def find_outcomes(content: bytes) -> FoundOutcomes:
    """Find what a Bundle's Observations state of Ki-67, pT, pN and nodes; each is found, or refused with the reason."""
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
    return FoundOutcomes(tuple(found), tuple(refused), (*notes, *([IS_PART] if bundle.is_part else [])))


def _read(bundle: Bundle, resource: Resource) -> Found:
    """Read an Observation, or raise the reason why it can't be used."""
    content = resource.content
    parts = find_parts(content)
    _validate(content)
    if any(one.get(name) for one in (content, *parts.values()) for name in MODIFIERS):
        raise InputError(MODIFIED)
    status = content.get("status")
    if status not in USED:
        raise InputError(STATES.get(str(status), "of a status that FHIR does not know"))
    values = {name: read_value(name, part) for name, part in parts.items()}
    is_ki67, origin = "ki67_pct" in values, find_origin(bundle, resource)
    if origin in NEVER and (is_ki67 or origin != "elsewhere"):  # nodes are counted elsewhere than in the breast
        raise InputError(NEVER[origin])
    names = _find_names(bundle, resource)
    if is_ki67:
        more = {"ki67_laboratory": _find_laboratory(bundle, resource), "ki67_antibody": find_antibody(content)}
        values |= {name: value for name, value in more.items() if value}
    return Found(resource.number, names, values, origin if is_ki67 else "surgery", _find_day(bundle, resource))


def _validate(content: Content) -> None:
    from fhir.resources.R4B.observation import Observation  # noqa: PLC0415 - takes half a second
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        Observation.model_validate(content)
    except ValidationError as error:
        words = [word for part in error.errors()[0]["loc"] if (word := show_word(part))]
        raise InputError(f"{INVALID}, at {'.'.join(words)}" if words else INVALID) from None


def _find_names(bundle: Bundle, resource: Resource) -> tuple[str, ...]:
    """Give what the patient may be known by; an Observation about anybody else is refused."""
    content, holder = resource.content, resource.holder
    names = _list_names(bundle, content.get("subject"), holder)
    if not names:
        raise InputError(NO_PATIENT)
    for focus in list_objects(content.get("focus")):
        kind = _find_type(bundle, focus, holder)
        is_patient = kind == "Patient" and set(names) & set(_list_names(bundle, focus, holder))
        if not (is_patient or kind in PARTS_OF_PATIENT):
            raise InputError(OTHER_FOCUS)
    for specimen in list_specimens(bundle, resource):
        others = _list_names(bundle, specimen.get("subject"), holder)
        if others and not set(names) & set(others):
            raise InputError(OTHER_SPECIMEN)
    return names


def _find_type(bundle: Bundle, reference: Content, holder: Content) -> str:
    """Tell the type of what a Reference points to, in the Bundle or not."""
    found = bundle.resolve(reference, holder) or {}
    parts = strip_version(read_text(reference.get("reference"))).partition("?")[0].split("/")
    return show_word(found.get("resourceType") or reference.get("type") or (parts[-2] if len(parts) > 1 else parts[0]))


def _list_names(bundle: Bundle, subject: object, holder: Content) -> tuple[str, ...]:
    """Give what a patient may be known by: identifiers, or the id where there is none."""
    if not isinstance(subject, dict):
        return ()
    patient = bundle.resolve(subject, holder)
    if patient is None and bundle.is_ambiguous(subject):
        raise InputError("two resources go by the name of its patient")
    if patient is not None and patient.get("resourceType") != "Patient":
        raise InputError("its subject is not a patient")
    given = [subject.get("identifier"), *list_objects((patient or {}).get("identifier"))]
    values = [read_text(one.get("value")) for one in given if isinstance(one, dict)]
    values.append(name_conditional(subject))
    if not any(values):
        reference = strip_version(read_text(subject.get("reference")))
        tail = reference.rpartition("/")[2] if "Patient/" in reference else ""
        values = [read_text((patient or {}).get("id")) or tail]
    usable = (value for value in values if value and len(value) <= LONGEST and value.isprintable())
    return tuple(dict.fromkeys(usable))


def _find_laboratory(bundle: Bundle, resource: Resource) -> str:
    """Name the laboratory; a person who signed is not one."""
    for performer in list_objects(resource.content.get("performer")):
        organization = bundle.resolve(performer, resource.holder)
        if organization is not None and organization.get("resourceType") == "Organization":
            return " ".join(read_text(organization.get("name")).split())
    return ""


def _find_day(bundle: Bundle, resource: Resource) -> str:
    """Give when the specimen was taken, or else the time that the Observation states."""
    content = resource.content
    taken = list_objects([one.get("collection") for one in list_specimens(bundle, resource)])
    period = content.get("effectivePeriod")
    begun = period.get("start") if isinstance(period, dict) else None
    said = [*(one.get("collectedDateTime") for one in taken), content.get("effectiveDateTime"), begun]
    return next((day.group() for value in said if (day := DAY.match(read_text(value)))), "")
