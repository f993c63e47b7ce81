"""Tables of outcomes: which rows state the outcome of the tumour that was examined."""

import pytest

from core.cohort.outcomes import CORE, TREATED, read_outcomes


@pytest.mark.parametrize("words", [("core", "surgical"), ("Stanzbiopsie", "Resektat"), ("穿刺活检", "手术标本")])
def test_a_core_biopsys_ki67_is_never_the_outcome(words):
    core, surgical = words
    table = f"patient_id,Ki-67,specimen\nP-1,30,{core}\nP-2,20,{surgical}\nP-3,10,\nP-4,5,FFPE block\n"
    read = read_outcomes(table.encode())
    assert [row[1] for row in read.rows] == ["P-2", "P-3", "P-4"]
    assert all(values.keys() == {"ki67_pct"} for _, _, values in read.rows)
    assert read.reading.refused == ((2, CORE),)


def test_what_surgery_found_after_neoadjuvant_therapy_is_not_taken_but_follow_up_is():
    table = "patient_id,ki67_pct,rfs_months,rfs_event,neoadjuvant\nP-1,30,,,yes\nP-2,,24,0,yes\nP-3,10,12,1,no\n"
    read = read_outcomes(table.encode())
    assert [row[1] for row in read.rows] == ["P-2", "P-3"]
    assert read.reading.refused == ((2, TREATED),)


@pytest.mark.parametrize(
    "header",
    [
        "Patient ID;Ki-67 (%);RFS (months);Recurrence;Date of last follow-up",
        "Patientennummer;Ki-67 (%);Nachbeobachtung (Monate);Rezidiv;Datum der letzten Nachsorge",
        "Identifiant patiente;Ki-67 (%);Suivi (mois);Rechute;Date des dernières nouvelles",
        "ID paciente;Ki-67 (%);Seguimiento (meses);Recaída;Fecha del último seguimiento",
        "病历号;Ki-67 (%);随访 (月);复发;末次随访日期",
    ],
)
def test_follow_up_is_read_in_five_languages(header):
    ((number, patient, values),) = read_outcomes(f"{header}\nP-1;22,5;24,5;0;2025-01-31\n".encode()).rows
    assert (number, patient) == (2, "P-1")
    assert values == {"ki67_pct": 22.5, "rfs_months": 24.5, "rfs_event": 0.0, "last_followup": "2025-01-31"}
