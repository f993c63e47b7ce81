"""The parts of the register's page, and what other pages add to it."""
