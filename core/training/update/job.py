"""An update that goes on in the background, while its page shows how far it is."""

from pathlib import Path
from typing import Any

from core.inference.background_job import BackgroundJob
from core.register.store import Store
from core.training.update.update import UpdatePlan, update_bundle

FAULT = "The update ended by a fault of the program, not of your data; nothing was written."


class UpdateJob(BackgroundJob):
    """One update of a bundle; stopped, it writes nothing.

    Parameters
    ----------
    store : Store
        The register.
    folder, out : Path
        The bundle as it is, and the new folder.
    plan : UpdatePlan
        Author, change note, name, patients.
    """

    def __init__(self, store: Store, folder: Path, out: Path, plan: UpdatePlan) -> None:
        super().__init__(FAULT)
        self._store, self._folder, self._out = store, folder, out
        self.plan = plan
        self.told: dict[str, Any] | None = None

    def _work(self) -> None:
        self.told = update_bundle(self._store, self._folder, self._out, self.plan, progress=self._count)
