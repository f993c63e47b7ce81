"""The buttons for a case's document."""

from streamlit.testing.v1 import AppTest


def draw() -> None:
    from core.ui.documents import offer_documents

    def fail() -> None:
        raise AssertionError("made before it was asked for")

    offer_documents(fail)


def test_documents_are_made_only_when_asked_for() -> None:
    at = AppTest.from_function(draw).run()
    assert not at.exception
    assert [button.label for button in at.get("download_button")] == ["Document (PDF)", "Document (HTML)"]
    assert at.radio[0].options == ["A4", "Letter"]
    at.radio[0].set_value("letter").run()
    assert not at.exception
