"""Words for values, as clinics write them in English, German, French, Spanish and Chinese."""

import math
import re
import unicodedata
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    """Part a list of words at its bars; each may be written without its accents."""
    words = {" ".join(word.split()) for word in text.split("|")}
    return frozenset(words | {_drop_accents(word) for word in words})


def _drop_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


MISSING_WORDS = _words("""
    | na | nan | n/a | n.a. | n.a | #n/a | #na | none | null | nil | not known | unknown | unk | unclear | missing
    | not available | unavailable | not applicable | not recorded | not reported | not stated | no data | pending
    | not_done | not done | not performed | not_assessed | not assessed | not_examined | not examined | not tested
    | nd | n.d. | nk | n.k. | ? | ?? | - | -- | --- | – | — | . | .. | … | <na> | nat
    | ??? | n/d | not avail. | not given | no value | no info | no information | missing value | not evaluable
    | not measured | tbd | to be determined | in progress | withheld | insufficient material | -/- | ./.
    | \\n | _ | __
    | tx | ptx | nx | pnx | gx | #value! | #ref! | #div/0! | #name? | #num! | #null!
    | unbekannt | nicht bekannt | k.a. | k. a. | ka | k.a | keine angabe | keine angaben | fehlt | fehlend | nb | n.b.
    | nicht verfügbar | nicht verfuegbar | nicht erhoben | nicht bestimmt | nicht untersucht | nicht durchgeführt
    | n.u. | o.a. | o. a. | ohne angabe | nicht angegeben | nicht auswertbar | unauswertbar | nicht gemessen
    | nicht gemacht | kein wert | keine daten | n.v. | n. d. | entf. | verweigert
    | nicht beurteilbar | n. b. | entfällt | unklar | ausstehend | liegt nicht vor | nicht vorhanden
    | inconnu | inconnue | non connu | non disponible | non renseigné | non renseignée | nr | n.r. | nsp | en attente
    | s.d. | pas fait | non effectué | non mesuré | aucune donnée | sans objet
    | non fait | non réalisé | donnée manquante | manquant | indisponible | non précisé
    | desconocido | desconocida | no disponible | no consta | no conocido | no realizado | sin dato | sin datos | s/d
    | no informado | no reportado | no reporta | no medido | sin información | no evaluable
    | no determinado | no aplica | ns/nc | pendiente | no valorable
    | 未知 | 不详 | 不明 | 无数据 | 缺失 | 未检 | 未查 | 未测 | 未做 | 无法评估 | 不适用 | 未提供 | 暂无 | 待定
""")
SAS = re.compile(r"\.[a-z_]")
BRACKETED = re.compile(r"[(\[<{](\w.*?)[)\]>}]")  # "(missing)", "[not available]"
IN_BRACKETS = MISSING_WORDS | _words("leer|blank|empty|vide|vacío|kein|keine|空")
MISSING_NAMES = frozenset(word for word in MISSING_WORDS if len(word) > 3 or not any(c.isalpha() for c in word))
MISSING_NAMES |= {"na", "nan", "n/a", "nat"}
SUMMARIES = _words("""
    mean | average | median | total | sum | grand total | subtotal | sd | std | standard deviation | min | max | minimum
    | maximum | iqr | range | overall | all patients | total patients | mittelwert | durchschnitt | summe | gesamt
    | gesamtsumme | standardabweichung | moyenne | médiane | somme | écart-type | media | promedio | mediana | suma
    | desviación estándar | 合计 | 总计 | 平均 | 平均值 | 均值 | 中位数 | 标准差
    | count | counts | variance | quartile | σ | ∑ | ø | anzahl | gesamtzahl | mittel | mw | varianz | écart type
    | effectif | moyennes | recuento | varianza | 总数 | 总和 | 计数 | 均数
""")
NUMBER_OF = re.compile(r"\s*[nN]\s*=")
YES = _words(
    "yes|y|true|t|ja|j|wahr|oui|o|vrai|si|sí|s|verdadero|cierto|是|有|真|present|vorhanden|présent|presente|✓|✔"
)
NO = _words("no|n|false|f|nein|falsch|non|faux|falso|否|无|没有|假|absent|ausente|✗|✘")
POSITIVE = _words("positive|pos|positiv|positif|positivo|positiva|+|阳性")
NEGATIVE = _words("negative|neg|negativ|négatif|negatif|negativo|negativa|阴性")
HIGH = _words("high|hoch|élevé|eleve|élevée|elevee|haut|alto|alta|elevado|elevada|高|高表达")
LOW = _words("low|niedrig|gering|faible|bas|bajo|baja|低|低表达")
EVENT = _words("recurrence|recurred|relapse|relapsed|event|rezidiv|récidive|recidive|recurrencia|recidiva|recaída|复发")
NO_EVENT = _words("""
    censored | censor | no recurrence | no event | disease-free | disease free | free | zensiert | kein rezidiv
    | rezidivfrei | censuré | sans récidive | censurado | sin recurrencia | 无复发 | 删失
""")
COMPETING = _words("""
    competing | competing event | competing risk | death | died | dead | death without recurrence | verstorben | tod
    | tod ohne rezidiv | décès | décédée | muerte | fallecida | 死亡 | 竞争事件
""")
SUSPICIOUS = _words("suspicious|suspect|suspekt|auffällig|auffaellig|sospechoso|sospechosa|可疑")
PALPABLE = _words("palpable|tastbar|palpabel|palpée|可触及|可扪及|触及")
IMPALPABLE = _words("""
    not palpable | non-palpable | nonpalpable | impalpable | nicht tastbar | nicht palpabel | non palpable
    | non palpée | no palpable | 不可触及 | 未触及 | 不可扪及 | 未扪及
""")
UNSUSPICIOUS = _words("unsuspicious|normal|unauffällig|unauffaellig|benign|正常|未见异常")


def _stage(category: str, parts: str = "") -> frozenset[str]:
    """Name a stage with and without p, its subdivisions, and that nodes were sentinel ones or tumours several."""
    whole = [category + part for part in ("", *parts)]
    return frozenset(p + one + end for p in ("", "p") for one in whole for end in ("", "(sn)", " (sn)", "(m)", " (m)"))


BINARY_WORDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "y": (YES | POSITIVE | HIGH, NO | NEGATIVE | LOW),
    "lnm": (YES | POSITIVE | {"n+", "pn+"}, NO | NEGATIVE | {"n0", "pn0"}),
    "rfs_event": (YES | POSITIVE | EVENT, NO | NEGATIVE | NO_EVENT),
    "palpable": (YES | PALPABLE, NO | IMPALPABLE),
    "aln_suspicious": (YES | POSITIVE | SUSPICIOUS, NO | NEGATIVE | UNSUSPICIOUS),
}
YES_NO = {"yes": YES | {"1"}, "no": NO | {"0"}}
LEVEL_WORDS: dict[str, dict[str, frozenset[str]]] = {
    "menopausal": {
        "pre": _words("""premenopausal | pre-menopausal | prämenopausal | praemenopausal | prä | prae | pré
            | préménopause | pré-ménopause | préménopausée | non ménopausée
            | premenopausia | premenopáusica | 绝经前 | 未绝经"""),
        "peri": _words("""perimenopausal | peri-menopausal | péri | périménopause | péri-ménopause | perimenopausia
            | perimenopáusica | 围绝经期"""),
        "post": _words("""postmenopausal | post-menopausal | postménopause | post-ménopause
            | ménopausée | postmenopausia | menopáusica | postmenopáusica | posmenopausia | posmenopáusica
            | 绝经后 | 已绝经 | 绝经"""),
    },
    "palpable": {"yes": YES_NO["yes"] | PALPABLE, "no": YES_NO["no"] | IMPALPABLE},
    "aln_suspicious": {
        "suspicious": YES | POSITIVE | SUSPICIOUS | {"1"},
        "negative": NO | NEGATIVE | UNSUSPICIOUS | {"0"},
    },
    "her2": {"1+": _words("1"), "3+": _words("3")},
    "grade_cnb": {
        "1": _words("i|g1|grade 1|grad 1|grado 1"),
        "2": _words("ii|g2|grade 2|grad 2|grado 2"),
        "3": _words("iii|g3|grade 3|grad 3|grado 3"),
    },
    "adler": {
        "0": _words("grade 0|grad 0|grado 0"),
        "1": _words("i|grade 1|grad 1|grado 1"),
        "2": _words("ii|grade 2|grad 2|grado 2"),
        "3": _words("iii|grade 3|grad 3|grado 3"),
    },
    "pt": {
        "Tis": _stage("tis") | {"tis(dcis)", "ptis(dcis)", "tis (dcis)", "ptis (dcis)"},
        "T1mi": _stage("t1mi"),
        "T1a-c": _stage("t1", "abc"),
        "T2": _stage("t2"),
        "T3": _stage("t3"),
        "T4": _stage("t4", "abcd"),
    },
    "pn": {
        "N0": _stage("n0") | _stage("n0(i-)"),
        "N0(i+)": _stage("n0(i+)"),
        "N1mi": _stage("n1mi"),
        "N1": _stage("n1", "abc"),
        "N2": _stage("n2", "ab"),
        "N3": _stage("n3", "abc"),
    },
    "ki67_specimen": {
        "surgical": _words("""surgery | operation | op | excision | resection | mastectomy | lumpectomy | segmentectomy
            | surgical specimen | resektat | resektion | exzision | exzidat | mastektomie | op-präparat | op präparat
            | chirurgie | pièce opératoire | exérèse | mastectomie | tumorectomie | cirugía | pieza quirúrgica
            | escisión | mastectomía | tumorectomía | 手术 | 手术标本 | 切除 | 切除标本"""),
        "core": _words("""biopsy | core biopsy | core needle biopsy | core needle | needle biopsy | cnb | tru-cut
            | trucut | vacuum biopsy | vab | biopsie | stanze | stanzbiopsie | stanzbiopsat | vakuumbiopsie
            | microbiopsie | macrobiopsie | biopsia | bag | 活检 | 穿刺 | 穿刺活检 | 粗针穿刺 | 粗针穿刺活检"""),
    },
    "laterality": {
        "left": _words("l|links|gauche|g|izquierda|izquierdo|左|左侧"),
        "right": _words("r|rechts|droite|droit|d|derecha|derecho|右|右侧"),
    },
    "histology": {
        "IDC-NST": _words("idc|nst|ductal|invasive ductal|duktal|浸润性导管癌"),
        "ILC": _words("lobular|invasive lobular|lobulär|浸润性小叶癌"),
    },
}


def fold_word(text: str) -> str:
    """Write a cell in small letters, in one form of Unicode, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def names_summary(text: str) -> bool:
    """Tell whether a cell names a row of sums or means, as "Mean (SD)", "Total: 80" or "n = 80" do."""
    return bool(NUMBER_OF.match(text)) or re.split(r"[(:=±/,;\d]| [-–] ", fold_word(text))[0].strip(" .") in SUMMARIES


def is_missing(value: object, *, is_name: bool = False) -> bool:
    """Tell whether a raw value stands for "not known".

    Parameters
    ----------
    value : object
        Value as it came.
    is_name : bool
        Whether it names something, such as a centre: KA may then be Karlsruhe, and only plain signs count.

    Returns
    -------
    bool
        True for None, NaN, and the words of five languages.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    if not isinstance(value, str):
        return False
    word = fold_word(value)
    if SAS.fullmatch(word):
        return True
    bracketed = BRACKETED.fullmatch(word)
    if bracketed:
        return bracketed[1] in IN_BRACKETS
    return word in (MISSING_NAMES if is_name else MISSING_WORDS)


def match_level(name: str, levels: Sequence[str], text: str) -> str | None:
    """Find the level of a choice that a word stands for.

    Parameters
    ----------
    name : str
        Field.
    levels : sequence of str
        Its levels.
    text : str
        What was written.

    Returns
    -------
    str or None
        None where no level fits.
    """
    word = fold_word(text)
    named = LEVEL_WORDS.get(name, YES_NO if set(levels) == {"yes", "no"} else {})
    for level in levels:
        if word == fold_word(level) or word in named.get(level, ()):
            return level
    return None
