"""A study file with other values, written where there is none: whole or not at all, and with its comments."""

import os
import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomlkit

from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.data.whole_file import name_new, write_whole
from bnsearch.errors import UsageError
from bnsearch.search.study_file import Study, parse_override, resolve


def check_new(path: Path) -> None:
    """Refuse what could not be written, or not be run."""
    if path.suffix != ".toml" or not path.parent.is_dir():
        raise UsageError(f"--write must name a .toml file in a folder that exists, but got {str(path)!r}.")
    if path.exists() or path.is_symlink():
        raise _taken(path)


def write_study(study: Study, overrides: Sequence[str], values: Mapping[str, Any], path: Path) -> None:
    """The study's file with overrides and values, checked; relative data paths stay right."""
    tables = tomlkit.parse(study.file.read_text(encoding="utf-8"))
    for keys, value in map(parse_override, overrides):
        _set(tables, keys, value)
    for name, value in values.items():
        _set(tables, name.split("."), value)
    source = study.base.data.source
    if source not in ("digits", "cifar10") and not os.path.isabs(os.path.expanduser(source)):
        _set(tables, ["data", "source"], os.path.relpath(study.file.parent / source, path.parent))
    text = tomlkit.dumps(tables)
    resolve(tomllib.loads(text), path, path.parent, str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_whole(temporary, [text.encode()])
        name_new(temporary, path)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise UsageError(
            f"--write must name a file that can be written, but {path}: {cause_and_remedy(error)}."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _set(tables: MutableMapping[str, Any], keys: Sequence[str], value: Any) -> None:
    """New tables on the way are sections at the top, and inline within those."""
    for depth, key in enumerate(keys[:-1]):
        if key not in tables:
            tables[key] = tomlkit.inline_table() if depth else tomlkit.table()
        tables = tables[key]
    tables[keys[-1]] = _inline(value)


def _inline(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    table = tomlkit.inline_table()
    table.update({key: _inline(inner) for key, inner in value.items()})
    return table


def _taken(path: Path) -> UsageError:
    return UsageError(f"--write must name a new file, but there is {path} already: give another name.")
