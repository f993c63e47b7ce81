"""A bundle updated on the register's patients: who counts, how far, and the new bundle beside the old one."""
