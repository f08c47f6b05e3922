"""The command line: each command parses, calls one function and prints."""

import sys
import traceback
from io import TextIOWrapper
from itertools import pairwise
from typing import NoReturn

import click

from bnsearch.cli.compare import compare
from bnsearch.cli.dashboard import dashboard
from bnsearch.cli.database import backup, upgrade
from bnsearch.cli.doctor import doctor
from bnsearch.cli.gradcheck import gradcheck
from bnsearch.cli.output import leave_unsaid, tell
from bnsearch.cli.plan import plan
from bnsearch.cli.report import report
from bnsearch.cli.search import coarse, confirm, final, fine, run
from bnsearch.cli.show import show
from bnsearch.cli.stopping import stoppable
from bnsearch.cli.study import reset, status
from bnsearch.data.disk_error import cause_and_remedy
from bnsearch.errors import BnsearchError

EXIT_BUG = 1  # also of `gradcheck`, for derivatives that do not agree
EXIT_REFUSED = 2  # what was asked cannot be done; the line on stderr says why. Signals: see `stopping`


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100},
    invoke_without_command=True,
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="bnsearch")
@click.pass_context
def commands(context: click.Context, debug: bool) -> None:
    """Search hyperparameters of batch-normalised fully connected networks: coarse, fine, confirm, final.

    \b
    Examples:
      bnsearch run digits                 everything, on the digits that come with it
      bnsearch coarse my-study.toml       the first stage of a study file of your own
      bnsearch plan digits --budget 1m    how long it will take, and what fits into a minute
      bnsearch status digits
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(EXIT_REFUSED)


SEARCHING = (coarse, fine, confirm, final, run, compare, plan)
LOOKING = (status, show, report, dashboard)
CHECKING = (gradcheck, doctor)
KEEPING = (reset, backup, upgrade)
for command in (*SEARCHING, *LOOKING, *CHECKING, *KEEPING):
    commands.add_command(command)


def main() -> None:
    """Run the command line; a refusal is one line on stderr and exit code 2."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # λ as ? on a terminal that has no λ
    with stoppable() as stopping:
        try:
            _run()
        except (KeyboardInterrupt, click.Abort):
            stopping.leave()


def _run() -> NoReturn:
    debug = "--debug" in sys.argv
    try:
        sys.exit(commands(standalone_mode=False))
    except click.Abort:
        raise
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "bnsearch"
        _stop(f"{error.format_message()} (see {command} --help)", EXIT_REFUSED)
    except Exception as error:
        if debug:
            click.echo(_without_passwords("".join(traceback.format_exception(error))), err=True, nl=False)
            sys.exit(EXIT_BUG)
        if isinstance(error, BnsearchError):
            _stop(str(error), EXIT_REFUSED)
        if isinstance(error, OSError):  # as a rule the output, for files are met where they are read and written
            what = error.filename or "standard output"
            if error.filename is None:
                leave_unsaid()
            _stop(f"{what} must be usable, but: {cause_and_remedy(error)}, and run again.", EXIT_REFUSED)
        _stop(f"unexpected {type(error).__name__}: {error} (a bug; bnsearch --debug … shows where)", EXIT_BUG)


def _stop(text: str, exit_code: int) -> NoReturn:
    tell(f"bnsearch: {' '.join(_without_passwords(text).split())}")
    sys.exit(exit_code)


def _without_passwords(text: str) -> str:
    """Whatever library the text comes from: a password of a database's address on the command line is not in it."""
    given = [after for before, after in pairwise(sys.argv) if before == "--storage"]
    given += [argument.removeprefix("--storage=") for argument in sys.argv if "://" in argument]
    if not given:
        return text
    from bnsearch.search.address import hide_passwords, without_password

    for url in given:
        text = hide_passwords(text.replace(url, without_password(url)), url)
    return text
