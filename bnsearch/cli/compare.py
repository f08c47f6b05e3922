"""compare: variants of a study's network side by side."""

import json
from typing import Any

import click

from bnsearch.cli.options import Chosen, session_options, study_argument


@click.command(
    epilog="Example: bnsearch compare b17-speed --test", short_help="Train variants side by side, over several seeds."
)
@study_argument
@click.option("--repeats", type=click.IntRange(min=1), help="Seeds of each variant; a larger number adds the rest.")
@click.option("--test", "tested", is_flag=True, help="Then look at the test set with all networks not tested yet.")
@session_options
def compare(study: str, repeats: int | None, tested: bool, as_json: bool, **options: Any) -> None:
    """Train the variants of a study file's [compare] section, each over the same seeds, and set them against the first.

    Every crossing of the lists under `vary` is a variant. Nothing is chosen, and the stages of the search are left
    alone.
    """
    chosen = Chosen(study, **options)
    resolved = chosen.load(*(() if repeats is None else (f"compare.repeats={repeats}",)))
    from bnsearch.cli.report import save
    from bnsearch.report.findings import with_findings
    from bnsearch.report.report import FILE, report
    from bnsearch.report.text import how_to_see, stage_report
    from bnsearch.search.comparing import comparison_of
    from bnsearch.search.setups import COMPARE
    from bnsearch.search.stages import run_stage, status
    from bnsearch.search.testing import run_test

    comparison_of(resolved)
    with chosen.session(resolved) as session:
        worked = run_stage(session, COMPARE)
        if tested and run_test(session):
            worked = True
            session.present(session, [COMPARE])
        rows, database = with_findings(status(session.store, study, resolved.results)), session.store.url
        page = report(resolved, session.store, ours=True)
    path = resolved.results / FILE
    save(page, path)
    (own,) = (row for row in rows if row["stage"] == COMPARE)
    if as_json:
        click.echo(json.dumps({**own, "database": database, "report": str(path)}))
    else:
        stage_report([own], worked, database, f"{path}; to see it: {how_to_see(study, chosen.storage)}")
