"""report."""

import json
import os
import webbrowser
from pathlib import Path

import click

from bnsearch.cli.options import json_option, storage_option, study_argument
from bnsearch.errors import StoreError, UsageError


@click.command(epilog="Example: bnsearch report digits --open", short_help="Show it all on one HTML page.")
@study_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it, not NAME/report.html."
)
@click.option("--open", "opened", is_flag=True, help="Show it in a browser.")
@storage_option
@json_option
def report(study: str, output: Path | None, opened: bool, storage: str | None, as_json: bool) -> None:
    """Write one HTML page with the answer, the figures behind it and where it comes from.

    It needs no network, and can be made at any time, also while the study runs.
    """
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    from bnsearch.report.report import FILE
    from bnsearch.report.report import report as make
    from bnsearch.search.session import existing_store

    with existing_store(resolved, storage) as store:
        text = make(resolved, store)
    path = output or resolved.results / FILE
    save(text, path)
    click.echo(json.dumps({"report": str(path)}) if as_json else f"Report: {path}")
    if opened and not webbrowser.open(path.resolve().as_uri()):
        raise UsageError(f"--open needs a browser, but none could be started: open {path} in one.")


def save(text: str, path: Path) -> None:
    """Write a file, whole or not at all; a link stays one, and so does what is no file, such as /dev/stdout.

    The place may be the user's, and several processes may write to it: nothing beside it is taken for a temporary file,
    and no folder is made.
    """
    real = path.resolve()
    temporary = real.parent / f".{real.name}.{os.getpid()}"
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, real)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(
            f"{path} must be a file that can be written, but: {error.strerror}. Name another one: "
            f"bnsearch report STUDY -o FILE."
        ) from error
