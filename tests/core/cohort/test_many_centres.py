"""A column of centres with a name a row costs no more than other columns."""

from time import process_time

from core.cohort import read_predictions

ROWS = 20_000


def write_table(centres: int) -> bytes:
    rows = [f"P{i},external,C{i % centres},{i % 2},{(i % 97 + 1) / 100}" for i in range(ROWS)]
    return "\n".join(["patient_id,split,centre,y,prob", *rows]).encode()


def test_a_centre_a_row_is_read_as_fast_as_a_few() -> None:
    seconds = []
    for centres in (4, 4, ROWS):
        begun = process_time()
        assert len(read_predictions(write_table(centres)).table) == ROWS
        seconds.append(process_time() - begun)
    assert seconds[2] < 5 * seconds[1] + 0.5  # it was more than 30 x
