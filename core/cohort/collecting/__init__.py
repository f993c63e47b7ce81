"""A hospital's DICOM files and its workbook to pseudonymised images and a manifest."""
