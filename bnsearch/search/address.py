"""Where a database lies: its URL, as it may be shown, and the file of an SQLite one."""

import re
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

import sqlalchemy as sa

from bnsearch.errors import StoreError

HIDDEN = "***"
OPTION = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token|key)[^=&]*=)([^&]*)", re.IGNORECASE)  # of a driver
USER = re.compile(r"((?:[\w+]*:?//)?)(.*)@", re.DOTALL)  # up to the last @, for a password may hold one
NO_PORT = re.compile(r"(//[^/:?\[]*:)(?!\d*(?:[/?]|$)).*", re.DOTALL)  # a password without a host
UNREADABLE = (sa.exc.ArgumentError, ValueError)  # ValueError: the port is no number
EXAMPLE = "sqlite:///studies/digits.db"


def default_url(folder: Path, name: str) -> str:
    """The SQLite database beside a study file."""
    path = str(folder / f"{name}.db")
    url = f"sqlite:///{path}"
    return url if sa.make_url(url).database == path else sa.URL.create("sqlite", database=path).render_as_string()


def without_password(url: str) -> str:
    """A database's address as it may be shown; of what is no address, whatever may be a password is hidden too."""
    if _is_plain_file(url):
        return url
    shown = OPTION.sub(rf"\1{HIDDEN}", url)
    found = USER.match(shown)
    if found is None:
        return NO_PORT.sub(rf"\1{HIDDEN}", shown)
    scheme, user = found.groups()
    name, colon, _ = user.partition(":")
    name = name if re.fullmatch(r"[^/@?]*", name) else HIDDEN
    return f"{scheme}{name}{colon and f':{HIDDEN}'}@{shown[found.end() :]}"


def hide_passwords(text: str, url: str) -> str:
    """The text without the passwords of an address, however a driver may quote it."""
    found = USER.match(url)
    secrets = [value for _, value in OPTION.findall(url)]
    if found is not None and not _is_plain_file(url):
        secrets.append(found.group(2).partition(":")[2])
    elif (alone := NO_PORT.search(url)) is not None:
        secrets.append(url[alone.end(1) :])
    forms = {form(secret) for secret in secrets for form in (str, unquote, quote, quote_plus)} - {""}
    for secret in sorted(forms, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL, None for another database's; refused where it is no address."""
    try:
        parsed = sa.make_url(url)
    except UNREADABLE:
        raise _no_address(url) from None  # what is not understood may quote a password
    if parsed.get_backend_name() != "sqlite":
        if "@" in f"{parsed.host}{parsed.database}":
            raise StoreError(
                f"--storage must have the special characters of a password escaped (%40 for @, %2F for /), but got "
                f"{without_password(url)!r}."
            )
        return None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _no_address(url)
    if parsed.database in (None, "", ":memory:"):
        raise StoreError(f"--storage must name a file, such as {EXAMPLE}, but got {without_password(url)!r}.")
    return Path(str(parsed.database))


def _no_address(url: str) -> StoreError:
    return StoreError(f"--storage must be a database URL such as {EXAMPLE}, but got {without_password(url)!r}.")


def _is_plain_file(url: str) -> bool:
    """An SQLite file, in whose path an @ or a colon means nothing."""
    try:
        parsed = sa.make_url(url)
    except UNREADABLE:
        return False
    return parsed.get_backend_name() == "sqlite" and not parsed.query and {parsed.username, parsed.password} <= {None}
