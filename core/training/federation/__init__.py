"""Several hospitals, one bundle, no pooled patients: each exports sums, and the sums are put together."""
