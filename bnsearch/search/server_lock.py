"""Locks that a PostgreSQL server keeps for as long as a connection lives: advisory ones, of one database.

A study's is held by a connection of its own, which names its process; it is freed when the process dies on whichever
host, for its connection ends with it.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa

from bnsearch.data.dataset import one_line
from bnsearch.errors import LockedError
from bnsearch.search.address import hide_passwords
from bnsearch.search.database_error import no_driver
from bnsearch.search.lock import Holder, in_use, moment, this_process

PROGRAM = "bnsearch"
NAME_BYTES = 63  # of what a connection says of itself, as PostgreSQL keeps it
NAMING = sa.text("SELECT set_config('application_name', :name, false)")
STAYING = sa.text("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
KEEPALIVES = {"idle": 10, "interval": 5, "count": 3}  # seconds, seconds, tries: a host that is gone is known in 25 s
KEEPING = sa.text(
    "SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES "
    + ", ".join(f"('tcp_keepalives_{what}', '{n}')" for what, n in KEEPALIVES.items())
    + ", ('tcp_user_timeout', '30000')) AS wanted (name, value) USING (name)"
)
FOR_LIBPQ = {"tcp_user_timeout": 30_000} | {f"keepalives_{what}": n for what, n in KEEPALIVES.items()}
LIBPQ = ("psycopg", "psycopg2")  # drivers that are made of it
TAKING = sa.text("SELECT pg_try_advisory_lock(:key)")
WAITING = sa.text("SELECT pg_advisory_xact_lock(:key)")
HOLDING = sa.text(
    "SELECT application_name, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pg_locks.database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (classid::bigint << 32 | objid::bigint) = :key"
)


def key_of(what: str) -> int:
    """The number of a lock: the same in every process and version, signed and of 64 bits as PostgreSQL has it."""
    return int.from_bytes(hashlib.sha256(f"{PROGRAM} {what}".encode()).digest()[:8], "big", signed=True)


TURN = key_of("turn")  # of whoever makes tables


@contextmanager
def server_locked(url: str, name: str) -> Iterator[Callable[[], None]]:
    """Hold the lock of the study of this name, or raise LockedError with its holder; nothing where the database is no
    PostgreSQL. Yields a check that raises LockedError if the lock has been lost since.
    """
    if not _is_server(url):
        yield lambda: None
        return
    with locked_connection(url, name) as connection:

        def check() -> None:
            try:
                connection.exec_driver_sql("SELECT 1")
            except sa.exc.SQLAlchemyError as error:
                raise LockedError(
                    f"The study {name!r} must stay locked in its database while it is at work, but the connection that "
                    f"held the lock was lost ({hide_passwords(one_line(error.__cause__ or error), url)}): see to the "
                    f"server, and run again to go on."
                ) from error

        yield check


@contextmanager
def locked_connection(url: str, name: str) -> Iterator[sa.Connection]:
    """A connection that holds the lock of the study of this name for as long as it lives; raises as `server_locked`."""
    key = key_of(f"study {name}")
    with _connected(url) as connection:
        # before the lock, so that a holder always has a name
        connection.execute(NAMING, {"name": _written(this_process())})
        connection.execute(STAYING)
        connection.execute(KEEPING)  # else the server would keep the lock of a host that is gone for two hours
        while not connection.execute(TAKING, {"key": key}).scalar_one():
            if (found := _holder(connection, key)) is not None:  # else it has just been freed
                raise in_use(f"The study {name!r}", found)
        yield connection


def server_holder(url: str, name: str) -> Holder | str | None:
    """Who holds the study of this name in a PostgreSQL database, or None."""
    if not _is_server(url):
        return None
    with _connected(url) as connection:
        return _holder(connection, key_of(f"study {name}"))


@contextmanager
def server_turn(url: str) -> Iterator[None]:
    """Wait for one's turn in a PostgreSQL database, for what must be done by one process after another."""
    if not _is_server(url):
        yield
        return
    with _connected(url, isolation_level="READ COMMITTED") as connection, connection.begin():
        wait_for_turn(connection)
        yield


def wait_for_turn(connection: sa.Connection) -> None:
    """Wait for one's turn, which lasts until the connection's transaction ends; PostgreSQL alone needs it."""
    if connection.dialect.name == "postgresql":
        connection.execute(WAITING, {"key": TURN})


def _is_server(url: str) -> bool:
    return sa.make_url(url).get_backend_name() == "postgresql"


@contextmanager
def _connected(url: str, isolation_level: str = "AUTOCOMMIT") -> Iterator[sa.Connection]:
    """A connection that is in no pool; by default it is in no transaction either, however long it lasts."""
    address = sa.make_url(url)
    options = FOR_LIBPQ if address.get_driver_name() in LIBPQ else {}
    own = {name: value for name, value in options.items() if name not in address.query}
    try:
        engine = sa.create_engine(
            address, poolclass=sa.pool.NullPool, isolation_level=isolation_level, connect_args=own
        )
    except ImportError as error:
        raise no_driver(url, error) from error
    with engine.connect() as connection:
        yield connection


def _holder(connection: sa.Connection, key: int) -> Holder | str | None:
    found = connection.execute(HOLDING, {"key": key}).first()
    return None if found is None else _read(*found)


def _written(holder: Holder) -> str:
    """For the connection to say; the very long name of a host is cut off."""
    return f"{PROGRAM} {holder.pid} {holder.host}".encode()[:NAME_BYTES].decode(errors="ignore")


def _read(name: str, since: datetime | None) -> Holder | str:
    """since: of the connection; None where it is another user's."""
    program, pid, host = (*name.split(" ", 2), "", "", "")[:3]
    if program != PROGRAM or not pid.isdecimal():
        return "another process"
    return Holder(host, int(pid), "unknown" if since is None else moment(since))
