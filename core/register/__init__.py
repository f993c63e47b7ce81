"""The tumour board's register: what readers decided, appended, chained by hash, and read back."""
