"""The documents as one HTML file each: the same record as the PDF, figures inside, nothing to fetch."""

import base64
import html
from collections.abc import Callable, Iterable, Iterator, Sequence

from core.documents.content import MeetingContent, PatientContent, Picture
from core.documents.record import Record
from core.documents.typesetting import TEMPLATES, Paper, name_pictures, typeset_figures

SIZES = {"a4": "A4", "letter": "letter"}
DRAWN = ("scale", "icons", "waterfall", "nomogram", "heatmap")
STYLE = (TEMPLATES / "document.css").read_text(encoding="utf-8")
Drawings = dict[str, bytes]


def write_patient(content: PatientContent, record: Record, paper: Paper) -> bytes:
    """Write a patient's document.

    Parameters
    ----------
    content : PatientContent
        Its pictures.
    record : dict
        Its words (`describe_patient`).
    paper : {"a4", "letter"}
        For printing.

    Returns
    -------
    bytes
        HTML.
    """
    (drawings,) = _draw([content], [record])
    body = [
        f"<h1>{_text(record['title'])}</h1>",
        f"<p>Patient <strong>{_text(record['patient'])}</strong></p>",
        *_begin(record),
        *_write_case(content, record, drawings, 2),
        *_write_evidence(content.evidence, record),
        *_write_origin(record, [*record["origin"], *record["hashes"]]),
    ]
    return _finish(body, record, f"{record['title']}: {record['short_name']}", paper)


def write_meeting(content: MeetingContent, record: Record, paper: Paper) -> bytes:
    """Write a meeting's document.

    Parameters
    ----------
    content : MeetingContent
        Its pictures.
    record : dict
        Its words (`describe_meeting`).
    paper : {"a4", "letter"}
        For printing.

    Returns
    -------
    bytes
        HTML.
    """
    drawings = _draw(content.patients, record["patients"])
    held = f"<p>Held on <strong>{_text(record['held_on'])}</strong></p>" if record["held_on"] else ""
    counts = [[item["label"], item["value"]] for item in record["summary"]]
    body = [
        f"<h1>{_text(record['title'])}</h1>",
        held,
        *_begin(record),
        _table(["Count", "Patients"], counts),
        "<h2>Patients</h2>",
        f'<p class="small">Probability of a high Ki-67 ({_text(record["cutoff"])}) with 95 % interval.</p>',
        _table(
            ["No.", "Patient", "Estimate", "Call", "Ki-67 on core", "Remarks", "Decision", "Author"],
            [_list_row(i, row) for i, row in enumerate(record["list"], start=1)],
        ),
    ]
    parts = zip(content.patients, record["patients"], drawings, strict=True)
    for number, (patient, own, drawn) in enumerate(parts, start=1):
        body.append(f'<section class="patient"><h2>Patient {number}: {_text(own["patient"])}</h2>')
        body += [*_write_case(patient, own, drawn, 3), _list_hashes(own), "</section>"]
    body += [*_write_evidence(content.evidence, record), *_write_origin(record, record["origin"])]
    return _finish(body, record, record["title"], paper)


def _draw(contents: Sequence[PatientContent], records: Sequence[Record]) -> list[Drawings]:
    """Draw all figures of all patients in one run of typst, and hand each patient its own."""
    named = [name_pictures(content, i) for i, content in enumerate(contents)]
    kinds = [[*(kind for kind in DRAWN if _has(kind, record)), *_name_views(record)] for record in records]
    if not any(kinds):
        return [{} for _ in records]
    pictures = {name: data for _, own in named for name, data in own.items()}
    drawn = iter(typeset_figures({"patients": records}, {"patients": [names for names, _ in named]}, pictures))
    return [{kind: next(drawn) for kind in own} for own in kinds]


def _has(kind: str, record: Record) -> bool:
    return record["estimate"] is not None and (kind not in {"nomogram", "heatmap"} or record[kind] is not None)


def _name_views(record: Record) -> list[str]:
    return [f"view {i}" for i in range(len(record["further_views"]))]


def _begin(record: Record) -> Iterator[str]:
    yield "<p>" + "".join(f'<span class="mark">{_text(mark)}</span>' for mark in record["marks"]) + "</p>"
    yield _notice("Intended use.", record["intended_use"])


def _write_case(content: PatientContent, record: Record, drawings: Drawings, level: int) -> Iterator[str]:
    """Write what both documents say of a patient, in the order of the PDF."""

    def head(text: str) -> str:
        return f"<h{level}>{text}</h{level}>"

    yield head("Image and what was known")
    yield '<div class="pair">'
    if content.image is not None:
        yield _figure(content.image.data, content.image.media_type, record["image"]["alt"], record["image"]["caption"])
    yield f"<div>{_write_inputs(record)}</div></div>"
    yield head("Estimate")
    yield from _write_estimate(record, drawings)
    if record["estimate"]:
        yield head("Why")
        yield from _write_why(record, drawings)
    if record["view_words"]:
        yield head("Views")
        yield from _write_views(content, record, drawings)
    yield head("Beside the estimate")
    yield from _write_beside(record)
    if record["decisions"]:
        yield head("Decisions and notes")
        yield _table(["Entry", "Text", "Author", "Time"], [_list_decision(entry) for entry in record["decisions"]])


def _write_inputs(record: Record) -> str:
    if not record["inputs"]:
        return "<p>Nothing was known before biopsy.</p>"
    rows = [
        [row["label"], row["value"] if row["known"] else f"{row['value']}; taken: {row['instead']}"]
        for row in record["inputs"]
    ]
    return _table(["Known before biopsy", "Value"], rows)


def _write_estimate(record: Record, drawings: Drawings) -> Iterator[str]:
    if record["no_estimate"]:
        yield _notice("No estimate.", record["no_estimate"])
    if record["cautions"]:
        head = {"ok": "Note.", "caution": "Caution."}.get(record["status"], "Reason.")
        yield _notice(head, " ".join(record["cautions"]))
    estimate = record["estimate"]
    if not estimate:
        return
    yield f'<p class="percent"><strong>{_text(estimate["percent"])}</strong> probability of a high Ki-67</p>'
    yield f"<p>95 % interval <strong>{_text(estimate['interval'])}</strong>. {_text(estimate['meaning'])}</p>"
    yield _notice(f"{estimate['call']}.", estimate["why"])
    yield '<div class="pair">'
    yield _drawing(drawings, record, "scale", estimate["cutoff"])
    yield _drawing(drawings, record, "icons", estimate["icons"]) + "</div>"


def _write_why(record: Record, drawings: Drawings) -> Iterator[str]:
    if "heatmap" in drawings:
        words = (
            "Image regions that influenced the estimate: log-odds by place, + raises and − lowers. "
            "Influence on the model, not biology."
        )
        yield _figure(drawings["heatmap"], "image/svg+xml", record["heatmap"]["picture"]["alt"], words, drawn=True)
    yield _drawing(drawings, record, "waterfall", "Log-odds of a high Ki-67. Full bars raise, hatched bars lower.")
    if "nomogram" in drawings:
        words = "Nomogram. A diamond is this patient; hollow: not known."
        yield _drawing(drawings, record, "nomogram", words)


def _write_views(content: PatientContent, record: Record, drawings: Drawings) -> Iterator[str]:
    yield f"<p>{_text(record['view_words'])}</p>"
    for name, view, words in zip(_name_views(record), content.further_views, record["further_views"], strict=True):
        image, alt = view.image, words["heatmap"]["picture"]["alt"]
        yield f'<p><strong>{_text(words["name"])}.</strong> {_text(words["words"])}</p><div class="pair">'
        yield _figure(image.data, image.media_type, words["image"]["alt"], words["image"]["caption"])
        yield _figure(drawings[name], "image/svg+xml", alt, "", drawn=True) + "</div>"


def _write_beside(record: Record) -> Iterator[str]:
    for row in record["also"]:
        yield f"<p><strong>{_text(row['label'])}: {_text(row['value'])}.</strong> {_text(row['words'])}</p>"
    for title, rows in (("Core biopsy", record["biopsy"]), ("After surgery", record["follow_up"])):
        if rows:
            yield _table([title, "Value"], [[row["label"], row["value"]] for row in rows])
    if record["agreement"]:
        yield f"<p>{_text(record['agreement'])}</p>"
    if record["seen"]:
        yield f"<p><strong>Seen:</strong> {_text(record['seen'])}.</p>"
    yield f"<p><strong>Not seen:</strong> {_text(record['not_seen'])}.</p>"


def _write_evidence(evidence: Iterable[Picture], record: Record) -> Iterator[str]:
    pictures = list(zip(evidence, record["evidence"], strict=True))
    if pictures:
        yield '<h2>How well the model does</h2><div class="pair">'
        yield from (_figure(p.data, p.media_type, words["alt"], words["caption"]) for p, words in pictures)
        yield "</div>"


def _write_origin(record: Record, rows: Iterable[Record]) -> Iterator[str]:
    yield "<h2>Where this comes from</h2>"
    yield _table(["What", "Value"], [[row["label"], row["value"]] for row in rows])
    yield f"<footer>{_text(' · '.join([*record['marks'], record['footer']]))}</footer>"


def _list_row(number: int, row: Record) -> list[str]:
    estimate, decision = row["estimate"], row["decision"]
    return [
        str(number),
        row["patient"],
        f"{estimate['percent']} ({estimate['interval']})" if estimate else "none",
        estimate["call"] if estimate else "",
        row["core"],
        ", ".join(row["flags"]),
        f"{decision['text']} ({decision['stand']})"
        if decision and decision["stand"]
        else (decision or {}).get("text", ""),
        decision["author"] if decision else "not decided",
    ]


def _list_decision(entry: Record) -> list[str]:
    kind = f"{entry['kind']}: {entry['stand']}" if entry["stand"] else entry["kind"]
    return [kind, entry["text"], entry["author"], entry["time"]]


def _list_hashes(record: Record) -> str:
    return f'<p class="small">{_text(" · ".join(row["label"] + " " + row["value"] for row in record["hashes"]))}</p>'


def _drawing(drawings: Drawings, record: Record, kind: str, caption: str) -> str:
    return _figure(drawings[kind], "image/svg+xml", record["alts"].get(kind, ""), caption, drawn=True)


def _figure(data: bytes, media_type: str, alt: str, caption: str, *, drawn: bool = False) -> str:
    source = f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
    words = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
    kind = ' class="drawn"' if drawn else ""
    return f'<figure{kind}><img alt="{_text(alt)}" src="{source}">{words}</figure>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    cells = ("".join(f"<td>{_text(cell)}</td>" for cell in row) for row in rows)
    lines = "".join(f"<tr>{line}</tr>" for line in cells)
    return f'<div class="wide"><table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table></div>'


def _notice(head: str, words: str) -> str:
    return f'<p class="notice"><strong>{_text(head)}</strong> {_text(words)}</p>'


def _finish(body: Iterable[str], record: Record, title: str, paper: Paper) -> bytes:
    style = f"@page{{size:{SIZES[paper]};margin:16mm}}{STYLE}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_text(title)}</title>'
    page = "\n".join(body)
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{style}</style></head>'
        f"<body><main>{page}</main></body></html>"
    ).encode()


_text: Callable[[str], str] = html.escape
