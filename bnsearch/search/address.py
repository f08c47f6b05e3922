"""Where a database lies: its URL, as it may be shown, and the file of an SQLite one."""

import re
from pathlib import Path

import sqlalchemy as sa

from bnsearch.errors import StoreError


def default_url(folder: Path, name: str) -> str:
    """The SQLite database beside a study file."""
    return f"sqlite:///{folder / name}.db"


def without_password(url: str) -> str:
    """A database's address as it may be shown."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:  # mistyped: whatever stands before the host may hold a password
        return re.sub(r"^(.*?//)?.*@", r"\1***@", url)
    if "password" in parsed.query:
        parsed = parsed.update_query_dict({"password": "***"})
    return parsed.render_as_string(hide_password=True)


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(
            f"--storage must be a database URL such as sqlite:///studies/digits.db, but got {without_password(url)!r}."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.database in (None, "", ":memory:"):
        raise StoreError(f"--storage must name a file, such as sqlite:///studies/digits.db, but got {url!r}.")
    return Path(str(parsed.database))
