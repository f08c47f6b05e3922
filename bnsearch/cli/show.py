"""show: one trial in full."""

import json

import click

from bnsearch.cli.options import json_option, storage_option, study_argument


@click.command(epilog="Example: bnsearch show digits coarse-4", short_help="Print one trial in full.")
@study_argument
@click.argument("trial")
@storage_option
@json_option
def show(study: str, trial: str, storage: str | None, as_json: bool) -> None:
    """Print one trial: how it ended, its parameters, rungs, figures, learning curve and files.

    TRIAL is a stage and a number, such as coarse-4 or fine2-0.
    """
    from bnsearch.search.study_file import load_study

    resolved = load_study(study)
    from bnsearch.report.trial_text import trial_report
    from bnsearch.search.session import existing_store
    from bnsearch.search.trial_record import trial_record

    with existing_store(resolved, storage) as store:
        record = trial_record(resolved, store, trial)
    if as_json:
        click.echo(json.dumps(record))
    else:
        trial_report(record)
