"""A case's results as DICOM: Secondary Capture, Structured Report, encapsulated PDF."""
