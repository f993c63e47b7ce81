"""Encodings of text tables: the right words, or a question; never other words."""

import pytest

from core.errors import TableError
from core.tabular import read_table

WORDS = {
    "cp1252": "Köln|La Coruña|Liège|Genève|Hôpital Saint-Étienne|Forlì|Århus|København|São Paulo|Nîmes|Klinik “X”"
    "|Köln–Bonn",
    "cp1250": "Wrocław|Łódź Główna|Gdańsk|Częstochowa|Plzeň|České Budějovice|Kroměříž|Győr|Szűcs|Hradec Králové|Šiška",
    "cp1251": "Больница Москва|Клиника Санкт-Петербург|София",
    "koi8_r": "Городская больница",
    "cp1253": "Νοσοκομείο Αθηνών",
    "cp932": "東京大学病院|大阪医療センター",
    "euc_jp": "東京大学病院",
    "cp949": "서울대학교병원",
    "gb18030": "北京协和医院|复旦大学",
    "big5": "臺大醫院",
    "mac_roman": "Hôpital Saint-Étienne",
}
DOUBTFUL = {
    "cp1252": "Tromsø",
    "cp1250": "Žďár|Đakovo",
    "cp1254": "Eskişehir|İstanbul",
    "cp932": "京都",
    "cp949": "부산",
}


def list_words(table):
    return [(encoding, word) for encoding, words in table.items() for word in words.split("|")]


def write(word, encoding):
    rows = (f"K{i:03d},test,{word},1,0.{i}" for i in range(20))
    return "\n".join(["patient_id,split,centre,y,prob", *rows]).encode(encoding)


@pytest.mark.parametrize(("encoding", "word"), list_words(WORDS))
def test_words_of_older_encodings_are_read_right(encoding, word):
    table = read_table(write(word, encoding))
    assert set(table.find("centre").to_pylist()) == {word}
    assert "--encoding NAME" in table.notes[0]
    assert word not in table.notes[0]


@pytest.mark.parametrize(("encoding", "word"), list_words(DOUBTFUL))
def test_words_that_may_be_others_are_asked_for_and_settled_by_a_name(encoding, word):
    with pytest.raises(TableError, match=r"can't be told; it may be .*--encoding ") as caught:
        read_table(write(word, encoding))
    assert word not in str(caught.value)
    table = read_table(write(word, encoding), encoding=encoding)
    assert set(table.find("centre").to_pylist()) == {word}
    assert table.notes == ()


@pytest.mark.parametrize("name", ["Windows-1250", "CP1250", "cp1250"])
def test_an_encoding_goes_by_several_names(name):
    assert read_table(write("Žďár", "cp1250"), encoding=name).find("centre")[0].as_py() == "Žďár"


@pytest.mark.parametrize(
    ("name", "match"),
    [("latin9000", "not a known encoding"), ("rot13", "not a known encoding"), ("utf-8", "not UTF-8")],
)
def test_an_encoding_that_does_not_fit(name, match):
    with pytest.raises(TableError, match=match):
        read_table(write("Köln", "cp1252"), encoding=name)
