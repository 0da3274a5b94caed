"""The tables, their versions, and how an older file becomes a newer one.

Times are whole microseconds since 1970. ``doc`` is a record as JSON, and the truth; the columns
beside it exist to be searched. ``seq`` orders records as they were first committed.
"""

import sqlite3
from typing import Final

from sqlite_utils import Database, Migrations

from bot.core.errors import StoreRefused

SCHEMA_VERSION: Final = 3
APPLICATION_ID: Final = int.from_bytes(b"KTRN", "big")

#: STRICT tables; upserts and row values are older.
OLDEST_SQLITE: Final = (3, 37, 0)

MIGRATIONS: Final = Migrations("keyturn")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of *connection* to `SCHEMA_VERSION`.

    Each step is its own transaction: what is interrupted goes on at the next start.

    Raises:
        StoreRefused: they are of a newer Keyturn.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreRefused(
            f"The database was written by a newer Keyturn: its schema is version {version}, "
            f"and this Keyturn knows version {SCHEMA_VERSION}.",
            remedy="Install the newer Keyturn again, or restore the backup made before it.",
        )
    if version < SCHEMA_VERSION:
        MIGRATIONS.apply(Database(connection, execute_plugins=False))


def _at_version(db: Database, version: int) -> None:
    db.execute(
        "INSERT INTO meta VALUES ('schema_version', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(version),),
    )
    db.execute(f"PRAGMA user_version = {version}")


@MIGRATIONS(name="0001_first_tables")
def _first_tables(db: Database) -> None:
    for statement in _FIRST_TABLES:
        db.execute(statement)
    _at_version(db, 1)


@MIGRATIONS(name="0002_resource_servers")
def _resource_servers(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE resource_server (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE,
            doc TEXT NOT NULL
        ) STRICT
        """
    )
    _at_version(db, 2)


@MIGRATIONS(name="0003_identities_and_notices")
def _identities_and_notices(db: Database) -> None:
    for statement in _IDENTITIES_AND_NOTICES:
        db.execute(statement)
    _at_version(db, 3)


_IDENTITIES_AND_NOTICES: Final = (
    """
    CREATE TABLE identity (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        person TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX identity_person ON identity (person, seq)",
    """
    CREATE TABLE notice_route (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        chat TEXT NOT NULL,
        place TEXT NOT NULL,
        doc TEXT NOT NULL,
        UNIQUE (chat, place)
    ) STRICT
    """,
    # As it is compared, and only while the person is active.
    "ALTER TABLE person ADD COLUMN email TEXT",
    "CREATE UNIQUE INDEX person_email ON person (email) WHERE email IS NOT NULL",
)

_FIRST_TABLES: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE proposal (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        agent TEXT NOT NULL,
        principal TEXT NOT NULL,
        connector TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        due_at INTEGER,
        over INTEGER NOT NULL,
        doc TEXT NOT NULL,
        UNIQUE (agent, idempotency_key)
    ) STRICT
    """,
    # over: the state is terminal. What is not over is little, and is found without a walk past
    # what is; a list of both takes from the front of each.
    "CREATE INDEX proposal_agent ON proposal (agent, over, seq)",
    "CREATE INDEX proposal_principal ON proposal (principal, over, seq)",
    "CREATE INDEX proposal_open ON proposal (due_at, seq) WHERE NOT over",
    # Counted by triggers, so that the numbers are right whoever writes.
    """
    CREATE TABLE pending (
        agent TEXT NOT NULL,
        principal TEXT NOT NULL,
        n INTEGER NOT NULL CHECK (n >= 0),
        PRIMARY KEY (agent, principal)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX pending_principal ON pending (principal)",
    """
    CREATE TRIGGER pending_begins AFTER INSERT ON proposal WHEN new.state = 'pending' BEGIN
        INSERT INTO pending VALUES (new.agent, new.principal, 1)
            ON CONFLICT (agent, principal) DO UPDATE SET n = n + 1;
    END
    """,
    """
    CREATE TRIGGER pending_ends AFTER UPDATE OF state ON proposal
    WHEN old.state = 'pending' AND new.state <> 'pending' BEGIN
        UPDATE pending SET n = n - 1 WHERE agent = old.agent AND principal = old.principal;
    END
    """,
    """
    CREATE TRIGGER pending_again AFTER UPDATE OF state ON proposal
    WHEN old.state <> 'pending' AND new.state = 'pending' BEGIN
        INSERT INTO pending VALUES (new.agent, new.principal, 1)
            ON CONFLICT (agent, principal) DO UPDATE SET n = n + 1;
    END
    """,
    """
    CREATE TABLE agent (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL UNIQUE,
        doc TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE person (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        handle TEXT NOT NULL UNIQUE,
        doc TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE token (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        hash TEXT NOT NULL UNIQUE,
        holder TEXT NOT NULL,
        doc TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX token_holder ON token (holder, seq)",
    """
    CREATE TABLE halt (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        active INTEGER NOT NULL,
        swept INTEGER NOT NULL,
        doc TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX halt_open ON halt (seq) WHERE active OR NOT swept",
    "CREATE TABLE policy (seq INTEGER PRIMARY KEY, digest TEXT NOT NULL, doc TEXT NOT NULL) STRICT",
    # A done effect stays as a narrow row, beside the others of its subject, so that its id is
    # known for ever. ready_at is when it may next be leased: the end of the lease while it is
    # held, NULL once it is done.
    """
    CREATE TABLE effect (
        subject TEXT NOT NULL,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        due_at INTEGER,
        ready_at INTEGER,
        held INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        PRIMARY KEY (subject, id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX effect_ready ON effect (kind, ready_at) WHERE ready_at IS NOT NULL",
    """
    CREATE TABLE leaf (
        idx INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        type TEXT NOT NULL,
        proposal TEXT,
        hash BLOB NOT NULL,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX leaf_proposal ON leaf (proposal, idx) WHERE proposal IS NOT NULL",
    """
    CREATE TRIGGER leaf_stays BEFORE UPDATE ON leaf BEGIN
        SELECT RAISE(ABORT, 'a leaf is never changed');
    END
    """,
    """
    CREATE TRIGGER leaf_is_kept BEFORE DELETE ON leaf BEGIN
        SELECT RAISE(ABORT, 'a leaf is never deleted');
    END
    """,
    # What opens the commitments of one leaf; erasure deletes it, and the leaf stays.
    "CREATE TABLE opening (idx INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT",
    """
    CREATE TRIGGER opening_stays BEFORE UPDATE ON opening BEGIN
        SELECT RAISE(ABORT, 'an opening is deleted or kept, never changed');
    END
    """,
    """
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        at INTEGER NOT NULL,
        position INTEGER NOT NULL,
        size INTEGER NOT NULL,
        frontier BLOB NOT NULL
    ) STRICT
    """,
    "INSERT INTO head VALUES (1, 0, 0, 0, zeroblob(8))",
)
