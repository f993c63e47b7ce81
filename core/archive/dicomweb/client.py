"""The archive (PACS) by DICOMweb: find a study, retrieve an image, store results, look whether they arrived.

The query is sent as its address demands, with what the user typed; its words enter no log. Of the answers only UIDs,
dates, numbers, modality and manufacturer are read, so that no name comes with a list. Each call is safe to repeat,
since results carry deterministic UIDs; a fault that may pass is tried again.
"""

import datetime
import logging
import os
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, TypeVar

import pydicom
import requests
from dicomweb_client import DICOMwebClient
from requests.auth import AuthBase

from core.archive import has_archive
from core.archive.dicomweb.access import check_url, read_credentials
from core.archive.dicomweb.multipart import read_single_part
from core.archive.dicomweb.records import (
    RUBBISH,
    InstanceReference,
    SeriesSummary,
    StudyList,
    StudyQuery,
    StudySummary,
    hash_patient,
    keep_own,
    read_study,
    read_text,
    read_uid,
)
from core.archive.dicomweb.session import BoundedSession
from core.errors import ArchiveError, UsageError
from core.imaging.identity import read_identity
from core.settings import get_setting, get_text_setting

PAUSES = (0.5, 2.0)
MOST_STUDIES = 50
DAY, FIRST_DAY = datetime.timedelta(days=1), datetime.date(1950, 1, 1)
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
VIEWPORT = "320,240"
T = TypeVar("T")

for _name in ("dicomweb_client", "retrying", "urllib3"):  # they log addresses, and a query's holds what was typed
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class Archive:
    """The archive behind an address.

    Parameters
    ----------
    url : str
        Its DICOMweb service: https, or plain http on the loopback.
    auth : AuthBase or None
        User and password, or a token.
    seconds, total_seconds, max_bytes : int
        Longest silence, longest exchange, most bytes of an answer.
    ca : str
        File of certificates; empty for the public ones.
    """

    def __init__(
        self,
        url: str,
        auth: AuthBase | None = None,
        *,
        seconds: int = 20,
        total_seconds: int = 300,
        max_bytes: int = 300_000_000,
        ca: str = "",
    ) -> None:
        self._url = check_url(url)
        self._session = BoundedSession(seconds, total_seconds, max_bytes)
        self._session.auth = auth
        self._session.verify = ca or True
        self._client = DICOMwebClient(self._url, self._session)
        self._client.set_http_retry_params(retry=False)

    def find_studies(self, query: StudyQuery, *, until: datetime.date | None = None) -> StudyList:
        """Find studies with ultrasound, the latest first, at most `MOST_STUDIES`."""
        with self._session.keep_time():
            items, is_cut = self._search(query.to_filters() if until is None else _limit_days(query, FIRST_DAY, until))
            if is_cut and query.date is None:
                items, is_cut = self._search_days(query, FIRST_DAY, until or _tomorrow())
        named = [(read_uid(item, "0020000D"), item) for item in items]
        fitting = [(uid, item) for uid, item in named if query.fits(item)]
        found = {uid: read_study(uid, item) for uid, item in fitting}
        latest = sorted(found.values(), key=lambda study: study.date, reverse=True)
        studies = StudyList(latest[:MOST_STUDIES])
        studies.has_more = is_cut or len(latest) > MOST_STUDIES
        studies.n_others = len(items) - len(fitting)
        return studies

    def _search(self, filters: dict[str, str]) -> tuple[list[dict[str, Any]], bool]:
        """Ask for studies; tell whether the archive has more of them."""
        asked = MOST_STUDIES + 1
        items = self._ask(lambda: self._client.search_for_studies(limit=asked, search_filters=filters))
        return items, len(items) >= asked or "299" in self._session.warning

    def _search_days(self, query: StudyQuery, first: datetime.date, last: datetime.date) -> tuple[list[Any], bool]:
        """Ask for a range of days; where that is cut, for its later half, then for the earlier one if too few came."""
        items, is_cut = self._search(_limit_days(query, first, last))
        if not is_cut or first == last:
            return items, is_cut
        middle = first + (last - first) // 2
        items, is_cut = self._search_days(query, middle + DAY, last)
        if sum(map(query.fits, items)) <= MOST_STUDIES and not is_cut:
            earlier, is_cut = self._search_days(query, first, middle)
            items = items + earlier
        return items, is_cut

    def list_series(self, study: StudySummary) -> list[SeriesSummary]:
        """List the ultrasound series of a study."""
        fields = ["StudyInstanceUID", "PatientID", "Manufacturer", "NumberOfSeriesRelatedInstances"]
        items = self._ask(lambda: self._client.search_for_series(study.uid, fields=fields))
        series = [
            SeriesSummary(
                study.uid,
                read_uid(item, "0020000E"),
                read_text(item, "00200011"),
                read_text(item, "00080060"),
                read_text(item, "00080070"),
                read_text(item, "00201209"),
                study.patient,
            )
            for item in keep_own(items, ("0020000E", "0020000D"), study.uid, (study.uid, study.patient))
        ]
        return sorted((one for one in series if one.modality == "US"), key=lambda one: one.number.zfill(12))

    def list_images(self, series: SeriesSummary) -> list[InstanceReference]:
        """List the images of a series."""
        fields = ["StudyInstanceUID", "SeriesInstanceUID", "PatientID", "NumberOfFrames"]
        items = self._ask(lambda: self._client.search_for_instances(series.study_uid, series.uid, fields=fields))
        found = [
            InstanceReference(
                series.study_uid,
                series.uid,
                read_uid(item, "00080018"),
                read_text(item, "00200013"),
                read_text(item, "00280008"),
                series.patient,
            )
            for item in keep_own(items, ("00080018", "0020000E"), series.uid, (series.study_uid, series.patient))
        ]
        return sorted(found, key=lambda one: one.number.zfill(12))

    def retrieve(self, instance: InstanceReference) -> bytes:
        """Retrieve one object as it is stored, and refuse another one than was asked for."""

        def fetch() -> bytes:
            answer = self._session.get(self._locate(instance), headers={"Accept": ACCEPT})
            return read_single_part(answer.headers.get("Content-Type", ""), answer.content)

        data = self._ask(fetch)
        _refuse_another(data, instance)
        return data

    def render(self, instance: InstanceReference) -> bytes:
        """Ask once for a small picture of an object, as PNG; not every archive makes them."""
        address = f"{self._locate(instance)}/rendered?viewport={VIEWPORT}"
        return self._session.get(address, headers={"Accept": "image/png"}).content

    def _locate(self, instance: InstanceReference) -> str:
        return f"{self._url}/studies/{instance.study_uid}/series/{instance.series_uid}/instances/{instance.uid}"

    def store(self, data: bytes) -> None:
        """Store one object, and look whether it arrived; after a fault it is sent again only if it did not.

        Parameters
        ----------
        data : bytes
            DICOM file of ours. Storing it twice stores it once.

        Raises
        ------
        ArchiveError
            If the archive refuses it or does not hold it afterwards; a temporary one if the archive answers nothing.
        """
        made = pydicom.dcmread(BytesIO(data))
        reference = InstanceReference(str(made.StudyInstanceUID), str(made.SeriesInstanceUID), str(made.SOPInstanceUID))
        tries = 0

        def send() -> Sequence[pydicom.Dataset]:
            nonlocal tries
            tries += 1
            if tries > 1 and self._lists(reference):
                return ()
            return self._client.store_instances([made]).get("FailedSOPSequence") or ()

        failed: Sequence[pydicom.Dataset] = ()
        fault = "The archive took a result, but does not list it yet. Try again later."
        with self._session.keep_time():
            try:
                failed = self._ask(send)
            except ArchiveError as error:
                if not error.is_temporary:
                    raise
                fault = str(error)
            is_held = self.holds(reference)
        if failed and not is_held:
            raise ArchiveError(f"The archive refused a result{_reason(failed)}. Ask whoever runs it.")
        if not is_held:
            raise ArchiveError(fault)

    def holds(self, instance: InstanceReference) -> bool:
        """Tell whether the archive lists an object."""
        return self._ask(lambda: self._lists(instance))

    def _lists(self, instance: InstanceReference) -> bool:
        filters = {"SOPInstanceUID": instance.uid}
        items = self._client.search_for_instances(instance.study_uid, instance.series_uid, search_filters=filters)
        return any(read_uid(item, "00080018") == instance.uid for item in items)

    def _ask(self, call: Callable[[], T]) -> T:
        """Make a call, again after a pause where the fault may pass; all within one time limit."""
        with self._session.keep_time():
            for pause in (*PAUSES, None):
                try:
                    return call()
                except ArchiveError as error:
                    if pause is None or not error.is_temporary:
                        raise
                    self._session.wait(pause)
                except (requests.HTTPError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                    raise ArchiveError(RUBBISH) from None
        raise ArchiveError(RUBBISH)


def open_archive() -> Archive:
    """Open the archive of the settings; nothing is sent yet."""
    if not has_archive():
        raise UsageError("No archive is set. Put the address of its DICOMweb service into SONOKI_PACS_URL.")
    ca = get_text_setting("pacs_ca")
    if ca and not os.path.isfile(ca):
        raise UsageError("The file of SONOKI_PACS_CA is not there. Check its path.")
    return Archive(
        get_text_setting("pacs_url"),
        read_credentials(get_text_setting("pacs_user"), os.environ),
        seconds=get_setting("pacs_seconds"),
        total_seconds=get_setting("pacs_total_seconds"),
        max_bytes=get_setting("max_bytes"),
        ca=ca,
    )


def _limit_days(query: StudyQuery, first: datetime.date, last: datetime.date) -> dict[str, str]:
    days = f"{first:%Y%m%d}-{last:%Y%m%d}" if query.date is None else f"{query.date:%Y%m%d}"
    return query.to_filters() | {"StudyDate": days}


def _tomorrow() -> datetime.date:
    """Give the latest day that a study may have, in whatever zone its machine stands."""
    return datetime.date.today() + DAY


def _refuse_another(data: bytes, instance: InstanceReference) -> None:
    """Refuse a file that is another object, or another patient's, than was asked for, or does not say which it is."""
    found = read_identity(data)
    if (found.study, found.series, found.instance) != (instance.study_uid, instance.series_uid, instance.uid):
        raise ArchiveError("The archive gave another image than the one asked for. Ask whoever runs it.")
    if instance.patient and hash_patient(found.patient_id, found.study) != instance.patient:
        raise ArchiveError("The archive gave an image that names another patient than its study. Ask whoever runs it.")


def _reason(failed: Sequence[pydicom.Dataset]) -> str:
    code = failed[0].get("FailureReason") if failed else None
    return "" if code is None else f" (reason {int(code):04X})"
