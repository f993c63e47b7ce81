"""A training as a process of its own, which a page starts, watches and stops."""
