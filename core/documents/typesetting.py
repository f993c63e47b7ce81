"""Typst, run in memory: templates and fonts of the package, pictures and data as virtual files; no disk, no network."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import typst

from core.documents.content import PatientContent, Picture
from core.errors import WorkError
from core.figures.drawing.fonts import load_fonts
from core.figures.rendering import Drawing

Paper = Literal["a4", "letter"]

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
PAPERS: dict[str, str] = {"a4": "a4", "letter": "us-letter"}
STANDARD = "ua-1"
WRAPPER = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="{width}" height="{height}">'
    '<image width="{width}" height="{height}" xlink:href="data:{media};base64,{data}"/></svg>'
)


def typeset_pdf(
    template: str, record: Mapping[str, object], files: Mapping[str, object], pictures: Mapping[str, bytes]
) -> bytes:
    """Typeset a document as PDF/UA-1."""
    return _compile(template, record, files, pictures, format="pdf", pdf_standards=[STANDARD])


def name_pictures(content: PatientContent, number: int) -> tuple[dict[str, object], dict[str, bytes]]:
    """Give the pictures of the patient at a place in the document names that hold nothing but kind and number."""
    shown = {"image": content.image, **(content.figures if content.shown else {})}
    names: dict[str, Any] = {kind: f"{kind}-{number}.svg" for kind, picture in shown.items() if picture is not None}
    pictures = {names[kind]: wrap_picture(picture) for kind, picture in shown.items() if picture is not None}
    names["views"] = []
    for i, view in enumerate(content.further_views):
        own = {"image": f"image-{number}-{i}.svg", "heatmap": f"heatmap-{number}-{i}.svg"}
        pictures |= {own["image"]: wrap_picture(view.image), own["heatmap"]: wrap_picture(view.heatmap)}
        names["views"].append(own)
    names["evidence"], evidence = name_evidence(content.evidence)
    return names, pictures | evidence


def name_evidence(evidence: Sequence[Picture | Drawing]) -> tuple[list[str], dict[str, bytes]]:
    """Give the figures of the bundle their names."""
    pictures = {f"evidence-{i}.svg": wrap_picture(picture) for i, picture in enumerate(evidence)}
    return list(pictures), pictures


def wrap_picture(picture: Picture | Drawing) -> bytes:
    """Give a picture as SVG, since typst's virtual files are texts."""
    data = picture.render(outlined=False)
    if picture.media_type == "image/svg+xml":
        return data
    encoded = base64.b64encode(data).decode("ascii")
    svg = WRAPPER.format(width=picture.width, height=picture.height, media=picture.media_type, data=encoded)
    return svg.encode("ascii")


def _compile(
    template: str, record: Mapping[str, Any], files: Mapping[str, Any], pictures: Mapping[str, bytes], **options: Any
) -> Any:
    sources = {path.name: path.read_bytes() for path in sorted(TEMPLATES.glob("*.typ"))}
    sources["main.typ"] = sources.pop(template)
    sources["content.json"] = json.dumps(record, allow_nan=False).encode()
    sources["files.json"] = json.dumps(files).encode()
    # dicts of virtual files are taken, though the stub does not say so
    compiler = typst.Compiler({**sources, **pictures}, font_paths=load_fonts())  # type: ignore[type-var]
    try:
        return compiler.compile(**options)
    except typst.TypstError as error:
        raise WorkError(f"The document could not be typeset ({error.message}): report this as a fault.") from error
