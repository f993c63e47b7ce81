"""DICOM files: which are taken, their frames as a viewer shows them, and the little that is read of their headers."""
