"""A study's paper: methods, results, comparison, statements and checklists in their order."""

from core import __version__
from core.inference.render import describe_use
from core.paper.checklists import fill_checklists
from core.paper.comparison import write_comparison
from core.paper.content import Paper, Section
from core.paper.methods import write_methods
from core.paper.results import write_results
from core.paper.study import Cohort, Study
from core.training.bundle.card import LIMITS
from core.training.bundle.reporting import MISSING, TRIPOD

DATA = f"{TRIPOD} 18e"


def write_paper(study: Study, second: Cohort | None = None) -> Paper:
    """Write a paper from a bundle's evidence, set beside another cohort where there is one."""
    bundle = study.bundle
    compared = (write_comparison(study.cohort, second),) if second else ()
    sections = (
        *write_methods(study),
        *write_results(study),
        *compared,
        Section("statements", "Statements", level=1),
        Section("limits", "Use and limits", (describe_use(bundle), LIMITS)),
        Section("availability", "Data and code", _describe_availability(study)),
    )
    return Paper(
        title=f"Ki-67 from breast ultrasound: {bundle.name}",
        use=describe_use(bundle),
        is_simulated=study.cohort.is_simulated or bool(second and second.is_simulated),
        is_few=study.cohort.is_few or bool(second and second.is_few),
        sections=sections,
        checklists=fill_checklists(study.answers, {section.id for section in sections}, _find_gaps(study)),
        origin=f"Bundle {bundle.name}, sha256 {bundle.sha256[:16]} · SonoKi {__version__}",
    )


def _find_gaps(study: Study) -> dict[str, str]:
    """Give what sections lack although they are there: the reasons of refused rows, in older bundles."""
    return {} if study.flow.get("reasons") or not study.flow["rows_refused"] else {"flow": "why rows were refused"}


def _describe_availability(study: Study) -> tuple[str, ...]:
    bundle, data = study.bundle, study.manifest["training_data"]
    return (
        f"Data. The table of images has the sha256 {data['sha256']}. Predictions and outcomes of every patient, by "
        f"pseudonym, stand in the bundle's evidence. Who gets the data, and how: {study.answers.get(DATA, MISSING)}",
        f"Model. Bundle {bundle.name}, sha256 {bundle.sha256}; python -m core bundle pack writes it with its network "
        "into one file that anyone can verify.",
        f"Code. SonoKi {__version__}, Apache-2.0. The same bundle gives the same figures, tables and text byte "
        "for byte: python -m core report BUNDLE --paper DIR.",
    )
