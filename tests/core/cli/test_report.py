"""`report` as a user calls it: exit codes, sentences, files."""

import json


def test_a_paper_is_written_and_another_is_asked_for(run, bundle_dir, tmp_path):
    out = tmp_path / "paper"
    code, printed, _ = run("report", bundle_dir, "--paper", out, "--json")
    found = json.loads(printed)
    assert code == 0
    assert found["simulated"] is True
    assert found["missing"]["CLAIM 2024"] > 0
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) == found["files"]
    assert len(list((out / "figures").glob("*.png"))) == found["figures"]
    before = (out / "paper.json").read_bytes()
    code, _, err = run("report", bundle_dir, "--paper", out)
    assert code == 2
    assert "holds a paper already: give --replace" in err
    assert (out / "paper.json").read_bytes() == before


def test_the_form_of_the_checklists_is_written_once_and_read(run, bundle_dir, tmp_path):
    form = tmp_path / "form.json"
    assert run("checklists", form)[0] == 0
    code, _, err = run("checklists", form)
    assert code == 2
    assert "answers in it are not overwritten" in err
    answered = json.loads(form.read_text()) | {"CLAIM 2024 45": ""}
    form.write_text(json.dumps(answered))
    code, _, err = run("report", bundle_dir, "--paper", tmp_path / "p", "--reporting", form)
    assert code == 3
    assert "'CLAIM 2024 45' is not an item" in err


def test_what_can_not_be_done_is_one_sentence(run, bundle_dir, tmp_path):
    calls = {
        ("report", tmp_path, "--paper", tmp_path / "out"): (1, "manifest.json is not in the folder"),
        ("report", bundle_dir, "--paper", tmp_path / "out", "--width", "20"): (2, "a journal's column in mm"),
        ("report", bundle_dir, "--paper", tmp_path / "out", "--sheet", "a5"): (2, "--sheet is a4 or letter"),
        ("report", bundle_dir, tmp_path / "no.csv", "--paper", tmp_path / "out"): (3, "The table can't be opened"),
        ("report", bundle_dir): (2, "--paper"),
    }
    for call, (expected, words) in calls.items():
        code, _, err = run(*call)
        assert code == expected, err
        assert words in err
        assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
