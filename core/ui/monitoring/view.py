"""What the monitoring page shows: every exhibit, or why there is none, and what to do next."""

from dataclasses import dataclass

import streamlit as st

from core.monitoring.exhibits import METHOD, list_exhibits
from core.monitoring.monitor import Monitoring
from core.monitoring.reading import Estimates
from core.plain_text import plain
from core.ui.cohort.result import show_exhibit, show_method


@dataclass(frozen=True, eq=False)
class Watched:
    """The patients that the page's files name."""

    found: Monitoring  # what was found of them

    @property
    def name(self) -> str:
        """The patients as sentences call them."""
        centre = self.found.scope.centre
        at = "" if centre is None else f" (centre {centre or 'not known'})"
        return f"the register's patients of the bundle {self.found.bundle}{at}"

    @property
    def identity(self) -> str:
        """Hash of the bundle that made the estimates, and the chain's last entry."""
        return f"{self.found.scope.bundle_sha256}; register {self.found.last}"

    @property
    def is_simulated(self) -> bool:
        """Whether the patients are made up."""
        return self.found.is_simulated

    @property
    def count(self) -> int:
        """How many they are."""
        return self.found.patients

    def render_input(self) -> dict[str, object]:
        """Say what was read."""
        found = self.found
        names = ("patients", "estimates", "with_outcome", "late", "undated", "withheld", "made_up")
        scope = {"bundle_sha256": found.scope.bundle_sha256, "centre": found.scope.centre, "by": found.scope.by}
        return {"register": str(found.last), **scope, **{name: getattr(found, name) for name in names}}


def show_off() -> None:
    """Say how the register is turned on."""
    st.markdown(
        "The register is off, so there is nothing to monitor: whoever runs SonoKi turns it on with the setting "
        "`SONOKI_REGISTER=on`."
    )


def show_empty(estimates: Estimates) -> None:
    """Say how estimates come into the register."""
    if estimates.withheld:
        st.error(f"{estimates.withheld:,} entries do not hold and are left out. Tell the database administrator.")
    st.markdown(
        "There is no estimate yet: add some on Case or Cohort, or by `python -m core register add`; then this page "
        "says who comes, whether inputs drift from training, and whether estimates still agree with pathology."
    )
    st.page_link("pages/10_Register.py", label="Go to the Register page")


def show_monitoring(found: Monitoring) -> None:
    """Show every exhibit, and why some can't be made."""
    patients = Watched(found)
    marked = " :orange-badge[SIMULATED]" if found.is_simulated else ""
    st.caption(
        f"{found.patients:,} patients, {found.estimates:,} estimates; {found.with_outcome:,} with a Ki-67 found after "
        f"the estimate{marked}"
    )
    said: set[str] = set()
    for exhibit in list_exhibits(found, patients.name):
        st.header(exhibit.title, anchor=False)
        lack = exhibit.lack()
        if not lack:
            show_exhibit(patients, exhibit)
        else:
            st.markdown(plain(lack if lack not in said else "As above."))
            said.add(lack)
    show_method(METHOD)
