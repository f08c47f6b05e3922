"""backup and upgrade."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bnsearch.cli.options import json_option, storage_option, study_argument

if TYPE_CHECKING:
    from bnsearch.search.backup import Backup


@click.command(
    epilog="Example: bnsearch backup digits digits-before-fine.db", short_help="Copy a study's database to a file."
)
@study_argument
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@storage_option
@json_option
def backup(study: str, file: Path | None, storage: str | None, as_json: bool) -> None:
    """Copy the database of a study, also while a search writes to it, to FILE, which must not exist yet.

    Without FILE to NAME-backup-DATE-TIME.db beside the database.
    """
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    from bnsearch.search.backup import backup as copy

    _show(copy(resolved, storage, file), as_json)


@click.command(epilog="Example: bnsearch upgrade digits", short_help="Upgrade a database that an older Optuna made.")
@study_argument
@storage_option
@json_option
def upgrade(study: str, storage: str | None, as_json: bool) -> None:
    """Bring a database that an older Optuna made to the schema of this one, after a backup."""
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    from bnsearch.search.backup import upgrade as bring_up

    copied = bring_up(resolved, storage)
    _show(copied, as_json)


def _show(copied: "Backup", as_json: bool) -> None:
    if as_json:
        fields = {"bytes": copied.n_bytes, "studies": copied.n_studies, "trials": copied.n_trials}
        click.echo(json.dumps({"backup": str(copied.path), **fields}))
        return
    click.echo(f"{copied.path}: studies {copied.n_studies}, trials {copied.n_trials}, {copied.n_bytes / 1000:,.0f} kB.")
