"""A job in the background: the time left is that of its steps."""

from types import SimpleNamespace

from core.inference import background_job


class Prepared(background_job.BackgroundJob):
    """Prepares for a hundred seconds of its clock, then does a step a second."""

    now = 0.0

    def _work(self) -> None:
        Prepared.now += 100
        self._count(0, 100)
        for done in range(1, 11):
            Prepared.now += 1
            self._count(done, 100)


def test_what_is_prepared_before_the_first_step_does_not_lengthen_the_time_left(monkeypatch):
    monkeypatch.setattr(background_job, "time", SimpleNamespace(monotonic=lambda: Prepared.now))
    job = Prepared("It failed.", total=100)
    job.start()
    job.wait(10)
    assert (job.done, job.rate, job.seconds_left) == (10, 1.0, 90.0)
