"""dashboard: optuna-dashboard on the studies' databases, and the reports beside it."""

from functools import partial
from typing import TYPE_CHECKING

import click

from bnsearch.cli.options import storage_option

if TYPE_CHECKING:
    from bnsearch.search.study_file import Study


@click.command(
    epilog="Example: bnsearch dashboard digits", short_help="Browse studies, trials and curves in a browser."
)
@click.argument("studies", metavar="[STUDY]...", nargs=-1)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="Port of this machine; 0: any that is free.")
@storage_option
def dashboard(studies: tuple[str, ...], port: int, storage: str | None) -> None:
    """Serve optuna-dashboard on the databases of studies, those in ./studies by default.

    It is seen from this machine alone, shows what is written while a search runs, and changes nothing.
    """
    from bnsearch.search.showing import shown_studies

    found = shown_studies(studies, storage)
    from bnsearch.report.dashboard import Artifacts, Dashboard
    from bnsearch.report.server import HOST, server
    from bnsearch.search.artifacts import artifact_folder
    from bnsearch.search.browsing import browse

    browsed = browse([one.url for one in found])
    artifacts = Artifacts([artifact_folder(one.study) for one in found])
    reports = {one.study.name: partial(_report, one.study, storage) for one in found}
    try:
        with server(Dashboard(browsed, artifacts, reports), port) as running:
            names = ", ".join(one.study.name for one in found)
            click.echo(f"{names}: http://{HOST}:{running.server_port}/dashboard (Ctrl-C ends it)", err=True)
            running.serve_forever()
    except KeyboardInterrupt:
        click.echo("ended.", err=True)
    finally:
        browsed.close()


def _report(study: "Study", storage: str | None) -> str:
    """The page of a study as it stands."""
    from bnsearch.report.report import report
    from bnsearch.search.session import existing_store

    with existing_store(study, storage) as store:
        return report(study, store)
