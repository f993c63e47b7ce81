"""From a file's bytes to the pixels of its B-mode area, in a process of its own."""
