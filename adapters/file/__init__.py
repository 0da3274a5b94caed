"""People and groups from a file."""
