"""gradcheck."""

import json
from pathlib import Path
from typing import Any

import click

from bnsearch.cli.options import (
    Chosen,
    data_dir_option,
    json_option,
    quiet_option,
    seed_option,
    set_option,
    study_argument,
)

EXIT_DIFFERS = 1  # as cmp and diff have it: 0 for alike, 1 for different, 2 for what could not be compared


@click.command(
    epilog="Example: bnsearch gradcheck digits --set network.hidden=[50,50] --l2 0.5",
    short_help="Check backpropagation against a numeric gradient.",
)
@study_argument
@click.option(
    "--method",
    type=click.Choice(["complex", "central", "forward"]),
    default="complex",
    help="The numeric gradient: complex step (exact to rounding), or differences.",
)
@click.option(
    "--statistics",
    type=click.Choice(["batch", "frozen"]),
    default="batch",
    help="Batch normalisation on the numeric side; frozen shows how a check fails that keeps the moments fixed.",
)
@click.option("--inputs", "n_inputs", type=click.IntRange(min=1), default=10, help="The first dimensions of each row.")
@click.option("--batch", "n_rows", type=click.IntRange(min=1), default=20, help="The first rows of the training data.")
@click.option(
    "--l2", type=click.FloatRange(min=0.0, max=1.0), help="λ of this check, also outside the space that is searched."
)
@seed_option
@data_dir_option
@set_option
@quiet_option
@json_option
@click.pass_context
def gradcheck(
    context: click.Context,
    /,
    study: str,
    seed: int | None,
    data_dir: Path | None,
    overrides: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **question: Any,
) -> None:
    """Compare backpropagation with a numeric gradient, in double precision, for every parameter of the study's network.

    The network is that of the study file on its first inputs, without principal components, and λ is its l2
    unless --l2 is given. A hidden bias under batch normalisation has a true derivative of 0: it is compared absolutely,
    and its relative errors are null in --json.
    Nothing is trained or written. Exit code 0 when all parameters agree, 1 when one does not.
    """
    resolved = Chosen(study, seed, None, None, data_dir, overrides, quiet).load()
    from bnsearch.cli.progress import progress
    from bnsearch.report.gradient_check import gradient_check_report
    from bnsearch.search.gradient_check import Question, check_gradients

    with progress(quiet) as shown:
        record = check_gradients(resolved, Question(**question), shown, data_dir)
    if as_json:
        click.echo(json.dumps(record["parameters"]))
    else:
        gradient_check_report(record)
    if not all(row["agrees"] for row in record["parameters"]):
        context.exit(EXIT_DIFFERS)
