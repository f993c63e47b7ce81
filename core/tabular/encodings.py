"""The encoding of a text table: UTF-8 and UTF-16 by their bytes, older ones by the words that they make, or asked."""

import codecs
import re

import charset_normalizer

from core.errors import TableError
from core.tabular.header import count_known

UTF16_STARTS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LATIN = {"cp1252": "Windows-1252 (Western)", "cp1250": "Windows-1250 (Central European)", "mac_roman": "Mac Roman"}
OTHERS = {
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp932": "Shift-JIS",
    "euc_jp": "EUC-JP",
    "cp949": "EUC-KR",
    "gb18030": "GB 18030",
    "big5": "Big5",
}
ENCODINGS = {"utf-8": "UTF-8", "utf-16": "UTF-16"} | LATIN | {"cp1254": "Windows-1254 (Turkish)"} | OTHERS
BINARY = "The file is not a table: it holds binary data. Give CSV, Excel (XLSX, XLS), ODS or Parquet."
READ_AS = "The file is not UTF-8 and was read as {label}. Where names look wrong, name its encoding: --encoding NAME."
ASK = "The file is not UTF-8, and its encoding can't be told; it may be {labels}. Say which: {options}."
UNKNOWN = "'{name}' is not a known encoding; give one of {known}."
UNFIT = "The file is not {label}: it can't be read so. Give another encoding, or save it as UTF-8."
JUDGED = 1 << 20
SHOWN, SEARCHED, ASCII, FEW = 3, 20, 128, 4
SEPARATORS = (",", ";", "\t", "|")
VOWELS = "aeiouyáéíóúâêîôûäëïöü"
SIGNS = r".,;:'’`´\"«»„“”‚‘–—&/()\[\]|+*#%<>=?!@€$§°·±µ…\-"
ACCENTED = r"[^\W\d_a-zA-Z]"
NO_LATIN = re.compile(rf"\b{ACCENTED}{{3,}}\b|{ACCENTED}{{5,}}")  # no language of Latin script has such words
IN_WORD = re.compile(
    rf"[^\W\d_](?:[^\w\s{SIGNS}]+|[¹²³¼½¾ªº«»„“”‚…](?=[^\W\d_])|[–—](?=[a-z]))|[^\w\s{SIGNS}]+[^\W\d_]"
)
UNUSUAL = re.compile(r"[ðÐþÞÝ\u0080-\u009f]")  # Turkish or Icelandic; or bytes that stand for nothing
WESTERN = re.compile(
    rf"[àå]|ñ(?=[{VOWELS}])|[^\W{VOWELS}]è(?=[^\W{VOWELS}]|\b)|iè(?=[rgt]e)|[^\W{VOWELS}][ìòù]\b|ã(?=[oe])|õ(?=e)|æ"
    rf"|(?<!i)ê(?=[tmlcvn])|ø(?=[bdgklmnprstv]+(?:e|s)?\w*\b)|û(?=[tlmr]|ch)|ï(?=[{VOWELS}])",
    re.IGNORECASE,
)
CENTRAL = re.compile(
    rf"\b[èìòøê]|è(?=[{VOWELS}])|ì(?=\w)|ñ(?=[^\W{VOWELS}]|\b)|[{VOWELS}ì]ò\b|ù(?=\w)|õ(?!e)|[šžŠŽ]|ø(?=[{VOWELS}])"
    r"|ê(?=[bdgkpsz])|û(?=[bdgkz]|cs)|œ(?!u)",
    re.IGNORECASE,
)


def decode_text(content: bytes, encoding: str) -> tuple[str, list[str]]:
    """Decode a text table."""
    if encoding:
        return _refuse_binary(_decode_as(content, encoding)), []
    unicode = _find_unicode(content)
    text = _try(content, unicode)
    if text is not None:
        return _refuse_binary(text), []
    if b"\0" in content:
        raise TableError(BINARY)
    found = _find_older(content)
    text = content.decode(found)
    return text, [READ_AS.format(label=ENCODINGS[found])]


def _is_known(name: str) -> bool:
    """Tell whether a name is one of an encoding of text."""
    try:
        return b"a".decode(name) == "a"
    except (LookupError, ValueError):
        return False


def _decode_as(content: bytes, encoding: str) -> str:
    name = encoding.strip().lower().replace("windows-", "cp")
    if not _is_known(name):
        raise TableError(UNKNOWN.format(name=encoding[:20], known=", ".join(ENCODINGS)))
    text = _try(content, "utf-8-sig" if codecs.lookup(name).name == "utf-8" else name)
    if text is None:
        raise TableError(UNFIT.format(label=ENCODINGS.get(name, name)))
    return text


def _find_unicode(content: bytes) -> str:
    if content.startswith(UTF16_STARTS):
        return "utf-16"
    if content[1:2] == b"\0" and content[:1] != b"\0":
        return "utf-16-le"
    if content[:1] == b"\0" and content[1:2] != b"\0" and content[2:3] == b"\0":
        return "utf-16-be"
    return "utf-8-sig"


def _try(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _refuse_binary(text: str) -> str:
    if "\x00" in text:
        raise TableError(BINARY)
    return text


def _find_older(content: bytes) -> str:
    """Find an encoding whose words are words: of Latin script by their letters, of others by their frequencies."""
    texts = {name: text for name in LATIN if (text := _try(content, name)) is not None and _is_latin(text)}
    if not {"cp1252", "cp1250"} & {*texts}:
        return _find_script(content, ["mac_roman", *OTHERS] if texts else [*OTHERS])
    if UNUSUAL.search(texts.get("cp1252", "")):
        raise _ask(content, ["cp1252", "cp1254", "cp1250"])
    western, central = texts.get("cp1252"), texts.get("cp1250")
    if western is None or central is None or western == central:
        return next(iter(texts))
    own = " ".join(a for a, b in zip(western.split(), central.split(), strict=False) if a != b)
    is_western, is_central = bool(WESTERN.search(own)), bool(CENTRAL.search(own))
    if is_western == is_central:
        raise _ask(content, [*texts])
    return "cp1252" if is_western else "cp1250"


def _find_script(content: bytes, candidates: list[str]) -> str:
    """Find the encoding of other scripts: by known column names, else by the frequencies of enough characters."""
    head = {name: text[:JUDGED] for name in candidates if (text := _try(content, name)) is not None}
    known = {name: max(map(_count_known, text.splitlines()[:SEARCHED]), default=0) for name, text in head.items()}
    plain = _count_known("".join(chr(byte) if byte < ASCII else "?" for byte in content.split(b"\n", 1)[0]))
    if known and max(known.values()) > plain:
        return max(known, key=lambda name: known[name])
    lines = b"\n".join(dict.fromkeys(line for line in content.splitlines() if not line.isascii()))[:JUDGED]
    matches = charset_normalizer.from_bytes(lines, cp_isolation=[*head]) if head else ()
    found = [str(match.encoding) for match in matches if match.encoding in head]
    if found[:1] != ["mac_roman"] and (not found or len(set(head[found[0]]) - set(map(chr, range(ASCII)))) < FEW):
        raise _ask(content, found or [*head])
    return found[0]


def _count_known(line: str) -> int:
    return max(count_known(line.split(mark)) for mark in SEPARATORS)


def _is_latin(text: str) -> bool:
    """Tell whether a text's letters make words of Latin script: no signs within them, no run of accented letters."""
    return not (NO_LATIN.search(text) or IN_WORD.search(text))


def _ask(content: bytes, encodings: list[str]) -> TableError:
    fitting = [name for name in encodings if _try(content, name) is not None][:SHOWN] or ["utf-8"]
    labels = " or ".join(ENCODINGS[name] for name in fitting)
    options = " or ".join(f"--encoding {name}" for name in fitting)
    return TableError(ASK.format(labels=labels, options=options))
