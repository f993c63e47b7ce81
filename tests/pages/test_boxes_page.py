"""Boxes: what the page says before there is anything to draw on, and where it is off."""

from pathlib import Path

from core import settings

PAGE = "pages/12_Boxes.py"


def words(at) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.error))


def test_the_page_says_what_to_do_first(open_page):
    at = open_page(PAGE)
    assert not at.exception
    assert "Type **your initials**" in words(at)
    at.text_input[0].set_value("AB").run()
    assert not at.exception
    assert "SONOKI_COHORTS" in words(at)
    assert "python -m core collect" in words(at)


def test_initials_without_letters_are_a_sentence(open_page):
    at = open_page(PAGE)
    at.text_input[0].set_value("--").run()
    assert not at.exception
    assert "Give your initials" in words(at)


def test_the_page_is_off_where_the_server_says_so(open_page, monkeypatch):
    monkeypatch.setenv("SONOKI_BOXES", "off")
    settings.forget_settings()
    at = open_page(PAGE)
    assert not at.exception
    assert "`SONOKI_BOXES=on`" in words(at)
    assert not at.text_input


def test_a_damaged_package_is_a_sentence_and_a_manifest_is_opened(open_page, monkeypatch, tmp_path: Path):
    (tmp_path / "bad.csv").write_text("patient_id,image,x\nP1,a.png\n", encoding="utf-8")
    monkeypatch.setenv("SONOKI_COHORTS", str(tmp_path))
    settings.forget_settings()
    at = open_page(PAGE)
    at.text_input[0].set_value("AB").run()
    next(box for box in at.selectbox if box.label == "Manifest on this server").select_index(0).run()
    assert not at.exception
    assert "do not fit its header" in words(at)
    at.file_uploader[0].set_value(("x.zip", b"PK no archive", "application/zip")).run()
    assert not at.exception
    assert "zip archive is damaged" in words(at)
