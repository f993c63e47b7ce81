"""The Model page: where the bundle comes from, and which one answers."""
