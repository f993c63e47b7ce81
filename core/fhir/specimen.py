"""Whether something was found in a core biopsy or in the surgical specimen, as far as the Bundle says so."""

import re
from collections.abc import Iterator
from typing import Literal

from core.fhir.bundle import Bundle, Content, Resource, list_objects, read_text

Origin = Literal["surgery", "biopsy", "elsewhere", "both", ""]
SNOMED = "http://snomed.info/sct"
BIOPSY = {
    "122737001": "specimen from breast obtained by core needle biopsy",
    "373102004": "specimen from breast obtained by image guided core biopsy",
    "122738006": "specimen from breast, stereotactically guided core needle biopsy",
    "309058007": "breast tru-cut biopsy sample",
    "122739003": "specimen from breast by incisional biopsy of breast mass",
    "122601001": "specimen from breast obtained by biopsy",
    "9911007": "core needle biopsy",
    "44578009": "core needle biopsy of breast",
    "432550005": "core needle biopsy of breast using ultrasound guidance",
    "86273004": "biopsy",
    "129314006": "biopsy - action",
}
SURGERY = {
    "397199005": "specimen from breast obtained by excision",
    "122595009": "specimen from breast obtained by total mastectomy",
    "309546004": "lumpectomy breast sample",
    "309547008": "segmentectomy breast sample",
    "65801008": "excision",
}
SAYS_BIOPSY = re.compile(r"\bcore\b|needle|tru-?cut|biops|stanz|punch|aspirat", re.IGNORECASE)
SAYS_SURGERY = re.compile(
    r"excis|exzis|(mast|lump|segment|quadrant)e[ck]tom|resect|resekt|resekat|surgical|operat", re.IGNORECASE
)
SAYS_ELSEWHERE = re.compile(r"lymph|sentinel|metasta", re.IGNORECASE)
DEEPEST = 8  # slide, block, part and what they were cut from


def find_origin(bundle: Bundle, observation: Resource) -> Origin:
    """Tell what an Observation's specimen is from: its codes and words, those of what it was cut from, the method."""
    said = {origin for concept in _list_concepts(bundle, observation) for origin in _judge(concept)}
    if "elsewhere" in said:
        return "elsewhere"
    if len(said) > 1:
        return "both"
    return said.pop() if said else ""


def list_specimens(bundle: Bundle, observation: Resource) -> Iterator[Content]:
    """Give the specimen of an Observation and what it was cut from, as far as the Bundle holds them."""
    return (specimen for _, specimen in _walk(bundle, observation) if specimen)


def _list_concepts(bundle: Bundle, observation: Resource) -> Iterator[Content]:
    content, holder = observation.content, observation.holder
    for name in ("code", "method", "bodySite"):
        if isinstance(content.get(name), dict):
            yield content[name]
    for part in list_objects(content.get("partOf")):
        procedure = bundle.resolve(part, holder)
        if procedure is not None and isinstance(procedure.get("code"), dict):
            yield procedure["code"]
    for reference, specimen in _walk(bundle, observation):
        collection = specimen.get("collection")
        taken = collection if isinstance(collection, dict) else {}
        yield {"text": reference.get("display")}
        yield from list_objects([specimen.get("type"), taken.get("method"), taken.get("bodySite")])


def _walk(bundle: Bundle, observation: Resource) -> Iterator[tuple[Content, Content]]:
    """Give each reference to a specimen with the specimen, {} where it is not in the Bundle."""
    waiting, seen = [(observation.content.get("specimen"), 0)], set()
    while waiting:
        reference, depth = waiting.pop()
        if not isinstance(reference, dict):
            continue
        specimen = bundle.resolve(reference, observation.holder) or {}
        yield reference, specimen
        if id(specimen) not in seen and depth <= DEEPEST:
            seen.add(id(specimen))
            waiting += [(parent, depth + 1) for parent in list_objects(specimen.get("parent"))]


def _judge(concept: Content) -> Iterator[Origin]:
    codings = list_objects(concept.get("coding"))
    codes = {read_text(one.get("code")) for one in codings if one.get("system") == SNOMED}
    words = " ".join([read_text(concept.get("text")), *(read_text(one.get("display")) for one in codings)])
    if codes & BIOPSY.keys() or SAYS_BIOPSY.search(words):
        yield "biopsy"
    if codes & SURGERY.keys() or SAYS_SURGERY.search(words):
        yield "surgery"
    if SAYS_ELSEWHERE.search(words):
        yield "elsewhere"
