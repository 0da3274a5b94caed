import sqlite3
from contextlib import closing
from pathlib import Path


def refuse_leaves(path: Path) -> None:
    """Make the database itself refuse every leaf from now on."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER no_leaf BEFORE INSERT ON leaf BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
        connection.commit()
