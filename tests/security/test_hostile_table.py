"""A table of what pages and spreadsheets act on, uploaded, and looked at on every page and in every file."""

import asyncio
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.plain_text import plain
from core.ui.navigation import list_pages
from tests.pages.cohorts import make_table
from tests.security.client import Stranger

UPLOADER = "Prediction table: CSV, Excel, ODS or Parquet"
EVIL = "evil.test"
ACTING = f"![x](http://{EVIL}/a.png) <img src=http://{EVIL}/b onerror=alert(1)> :red[r] :material/warning: $x^2$ **b**"
FORMULA = "=cmd|'/C calc'!A0"
RAW = re.compile(rf"\]\(http://{EVIL}|<img src|<script|:red\[|(?<!\w):material/|\$x\^2\$|\*\*b\*\*")
IN_FIGURE = re.compile(r"<(?:img|a|script)\b|\$x\^2\$")
RUNS = re.compile(r"[\s\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20](?!(?:\d*[.,]?\d*(?:[eE]-?\d+)?|inf) *%?\Z)")
PATIENT = "first patient of the board"
PAGES = [*(name.replace(" ", "_") for _, name in list_pages()), PATIENT]
SHOWN_AS_THEY_ARE = ("text_input", "text_area", "selectbox", "multiselect", "alt")


def write_hostile_workbook() -> bytes:
    """Write a cohort whose texts, column names and sheet's name all act where they are let."""
    table = make_table()
    table["patient_id"] = [f"{FORMULA}{i}" if i % 3 else f"P{i} {ACTING}" for i in range(len(table))]
    table["centre"] = [f"{ACTING} {name}" if name == "North" else f"@SUM(1) {name}" for name in table["centre"]]
    table["device"] = [f"{FORMULA} a" if i % 2 else f"<a href='http://{EVIL}'>d</a>" for i in range(len(table))]
    table = table.rename(columns={"prob_image": f"prob_{ACTING}"})
    table[FORMULA] = ACTING
    table["birads"] = [f"{FORMULA}" if i % 40 == 0 else "4" for i in range(len(table))]
    table.loc[7, "y"] = 5
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.title = ACTING.translate(str.maketrans("", "", "[]:*?/\\"))[:31]
    for row in [list(table.columns), *table.astype(object).to_numpy().tolist()]:
        book.active.append([f"'{cell}"[1:] if isinstance(cell, str) else cell for cell in row])
    for cell in (cell for row in book.active.iter_rows() for cell in row if isinstance(cell.value, str)):
        cell.data_type = "s"
    book.save(content)
    return content.getvalue()


@dataclass
class Walk:
    """What a session was sent, and the files that it could download."""

    pages: dict[str, list[Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


async def take_walk(address: str) -> Walk:
    """Upload the table and open every page; download every file that is offered."""
    walk, doctor = Walk(), Stranger(address)
    assert await doctor.knock() == 101
    assert await doctor.open("Cohort")
    assert await doctor.upload(UPLOADER, write_hostile_workbook(), f"{ACTING}.xlsx".replace("/", "-"))
    for name in PAGES:
        assert await (open_first_patient(doctor) if name == PATIENT else doctor.open(name))
        walk.pages[name] = list(doctor.seen)
        offered = list(doctor.deferred)
        for path in dict.fromkeys([*doctor.media, *[await doctor.download(file) for file in offered]]):
            if path:
                walk.files[f"{name} {path.rpartition('.')[2]} {path}"] = (await doctor.ask("GET", path)).content
    await doctor.leave()
    return walk


async def open_first_patient(doctor: Stranger) -> bool:
    """Choose the first row of the board's list."""
    assert await doctor.open("Tumour_board")
    ids = [message.delta.new_element.dataframe.id for message in doctor.seen]
    message = BackMsg()
    message.rerun_script.page_name = "Tumour_board"
    chosen = json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}})
    message.rerun_script.widget_states.widgets.add(id=next(filter(None, ids)), string_value=chosen)
    return await doctor.run(message)


@pytest.fixture(scope="module")
def walk(local: str) -> Walk:
    return asyncio.run(take_walk(local))


def list_texts(message: Message, path: str = "") -> Iterator[tuple[str, str]]:
    """List the texts that a browser may read as Markdown or HTML, with where they stand in the message."""
    for described, value in message.ListFields():
        if described.name in SHOWN_AS_THEY_ARE:
            continue
        values = value if described.is_repeated else [value]
        for one in values.values() if hasattr(values, "values") else values:
            if isinstance(one, Message):
                yield from list_texts(one, f"{path}.{described.name}")
            elif isinstance(one, str):
                yield f"{path}.{described.name}", one


def list_tables(message: Message) -> Iterator[pd.DataFrame]:
    """List the tables that a browser can save as CSV without asking the server."""
    for described, value in message.ListFields():
        values = value if described.is_repeated else [value]
        for one in values.values() if hasattr(values, "values") else values:
            if described.name == "dataframe":
                yield pa.ipc.open_stream(one.arrow_data.data).read_pandas()
            elif isinstance(one, Message):
                yield from list_tables(one)


def test_every_page_shows_the_table(walk: Walk) -> None:
    assert EVIL in "".join(map(str, walk.pages["Cohort"]))
    assert plain(ACTING) in "".join(text for message in walk.pages[PATIENT] for _, text in list_texts(message))
    assert len(walk.files) > 8


@pytest.mark.parametrize("page", PAGES)
def test_no_text_of_the_table_acts(walk: Walk, page: str) -> None:
    texts = [found for message in walk.pages[page] for found in list_texts(message)]
    assert [found for found in texts if (IN_FIGURE if ".plotly_chart" in found[0] else RAW).search(found[1])] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_cell_of_a_pages_table_is_a_formula(walk: Walk, page: str) -> None:
    tables = [table for message in walk.pages[page] for table in list_tables(message)]
    cells = [cell for table in tables for cell in [*map(str, table.columns), *table.astype(object).to_numpy().ravel()]]
    assert [cell for cell in cells if isinstance(cell, str) and RUNS.match(cell)] == []


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def unpack(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Give files, and those within archives."""
    for name, data in files.items():
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from ((f"{name} {entry}", archive.read(entry)) for entry in archive.namelist())
        else:
            yield name, data


def test_no_file_acts(walk: Walk) -> None:
    kinds = set()
    for name, data in unpack(walk.files):
        kind = name.split()[1]
        kinds.add(kind)
        if kind == "csv":
            for row in csv.reader(io.StringIO(data.decode())):
                assert [cell for cell in row if RUNS.match(cell)] == [], name
        if kind in ("html", "svg"):
            tags = Tags(data.decode())
            assert not {"script", "iframe", "link", "foreignobject"} & {tag for tag, _ in tags.found}, name
            made = [
                f"{of.get('src')} {of.get('href')} {of.get('xlink:href')} {'onerror' in of}" for _, of in tags.found
            ]
            assert [one for one in made if EVIL in one or "True" in one] == [], name
    assert {"csv", "html", "json", "svg", "png"} <= kinds
