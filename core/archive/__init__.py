"""Results for the archive (PACS): DICOM objects, DICOMweb, and an outbox until they have arrived."""
