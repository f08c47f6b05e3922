"""Several of Optuna's SQLite databases as one, in memory."""

import re
import sqlite3
from pathlib import Path

from bnsearch.errors import StoreError
from bnsearch.search.sqlite import has_schema, reading

APART = {"study_id": 1_000, "trial_id": 1_000_000_000}  # the numbers of one database and those of the next
ABOUT_TRIAL = re.compile(r"^(dashboard:(?:artifacts:)?)(\d+)(:)")  # keys of optuna-dashboard
ADDRESS = re.compile(r"(/artifacts/)(\d+)/(\d+)/")  # of an artifact, in a note


def merge(into: sqlite3.Connection, path: Path, place: int) -> None:
    """Add all studies of the database at `path`, the place-th after the first, under numbers of their own. The caller
    holds the turn of its folder.
    """
    with reading(path) as other:
        _check_alike(into, other, path, place)
        for table in ("studies", "trials", *_others(into)):
            columns = [row[1] for row in into.execute(f"PRAGMA table_info({table})") if _is_kept(table, row)]
            if not APART.keys() & set(columns):
                continue
            rows = other.execute(f"SELECT {', '.join(columns)} FROM {table}")
            marks = ", ".join(f"? + {place * APART.get(name, 0)}" if name in APART else "?" for name in columns)
            into.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
    _renumber(into, place)
    into.commit()


def _renumber(into: sqlite3.Connection, place: int) -> None:
    """The numbers that optuna-dashboard writes into the attributes of studies."""
    study, trial = (place * APART[name] for name in ("study_id", "trial_id"))
    attributes = "SELECT rowid, key, value_json FROM study_system_attributes WHERE study_id > ?"
    for row, key, value in into.execute(attributes, (study,)).fetchall():
        new_key = ABOUT_TRIAL.sub(lambda m: f"{m[1]}{int(m[2]) + trial}{m[3]}", key)
        new_value = ADDRESS.sub(lambda m: f"{m[1]}{int(m[2]) + study}/{int(m[3]) + trial}/", value)
        change = "UPDATE study_system_attributes SET key = ?, value_json = ? WHERE rowid = ?"
        into.execute(change, (new_key, new_value, row))


def _check_alike(into: sqlite3.Connection, other: sqlite3.Connection, path: Path, place: int) -> None:
    """One schema, no name twice, and room for all numbers."""
    if not has_schema(other):
        raise StoreError(f"{path} must hold a study to be shown with others, but holds none.")
    versions = [c.execute("SELECT version_num FROM alembic_version").fetchone()[0] for c in (into, other)]
    names = [{name for (name,) in c.execute("SELECT study_name FROM studies")} for c in (into, other)]
    if versions[0] != versions[1]:
        raise StoreError(
            f"{path} must have version {versions[0]} of Optuna's tables, as the others have, but has "
            f"{versions[1]}: `bnsearch upgrade` brings an older one up to date."
        )
    most = [c.execute("SELECT MAX(study_id) FROM studies").fetchone()[0] or 0 for c in (into, other)]
    if most[0] >= place * APART["study_id"] or most[1] >= APART["study_id"]:
        raise StoreError(
            f"Databases shown together must have had fewer than {APART['study_id']} studies each, but {path} or one "
            f"before it had more: show them one by one."
        )
    twice = sorted(names[0] & names[1])
    if twice:
        raise StoreError(f"Studies shown together must differ in their names, but {twice[0]} is in {path} too.")


def _others(connection: sqlite3.Connection) -> list[str]:
    tables = (name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))
    return [name for name in tables if name not in ("studies", "trials")]


def _is_kept(table: str, column: tuple[int, str, str, int, str, int]) -> bool:
    """Rows that nothing refers to get new numbers."""
    return not column[5] or table in ("studies", "trials")
