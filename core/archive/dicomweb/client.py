"""The archive (PACS) by DICOMweb: find a study, retrieve an image, store results, look whether they arrived.

The query is sent as its address demands, with what the user typed; its words enter no log. Of the answers only UIDs,
dates, numbers, modality and manufacturer are read, so that no name comes with a list. Each call is safe to repeat,
since results carry deterministic UIDs; a fault that may pass is tried again.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TypeVar

import pydicom
import requests
from dicomweb_client import DICOMwebClient
from requests.auth import AuthBase

from core.archive.dicomweb.access import check_url, read_credentials
from core.archive.dicomweb.multipart import read_single_part
from core.archive.dicomweb.records import (
    RUBBISH,
    InstanceReference,
    SeriesSummary,
    StudyQuery,
    StudySummary,
    read_text,
    read_texts,
    read_uid,
)
from core.archive.dicomweb.session import BoundedSession
from core.errors import ArchiveError, UsageError
from core.settings import get_setting, get_text_setting

PAUSES = (0.5, 2.0)
MOST_STUDIES = 50
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
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

    def find_studies(self, query: StudyQuery) -> list[StudySummary]:
        """Find studies with ultrasound, the latest first, at most `MOST_STUDIES`.

        Parameters
        ----------
        query : StudyQuery
            What to look for.

        Returns
        -------
        list of StudySummary
            Empty where there is none.

        Raises
        ------
        ArchiveError
            If the archive does not answer as it should.
        """
        filters = query.to_filters()
        items = _ask(lambda: self._client.search_for_studies(limit=MOST_STUDIES, search_filters=filters))
        found = [
            StudySummary(read_uid(item, "0020000D"), read_text(item, "00080020"), read_texts(item, "00080061"))
            for item in items
        ]
        return sorted(found, key=lambda study: study.date, reverse=True)

    def list_series(self, study_uid: str) -> list[SeriesSummary]:
        """List the ultrasound series of a study.

        Parameters
        ----------
        study_uid : str
            Study Instance UID.

        Returns
        -------
        list of SeriesSummary
            By number.

        Raises
        ------
        ArchiveError
            If the archive does not answer as it should.
        """
        fields = ["Manufacturer", "NumberOfSeriesRelatedInstances"]
        items = _ask(lambda: self._client.search_for_series(study_uid, fields=fields))
        series = [
            SeriesSummary(
                study_uid,
                read_uid(item, "0020000E"),
                read_text(item, "00200011"),
                read_text(item, "00080060"),
                read_text(item, "00080070"),
                read_text(item, "00201209"),
            )
            for item in items
        ]
        return sorted((one for one in series if one.modality == "US"), key=lambda one: one.number.zfill(12))

    def list_images(self, series: SeriesSummary) -> list[InstanceReference]:
        """List the images of a series.

        Parameters
        ----------
        series : SeriesSummary
            One of `list_series`.

        Returns
        -------
        list of InstanceReference
            By number.

        Raises
        ------
        ArchiveError
            If the archive does not answer as it should.
        """
        items = _ask(lambda: self._client.search_for_instances(series.study_uid, series.uid, fields=["NumberOfFrames"]))
        found = [
            InstanceReference(
                series.study_uid,
                series.uid,
                read_uid(item, "00080018"),
                read_text(item, "00200013"),
                read_text(item, "00280008"),
            )
            for item in items
        ]
        return sorted(found, key=lambda one: one.number.zfill(12))

    def retrieve(self, instance: InstanceReference) -> bytes:
        """Retrieve one object as it is stored.

        Parameters
        ----------
        instance : InstanceReference
            Which.

        Returns
        -------
        bytes
            DICOM file.

        Raises
        ------
        ArchiveError
            If it does not come whole.
        """
        address = f"{self._url}/studies/{instance.study_uid}/series/{instance.series_uid}/instances/{instance.uid}"

        def fetch() -> bytes:
            answer = self._session.get(address, headers={"Accept": ACCEPT})
            return read_single_part(answer.headers.get("Content-Type", ""), answer.content)

        return _ask(fetch)

    def store(self, data: bytes) -> None:
        """Store one object, and look whether it arrived.

        Parameters
        ----------
        data : bytes
            DICOM file of ours. Storing it twice stores it once.

        Raises
        ------
        ArchiveError
            If the archive refuses it or does not hold it afterwards.
        """
        made = pydicom.dcmread(BytesIO(data))
        reference = InstanceReference(str(made.StudyInstanceUID), str(made.SeriesInstanceUID), str(made.SOPInstanceUID))
        answer = _ask(lambda: self._client.store_instances([made]))
        if answer.get("FailedSOPSequence") and not self.holds(reference):
            reason = _reason(answer.FailedSOPSequence)
            raise ArchiveError(f"The archive refused a result{reason}. Ask whoever runs it.")
        if not self.holds(reference):
            raise ArchiveError(
                "The archive took a result, but does not list it yet. Try again later.", is_temporary=True
            )

    def holds(self, instance: InstanceReference) -> bool:
        """Tell whether the archive lists an object.

        Parameters
        ----------
        instance : InstanceReference
            Which.

        Returns
        -------
        bool
            Whether it does.

        Raises
        ------
        ArchiveError
            If the archive does not answer as it should.
        """
        filters = {"SOPInstanceUID": instance.uid}
        items = _ask(
            lambda: self._client.search_for_instances(instance.study_uid, instance.series_uid, search_filters=filters)
        )
        return any(read_uid(item, "00080018") == instance.uid for item in items)


def has_archive() -> bool:
    """Tell whether an archive is set."""
    return bool(get_text_setting("pacs_url"))


def open_archive() -> Archive:
    """Open the archive of the settings; nothing is sent yet.

    Returns
    -------
    Archive
        Of SONOKI_PACS_URL, with SONOKI_PACS_USER and SONOKI_PACS_PASSWORD, or SONOKI_PACS_TOKEN.

    Raises
    ------
    UsageError
        If no archive is set, or not as it must be.
    """
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


def _ask(call: Callable[[], T]) -> T:
    """Make a call, again after a pause where the fault may pass."""
    for pause in (*PAUSES, None):
        try:
            return call()
        except ArchiveError as error:
            if pause is None or not error.is_temporary:
                raise
            time.sleep(pause)
        except (requests.HTTPError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ArchiveError(RUBBISH) from None
    raise ArchiveError(RUBBISH)


def _reason(failed: Sequence[pydicom.Dataset]) -> str:
    code = failed[0].get("FailureReason") if failed else None
    return "" if code is None else f" (reason {int(code):04X})"
