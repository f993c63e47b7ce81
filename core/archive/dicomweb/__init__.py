"""The archive by DICOMweb: find, retrieve, store."""
