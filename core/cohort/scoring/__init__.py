"""A manifest's images scored: on this machine or a cluster, stopped and resumed."""
