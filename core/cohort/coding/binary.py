"""Yes and no, and events, judged for the column as a whole: 0 and 1, 1 and 2, words of five languages."""

import re
from collections.abc import Mapping

import numpy as np

from core.clinical import BINARY_WORDS, COMPETING, YES_NO, Title, fold_word, is_missing
from core.cohort.cells import NO_VALUE, Cells, Centres, Parsed, parse_texts, quote
from core.cohort.coding.codes import (
    CODE,
    NO,
    OTHER_EVENT,
    SETTLE,
    STRAY_SHARE,
    UNFIT_SHARE,
    YES,
    Coded,
    count_codes,
    fold_code,
)
from core.tabular import FORMULA

CENSORED_SHARE = 0.1
KI67 = re.compile(r"\bki[- ]?67\b")
EMPTY = "empty"
NOT_KNOWN = (-9999, -999, -99, -88, -9, -8, -7, -1, 8, 9, 77, 88, 99, 777, 888, 999, 9999)
DIFFER = "Centres differ in their codes ({codes}): write one coding in the file."
DASHES = frozenset("-–—")
NO_RECURRENCE = "Its head names a competing event, and no code of a recurrence. "
ONE_MEANING = "Its coding gives all codes one meaning. "
ONLY_YES = "It says only yes, and {count} cells are empty, which may mean no or not known"


def read_binary(
    name: str, cells: Cells, title: Title, codes: Mapping[str, str] | None, centres: Centres, *, events: bool
) -> Coded:
    """Read a column of yes and no."""
    found = {*map(fold_code, cells.different)}
    stated = {fold_code(code): meaning for code, meaning in (codes or title.coding or {}).items()}
    if not codes and found.isdisjoint(stated):  # "y (n = 80)" explains nothing
        stated = {}
    meanings = {code: _read_meaning(name, meaning) for code, meaning in stated.items()}
    unclear = [stated[code] for code, meaning in meanings.items() if meaning is None]
    doubtful = [code for code, meaning in meanings.items() if meaning is None and code in found]
    if doubtful and not codes:
        said = ", ".join(f"'{code} = {stated[code][:20]}'" for code in doubtful[:2])
        example = ",".join(f"{code}:MEANING" for code in meanings if code in found)
        empty = parse_texts(cells, lambda _: np.nan, dtype=float)
        return Coded(empty, problem=f"Its head says {said}. {SETTLE.format(name=name, codes=example)}.")
    if unclear and codes:
        empty = parse_texts(cells, lambda _: np.nan, dtype=float)
        return Coded(
            empty, problem=f"{quote(unclear[0])} is not a meaning of a code: write yes, no, unknown or competing."
        )
    has_one_meaning = bool(codes) and len(meanings) > 1 and len({*meanings.values()}) == 1
    meanings = {} if unclear else _complete(meanings)
    if has_one_meaning and found.isdisjoint(meanings.keys() - stated.keys()):
        empty = parse_texts(cells, lambda _: np.nan, dtype=float)
        return Coded(empty, problem=ONE_MEANING + SETTLE.format(name=name, codes="0:no,1:yes") + ".")
    of_empty = meanings.pop(EMPTY, None)
    parsed = parse_texts(cells, lambda text: _read_word(name, text, meanings, events=events), dtype=float)
    _read_signs(cells, parsed, meanings, of_empty)
    if meanings:
        coding = ", ".join(f"{code} = {stated[code]}" for code in stated)
        problem = _find_unexplained(name, cells, parsed, stated)
        if not codes and OTHER_EVENT in parsed.values and YES not in parsed.values:
            problem = problem or NO_RECURRENCE + SETTLE.format(name=name, codes="CODE:yes,CODE:no") + "."
        if codes and of_empty is None:
            problem = problem or _find_empty(name, cells, parsed)
        return Coded(parsed, coding, problem)
    problem = _find_doubt(
        name, count_codes(cells, parsed), _count_codes_by_centre(cells, parsed, centres), events=events
    )
    problem = problem or _find_doubt_in_words(name, cells, parsed, is_settled=of_empty is not None)
    return Coded(parsed, _describe_coding(cells, parsed), problem)


def _complete(meanings: Mapping[str, float | None]) -> dict[str, float | None]:
    """Let 0 be no where only 1 is said to be yes, and the reverse; both stay where only unknown ones are explained."""
    complete = dict(meanings)
    if meanings and all(value is not None and np.isnan(value) for value in meanings.values()):
        return {"0": NO, "1": YES} | complete
    for (code, value), (other, rest) in ((("1", YES), ("0", NO)), (("0", NO), ("1", YES))):
        if meanings.get(code) == value:
            complete.setdefault(other, rest)
    return complete


def _find_unexplained(name: str, cells: Cells, parsed: Parsed, stated: Mapping[str, str]) -> str:
    """Name what a coding leaves unexplained, but for stray cells."""
    unfit = sorted((i for i in parsed.reasons if cells.different[i] != FORMULA), key=lambda i: -int(cells.counts[i]))
    if sum(int(cells.counts[i]) for i in unfit) <= max(1, STRAY_SHARE * int(cells.counts[~parsed.missing].sum())):
        return ""
    words = [cells.different[i] for i in unfit[:4]]
    codes = ",".join([f"{code}:{meaning}" for code, meaning in stated.items()] + [f"{w[:20]}:MEANING" for w in words])
    return f"Its coding leaves {', '.join(map(quote, words))} unexplained. {SETTLE.format(name=name, codes=codes)}."


def _read_signs(cells: Cells, parsed: Parsed, meanings: Mapping[str, float | None], of_empty: float | None) -> None:
    """Read what else stands for not known: a dash beside a plus is no, an empty cell what a person says of it."""
    has_no = (parsed.values == NO).any()
    for position, text in enumerate(cells.different):
        if text in meanings or not parsed.missing[position]:
            continue
        value = of_empty if not text else NO if text in DASHES and "+" in cells.different else None
        if value is not None and not (text and has_no):
            parsed.values[position], parsed.missing[position] = value, np.isnan(value)


def _read_meaning(name: str, meaning: str) -> float | None:
    """Give what a code's meaning stands for: 1, 0, 2 or NaN; None if it says nothing."""
    word = fold_word(meaning)
    if name == "y":
        word = KI67.sub("", word).strip() or word
    yes, no = BINARY_WORDS.get(name, (YES_NO["yes"], YES_NO["no"]))
    if word in COMPETING and name == "rfs_event":
        return OTHER_EVENT
    if word in no or word == "0":
        return NO
    if word in yes or word == "1":
        return YES
    return np.nan if is_missing(meaning) else None


def _read_word(name: str, text: str, meanings: Mapping[str, float | None], *, events: bool) -> float:
    code = fold_code(text)
    if code in meanings:
        value = meanings[code]
        return np.nan if value is None else value
    if CODE.fullmatch(code):
        if not meanings and code in {"0", "1"}:
            return float(code)
        if not meanings and events and code == "2":
            return OTHER_EVENT
        raise ValueError(f"{quote(text)} is neither 0 nor 1")
    value = _read_meaning(name, code)
    if value is None:
        raise ValueError(f"{quote(text)} is neither yes nor no")
    return value


def _count_codes_by_centre(cells: Cells, parsed: Parsed, centres: Centres) -> dict[str, dict[str, int]]:
    return {centre: count_codes(cells, parsed, centres.select(centre)) for centre in centres.names}


def _find_doubt(name: str, found: dict[str, int], by_centre: dict[str, dict[str, int]], *, events: bool) -> str:
    """Say why the codes can't be told, where they can't."""
    total = sum(found.values())
    strange = {code for code in found if code not in ({"0", "1", "2"} if events else {"0", "1"})}
    rare = max(1, int(STRAY_SHARE * total))
    stray = sum(found[code] for code in strange)
    if stray > rare or (stray and stray >= min(found.get("0", 0), found.get("1", 0))):
        return _describe_difference(by_centre) or _describe_doubt(name, found)
    if events and found.get("2") and not found.get("1"):
        return _describe_doubt(name, found)
    if events and found.get("2"):
        for counts in ({k: v for k, v in c.items() if k not in strange} for c in (found, *by_centre.values())):
            if counts.get("2") and counts.get("0", 0) < max(1, CENSORED_SHARE * sum(counts.values())):
                return _describe_difference(by_centre) or _describe_doubt(name, found)
    return ""


def _describe_difference(by_centre: dict[str, dict[str, int]]) -> str:
    """Say that each centre has two codes, but not the same two; no coding of the column can then settle it."""
    codes = {centre: " and ".join(sorted(found, key=float)) for centre, found in by_centre.items() if found}
    if len(set(codes.values())) < 2 or any(len(by_centre[centre]) > 2 for centre in codes):
        return ""
    return DIFFER.format(codes="; ".join(f"{centre[:20]}: {words}" for centre, words in list(codes.items())[:4]))


def _guess_meaning(code: str) -> str:
    """Give the usual meaning of a code, for the example of an option."""
    return {"0": "no", "1": "yes"}.get(code, "unknown" if float(code) in NOT_KNOWN else "MEANING")


def _describe_doubt(name: str, found: dict[str, int]) -> str:
    codes = sorted(found, key=float)[:6]
    if codes == ["1", "2"]:
        example = "1:no,2:yes"
    else:
        usual = tuple(map(_guess_meaning, codes))
        if len(codes) <= 2:
            usual = ("yes", "no") if codes[1:] == ["0"] else ("no", "yes")
        example = ",".join(f"{code}:{meaning}" for code, meaning in zip(codes, usual, strict=False))
    listed = ", ".join(codes[:-1]) + " and " + codes[-1] if len(codes) > 1 else "".join(codes) or "other words"
    return (
        f"Its codes are {listed}; which is yes can't be told. {SETTLE.format(name=name, codes=example or 'WORD:yes')}."
    )


def _find_doubt_in_words(name: str, cells: Cells, parsed: Parsed, *, is_settled: bool) -> str:
    """Say why words can't be told: too many are not understood, or it says only yes and is empty elsewhere."""
    known = {*parsed.values[~np.isnan(parsed.values)]}
    words = _list_doubtful(cells, parsed, known)[:4]
    if words and NO_VALUE not in parsed.reasons.values():
        listed = ", ".join(map(quote, words))
        if {YES, NO} <= known:
            codes = ",".join(f"{word[:20]}:MEANING" for word in words)
            return f"Beside yes and no it says {listed}. {SETTLE.format(name=name, codes=codes)}, or unknown."
        other = "" if "" not in cells.different else f",{EMPTY}:no"
        settle = SETTLE.format(name=name, codes=f"WORD:yes,WORD:no{other if len(words) == 1 else ''}")
        return f"Its words are {listed}; which is yes can't be told. {settle}."
    return "" if words or is_settled else _find_empty(name, cells, parsed)


def _find_empty(name: str, cells: Cells, parsed: Parsed) -> str:
    """Ask what empty cells mean in a column that says only yes."""
    known = parsed.values[~np.isnan(parsed.values)]
    empty = sum(int(cells.counts[i]) for i, text in enumerate(cells.different) if not text)
    if empty > 1 and len(known) and (known == YES).all():
        settle = SETTLE.format(name=name, codes=f"{EMPTY}:no")
        return f"{ONLY_YES.format(count=empty)}. {settle}, or {EMPTY}:unknown."
    return ""


def _list_doubtful(cells: Cells, parsed: Parsed, known: set[float]) -> list[str]:
    """List the words of a column that can't be told: most, or any but stray ones beside yes alone or no alone."""
    told = int(cells.counts[~parsed.missing].sum())
    is_one_sided = not {YES, NO} <= known and _count_unfit(cells, parsed) > max(1, STRAY_SHARE * told)
    lacks_yes = OTHER_EVENT in known and YES not in known
    if not (is_one_sided or lacks_yes) and _is_mostly_understood(cells, parsed):
        return []
    doubtful = {*parsed.reasons, *(np.flatnonzero(~np.isnan(parsed.values)) if is_one_sided or lacks_yes else ())}
    return [cells.different[i] for i in sorted(doubtful, key=lambda i: -int(cells.counts[i]))]


def _count_unfit(cells: Cells, parsed: Parsed) -> int:
    return sum(int(cells.counts[position]) for position in parsed.reasons)


def _is_mostly_understood(cells: Cells, parsed: Parsed) -> bool:
    known = int(cells.counts[~parsed.missing].sum())
    return _count_unfit(cells, parsed) <= max(1, UNFIT_SHARE * known)


def _describe_coding(cells: Cells, parsed: Parsed) -> str:
    """Say which texts stand for what."""
    words = {YES: [], NO: [], OTHER_EVENT: []}  # type: dict[float, list[str]]
    for position in np.argsort(-cells.counts):
        value = parsed.values[position]
        if not np.isnan(value) and len(words[value]) < 3:
            words[value].append(cells.different[position] or EMPTY)
    meanings = {YES: "yes", NO: "no", OTHER_EVENT: "competing event"}
    return ", ".join(f"{' or '.join(texts)} = {meanings[value]}" for value, texts in words.items() if texts)
