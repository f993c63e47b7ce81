"""The form that changes how an uploaded table is read: its sheet, its encoding, and what each column is."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.clinical import COLUMNS, KNOWN, read_title
from core.cohort import Choices
from core.cohort.casting import SPLITS, describe_field
from core.cohort.columns import label_field
from core.errors import TableError
from core.plain_text import plain
from core.tabular import ENCODINGS, read_table
from core.ui.cohort.session import change_own, get_own
from core.ui.cohort.state import ChoicesForgotten, ColumnSettled, FileForgotten, FileSettled
from core.ui.errors import guard

COLUMN, FIELD, UNIT, CENTRE = "columns_column", "columns_field", "columns_unit", "columns_centre"
CODE, SHEET, ENCODING, EXACT, PREVIEW = "columns_code_", "file_sheet", "file_encoding", "file_exact_ids", "file_preview"
UNREAD, AS_FOUND, EVERYWHERE, BY_WORDS = "Do not read it", "As the file says", "All centres", "Detected automatically"
MOST_CODES = 12
LABEL = "Change how the file is read"


@dataclass(frozen=True)
class TableForm:
    """The form of one of the session's files."""

    name: str  # of the file's state in the session
    fields: tuple[str, ...]  # what a column may be
    read: Callable[[], None]  # reads the file again, with what is settled by then


@dataclass(frozen=True)
class Preview:
    """What the form has to know of a file."""

    header: tuple[str, ...]  # column names
    values: dict[str, tuple[str, ...]]  # different texts of each column that has only a few
    sheets: tuple[str, ...]  # sheets of a workbook, the one that was read first
    is_open: bool = False  # whether several of them hold such a table, so that one has to be chosen


def ask_columns(form: TableForm, *, is_open: bool) -> None:
    """Draw the form, unfolded where there is a question."""
    own = get_own(form.name)
    if own.content is None:
        return
    preview = _get_preview(own.content, own.choices)
    with st.expander(LABEL, expanded=is_open):
        _ask_file(preview, own.content, own.choices, form)
        if preview.header:
            _ask_column(preview, form)
        st.caption("The file stays in this session's memory, so that it can be read again in another way.")
        st.button("Forget the file", on_click=guard(_forget_file), args=(form,), key="columns_drop", type="tertiary")
        settled = describe_choices(own.choices)
        if settled:
            st.caption(f"Your choices so far: {plain('; '.join(settled))}.")
            st.button("Forget these choices", on_click=guard(_forget), args=(form,), key="columns_forget")


def suggest(form: TableForm, column: str, name: str) -> None:
    """Let the form begin with a column and the field that it is likely to be."""
    for key in [str(key) for key in st.session_state if str(key).startswith("columns_")]:
        del st.session_state[key]
    if column:
        st.session_state[COLUMN] = column
    if name in form.fields:
        st.session_state[FIELD] = name


def forget_file_answers() -> None:
    """Forget what was answered about the file as a whole."""
    for key in (SHEET, ENCODING, EXACT):
        st.session_state.pop(key, None)


def _get_preview(content: bytes, choices: Choices) -> Preview:
    """Look at the kept file; once for each sheet and encoding."""
    key = (choices.sheet, choices.encoding)
    known = st.session_state.get(PREVIEW)
    if known is None or known[0] is not content or known[1] != key:
        known = (content, key, _look(content, choices))
        st.session_state[PREVIEW] = known
    preview: Preview = known[2]
    return preview


def _look(content: bytes, choices: Choices) -> Preview:
    try:
        table = read_table(content, sheet=choices.sheet, encoding=choices.encoding)
    except TableError:
        return Preview((), {}, ())
    few = {}
    for name, column in zip(table.header, table.columns, strict=True):
        different = column.unique()
        if name and len(different) <= MOST_CODES:
            few[name] = tuple(sorted(different.to_pylist()))
    names = tuple(dict.fromkeys(name for name in table.header if name))
    return Preview(names, few, table.sheets, bool(table.alike))


def _ask_file(preview: Preview, content: bytes, choices: Choices, form: TableForm) -> None:
    """Ask for what concerns the file as a whole, where there is something to ask."""
    if len(preview.sheets) > 1:
        if not preview.is_open:
            st.session_state.setdefault(SHEET, preview.sheets[0])
        first = None if preview.is_open else 0
        st.selectbox(
            "Sheet", sorted(preview.sheets), index=first, key=SHEET, on_change=guard(_settle_file), args=(form,)
        )
    if not preview.sheets and not _is_unicode(content):
        st.session_state.setdefault(ENCODING, choices.encoding or BY_WORDS)
        options = [BY_WORDS, *ENCODINGS]
        st.selectbox(
            "Encoding",
            options,
            format_func=lambda name: ENCODINGS.get(name, name),
            key=ENCODING,
            on_change=guard(_settle_file),
            args=(form,),
        )
    reading = get_own(form.name).reading
    if choices.exact_ids or (reading is not None and any("pseudonym differs" in why for _, why in reading.refused)):
        st.session_state.setdefault(EXACT, choices.exact_ids)
        st.checkbox(
            "Pseudonyms that differ only in case, blanks, width or zeros are different patients",
            key=EXACT,
            on_change=guard(_settle_file),
            args=(form,),
        )


def _is_unicode(content: bytes) -> bool:
    """Tell whether a file needs no question about its encoding."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.startswith((b"PK", b"PAR1", b"\xd0\xcf", b"\xff\xfe", b"\xfe\xff"))
    return True


def _ask_column(preview: Preview, form: TableForm) -> None:
    if st.session_state.get(COLUMN) not in preview.header:
        st.session_state[COLUMN] = preview.header[0]
    column = st.selectbox("Column in the file", preview.header, key=COLUMN, on_change=guard(_follow), args=(form,))
    if st.session_state.get(FIELD) not in {UNREAD, *form.fields}:
        st.session_state[FIELD] = _find_field(form, column)
    name = st.selectbox("Read it as", [UNREAD, *form.fields], format_func=_label, key=FIELD)
    about = describe_field(name) if name != UNREAD else None
    if about is not None and about.units:
        st.segmented_control("Its unit", [AS_FOUND, *about.units], key=UNIT, default=AS_FOUND, required=True)
        centres = next((own for c, own in preview.values.items() if KNOWN.get(read_title(c).name) == "centre"), ())
        if len(centres) > 1:
            st.selectbox("Of which centre", [EVERYWHERE, *centres], key=CENTRE)
    codes = preview.values.get(column, ())
    meanings = _list_meanings(name)
    for i, text in enumerate(codes if meanings else ()):
        label = f"What '{plain(text)}' means" if text else "What an empty cell means"
        st.selectbox(label, [AS_FOUND, *meanings], key=f"{CODE}{i}")
    taken = codes if meanings else ()
    st.button(
        "Read the table this way",
        on_click=guard(_settle),
        args=(form, column, name, taken),
        type="primary",
        key="columns_apply",
    )


def _list_meanings(name: str) -> list[str]:
    """List what the codes of a field may mean; nothing where it has none."""
    about = describe_field(name) if name != UNREAD else None
    if about is None or about.meaning not in {"binary", "event", "choice", "split"}:
        return []
    if about.meaning == "split":
        return list(SPLITS)
    levels = list(about.field.levels) if about.meaning == "choice" and about.field is not None else ["yes", "no"]
    return [*levels, *(["competing"] if about.meaning == "event" else []), "unknown"]


def _find_field(form: TableForm, column: str) -> str:
    """Give the field that a column is read as, or was likely meant as."""
    reading = get_own(form.name).reading
    known = {c.column: c.name for c in reading.columns} if reading is not None else {}
    guesses = {c: guess for c, guess in reading.unread if guess} if reading is not None else {}
    name = (known | guesses).get(column) or KNOWN.get(read_title(column).name, "")
    return name if name in form.fields else UNREAD


def _label(name: str) -> str:
    return UNREAD if name == UNREAD else COLUMNS[name].label


def _follow(form: TableForm) -> None:
    """Let the other fields follow the column that was chosen."""
    column = st.session_state[COLUMN]
    suggest(form, column, _find_field(form, column))


def _settle_file(form: TableForm) -> None:
    before = get_own(form.name).choices
    encoding = st.session_state.get(ENCODING, before.encoding)
    sheet = st.session_state.get(SHEET, before.sheet) or ""
    exact = bool(st.session_state.get(EXACT, before.exact_ids))
    change_own(FileSettled(sheet, "" if encoding == BY_WORDS else encoding, exact), form.name)
    form.read()


def _settle(form: TableForm, column: str, name: str, codes: tuple[str, ...]) -> None:
    unit, centre = (st.session_state.get(key, "") for key in (UNIT, CENTRE))
    told = {text or "empty": st.session_state.get(f"{CODE}{i}", AS_FOUND) for i, text in enumerate(codes)}
    change_own(
        ColumnSettled(
            column,
            None if name == UNREAD else name,
            "" if unit == AS_FOUND else unit,
            "" if centre == EVERYWHERE else centre,
            {text: meaning for text, meaning in told.items() if meaning != AS_FOUND},
        ),
        form.name,
    )
    form.read()


def _forget(form: TableForm) -> None:
    change_own(ChoicesForgotten(), form.name)
    forget_file_answers()
    form.read()


def _forget_file(form: TableForm) -> None:
    """Forget the file; what was read of it stays."""
    change_own(FileForgotten(), form.name)
    st.session_state.pop(PREVIEW, None)


def describe_choices(choices: Choices) -> list[str]:
    """Say what was settled, in words."""
    lines = [f"{column} is {label_field(name)}" for name, column in choices.columns.items()]
    lines += [f"{column} is not read" for column in choices.ignored]
    lines += [f"{label_field(key.partition('@')[0])} in {unit}{_place(key)}" for key, unit in choices.units.items()]
    lines += [
        f"{label_field(name)}: {', '.join(f'{code} = {meaning}' for code, meaning in codes.items())}"
        for name, codes in choices.codes.items()
    ]
    lines += [f"sheet {choices.sheet}"] if choices.sheet else []
    lines += [f"encoding {choices.encoding}"] if choices.encoding else []
    return lines + (["pseudonyms are read as they are written"] if choices.exact_ids else [])


def _place(key: str) -> str:
    centre = key.partition("@")[2]
    return f" at {centre}" if centre else ""
